// Package noise is the live channel between two devices that are online at
// the same time: it hides a hybrid Noise handshake (X25519 and ML-KEM-768),
// who a caller is, framing, padding and rekeying behind Dial, Accept, Send and
// Receive.
//
// The handshake is Noise_XKpsk2_25519_ChaChaPoly_SHA256 with an ML-KEM-768
// agreement whose secret enters through the psk:
//
//	-> hello_i, noise(e, es; ek1184 || hint16)
//	<- hello_r, ct1088, noise(e, ee, psk; hello_r, epoch, caps)
//	-> noise(s, se; certificate, epoch, caps), frame(secret_i)
//	<- frame(secret_r, confirm_r)
//	-> frame(confirm_i)
//
//	hello    = min_ver || max_ver, in clear
//	prologue = "entrenous/1 live" || hello_i || initiator peer id || responder peer id
//	psk      = HKDF-SHA256(ss || (pair or zeros), info = "entrenous/1 live psk" || SHA256(ek || ct))
//	hint     = HMAC-SHA256(pair, "hint" || ek)[:16], random when there is no pair secret
//
// A pair secret is what two devices share from their last meeting. Every
// handshake stirs it into a new one, Channel.NextPair, which both ends have
// proved to each other by the time Dial and Accept return. The last proof may
// be lost on the way, so that only the caller that dialled has stored the new
// secret: both sides keep the old and the new one until the next success,
// list both in Accepting.Pairs, and dial with the new one first and, after
// ErrAuth, with the old one.
package noise

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// Version is the newest version of the live channel that this package speaks.
const Version = 1

// MaxMessage is the longest message that Send takes and Receive gives, in bytes.
const MaxMessage = 1 << 20

// SendTimeout is how long a peer may leave what was sent unread before the
// channel is closed.
const SendTimeout = 30 * time.Second

// HandshakeTimeout bounds Dial, Accept and the opening of a Stream where the
// context has no earlier deadline.
const HandshakeTimeout = 30 * time.Second

const (
	maxCaps        = 1024 // bytes of capabilities
	maxCertificate = 1024 // bytes of an encoded device certificate
	maxPeerID      = 128  // bytes of a libp2p peer id
)

var (
	// ErrDowngrade is for Accepting.Admit to return: the caller has a pair
	// secret with us and did not use it.
	ErrDowngrade = errors.New("the caller did not use the pair secret it has")
	// ErrVersion means that the two ends have no version in common. What the
	// other end speaks is not authenticated at that point: a hint for people,
	// never a reason to speak something weaker.
	ErrVersion = errors.New("no version in common")
	// ErrAuth means that bytes do not come from whom they should: a wrong
	// key or pair secret, or tampering.
	ErrAuth = errors.New("authentication failed")
	// ErrTooLarge means that something exceeds its size limit.
	ErrTooLarge = errors.New("too large")
	// ErrClosed means that this end closed the channel.
	ErrClosed = errors.New("channel closed")
)

// Conn is what a channel runs over: a libp2p stream, a net.Conn, a pipe. One
// that also has Reset() error, as libp2p streams have, is reset rather than
// closed when something fails.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Config is what both roles need to know about this end.
type Config struct {
	Static      *ecdh.PrivateKey // dk_noise of this device
	Local       []byte           // libp2p peer id of this end
	Remote      []byte           // libp2p peer id of the other end
	Certificate []byte           // own device certificate; only the initiator sends it, encrypted
	Epoch       uint64           // epoch of the own device list
	Caps        []byte           // opaque capabilities, at most 1 KiB, sent encrypted
	Now         func() time.Time // the wall clock for certificates; nil means time.Now

	fixed *fixed // nil outside tests
}

// Pair is a pair secret and the caller's own mark on it.
type Pair struct {
	Secret [32]byte // all zeros is no secret and is never accepted as one
	Of     any      // whatever the caller wants to find again in Admit and UsedPair
}

// Accepting decides about callers.
type Accepting struct {
	// Pairs lists every pair secret that a caller may use: those of contacts'
	// devices, old and new, and of outstanding one-time invites. Nil means none.
	Pairs func() []Pair
	// Admit is called with the caller's certificate, which is signed, valid
	// now and for the very key of the handshake, and with the pair that the
	// caller used, nil if none. An error ends the handshake before anything
	// secret is sent. It must return ErrDowngrade for a contact that has a
	// pair secret and did not use one of its own.
	Admit func(cert identity.Certificate, used *Pair) error
}

// check says what is wrong with a configuration.
func (c *Config) check() error {
	switch {
	case c.Static == nil || c.Static.Curve() != ecdh.X25519():
		return errors.New("static key is not an X25519 key")
	case len(c.Local) == 0 || len(c.Remote) == 0:
		return errors.New("peer ids are missing")
	case len(c.Local) > maxPeerID || len(c.Remote) > maxPeerID:
		return fmt.Errorf("peer id: %w", ErrTooLarge)
	case string(c.Local) == string(c.Remote):
		return errors.New("both ends have one peer id")
	case len(c.Caps) > maxCaps:
		return fmt.Errorf("caps of %d bytes: %w", len(c.Caps), ErrTooLarge)
	case len(c.Certificate) > maxCertificate:
		return fmt.Errorf("certificate of %d bytes: %w", len(c.Certificate), ErrTooLarge)
	}
	return nil
}

func (c *Config) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}
