package transport

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	maxObserved  = 4  // addresses handed out
	maxObservers = 64 // peers whose word is kept
)

// NATKind is what stands between this machine and the internet (RFC 4787 §4.1).
type NATKind string

// The kinds that can be told apart from what others see.
const (
	NATUnknown    NATKind = "unknown"    // fewer than two have said where they see us
	NATNone       NATKind = "none"       // we are seen at an address of our own
	NATPredictive NATKind = "predictive" // everybody sees us at one address: holes can be punched
	NATSymmetric  NATKind = "symmetric"  // each sees us at another one: a relay is needed
)

// sighting is where a peer sees us.
type sighting struct {
	addr netip.AddrPort
	by   netip.Addr // the observer's own address
	at   time.Time
}

// took notes where a peer says that it sees us (identify, observedAddr). Only
// whom we called or befriended is believed: a stranger could make our friends
// send packets to a victim.
func (h *Host) took(e event.EvtPeerIdentificationCompleted) {
	if e.ObservedAddr == nil || e.Conn == nil || viaRelay(e.Conn.RemoteMultiaddr()) || h.cfg.LANOnly {
		return
	}
	if a, ok := udpOf(e.ObservedAddr); ok {
		h.sighted(e.Conn, a)
	}
}

// sighted keeps what the peer at the other end of a connection says about us.
// It reports whether that is new.
func (h *Host) sighted(c network.Conn, a netip.AddrPort) bool {
	id := c.RemotePeer()
	by, ok := addrIP(c.RemoteMultiaddr())
	if !ok || !a.IsValid() || a.Port() == 0 || a.Addr().IsUnspecified() || a.Addr().IsMulticast() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.Stat().Direction != network.DirOutbound && !h.friends[Peer(id.String())] {
		return false
	}
	if _, known := h.seen[id]; !known && len(h.seen) >= maxObservers {
		h.forgetOldestLocked()
	}
	before := h.seen[id]
	h.seen[id] = sighting{a, by, time.Now()}
	return before.addr != a
}

func (h *Host) forgetOldestLocked() {
	var oldest peer.ID
	for id, s := range h.seen {
		if oldest == "" || s.at.Before(h.seen[oldest].at) {
			oldest = id
		}
	}
	delete(h.seen, oldest)
}

// forgetSightings is called when the machine has moved.
func (h *Host) forgetSightings() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.seen)
}

// Observed returns the UDP addresses by which others see this host, those that
// most have named first, without its own. A LAN-only host has none.
func (h *Host) Observed() []netip.AddrPort {
	own := h.SharedAddrs()
	count := map[netip.AddrPort]int{}
	h.mu.Lock()
	for _, s := range h.seen {
		if !slices.Contains(own, s.addr) {
			count[s.addr]++
		}
	}
	h.mu.Unlock()
	out := make([]netip.AddrPort, 0, len(count))
	for a := range count {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), a.Compare(b))
	})
	for _, a := range h.confirmed() { // what was reached comes first
		if u, ok := udpOf(a); ok && !slices.Contains(out, u) {
			out = slices.Insert(out, 0, u)
		}
	}
	return out[:min(len(out), maxObserved)]
}

// NAT estimates what kind of NAT this machine is behind, in IPv4, from where
// several others see it.
func (h *Host) NAT() NATKind {
	own := h.SharedAddrs()
	h.mu.Lock()
	defer h.mu.Unlock()
	observers, places := map[netip.Addr]bool{}, map[netip.AddrPort]bool{}
	for _, s := range h.seen {
		switch {
		case !s.addr.Addr().Is4() || nearby(s.by):
		case slices.Contains(own, s.addr):
			return NATNone
		default:
			observers[s.by], places[s.addr] = true, true
		}
	}
	switch {
	case len(observers) < 2:
		return NATUnknown
	case len(places) == 1:
		return NATPredictive
	}
	return NATSymmetric
}
