package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// deafTime is how long Deaf waits for an answer.
	deafTime = 500 * time.Millisecond
	// deafAgain is when it asks again: systems answer seldom, Linux once a second
	// whoever asks, and what else comes for the closed port asks too.
	deafAgain = 100 * time.Millisecond
)

// Deaf reports whether nobody listens at addr any more: its machine answers
// that the port is closed (ICMP port unreachable), as it does when the program
// has ended. It sends single bytes that mean nothing to anybody. No answer proves
// nothing.
//
// Where the system allows it the byte leaves from the host's own port, which
// routers before both ends let through. For as long as this takes, what comes
// from addr is not read otherwise: ask only when nothing comes.
func (h *Host) Deaf(ctx context.Context, addr netip.AddrPort) bool {
	return h.deaf(ctx, addr, deafTime)
}

// deaf is Deaf within a time of the caller's choice.
func (h *Host) deaf(ctx context.Context, addr netip.AddrPort, limit time.Duration) bool {
	if !h.MayReach(addr.Addr()) {
		return false
	}
	if w := h.cfg.World; w != nil {
		return w.Refuses != nil && w.Refuses(ctx, addr)
	}
	c, err := h.sockets.toward(ctx, addr)
	if err != nil {
		return false
	}
	defer c.Close()
	end := time.Now().Add(limit)
	if until, ok := ctx.Deadline(); ok && until.Before(end) {
		end = until
	}
	b := make([]byte, 1)
	for time.Now().Before(end) {
		if c.SetDeadline(earlier(end, time.Now().Add(deafAgain))) != nil {
			return false
		}
		if _, err = c.Write(b); err == nil {
			_, err = c.Read(b) // the answer comes with the next call on the socket
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	return saysErrno(err, syscall.ECONNREFUSED, 10054)
}

// sockets are the UDP sockets of this machine that a host has opened.
type sockets struct {
	mu  sync.Mutex
	all []*socket
}

func (s *sockets) open(network string, a *net.UDPAddr) (net.PacketConn, error) {
	c, err := net.ListenUDP(network, a)
	if err != nil {
		return nil, err
	}
	own, err := newSocket(c)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, own)
	return own, nil
}

// toward opens a socket that hears of one address only, on the port of the
// host's own socket if that can be shared for a moment, else on any.
func (s *sockets) toward(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		own, ok := c.LocalAddr().(*net.UDPAddr)
		if !ok || own.AddrPort().Addr().Unmap().Is4() != addr.Addr().Unmap().Is4() {
			continue
		}
		if twin, err := twin(ctx, c.UDPConn, own, addr); err == nil {
			return twin, nil
		}
	}
	var d net.Dialer
	return d.DialContext(ctx, "udp", addr.String())
}
