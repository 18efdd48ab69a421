package simnet

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
)

// Host is a machine: one network interface, one address at a time.
type Host struct {
	world   *World
	changed chan struct{}

	mu      sync.Mutex
	net     *vnet.Net
	ip      net.IP
	sockets map[*socket]struct{}
}

// IP returns the machine's address now.
func (h *Host) IP() net.IP {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ip
}

// Net returns the machine's network in pion's words. It is another one after Move.
func (h *Host) Net() transport.Net {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.net
}

// Changed carries a token after each Move.
func (h *Host) Changed() <-chan struct{} { return h.changed }

// ListenUDP opens a socket on the machine's address, whatever a.IP says; port 0
// is any. The socket goes with the machine when it moves: it keeps its port and
// what LocalAddr says, as if it were bound to every address.
func (h *Host) ListenUDP(_ string, a *net.UDPAddr) (net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, err := h.net.ListenUDP("udp4", &net.UDPAddr{IP: h.ip, Port: a.Port})
	if err != nil {
		return nil, fmt.Errorf("simnet: %w", err)
	}
	bound, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, errors.Join(errors.New("simnet: a socket without a UDP address"), c.Close())
	}
	s := &socket{host: h, conn: c, local: &net.UDPAddr{IP: h.ip, Port: bound.Port}}
	if a.IP != nil && !a.IP.IsUnspecified() {
		s.local.IP = a.IP
	}
	h.sockets[s] = struct{}{}
	return s, nil
}

// Cut pulls the machine's cable.
func (h *Host) Cut() { h.world.setCut(h.IP().String(), true) }

// Mend plugs it in again.
func (h *Host) Mend() { h.world.setCut(h.IP().String(), false) }

// Move takes the machine to another network, or to another address on the
// same one. What was on its way to the old address is lost.
func (h *Host) Move(to *LAN) {
	h.world.t.Helper()
	h.join(to)
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

func (h *Host) join(l *LAN) {
	h.world.t.Helper()
	n, ip := l.newNet()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.net, h.ip = n, ip
	for s := range h.sockets {
		h.world.must(s.rebind(n, ip))
	}
}

func (h *Host) forget(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
}

// socket is a UDP socket that survives a change of address.
type socket struct {
	host  *Host
	local *net.UDPAddr

	mu       sync.Mutex
	conn     net.PacketConn // on the present network
	deadline time.Time
	closed   bool
}

var _ net.PacketConn = (*socket)(nil)

func (s *socket) rebind(n *vnet.Net, ip net.IP) error {
	c, err := n.ListenUDP("udp4", &net.UDPAddr{IP: ip, Port: s.local.Port})
	if err != nil {
		return fmt.Errorf("move socket: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.conn
	s.conn = c
	return errors.Join(c.SetReadDeadline(s.deadline), old.Close())
}

func (s *socket) current() (net.PacketConn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn, s.closed
}

// ReadFrom reads a packet, from the network where the machine is.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c, _ := s.current()
		n, from, err := c.ReadFrom(b)
		if err != nil {
			if now, closed := s.current(); now != c && !closed {
				continue // moved meanwhile
			}
		}
		return n, from, err
	}
}

// WriteTo sends a packet. It never blocks; where it cannot go it is lost.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	c, closed := s.current()
	if closed {
		return 0, net.ErrClosed
	}
	return c.WriteTo(b, to)
}

// Close ends reads and writes.
func (s *socket) Close() error {
	s.host.forget(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	return s.conn.Close()
}

// LocalAddr returns the address the socket was opened on.
func (s *socket) LocalAddr() net.Addr { return s.local }

// SetDeadline sets when reads give up; writes never wait.
func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline sets when reads give up.
func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return s.conn.SetReadDeadline(t)
}

// SetWriteDeadline does nothing: writes never wait.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer does nothing: 1,024 packets wait at most. quic-go asks for it.
func (s *socket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer does nothing: nothing waits.
func (s *socket) SetWriteBuffer(int) error { return nil }
