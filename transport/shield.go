package transport

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Keeping an address from somebody. libp2p tells addresses in two places, and
// both of them tell a peer nothing that it is not to know:
//
//   - identify, also when it is pushed and over relays, names where a host
//     listens. Ours names nothing but relays, to everybody; friends learn the
//     real addresses inside their own encrypted channel. Only a relay or a
//     node of the table, which is there to be dialled by strangers, names its own.
//   - hole punching names where a host is seen. It is refused with whoever may
//     not be talked to directly, before anything is told. And it begins by calling
//     whoever came through a relay at the addresses that they name in identify:
//     those calls are refused at the gate.
//
// Such a peer is dialled only through relays of our own choice, for one of its
// choice would see who calls, and it is refused at the door when it comes
// directly. What stays: whoever already suspects an address can dial it and see
// who answers there.

// mayRoute asks whether a path to a peer may be used: through a relay, or
// directly where relay is empty.
func (h *Host) mayRoute(p peer.ID, relay Peer) bool {
	return h.cfg.Route == nil || h.cfg.Route(Peer(p.String()), relay)
}

// mayUse asks the same for an address of the peer.
func (h *Host) mayUse(p peer.ID, a ma.Multiaddr) bool {
	if viaRelay(a) {
		return h.mayRoute(p, relayIn(a))
	}
	return h.mayRoute(p, "")
}

// mayPunch asks whether a peer may be told where we are seen.
func (h *Host) mayPunch(p peer.ID) bool {
	return h.mayRoute(p, "") && (h.cfg.Punch == nil || h.cfg.Punch(Peer(p.String())))
}

const (
	// cameKept is how long it is remembered that somebody came through a relay:
	// longer than libp2p takes to call them back, which it does also when they have
	// left. maxCame is of how many.
	cameKept = 2 * time.Minute
	maxCame  = 4096
)

// cameBy is told of each new connection.
func (h *Host) cameBy(c network.Conn) {
	if !viaRelay(c.RemoteMultiaddr()) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var oldest peer.ID
	for p, at := range h.came {
		switch {
		case time.Since(at) > cameKept:
			delete(h.came, p)
		case oldest == "" || at.Before(h.came[oldest]):
			oldest = p
		}
	}
	if len(h.came) >= maxCame {
		delete(h.came, oldest)
	}
	h.came[c.RemotePeer()] = time.Now()
}

// mayDial asks whether an address of a peer may be dialled.
func (h *Host) mayDial(p peer.ID, a ma.Multiaddr) bool {
	h.mu.Lock()
	at, came := h.came[p]
	h.mu.Unlock()
	shy := came && time.Since(at) <= cameKept && !viaRelay(a)
	return h.mayUse(p, a) && (!shy || h.mayPunch(p))
}

// identified are the addresses that identify names to everybody.
func (h *Host) identified(addrs []ma.Multiaddr) []ma.Multiaddr {
	serves := h.onlyLends() || h.cfg.DHT != nil && h.cfg.DHT.Serve
	if serves && h.cfg.Route == nil {
		return h.published(addrs)
	}
	return h.circuitAddrs()
}

// puncher says which addresses hole punching may tell and try.
type puncher struct{ h *Host }

var _ holepunch.AddrFilter = puncher{}

// FilterLocal gives what a peer may be told: also our own public addresses,
// which may stand behind a firewall.
func (p puncher) FilterLocal(to peer.ID, addrs []ma.Multiaddr) []ma.Multiaddr {
	if !p.h.mayPunch(to) {
		return nil
	}
	for _, a := range p.h.listening() {
		if manet.IsPublicAddr(a) && !slices.ContainsFunc(addrs, a.Equal) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// FilterRemote gives which of a peer's addresses may be tried.
func (p puncher) FilterRemote(of peer.ID, addrs []ma.Multiaddr) []ma.Multiaddr {
	return slices.DeleteFunc(addrs, func(a ma.Multiaddr) bool { return !p.h.mayPunch(of) || !p.h.mayUse(of, a) })
}

// Reroute closes the connections that may not be used any more, after the
// answers of Route have changed.
func (h *Host) Reroute() {
	for _, c := range h.swarm.Conns() {
		if !h.mayUse(c.RemotePeer(), c.RemoteMultiaddr()) {
			_ = c.CloseWithError(network.ConnGated)
		}
	}
}
