package transport

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Standing is how a host stands in the network, as far as it knows without
// asking anybody.
type Standing struct {
	// Own are the addresses of this machine that others could dial; loopback is
	// none.
	Own []netip.Addr
	// Announces says whether people on this network find the host by themselves.
	Announces bool
	// Relays are those that the host is to be reachable through.
	Relays []RelayState
}

// RelayState is how it goes with one relay.
type RelayState struct {
	Peer Peer
	// Addr is where it is dialled, a multiaddr.
	Addr string
	// Origin is why it passes on for us.
	Origin Origin
	// Reserved says that people reach us through it now.
	Reserved bool
	// Small says that it passes on too little for a call.
	Small bool
	// Impostor says that something else answers in its place.
	Impostor bool
	// RTT is the round trip to it, 0 while unknown.
	RTT time.Duration
}

// Standing looks at the host's place in the network.
func (h *Host) Standing() Standing {
	out := Standing{Announces: !h.cfg.NoLAN && h.cfg.World == nil, Relays: h.relayStates()}
	for _, a := range h.listening() {
		if ip, ok := addrIP(a); ok && !ip.IsLoopback() && !slices.Contains(out.Own, ip) {
			out.Own = append(out.Own, ip)
		}
	}
	return out
}

func (h *Host) relayStates() []RelayState {
	var out []RelayState
	for _, r := range h.relaysNow() {
		s := h.relayState(r.ID)
		if len(r.Addrs) > 0 {
			s.Addr = r.Addrs[0].String() + "/p2p/" + string(s.Peer)
		}
		if h.swarm.Connectedness(r.ID) == network.Connected {
			s.RTT = h.Path(s.Peer).RTT
		}
		out = append(out, s)
	}
	return out
}

func (h *Host) relayState(id peer.ID) RelayState {
	h.mu.Lock()
	defer h.mu.Unlock()
	through := h.circuits[id]
	return RelayState{Peer: Peer(id.String()), Origin: h.originLocked(id), Reserved: len(through.addrs) > 0, Small: through.small, Impostor: h.impostors[id]}
}

// Public reports whether an address is one that the whole internet can route
// to: neither private, nor a provider's shared one (RFC 6598).
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip)
}

// CheckRelay says what is wrong with the address of a relay, if anything.
func CheckRelay(text string) error {
	_, err := relaysOf([]string{text})
	return err
}
