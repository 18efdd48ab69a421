package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-netroute"
	ma "github.com/multiformats/go-multiaddr"
)

// mapper keeps ports of the router open: by UPnP, which libp2p speaks, and by
// NAT-PMP.
type mapper struct {
	upnp basichost.NATManager // nil: not asked
	net  network.Network
	at   netip.AddrPort // the router; none: that of the default route
	log  *slog.Logger
	wake chan struct{} // a token: the machine has moved
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	outside netip.Addr
	open    map[door]uint16
}

// door is a port of ours.
type door struct {
	op   byte // pmpUDP or pmpTCP
	port uint16
}

var _ basichost.NATManager = (*mapper)(nil)

func newMapper(ctx context.Context, n network.Network, at netip.AddrPort, log *slog.Logger) *mapper {
	ctx, stop := context.WithCancel(ctx)
	m := &mapper{net: n, at: at, log: log, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}), open: map[door]uint16{}}
	if !at.IsValid() {
		m.upnp = basichost.NewNATManager(n)
	}
	go m.run(ctx)
	return m
}

// run asks for ports, and again before they close, until ctx ends; then it
// closes them.
func (m *mapper) run(ctx context.Context) {
	defer close(m.done)
	next := time.NewTimer(settle) // until the host listens
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			m.shut(context.WithoutCancel(ctx))
			return
		case <-m.wake:
			m.forget()
		case <-next.C:
		}
		pause := pmpRetry
		if life, err := m.ask(ctx); err == nil {
			pause = max(life/2, time.Minute)
		} else {
			m.log.Debug("no port of the router by NAT-PMP", "err", err)
		}
		next.Reset(pause)
	}
}

// ask asks for every port on which the host listens.
func (m *mapper) ask(ctx context.Context) (life time.Duration, err error) {
	g, err := m.router()
	if err != nil {
		return 0, err
	}
	outside, err := g.outside(ctx)
	if err != nil {
		return 0, err
	}
	life = pmpLife
	for d := range m.doors() {
		port, lasts, err := g.open(ctx, d.op, d.port, pmpLife)
		if err != nil {
			return 0, err
		}
		life = min(life, lasts)
		m.mu.Lock()
		m.outside, m.open[d] = outside, port
		m.mu.Unlock()
	}
	return life, nil
}

// shut gives the ports back.
func (m *mapper) shut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	g, err := m.router()
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for d := range m.open {
		if _, _, err := g.open(ctx, d.op, d.port, 0); err != nil {
			return // it closes by itself
		}
	}
}

func (m *mapper) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.open)
}

// moved makes the mapper ask anew.
func (m *mapper) moved() { stir(m.wake) }

// router finds the one of the default route; nothing is sent for that.
func (m *mapper) router() (gateway, error) {
	if m.at.IsValid() {
		return gateway{m.at}, nil
	}
	routes, err := netroute.New()
	if err != nil {
		return gateway{}, fmt.Errorf("find the router: %w", err)
	}
	_, ip, _, err := routes.Route(net.IPv4(1, 1, 1, 1))
	if err != nil {
		return gateway{}, fmt.Errorf("find the router: %w", err)
	}
	at, ok := netip.AddrFromSlice(ip.To4())
	if !ok || !nearby(at) {
		return gateway{}, errNoGateway
	}
	return gateway{netip.AddrPortFrom(at, pmpPort)}, nil
}

// doors lists the IPv4 ports on which the host listens.
func (m *mapper) doors() map[door]bool {
	out := map[door]bool{}
	for _, a := range m.net.ListenAddresses() {
		if d, ok := doorOf(a); ok {
			out[d] = true
		}
	}
	return out
}

func doorOf(a ma.Multiaddr) (door, bool) {
	d, code := door{op: pmpTCP}, ma.P_TCP
	if transportOf(a) == "udp" {
		d.op, code = pmpUDP, ma.P_UDP
	}
	d.port = uint16(portOf([]ma.Multiaddr{a}, code))
	_, err := a.ValueForProtocol(ma.P_IP4)
	return d, err == nil && d.port != 0
}

// GetMapping says where the router says that an address of ours is reached, nil
// if nowhere. It implements NATManager.
func (m *mapper) GetMapping(a ma.Multiaddr) ma.Multiaddr {
	if m.upnp != nil {
		if out := m.upnp.GetMapping(a); out != nil {
			return out
		}
	}
	d, ok := doorOf(a)
	m.mu.Lock()
	defer m.mu.Unlock()
	port := m.open[d]
	if !ok || port == 0 || !m.outside.IsValid() || m.outside.IsUnspecified() {
		return nil
	}
	return withPort(atIP(a, m.outside), int(port))
}

// atIP returns an address of IPv4 with another IP.
func atIP(a ma.Multiaddr, ip netip.Addr) ma.Multiaddr {
	out := ma.Multiaddr{}
	for _, c := range a {
		if c.Protocol().Code == ma.P_IP4 {
			if with, err := ma.NewComponent(c.Protocol().Name, ip.String()); err == nil {
				c = *with
			}
		}
		out = append(out, c)
	}
	return out
}

// HasDiscoveredNAT says whether a router answered. It implements NATManager.
func (m *mapper) HasDiscoveredNAT() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.open) > 0 || m.upnp != nil && m.upnp.HasDiscoveredNAT()
}

// Close gives the ports back.
func (m *mapper) Close() error {
	m.stop()
	<-m.done
	if m.upnp == nil {
		return nil
	}
	return m.upnp.Close()
}
