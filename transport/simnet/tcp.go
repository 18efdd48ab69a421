package simnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// TCP here is streams that arrive whole and in order: what the network loses
// comes later, what it cuts comes when it is mended, or after some time never.
// Whoever has no address of the internet cannot be called, and nothing is
// punched.

// listener is a port of TCP that others may call.
type listener struct {
	host  *Host
	at    door
	local *net.TCPAddr
	calls chan *stream
	quit  chan struct{}
}

// backlog is how many callers wait to be accepted; more are refused.
const backlog = 64

// ListenTCP opens a port of TCP for callers; port 0 is any.
func (h *Host) ListenTCP(a *net.TCPAddr) (net.Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := door{six: a.IP.To4() == nil, port: a.Port}
	if at.port == 0 {
		for at.port = 6000; h.listeners[at] != nil; at.port++ {
		}
	}
	if h.listeners[at] != nil {
		return nil, fmt.Errorf("simnet: port %d: %w", at.port, syscall.EADDRINUSE)
	}
	l := &listener{host: h, at: at, local: &net.TCPAddr{IP: a.IP, Port: at.port}, calls: make(chan *stream, backlog), quit: make(chan struct{})}
	h.listeners[at] = l
	return l, nil
}

// door is where a machine listens.
type door struct {
	six  bool
	port int
}

// Accept waits for a caller.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.calls:
		return s, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

// Close stops listening; callers who wait are hung up on.
func (l *listener) Close() error {
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	if l.host.listeners[l.at] != l {
		return net.ErrClosed
	}
	delete(l.host.listeners, l.at)
	close(l.quit)
	return nil
}

// Addr returns the address that was asked for, with its port.
func (l *listener) Addr() net.Addr { return l.local }

// DialTCP calls a port of TCP. Where nothing answers, it waits for ctx.
func (h *Host) DialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	r, err := h.route(to.Addr())
	if err != nil {
		return nil, err
	}
	if r.lan.kind == Captive && !r.near {
		return h.world.portal(r, to), nil
	}
	t := time.NewTimer(2 * r.delay) // SYN there, SYN ACK back
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
	}
	if r.to == nil || !h.world.open(r.spots) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r.to.mu.Lock()
	l := r.to.listeners[door{six: to.Addr().Is6(), port: int(to.Port())}]
	r.to.mu.Unlock()
	if l == nil {
		return nil, refused(to)
	}
	here, there := h.world.connect(r, to)
	select {
	case l.calls <- there:
		return here, nil
	default:
		return nil, errors.Join(refused(to), here.Close(), there.Close())
	}
}

func refused(to netip.AddrPort) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: syscall.ECONNREFUSED}
}

// route is how a stream goes.
type route struct {
	from  *Host
	lan   *LAN  // the caller's
	to    *Host // nil: nobody answers
	local netip.AddrPort
	seen  netip.AddrPort // where the caller seems to be
	near  bool           // on one local network
	delay time.Duration
	spots []spot // cables it uses
}

// errNoFamily is what a machine says that lacks a family of IP.
var errNoFamily = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}

func (h *Host) route(to netip.Addr) (route, error) {
	h.mu.Lock()
	lan, ip, killed := h.lan, h.addressOf(to.AsSlice()).ip, h.killed
	h.mu.Unlock()
	if killed {
		return route{}, errKilled
	}
	own, ok := netip.AddrFromSlice(ip)
	if !ok {
		return route{}, errNoFamily
	}
	own = own.Unmap()
	w := h.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.public++ // no two calls look alike
	port := uint16(32768 + w.public%16384)
	r := route{from: h, lan: lan, local: netip.AddrPortFrom(own, port), delay: w.cfg.Delay, spots: []spot{{lan.place, ip.String()}}}
	r.seen = r.local
	if near := (spot{lan.place, to.String()}); lan.place != internet && w.spots[near].host != nil {
		r.to, r.near, r.delay, r.spots = w.spots[near].host, true, 0, append(r.spots, near)
		return r, nil
	}
	for nat := lan.door; nat.ip != ""; nat = w.carriers[nat.place] {
		r.spots = append(r.spots, nat)
		r.seen = netip.AddrPortFrom(netip.MustParseAddr(nat.ip), port)
	}
	if there := w.spots[spot{internet, to.String()}]; there.host != nil && !there.walled() {
		r.to, r.spots = there.host, append(r.spots, spot{internet, to.String()})
	}
	return r, nil
}

// open says whether none of the cables is cut.
func (w *World) open(spots []spot) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range spots {
		if w.cut[s] {
			return false
		}
	}
	return true
}

// portal is what a captive network answers in the place of whoever was called.
func (w *World) portal(r route, to netip.AddrPort) net.Conn {
	here, there := w.connect(r, to)
	_, _ = there.Write([]byte("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n"))
	_ = there.Close()
	return here
}
