package transport

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/ipv4"
)

// socket is a UDP socket of this machine, read by QUIC. Where the system lets it,
// somebody else may see what arrives before QUIC does: packets of a call come a
// hundred times a second, and on the way through QUIC each wakes a goroutine more.
type socket struct {
	*net.UDPConn
	raw   syscall.RawConn
	batch *ipv4.PacketConn
	first [packetMost]byte // of the packet that is looked at

	ahead atomic.Pointer[func(packet []byte) bool]
}

// packetMost is the most of a packet that is shown ahead: more than arrives in one
// piece on any usual network.
const packetMost = 1500

func newSocket(c *net.UDPConn) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &socket{UDPConn: c, raw: raw, batch: ipv4.NewPacketConn(c)}, nil
}

// shared is what arrives on a socket and is not QUIC.
type shared struct {
	net.PacketConn
	of *socket
}

// Ahead shows each packet that arrives to take before anybody else sees it, where
// the system lets it; what take says true to is its own and goes nowhere else. take
// is called from one goroutine, holds it up while it runs, and must not keep the
// packet. nil ends it; a call that has begun may still be running then.
func (s shared) Ahead(take func(packet []byte) bool) {
	if take == nil {
		s.of.ahead.Store(nil)
		return
	}
	s.of.ahead.Store(&take)
}

// share gives c what the socket can do that c belongs to, if it is one of ours, of a
// host that may send to some addresses.
func (s *sockets) share(c net.PacketConn, on *net.UDPAddr, may func(netip.Addr) bool) net.PacketConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(x *socket) bool {
		own, ok := x.LocalAddr().(*net.UDPAddr)
		return ok && own.Port == on.Port && own.IP.Equal(on.IP)
	})
	if i < 0 {
		return c
	}
	return part(shared{c, s.all[i]}, may)
}
