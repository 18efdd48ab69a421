package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-netroute"
)

// Firewall is how it went when the router was asked to let others in by IPv6.
type Firewall struct {
	Asked bool // else it has not been yet, has nothing to let in, or is to be left alone
	Open  bool // it says that it lets them in
}

// Firewall says how it goes with that of the router.
func (h *Host) Firewall() Firewall {
	if h.mapper == nil {
		return Firewall{}
	}
	h.mapper.mu.Lock()
	defer h.mapper.mu.Unlock()
	return h.mapper.wall
}

// maxPinholes is how many ports of IPv6 addresses are asked for: two of a stable
// address, and of some passing ones (RFC 8981).
const maxPinholes = 8

// fence has the IPv6 firewall of a home let others in at ports of this machine,
// by the MAP of PCP about an IPv6 address (RFC 6887 §11), of which nothing is
// translated, else by UPnP. What is told to friends stays the same, for the
// addresses do.
type fence struct {
	gate netip.AddrPort
	by   map[netip.Addr]*pcp // a router knows each address by a nonce of its own
	upnp *upnpFence          // of a router that knows no PCP; nil: none was found
	open []pinhole
}

// pinhole is a port of one of this machine's own IPv6 addresses.
type pinhole struct {
	at netip.Addr
	door
}

// pierce asks for every pinhole, and says when to do so again.
func (m *mapper) pierce(ctx context.Context) time.Duration {
	gate, err := m.gateSix()
	if gate != m.fence.gate {
		m.fence = fence{gate: gate, by: map[netip.Addr]*pcp{}}
	}
	m.fence.open = nil
	if err != nil {
		m.log.Debug("no router to ask for a pinhole", "err", err)
		return mapAgain
	}
	next := mapAgain
	holes := m.pinholes()
	defer func() { m.keepWall(Firewall{Asked: len(holes) > 0, Open: len(m.fence.open) > 0}) }()
	for _, h := range holes {
		lasts, err := m.letIn(ctx, h)
		if err == nil {
			m.fence.open, next = append(m.fence.open, h), min(next, max(lasts/2, mapSoonest))
			continue
		}
		m.log.Debug("no pinhole in the router", "err", err)
		if errors.Is(err, errNoGateway) {
			break // else it may let in another address
		}
	}
	return next
}

// letIn asks for a pinhole: by PCP, else by UPnP, or by that alone where it was
// found before.
func (m *mapper) letIn(ctx context.Context, h pinhole) (time.Duration, error) {
	if m.fence.upnp == nil {
		lasts, err := m.fence.ask(ctx, h, mapLife)
		if !errors.Is(err, errNoGateway) {
			return lasts, err
		}
		if m.fence.upnp, err = m.findFence(ctx); err != nil {
			return 0, err
		}
	}
	lasts, err := m.fence.ask(ctx, h, mapLife)
	if errors.Is(err, errNoGateway) {
		m.fence.upnp = nil
	}
	return lasts, err
}

// keepWall takes down how it went, as keep does.
func (m *mapper) keepWall(w Firewall) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.moved && !m.off {
		m.wall = w
	}
}

// ask asks for a pinhole for some time; none closes it.
func (f *fence) ask(ctx context.Context, h pinhole, life time.Duration) (time.Duration, error) {
	if f.upnp != nil {
		return f.upnp.open(ctx, h, life)
	}
	p := f.by[h.at]
	if p == nil {
		var err error
		if p, err = newPCP(router{at: f.gate, self: h.at}); err != nil {
			return 0, err
		}
		f.by[h.at] = p
	}
	_, lasts, err := p.open(ctx, h.door, life)
	return lasts, err
}

// close closes all pinholes. Those that the router does not take back close by
// themselves when their time is over.
func (f *fence) close(ctx context.Context) (err error) {
	open := f.open
	f.open = nil
	for _, h := range open {
		_, failed := f.ask(ctx, h, 0)
		if err = errors.Join(err, failed); errors.Is(failed, errNoGateway) {
			break
		}
	}
	return err
}

// gateSix finds the router of IPv6's default route; nothing is sent for that.
func (m *mapper) gateSix() (netip.AddrPort, error) {
	if m.at.IsValid() {
		if m.at.Addr().Is4() {
			return netip.AddrPort{}, errNoGateway // the router that was named is no other
		}
		return m.at, nil
	}
	routes, err := netroute.New()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find the router: %w", err)
	}
	by, ip, _, err := routes.Route(net.ParseIP("2000::1"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find the router: %w", err)
	}
	gate, ok := netip.AddrFromSlice(ip)
	if !ok || !gate.Is6() || !nearby(gate) {
		return netip.AddrPort{}, errNoGateway
	}
	if gate.IsLinkLocalUnicast() && by != nil {
		gate = gate.WithZone(by.Name)
	}
	return netip.AddrPortFrom(gate, pmpPort), nil
}

// pinholes lists the ports of IPv6 addresses on which the host listens and which
// have to be let in from everywhere.
func (m *mapper) pinholes() (out []pinhole) {
	all, err := m.net.InterfaceListenAddresses()
	if err != nil {
		return nil
	}
	for _, a := range all {
		ip, ok := addrIP(a)
		d, isPort := doorSix(a)
		if !ok || !isPort || !ip.Is6() || !Public(ip) && !m.at.IsValid() || len(out) == maxPinholes {
			continue
		}
		if h := (pinhole{ip, d}); !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}
