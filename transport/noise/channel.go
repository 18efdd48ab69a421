package noise

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// Channel carries messages between two devices that have proved to each other
// who they are. Its methods may be called concurrently.
type Channel struct {
	initiator bool
	version   byte
	cert      identity.Certificate // of the caller, on the responder's side
	epoch     uint64
	caps      []byte
	binding   [32]byte
	next      [32]byte
	used      *Pair
	born      time.Time
	limits    limits
	random    io.Reader

	link    *duplex
	message []byte // fragments of the message being received; under link.rmu
	more    bool   // whether message waits for another fragment

	mu     sync.Mutex
	secret [32]byte          // from which streams have their keys
	seen   map[streamID]bool // streams that the peer opened
}

// newChannel is a finished handshake's channel, before the pair is stirred.
func newChannel(c Conn, r *bufio.Reader, x *exchange, initiator bool, f fixed) *Channel {
	out, in := x.i2r, x.r2i
	if !initiator {
		out, in = in, out
	}
	return &Channel{
		initiator: initiator,
		binding:   x.binding(),
		born:      time.Now(),
		limits:    f.limits,
		random:    f.random,
		link:      newDuplex(c, r, out, in, f.limits),
		seen:      map[streamID]bool{},
	}
}

// Initiator reports whether this end dialled.
func (c *Channel) Initiator() bool { return c.initiator }

// Peer is the caller's certificate on the responder's side. The initiator has
// none: it knows whom it dialled.
func (c *Channel) Peer() (identity.Certificate, bool) { return c.cert, !c.initiator }

// Caps are the peer's capabilities.
func (c *Channel) Caps() []byte { return slices.Clone(c.caps) }

// PeerEpoch is the epoch of the peer's own device list.
func (c *Channel) PeerEpoch() uint64 { return c.epoch }

// Binding is the handshake hash, the same at both ends and at no other pair
// of ends. It is not secret.
func (c *Channel) Binding() [32]byte { return c.binding }

// NextPair is the pair secret for the next handshake between these two
// devices. The peer has it too; keep the old one beside it until a handshake
// with the new one succeeds.
func (c *Channel) NextPair() [32]byte { return c.next }

// UsedPair is the pair that this handshake used, nil if none.
func (c *Channel) UsedPair() *Pair { return c.used }

// Age is how long the channel has lived. After 60 minutes its owner should
// make a new handshake.
func (c *Channel) Age() time.Duration { return time.Since(c.born) }

// Send sends whole messages, each of at most MaxMessage bytes, in order and
// together: small ones share frames and a write. ErrTooLarge means that
// nothing was sent; any other error is the end of the channel. It blocks
// while the peer reads slowly, at most SendTimeout a write.
func (c *Channel) Send(msgs ...[]byte) error {
	for _, m := range msgs {
		if len(m) > MaxMessage {
			return fmt.Errorf("send %d bytes: %w", len(m), ErrTooLarge)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	return c.link.sending(func(s *sealer) error { return s.send(msgs) })
}

// Receive waits for the next message; the slice is the caller's. After a read
// deadline it may be called again, any other error is the end of the channel:
// io.EOF when the peer or somebody on the way closed it, ErrAuth when
// something was tampered with, ErrClosed after Close.
func (c *Channel) Receive() ([]byte, error) {
	c.link.rmu.Lock()
	defer c.link.rmu.Unlock()
	if err := c.link.ended(); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	for {
		item, last, err := c.link.in.item()
		if err == nil {
			err = c.acceptable(item)
		}
		if err != nil {
			return nil, c.link.failed(err)
		}
		fragment := last && c.link.in.flags&flagMore != 0
		if !fragment && !c.more {
			return bytes.Clone(item), nil
		}
		c.gather(item)
		c.more = fragment
		if !fragment {
			m := c.message
			c.message = nil
			return m, nil
		}
	}
}

// gather adds a fragment. It grows the message in big steps, but never to
// more than twice what really came.
func (c *Channel) gather(item []byte) {
	if n := len(c.message) + len(item); n > cap(c.message) {
		grown := make([]byte, len(c.message), min(2*n, MaxMessage))
		copy(grown, c.message)
		c.message = grown
	}
	c.message = append(c.message, item...)
}

// acceptable refuses what no honest sender sends.
func (c *Channel) acceptable(item []byte) error {
	switch {
	case c.link.in.flags&flagEnd != 0 || (c.more && len(item) == 0):
		return errFrame
	case len(c.message)+len(item) > MaxMessage:
		return fmt.Errorf("message: %w", ErrTooLarge)
	}
	return nil
}

// SetReadDeadline bounds Receive; zero means no bound.
func (c *Channel) SetReadDeadline(t time.Time) error { return c.link.conn.SetReadDeadline(t) }

// Close ends the channel and forgets its secrets. Streams that it opened live
// on. Only the first call does anything.
func (c *Channel) Close() error {
	c.mu.Lock()
	clear(c.secret[:])
	c.seen = nil
	c.mu.Unlock()
	c.link.close(false)
	return nil
}
