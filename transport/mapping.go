package transport

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/config"
	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
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
	Refuted   bool // somebody outside has tried in vain, or nobody could: Outside is private
}

// confirming is a libp2p host that knows which of its addresses were reached.
type confirming interface {
	ConfirmedAddrs() (reachable, unreachable, unknown []ma.Multiaddr)
}

// verifyOptions let a host ask its router, and a relay dial others to see
// whether they are reached. In a World nobody does.
func (h *Host) verifyOptions(ctx context.Context) (opts []libp2p.Option) {
	if h.cfg.LANOnly || h.cfg.World != nil {
		return nil
	}
	if h.cfg.Lend != nil {
		opts = append(opts, libp2p.EnableAutoNATv2())
	}
	if h.cfg.MapPort {
		opts = append(opts, libp2p.NATManager(h.openMapper(ctx)))
	}
	return opts
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

// Mappings lists the ports that the router says it opened, UDP first.
func (h *Host) Mappings() (out []Mapping) {
	by, reached, not := h.Router().By, h.confirmed(), h.refuted()
	for _, own := range h.mappedFrom() {
		outside := h.mapper.GetMapping(own)
		d, _ := doorOf(own)
		ip, _ := addrIP(outside)
		to, _ := doorOf(outside)
		out = append(out, Mapping{
			Port: int(d.port), UDP: d.udp, By: by, Outside: netip.AddrPortFrom(ip, to.port),
			Confirmed: slices.ContainsFunc(reached, outside.Equal),
			Refuted:   !Public(ip) || slices.ContainsFunc(not, outside.Equal),
		})
	}
	return out
}

// mappedFrom lists the addresses on which the host listens and to which the
// router says that a port of it leads, UDP first.
func (h *Host) mappedFrom() (out []ma.Multiaddr) {
	if h.mapper == nil {
		return nil
	}
	for _, a := range h.swarm.ListenAddresses() {
		if h.mapper.GetMapping(a) != nil {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b ma.Multiaddr) int { return strings.Compare(transportOf(b), transportOf(a)) })
	return out
}

// mapped lists the same as the router names it.
func (h *Host) mapped() (out []ma.Multiaddr) {
	for _, a := range h.mappedFrom() {
		if at := h.mapper.GetMapping(a); at != nil {
			out = append(out, at)
		}
	}
	return out
}

// confirmed lists the addresses at which this host was reached from outside,
// though it does not listen there itself: those of its router. A router may
// lie, or stand behind another one, so its own word counts for nothing.
func (h *Host) confirmed() []ma.Multiaddr {
	reached, _ := h.verdicts()
	return reached
}

// refuted lists those at which it was not.
func (h *Host) refuted() []ma.Multiaddr {
	_, not := h.verdicts()
	return not
}

func (h *Host) verdicts() (reached, not []ma.Multiaddr) {
	mapped := h.mapped()
	if h.verifier != nil {
		return h.verifier.verdicts(mapped)
	}
	c, ok := h.p2p.(confirming)
	if !ok || len(mapped) == 0 {
		return nil, nil
	}
	elsewhere := func(a ma.Multiaddr) bool { return !slices.ContainsFunc(mapped, a.Equal) }
	reached, not, _ = c.ConfirmedAddrs()
	return slices.DeleteFunc(reached, elsewhere), slices.DeleteFunc(not, elsewhere)
}
