package transport

import (
	"context"
	"net/netip"
	"slices"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/config"
	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	ma "github.com/multiformats/go-multiaddr"
)

// Protocol is by what a router is asked for ports.
type Protocol string

// The protocols, in the order in which a router is asked.
const (
	PCP    Protocol = "PCP"     // RFC 6887
	NATPMP Protocol = "NAT-PMP" // RFC 6886
	UPnP   Protocol = "UPnP"    // Internet Gateway Device
)

// RouterState is how it went when the router was asked for ports.
type RouterState struct {
	Asked    bool     // else it has not been yet, or is to be left alone
	Answered bool     // else it was silent
	By       Protocol // empty: it gives none
}

// Mapping is a port that the router says it opened for this host.
type Mapping struct {
	Port      int            // of this machine
	UDP       bool           // else TCP
	Outside   netip.AddrPort // what the router says
	By        Protocol
	Confirmed bool // somebody outside has reached us there (AutoNAT v2)
}

// Reachability is what others found out when they dialled this host's addresses
// (AutoNAT v2): those that are reached, those that are not, and those that
// nobody has tried yet. They are multiaddrs without /p2p/.
type Reachability struct {
	Reached, Unreached, Untried []string
}

// confirming is a libp2p host that knows which of its addresses were reached.
type confirming interface {
	ConfirmedAddrs() (reachable, unreachable, unknown []ma.Multiaddr)
}

// verifyOptions let others dial this host to see whether it is reached, and a
// relay dial others. In a World nobody does.
func (h *Host) verifyOptions(ctx context.Context) []libp2p.Option {
	if !h.verifies() {
		return nil
	}
	opts := []libp2p.Option{libp2p.EnableAutoNATv2()}
	if h.cfg.MapPort {
		opts = append(opts, libp2p.NATManager(h.openMapper(ctx)))
	}
	return opts
}

// verifies says whether others are asked to dial this host.
func (h *Host) verifies() bool {
	return !h.cfg.LANOnly && h.cfg.World == nil && (h.cfg.MapPort || h.cfg.Lend != nil)
}

// openMapper gives libp2p what asks the router, and keeps it for Mappings.
func (h *Host) openMapper(ctx context.Context) config.NATManagerC {
	return func(n network.Network) basichost.NATManager {
		h.mapper = newMapper(context.WithoutCancel(ctx), n, h.cfg.Gateway, h.cfg.MapLater, h.log)
		return h.mapper
	}
}

// AskRouter lets the host ask the router for ports, or ends that: what is open
// is given back then. It does nothing on a host without MapPort.
func (h *Host) AskRouter(on bool) {
	if h.mapper != nil {
		h.mapper.mayAsk(on)
	}
}

// Router says how it went with the router.
func (h *Host) Router() RouterState {
	if h.mapper == nil {
		return RouterState{}
	}
	h.mapper.mu.Lock()
	defer h.mapper.mu.Unlock()
	return h.mapper.state
}

// serveVerifiers answers those who want to know whether they are reached only
// on a relay: it has an address of its own, and its owner offered to help.
func (h *Host) serveVerifiers() {
	if h.cfg.Lend == nil {
		h.p2p.RemoveStreamHandler(autonatv2.DialProtocol)
	}
}

// Reachability says which addresses of this host were reached from outside.
func (h *Host) Reachability() Reachability {
	c, ok := h.p2p.(confirming)
	if !ok || !h.verifies() {
		return Reachability{}
	}
	reached, not, untried := c.ConfirmedAddrs()
	return Reachability{texts(reached), texts(not), texts(untried)}
}

func texts(addrs []ma.Multiaddr) (out []string) {
	for _, a := range addrs {
		out = append(out, a.String())
	}
	slices.Sort(out)
	return out
}

// Mappings lists the ports that the router says it opened.
func (h *Host) Mappings() (out []Mapping) {
	if h.mapper == nil {
		return nil
	}
	reached, by := h.confirmed(), h.Router().By
	for _, a := range h.swarm.ListenAddresses() {
		outside := h.mapper.GetMapping(a)
		if outside == nil {
			continue
		}
		ip, ok := addrIP(outside)
		if !ok {
			continue
		}
		code, udp := ma.P_TCP, transportOf(a) == "udp"
		if udp {
			code = ma.P_UDP
		}
		out = append(out, Mapping{
			Port: portOf([]ma.Multiaddr{a}, code), UDP: udp, By: by,
			Outside:   netip.AddrPortFrom(ip, uint16(portOf([]ma.Multiaddr{outside}, code))),
			Confirmed: slices.ContainsFunc(reached, outside.Equal),
		})
	}
	return out
}

// confirmed lists the addresses at which this host was reached from outside,
// though it does not listen there itself: those of its router. A router may
// lie, or stand behind another one, so its own word counts for nothing.
func (h *Host) confirmed() (out []ma.Multiaddr) {
	c, ok := h.p2p.(confirming)
	if !ok || h.mapper == nil {
		return nil
	}
	reached, _, _ := c.ConfirmedAddrs()
	own := h.listening()
	for _, a := range reached {
		if !slices.ContainsFunc(own, a.Equal) && !viaRelay(a) {
			out = append(out, a)
		}
	}
	return out
}
