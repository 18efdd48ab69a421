package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-netroute"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// mapLife is how long a mapping is asked for (RFC 6886 §3.3).
	mapLife = 2 * time.Hour
	// mapAgain is when at the latest it is asked for anew, and when a router is
	// asked again that did not answer: one that was started anew has forgotten
	// what it gave, and asking again is the cheapest way to know.
	mapAgain = 10 * time.Minute
	// mapSoonest keeps a router from making us ask all the time.
	mapSoonest = 10 * time.Second
)

// way is a protocol by which a router is asked for ports.
type way interface {
	// open asks for a port of the router that leads to ours, and closes it if
	// life is zero. It gives where the router says that we are reached, and for
	// how long.
	open(ctx context.Context, d door, life time.Duration) (netip.AddrPort, time.Duration, error)
}

// mapper keeps ports of the router open: by PCP, else by NAT-PMP, else by UPnP,
// and beside that pinholes for IPv6.
type mapper struct {
	net  network.Network
	at   netip.AddrPort // the router; none: that of the default route
	log  *slog.Logger
	wake chan struct{} // a token: something is to be done
	stop context.CancelFunc
	done chan struct{}

	fence fence // the goroutine of run has it

	mu    sync.Mutex
	news  chan<- struct{} // gets a token when what is open changes; nil: nobody wants to know
	off   bool            // the router is left alone
	moved bool            // the machine has moved: what was open leads nowhere
	state RouterState
	wall  Firewall
	way   way // by which the ports were opened; nil: none is
	open  map[door]netip.AddrPort
}

// door is a port of ours.
type door struct {
	udp  bool // else TCP
	port uint16
}

var _ basichost.NATManager = (*mapper)(nil)

func newMapper(ctx context.Context, n network.Network, at netip.AddrPort, off bool, log *slog.Logger) *mapper {
	ctx, stop := context.WithCancel(ctx)
	m := &mapper{
		net: n, at: at, log: log, off: off, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
		open: map[door]netip.AddrPort{},
	}
	go m.run(ctx)
	return m
}

// run asks for ports, and again before they close, until ctx ends; then it
// gives them back.
func (m *mapper) run(ctx context.Context) {
	defer close(m.done)
	next := time.NewTimer(settle) // until the host listens
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			m.giveBack(context.WithoutCancel(ctx))
			return
		case <-m.wake:
		case <-next.C:
		}
		if m.left(ctx) {
			next.Stop()
			continue
		}
		next.Reset(min(m.ask(ctx), m.pierce(ctx)))
	}
}

// left forgets what the machine has moved away from, and gives back what is
// open if the router is to be left alone. It says whether it is.
func (m *mapper) left(ctx context.Context) bool {
	m.mu.Lock()
	off, moved := m.off, m.moved
	m.moved = false
	if moved || off {
		m.state, m.wall = RouterState{}, Firewall{}
	}
	if moved {
		m.way = nil
		clear(m.open)
	}
	m.mu.Unlock()
	if off {
		m.giveBack(ctx)
	}
	return off
}

// ask asks for every port on which the host listens, and says when to do so
// again.
func (m *mapper) ask(ctx context.Context) time.Duration {
	r, err := m.router(ctx)
	if err != nil {
		m.log.Debug("no router to ask for a port", "err", err)
		m.keep(RouterState{Asked: true}, nil, nil)
		return mapAgain
	}
	refused := false
	for _, by := range []Protocol{PCP, NATPMP, UPnP} {
		w, err := m.wayOf(ctx, by, r)
		var open map[door]netip.AddrPort
		life := mapLife
		if err == nil {
			open, life, err = m.askBy(ctx, w)
		}
		if err == nil {
			m.keep(RouterState{Asked: true, Answered: true, By: by}, w, open)
			return min(max(life/2, mapSoonest), mapAgain)
		}
		m.log.Debug("no port of the router", "by", string(by), "err", err)
		refused = refused || errors.Is(err, errRefused)
	}
	m.keep(RouterState{Asked: true, Answered: refused}, nil, nil)
	return mapAgain
}

// wayOf gives the way of a protocol: the one in use if it is that, for a router
// gives a port back only to whom it knows by the same nonce.
func (m *mapper) wayOf(ctx context.Context, by Protocol, r router) (way, error) {
	m.mu.Lock()
	used, same := m.way, m.state.By == by
	m.mu.Unlock()
	switch {
	case used != nil && same:
		return used, nil
	case by == PCP:
		return newPCP(r)
	case by == NATPMP:
		return &natPMP{r: r}, nil
	case m.at.IsValid():
		return nil, errNoGateway // the router that was named is no other
	}
	return findUPnP(ctx, r)
}

// askBy asks for all ports by one way. It gives an error where none is opened.
func (m *mapper) askBy(ctx context.Context, w way) (open map[door]netip.AddrPort, life time.Duration, err error) {
	open, life = map[door]netip.AddrPort{}, mapLife
	for _, d := range m.doors() {
		at, lasts, refused := w.open(ctx, d, mapLife)
		if errors.Is(refused, errNoGateway) {
			return nil, 0, refused
		}
		if err = errors.Join(err, refused); refused == nil {
			open[d], life = at, min(life, lasts)
		}
	}
	if len(open) > 0 {
		err = nil
	}
	return open, life, err
}

// keep takes down how it went. What the machine has moved away from meanwhile
// counts for nothing.
func (m *mapper) keep(s RouterState, w way, open map[door]netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.moved {
		return
	}
	if open == nil {
		open = map[door]netip.AddrPort{}
	}
	if m.news != nil && !maps.Equal(m.open, open) {
		stir(m.news)
	}
	m.state, m.way, m.open = s, w, open
}

// tell has news hear of each change of what is open.
func (m *mapper) tell(news chan<- struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.news = news
}

// giveBack closes the ports.
func (m *mapper) giveBack(ctx context.Context) {
	m.mu.Lock()
	w, open := m.way, m.open
	m.way, m.open = nil, map[door]netip.AddrPort{}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for d := range open {
		if _, _, err := w.open(ctx, d, 0); err != nil {
			m.log.Debug("a port of the router is not given back and closes by itself", "err", err)
			break
		}
	}
	if err := m.fence.close(ctx); err != nil {
		m.log.Debug("a pinhole is not given back and closes by itself", "err", err)
	}
}

// mayAsk lets the mapper ask, or leave the router alone.
func (m *mapper) mayAsk(on bool) {
	m.mu.Lock()
	m.off = !on
	m.mu.Unlock()
	stir(m.wake)
}

// move makes the mapper ask anew.
func (m *mapper) move() {
	m.mu.Lock()
	m.moved = true
	m.mu.Unlock()
	stir(m.wake)
}

// router is who is asked.
type router struct {
	at   netip.AddrPort // where it speaks PCP and NAT-PMP
	self netip.Addr     // our address on its network
}

// router finds the one of the default route; nothing is sent for that.
func (m *mapper) router(ctx context.Context) (router, error) {
	at := m.at
	if at.IsValid() && !at.Addr().Is4() {
		return router{}, errNoGateway
	}
	if !at.IsValid() {
		routes, err := netroute.New()
		if err != nil {
			return router{}, fmt.Errorf("find the router: %w", err)
		}
		_, ip, _, err := routes.Route(net.IPv4(1, 1, 1, 1))
		if err != nil {
			return router{}, fmt.Errorf("find the router: %w", err)
		}
		gate, ok := netip.AddrFromSlice(ip.To4())
		if !ok || !nearby(gate) {
			return router{}, errNoGateway
		}
		at = netip.AddrPortFrom(gate, pmpPort)
	}
	c, err := router{at: at}.dial(ctx)
	if err != nil {
		return router{}, err
	}
	defer c.Close()
	self, err := netip.ParseAddrPort(c.LocalAddr().String())
	return router{at, self.Addr()}, err
}

// doors lists the IPv4 ports on which the host listens.
func (m *mapper) doors() (out []door) {
	for _, a := range m.net.ListenAddresses() {
		if d, ok := doorOf(a); ok && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// doorOf is the port of an IPv4 address of ours.
func doorOf(a ma.Multiaddr) (door, bool) { return doorBy(a, ma.P_IP4) }

// doorSix is that of an IPv6 address.
func doorSix(a ma.Multiaddr) (door, bool) { return doorBy(a, ma.P_IP6) }

func doorBy(a ma.Multiaddr, family int) (door, bool) {
	d, code := door{}, ma.P_TCP
	if transportOf(a) == "udp" {
		d.udp, code = true, ma.P_UDP
	}
	d.port = uint16(portOf([]ma.Multiaddr{a}, code))
	_, err := a.ValueForProtocol(family)
	return d, err == nil && d.port != 0
}

// GetMapping says where the router says that an address of ours is reached, nil
// if nowhere. It implements NATManager.
func (m *mapper) GetMapping(a ma.Multiaddr) ma.Multiaddr {
	d, ok := doorOf(a)
	m.mu.Lock()
	at := m.open[d]
	m.mu.Unlock()
	if !ok || at.Port() == 0 || !at.Addr().Is4() || at.Addr().IsUnspecified() {
		return nil
	}
	return withPort(atIP(a, at.Addr()), int(at.Port()))
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
	return m.state.Answered
}

// Close gives the ports back.
func (m *mapper) Close() error {
	m.stop()
	<-m.done
	return nil
}
