package rtc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

const (
	// retransmit is the first pause before a flight of the handshake is sent again (RFC 6347 §4.2.4.1).
	retransmit = 200 * time.Millisecond
	// replayWindow is how many packets back a late one is still taken: some
	// seconds of sound, so that what waited in a queue is not lost.
	replayWindow = 512
)

// newCertificate makes a certificate for one call (W3C WebRTC §4.9.1), and its
// SHA-256 fingerprint.
func newCertificate() (cert tls.Certificate, fingerprint [32]byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, fingerprint, err
	}
	made, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return cert, fingerprint, err
	}
	text, err := made.PEM() // both parts, each in its block
	if err != nil {
		return cert, fingerprint, err
	}
	if cert, err = tls.X509KeyPair([]byte(text), []byte(text)); err != nil {
		return cert, fingerprint, err
	}
	return cert, sha256.Sum256(cert.Certificate[0]), nil
}

func newSSRC() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// establish proves over the path who both ends are, and makes the keys. The
// answering end is the client, as in WebRTC (RFC 5763 §5).
func (l *Leg) establish(ctx context.Context, shake *handshake, remote Description) {
	if err := l.agent.AwaitConnect(ctx); err != nil {
		return // Close
	}
	conn, err := l.newDTLS(shake, remote.Fingerprint)
	if err == nil {
		err = conn.HandshakeContext(ctx)
	}
	var out, in *srtp.Context
	if err == nil {
		out, in, err = srtpContexts(conn, !l.offerer)
	}
	if err != nil {
		if ctx.Err() == nil {
			l.become(Failed, fmt.Errorf("agree on keys: %w", err))
		}
		return
	}
	l.mu.Lock()
	l.secure, l.out, l.inward = conn, out, in
	if l.state == Closed {
		l.mu.Unlock()
		_ = conn.Close()
		return
	}
	l.becomeLocked(Connected, nil)
	l.cfg.Port.shortcut.open(remote.SSRC, l) // before Close can shut it
	l.mu.Unlock()
	l.work.Go(l.report)
	l.work.Go(func() {
		b := make([]byte, 64)
		for {
			if _, err := conn.Read(b); err != nil {
				l.become(Closed, nil) // the other end said goodbye
				return
			}
		}
	})
}

// newDTLS prepares the handshake with the end that has one certificate only.
func (l *Leg) newDTLS(conn *handshake, fingerprint [32]byte) (*dtls.Conn, error) {
	verify := func(certs [][]byte, _ [][]*x509.Certificate) error {
		if len(certs) != 1 || sha256.Sum256(certs[0]) != fingerprint {
			return ErrFingerprint
		}
		return nil
	}
	shared := []dtls.Option{
		dtls.WithCertificates(l.cert),
		dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // verify does it: there is no authority, only the fingerprint
		dtls.WithVerifyPeerCertificate(verify),
		dtls.WithFlightInterval(retransmit),
		dtls.WithLoggerFactory(mute{}),
		dtls.WithKeyLogWriter(conn), // which only wants to know when
	}
	if l.offerer {
		var opts []dtls.ServerOption
		for _, o := range shared {
			opts = append(opts, o)
		}
		// ICE has shown that the client is where it says: no cookie.
		opts = append(opts, dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true))
		return dtls.ServerWithOptions(conn, shakeAddr{}, opts...)
	}
	var opts []dtls.ClientOption
	for _, o := range shared {
		opts = append(opts, o)
	}
	return dtls.ClientWithOptions(conn, shakeAddr{}, opts...)
}

// srtpContexts derives the keys of both directions (RFC 5764 §4.2).
func srtpContexts(conn *dtls.Conn, client bool) (out, in *srtp.Context, err error) {
	agreed, _ := conn.SelectedSRTPProtectionProfile()
	cfg := srtp.Config{}
	switch agreed {
	case dtls.SRTP_AEAD_AES_256_GCM:
		cfg.Profile = srtp.ProtectionProfileAeadAes256Gcm
	case dtls.SRTP_AEAD_AES_128_GCM:
		cfg.Profile = srtp.ProtectionProfileAeadAes128Gcm
	default:
		return nil, nil, errors.New("no SRTP with AES-GCM")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, nil, errors.New("no keys")
	}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return nil, nil, err
	}
	k := cfg.Keys
	if out, err = srtp.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, cfg.Profile); err != nil {
		return nil, nil, err
	}
	in, err = srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	return out, in, err
}
