package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"
)

const (
	// packetSize is the size of the packets of QUIC, bytes of the payload of UDP: the
	// least that RFC 9000 §14.1 allows, which fits through where more than 1,280
	// bytes vanish without a word, by IPv4 and IPv6. Larger ones are not tried: the
	// library would find out what fits (RFC 8899), but not when that fits no more,
	// and then nothing long ever arrives though short words do.
	packetSize = 1200
	// unverified is how many callers a second are taken at their word about where
	// they call from; further ones have to show it (RFC 9000 §8.1).
	unverified = 1000
)

// quicSockets makes sockets that answer with small packets: libp2p lets the size
// be set for those who call only.
type quicSockets struct {
	key    quic.StatelessResetKey
	token  quic.TokenGeneratorKey
	admit  func(context.Context, *quic.ClientInfo) (context.Context, error)
	limits network.ResourceManager
	open   func(network string, a *net.UDPAddr) (net.PacketConn, error)

	lent []*quicSocket
}

// smallPackets has a connection send packets of packetSize only.
func smallPackets(c *quic.Config) {
	c.InitialPacketSize, c.DisablePathMTUDiscovery = packetSize, true
}

// quicSocket is a socket that libp2p uses and we close.
type quicSocket struct{ *quic.Transport }

var _ quicreuse.QUICTransport = (*quicSocket)(nil)

// Listen is for libp2p.
func (s *quicSocket) Listen(t *tls.Config, c *quic.Config) (quicreuse.QUICListener, error) {
	c = c.Clone()
	smallPackets(c)
	return s.Transport.Listen(t, c) //nolint:wrapcheck // nothing to add
}

// lend opens a socket for an address of QUIC and leaves it to libp2p, which takes
// it when it listens there. It can where no single address of this machine is
// asked for; elsewhere libp2p opens one of its own.
func (s *quicSockets) lend(to *quicreuse.ConnManager, a ma.Multiaddr) error {
	u, ok := udpOf(a)
	if !ok || !u.Addr().IsUnspecified() {
		return nil
	}
	nw := "udp6"
	if u.Addr().Is4() {
		nw = "udp4"
	}
	c, err := s.open(nw, net.UDPAddrFromAddrPort(u))
	if err != nil {
		return err
	}
	often := rate.NewLimiter(unverified, unverified)
	socket := &quicSocket{&quic.Transport{
		Conn: c, StatelessResetKey: &s.key, TokenGeneratorKey: &s.token, ConnContext: s.admit,
		VerifySourceAddress: func(from net.Addr) bool { return !often.Allow() || s.limits.VerifySourceAddress(from) },
	}}
	if _, err := to.LendTransport(nw, socket, c); err != nil {
		return errors.Join(fmt.Errorf("lend socket: %w", err), c.Close())
	}
	s.lent = append(s.lent, socket)
	return nil
}

// close ends the sockets, after libp2p.
func (s *quicSockets) close() error {
	var errs []error
	for _, t := range s.lent {
		errs = append(errs, t.Close(), t.Conn.Close())
	}
	return errors.Join(errs...)
}
