package noise

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"

	flynn "github.com/flynn/noise"
)

// maxNoise is the longest Noise message (Noise §3), which flynn/noise does not check.
const maxNoise = 65535

var (
	errDead  = errors.New("handshake already failed")
	errNoPSK = errors.New("handshake has no psk yet")
)

// exchange is one Noise_XKpsk2_25519_ChaChaPoly_SHA256 handshake. It stands
// between us and flynn/noise, which takes an unset psk for the empty string,
// drops it for placements 0 and 1 without a key, panics on a placement beyond
// the pattern, keeps half-changed state after a failed read and knows no
// message limit. Here pattern and placement are fixed, message 2 needs a psk,
// and any error is the end.
type exchange struct {
	hs   *flynn.HandshakeState // nil once it failed
	step int                   // messages done
	psk  bool
	i2r  *flynn.CipherState // set by the last message
	r2i  *flynn.CipherState
}

func suite() flynn.CipherSuite {
	return flynn.NewCipherSuite(flynn.DH25519, flynn.CipherChaChaPoly, flynn.HashSHA256)
}

// newExchange starts a handshake; peer is the responder's static key and nil
// on the responder's side.
func newExchange(static *ecdh.PrivateKey, peer, prologue []byte, random io.Reader) (*exchange, error) {
	hs, err := flynn.NewHandshakeState(flynn.Config{
		CipherSuite:           suite(),
		Random:                random,
		Pattern:               flynn.HandshakeXK,
		Initiator:             peer != nil,
		Prologue:              prologue,
		PresharedKeyPlacement: 2,
		StaticKeypair:         flynn.DHKey{Private: static.Bytes(), Public: static.PublicKey().Bytes()},
		PeerStatic:            peer,
	})
	if err != nil {
		return nil, fmt.Errorf("start handshake: %w", err)
	}
	return &exchange{hs: hs}, nil
}

// setPSK gives the key that message 2 mixes in.
func (x *exchange) setPSK(key [32]byte) error {
	if x.hs == nil {
		return errDead
	}
	if err := x.hs.SetPresharedKey(key[:]); err != nil {
		return x.fail(err)
	}
	x.psk = true
	return nil
}

// write makes the next handshake message.
func (x *exchange) write(payload []byte) ([]byte, error) {
	if err := x.ready(len(payload) + 96); err != nil { // 96: e or sealed s, and the tag
		return nil, err
	}
	msg, cs1, cs2, err := x.hs.WriteMessage(nil, payload)
	if err != nil {
		return nil, x.fail(err)
	}
	x.done(cs1, cs2)
	return msg, nil
}

// read opens the next handshake message. Whatever is wrong with it is ErrAuth.
func (x *exchange) read(msg []byte) ([]byte, error) {
	if err := x.ready(len(msg)); err != nil {
		return nil, err
	}
	payload, cs1, cs2, err := x.hs.ReadMessage(nil, msg)
	if err != nil {
		return nil, x.fail(fmt.Errorf("%w: %w", ErrAuth, err))
	}
	x.done(cs1, cs2)
	return payload, nil
}

// ready refuses what must not reach flynn/noise; size is that of the message.
func (x *exchange) ready(size int) error {
	switch {
	case x.hs == nil:
		return errDead
	case x.step == 1 && !x.psk:
		return x.fail(errNoPSK)
	case size > maxNoise:
		return x.fail(fmt.Errorf("handshake message of %d bytes: %w", size, ErrTooLarge))
	}
	return nil
}

func (x *exchange) done(cs1, cs2 *flynn.CipherState) {
	x.step++
	x.i2r, x.r2i = cs1, cs2
}

// fail destroys the handshake: flynn/noise does not roll back a failed read.
func (x *exchange) fail(err error) error {
	x.hs, x.i2r, x.r2i = nil, nil, nil
	return fmt.Errorf("handshake message %d: %w", x.step+1, err)
}

// binding is the handshake hash (Noise §11.2).
func (x *exchange) binding() (h [32]byte) {
	copy(h[:], x.hs.ChannelBinding())
	return h
}

// peer is the initiator's static key, for the responder after message 3.
func (x *exchange) peer() (k [32]byte) {
	copy(k[:], x.hs.PeerStatic())
	return k
}
