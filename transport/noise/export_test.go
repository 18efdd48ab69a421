package noise

import (
	"bufio"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"io"
	"time"

	flynn "github.com/flynn/noise"
)

// Sizes that tests need to know.
const (
	MaxPlain = maxPlain
	MaxItem  = maxItem
)

// Random makes a configuration's handshakes repeatable.
func (c *Config) Random(r io.Reader) {
	f := c.mutable()
	f.random = r
	f.encapsulate = func(ek *mlkem.EncapsulationKey768) (ss, ct []byte) {
		seed := make([]byte, 32)
		_, _ = io.ReadFull(r, seed)
		ss, ct, _ = mlkemtest.Encapsulate768(ek, seed)
		return ss, ct
	}
}

// Versions sets the versions that this end claims to speak.
func (c *Config) Versions(lo, hi byte) { c.mutable().hello = hello{lo, hi} }

// RekeyAfter sets when this end rekeys.
func (c *Config) RekeyAfter(frames, bytes uint64, age time.Duration) {
	c.mutable().limits = limits{frames, bytes, age}
}

func (c *Config) mutable() *fixed {
	f := fixed{}
	if c.fixed != nil {
		f = *c.fixed
	}
	c.fixed = &f
	return c.fixed
}

// Smuggle sends one frame as it is, past what Send allows.
func (c *Channel) Smuggle(plain []byte) error {
	o := c.link.out
	sealed, err := o.cs.Encrypt([]byte{byte((len(plain) + tagSize) >> 8), byte(len(plain) + tagSize)}, nil, plain)
	if err != nil {
		return err
	}
	return o.write(sealed)
}

// BufferSizes are what the channel holds between messages.
func (c *Channel) BufferSizes() (sending, receiving int) {
	return cap(c.link.out.buf), cap(c.link.in.buf)
}

// Key is the present key of the channel's sending direction.
func (c *Channel) Key() [32]byte { return c.link.out.cs.UnsafeKey() }

// Onto makes the channel write to another connection.
func (c *Channel) Onto(to Conn) { c.link.conn = to }

// Bare are both ends of a channel as if after a handshake, with known keys.
func Bare(d, c Conn) (dialled, accepted *Channel) {
	end := func(conn Conn, out, in byte) *Channel {
		key := func(b byte) *flynn.CipherState { return flynn.UnsafeNewCipherState(suite(), [32]byte{b}, 0) }
		return &Channel{link: newDuplex(conn, bufio.NewReaderSize(conn, readBuffer), key(out), key(in), standardLimits())}
	}
	return end(d, 1, 2), end(c, 2, 1)
}
