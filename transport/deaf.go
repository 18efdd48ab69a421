package transport

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// deafTime is how long Deaf waits for an answer.
const deafTime = 500 * time.Millisecond

// Deaf reports whether nobody listens at addr any more: its machine answers
// that the port is closed (ICMP port unreachable), as it does when the program
// has ended. It sends one byte that means nothing to anybody. No answer proves
// nothing.
//
// Where the system allows it the byte leaves from the host's own port, which
// routers before both ends let through. For as long as this takes, what comes
// from addr is not read otherwise: ask only when nothing comes.
func (h *Host) Deaf(ctx context.Context, addr netip.AddrPort) bool {
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
	end := time.Now().Add(deafTime)
	if until, ok := ctx.Deadline(); ok && until.Before(end) {
		end = until
	}
	if err := c.SetDeadline(end); err != nil {
		return false
	}
	b := make([]byte, 1)
	if _, err = c.Write(b); err == nil {
		_, err = c.Read(b) // the answer comes with the next call on the socket
	}
	return saysErrno(err, syscall.ECONNREFUSED, 10054)
}

// sockets are the UDP sockets of this machine that a host has opened.
type sockets struct {
	mu  sync.Mutex
	all []*net.UDPConn
}

func (s *sockets) open(network string, a *net.UDPAddr) (net.PacketConn, error) {
	c, err := net.ListenUDP(network, a)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, c)
	return c, nil
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
		if twin, err := twin(ctx, c, own, addr); err == nil {
			return twin, nil
		}
	}
	var d net.Dialer
	return d.DialContext(ctx, "udp", addr.String())
}
