package rtc

import (
	"net"
)

// behind is the byte before each packet of RTP and RTCP. RFC 9443 lets them
// share a port with QUIC as they are, but quic-go takes every packet whose
// first two bits are not zero for its own. No protocol of RFC 7983 begins so.
const behind = 8

// pseudonym is what ICE calls a socket on every address: it wants a single one.
func pseudonym(a net.UDPAddr) *net.UDPAddr {
	switch {
	case !a.IP.IsUnspecified():
	case a.IP.To4() != nil:
		a.IP = net.IPv4(127, 0, 0, 1)
	default:
		a.IP = net.IPv6loopback
	}
	return &a
}

// beside is a socket that QUIC shares. It says another address of itself, and
// ICE sees little of the sound that comes.
type beside struct {
	net.PacketConn
	local *net.UDPAddr
	short *shortcut
}

// LocalAddr is the address that ICE calls the socket by.
func (c beside) LocalAddr() net.Addr { return c.local }

// WriteTo sends a packet so that QUIC at the other end lets it pass.
func (c beside) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) == 0 || b[0] < 128 || b[0] > 191 {
		return c.PacketConn.WriteTo(b, to)
	}
	framed := make([]byte, 1+len(b))
	framed[0] = behind
	copy(framed[1:], b)
	n, err := c.PacketConn.WriteTo(framed, to)
	return max(n-1, 0), err
}

// ReadFrom reads a packet as WriteTo was given it.
func (c beside) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if n > 1 && b[0] == behind {
			n = copy(b, b[1:n])
		}
		if err != nil || !c.short.took(b[:n]) {
			return n, from, err
		}
	}
}
