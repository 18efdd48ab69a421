package simnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

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
	s.stirred = sync.NewCond(&s.mu)
	h.world.pumps.Go(func() { s.take(c) })
	if a.IP != nil && !a.IP.IsUnspecified() {
		s.local.IP = a.IP
	}
	h.sockets[s] = struct{}{}
	return s, nil
}

// socket is a UDP socket that survives a change of address. It hands out packets
// itself: vnet ends a read at its deadline by a timer, even one that is past,
// and in a bubble no timer runs while anybody waits for a mutex, such as the one
// that libp2p holds while it ends a socket's reads.
type socket struct {
	host  *Host
	local *net.UDPAddr

	mu      sync.Mutex
	stirred *sync.Cond
	conn    net.PacketConn // on the present network
	arrived []packet       // not read yet
	readBy  deadline
	closed  bool
}

var _ net.PacketConn = (*socket)(nil)

// packet is one that has arrived.
type packet struct {
	from  net.Addr
	bytes []byte
}

const (
	// waiting is how many packets wait to be read; more are lost.
	waiting = 1024
	// longest is the longest packet of UDP over IPv4, in bytes.
	longest = 65507
)

// take has packets of a network arrive until its conn is closed.
func (s *socket) take(c net.PacketConn) {
	b := make([]byte, longest)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.conn == c && !s.closed && len(s.arrived) < waiting {
			s.arrived = append(s.arrived, packet{from, slices.Clone(b[:n])})
			s.stirred.Signal()
		}
		s.mu.Unlock()
	}
}

func (s *socket) rebind(to address) error {
	c, err := to.listen(s.local.Port)
	if err != nil {
		return fmt.Errorf("move socket: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.conn
	s.conn = c
	s.host.world.pumps.Go(func() { s.take(c) })
	return old.Close()
}

func (s *socket) current() (net.PacketConn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn, s.closed
}

// ReadFrom reads a packet, from the network where the machine is.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.arrived) == 0 && !s.readBy.past() {
		s.stirred.Wait()
	}
	switch {
	case s.closed:
		return 0, nil, net.ErrClosed
	case s.readBy.past():
		return 0, nil, os.ErrDeadlineExceeded
	}
	next := s.arrived[0]
	s.arrived = s.arrived[1:]
	s.host.carries(len(next.bytes), next.from)
	n := copy(b, next.bytes)
	if n < len(next.bytes) {
		return n, next.from, io.ErrShortBuffer
	}
	return n, next.from, nil
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
	s.host.carries(len(b), to)
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
	s.readBy.set(time.Time{}, s.stirred)
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
	s.readBy.set(t, s.stirred)
	return nil
}

// SetWriteDeadline does nothing: writes never wait.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer does nothing: how many packets may wait is set. quic-go asks for it.
func (s *socket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer does nothing: nothing waits.
func (s *socket) SetWriteBuffer(int) error { return nil }
