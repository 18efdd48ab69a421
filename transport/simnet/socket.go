package simnet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// packetHead is what IP and UDP put before each packet, in bytes.
const packetHead = 28

// ListenUDP opens a socket on the machine's address of a.IP's family (of the
// network's where there is none), whatever a.IP says; port 0 is any. The socket goes with the machine when it moves: it
// keeps its port and what LocalAddr says, as if it were bound to every address.
func (h *Host) ListenUDP(network string, a *net.UDPAddr) (net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.killed {
		return nil, errKilled
	}
	at := h.addressOf(a.IP)
	if a.IP == nil && network == "udp6" {
		at = h.v6
	}
	c, err := at.listen(a.Port)
	if err != nil {
		return nil, fmt.Errorf("simnet: %w", err)
	}
	bound, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, errors.Join(errors.New("simnet: a socket without a UDP address"), c.Close())
	}
	s := &socket{host: h, conn: c, local: &net.UDPAddr{IP: at.ip, Port: bound.Port}}
	if a.IP != nil && !a.IP.IsUnspecified() {
		s.local.IP = a.IP
	}
	h.sockets[s] = struct{}{}
	return s, nil
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

func (s *socket) rebind(to address) error {
	c, err := to.listen(s.local.Port)
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
		s.host.traffic.Add(int64(n) + packetHead)
		return n, from, err
	}
}

// WriteTo sends a packet. It never blocks; where it cannot go it is lost. To a
// family of IP that the machine lacks there is no route.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok && !s.host.speaks(u.IP) {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: to, Err: os.NewSyscallError("sendto", syscall.ENETUNREACH)}
	}
	c, closed := s.current()
	if closed {
		return 0, net.ErrClosed
	}
	s.host.traffic.Add(int64(len(b)) + packetHead)
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
