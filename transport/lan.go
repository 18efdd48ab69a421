package transport

import (
	"errors"
	"net"
	"net/netip"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// nearby reports whether ip never leaves the site: private (RFC 1918), loopback,
// link-local or unique local (RFC 4193).
func nearby(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
}

// addrIP returns the IP address that a multiaddr begins with.
func addrIP(a ma.Multiaddr) (netip.Addr, bool) {
	ip, err := manet.ToIP(a)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(ip)
	return addr.Unmap(), ok
}

// nearbyAddr reports whether a packet sent to a stays on the site. Names and
// circuits through others do not count: nobody knows where they end.
func nearbyAddr(a ma.Multiaddr) bool {
	ip, ok := addrIP(a)
	return ok && nearby(ip) && !viaRelay(a)
}

func viaRelay(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}

// errFarAway is what a LAN-only socket says about an address outside.
var errFarAway = errors.New("address is outside the local network")

// lanSocket is a UDP socket that sends nothing beyond the site, whoever asks.
// Embedding keeps what quic-go needs for batches and ECN marks.
type lanSocket struct{ *net.UDPConn }

// WriteTo sends b to a if a is on the site.
func (s lanSocket) WriteTo(b []byte, a net.Addr) (int, error) {
	if !nearbyNetAddr(a) {
		return 0, errFarAway
	}
	return s.UDPConn.WriteTo(b, a)
}

// WriteMsgUDP sends b to a if a is on the site.
func (s lanSocket) WriteMsgUDP(b, oob []byte, a *net.UDPAddr) (n, oobn int, err error) {
	if !nearby(a.AddrPort().Addr()) {
		return 0, 0, errFarAway
	}
	return s.UDPConn.WriteMsgUDP(b, oob, a)
}

// lanPacketConn does the same for sockets of a World.
type lanPacketConn struct{ net.PacketConn }

// WriteTo sends b to a if a is on the site.
func (s lanPacketConn) WriteTo(b []byte, a net.Addr) (int, error) {
	if !nearbyNetAddr(a) {
		return 0, errFarAway
	}
	return s.PacketConn.WriteTo(b, a)
}

func nearbyNetAddr(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return ok && nearby(u.AddrPort().Addr())
}

func keepInside(c net.PacketConn) net.PacketConn {
	if u, ok := c.(*net.UDPConn); ok {
		return lanSocket{u}
	}
	return lanPacketConn{c}
}
