package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// SharedConns returns, for each UDP socket of the host, what arrives on it and
// is not QUIC: WebRTC's packets, on the same port. Up to 32 of them wait to be
// read; one that has a method Ahead, as shared has, shows them before they are
// sorted, and one that has those of parted keeps some apart and sends for its
// caller. The caller closes them, before the host. Ask once: two readers of one
// socket would take each other's packets.
func (h *Host) SharedConns() ([]net.PacketConn, error) {
	var out []net.PacketConn
	for _, a := range h.swarm.ListenAddresses() {
		u, ok := udpOf(a)
		if !ok {
			continue
		}
		on := net.UDPAddrFromAddrPort(u)
		c, err := h.quic.SharedNonQUICPacketConn("", on)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("share socket %v: %w", u, err), closeAll(out))
		}
		out = append(out, h.sockets.share(c, on, h.MayReach))
	}
	return out, nil
}

func closeAll(conns []net.PacketConn) error {
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// SharedAddrs returns the UDP addresses at which the host's sockets can be
// reached now, as Addrs does.
func (h *Host) SharedAddrs() []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range h.listening() {
		if u, ok := udpOf(a); ok && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

// MayReach reports whether this host sends to an address at all: one that is
// on local networks only does not send elsewhere.
func (h *Host) MayReach(a netip.Addr) bool { return !h.cfg.LANOnly || nearby(a) }

// udpOf gives the address of a QUIC multiaddr.
func udpOf(a ma.Multiaddr) (netip.AddrPort, bool) {
	if _, err := a.ValueForProtocol(ma.P_QUIC_V1); err != nil {
		return netip.AddrPort{}, false
	}
	udp, _ := ma.SplitFunc(a, func(c ma.Component) bool { return c.Protocol().Code == ma.P_QUIC_V1 })
	n, err := manet.ToNetAddr(udp)
	if err != nil {
		return netip.AddrPort{}, false
	}
	u, ok := n.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	p := u.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), true
}
