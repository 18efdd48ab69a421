package transport

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// timeless is the certificate that libp2p's TLS wraps the key in, valid at any
// time that a clock may show. libp2p's own begins an hour ago: a machine whose
// clock is a day late would believe nobody, and one that is early nobody it.
// Nothing is lost, since the key is what is believed and it lives as long. Each
// identity gets one of its own, for libp2p adds to it: a relay dials those who
// want to know whether they are reached under a second key.
func timeless() (libp2ptls.IdentityOption, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return func(c *libp2ptls.IdentityConfig) {
		c.CertTemplate = &x509.Certificate{
			SerialNumber: serial,
			NotBefore:    time.Unix(0, 0),
			NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // no end (RFC 5280 §4.1.2.5)
			Subject:      pkix.Name{SerialNumber: serial.String()},
		}
	}, nil
}

// streamTLS secures connections over TCP and through relays as libp2ptls does
// (libp2p's TLS handshake, /tls/1.0.0), with a timeless certificate.
type streamTLS struct {
	identity *libp2ptls.Identity
	self     peer.ID
	muxers   []string
}

var _ sec.SecureTransport = (*streamTLS)(nil)

func newStreamTLS(_ protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*streamTLS, error) {
	self, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("set up TLS: %w", err)
	}
	cert, err := timeless()
	if err != nil {
		return nil, err
	}
	identity, err := libp2ptls.NewIdentity(key, cert)
	if err != nil {
		return nil, fmt.Errorf("set up TLS: %w", err)
	}
	t := &streamTLS{identity: identity, self: self}
	for _, m := range muxers {
		t.muxers = append(t.muxers, string(m.ID))
	}
	return t, nil
}

// ID is the protocol.
func (t *streamTLS) ID() protocol.ID { return libp2ptls.ID }

// SecureInbound answers a handshake. An empty p accepts everybody.
func (t *streamTLS) SecureInbound(ctx context.Context, c net.Conn, p peer.ID) (sec.SecureConn, error) {
	return t.shake(ctx, c, p, tls.Server)
}

// SecureOutbound begins a handshake with p.
func (t *streamTLS) SecureOutbound(ctx context.Context, c net.Conn, p peer.ID) (sec.SecureConn, error) {
	return t.shake(ctx, c, p, tls.Client)
}

func (t *streamTLS) shake(ctx context.Context, c net.Conn, p peer.ID, side func(net.Conn, *tls.Config) *tls.Conn) (sec.SecureConn, error) {
	config, keys := t.identity.ConfigForPeer(p)
	config.NextProtos = append(append([]string(nil), t.muxers...), config.NextProtos...)
	s := side(c, config)
	if err := s.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	select {
	case key := <-keys:
		return t.secured(s, key)
	default:
		return nil, errors.Join(errors.New("handshake without a key"), c.Close())
	}
}

func (t *streamTLS) secured(s *tls.Conn, key crypto.PubKey) (sec.SecureConn, error) {
	remote, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	muxer := s.ConnectionState().NegotiatedProtocol
	if muxer == "libp2p" { // from somebody who does not choose so early
		muxer = ""
	}
	return &secureConn{Conn: s, self: t.self, remote: remote, key: key, state: network.ConnectionState{
		StreamMultiplexer: protocol.ID(muxer), UsedEarlyMuxerNegotiation: muxer != "",
	}}, nil
}

// secureConn is a connection that knows who is at its other end.
type secureConn struct {
	*tls.Conn
	self, remote peer.ID
	key          crypto.PubKey
	state        network.ConnectionState
}

// LocalPeer is this host.
func (c *secureConn) LocalPeer() peer.ID { return c.self }

// RemotePeer is who is at the other end.
func (c *secureConn) RemotePeer() peer.ID { return c.remote }

// RemotePublicKey is the other end's key.
func (c *secureConn) RemotePublicKey() crypto.PubKey { return c.key }

// ConnState says what was agreed upon.
func (c *secureConn) ConnState() network.ConnectionState { return c.state }
