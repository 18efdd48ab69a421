package noise

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	flynn "github.com/flynn/noise"
)

const (
	maxStreams   = 1 << 16         // opened by the peer over one channel
	closeTimeout = 1 * time.Second // for the last frame of a stream
)

var errStreams = errors.New("stream id used before or too many streams")

type streamID [16]byte

// Stream is a further connection with keys of its own from a channel, sealed,
// padded and rekeyed like it. One goroutine may read while others write.
type Stream struct{ link *duplex }

// Stream makes a stream over conn, which the opener opened for it. The opener
// sends a random id in clear and a first, empty frame; the other end waits
// for both and takes each id once, so that a recorded stream cannot be played
// to it again. The keys are HKDF(channel secret, id, who opened, who sends).
// When it fails conn is closed or reset.
func (c *Channel) Stream(conn Conn, opener bool) (*Stream, error) {
	s, err := c.stream(conn, opener)
	if err != nil {
		abandon(conn)
		return nil, fmt.Errorf("make stream: %w", err)
	}
	return s, nil
}

func (c *Channel) stream(conn Conn, opener bool) (*Stream, error) {
	if err := c.link.ended(); err != nil {
		return nil, err
	}
	if opener {
		return c.openStream(conn)
	}
	return c.takeStream(conn)
}

func (c *Channel) openStream(conn Conn) (*Stream, error) {
	var id streamID
	if _, err := io.ReadFull(c.random, id[:]); err != nil {
		return nil, fmt.Errorf("draw id: %w", err)
	}
	link, err := c.streamLink(conn, bufio.NewReaderSize(conn, readBuffer), id, true)
	if err != nil {
		return nil, err
	}
	link.prefix = id[:]
	if err := link.out.single(nil, 0); err != nil {
		return nil, err
	}
	return &Stream{link}, nil
}

func (c *Channel) takeStream(conn Conn) (*Stream, error) {
	if err := conn.SetReadDeadline(time.Now().Add(HandshakeTimeout)); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(conn, readBuffer)
	var id streamID
	if _, err := io.ReadFull(r, id[:]); err != nil {
		return nil, fmt.Errorf("read id: %w", err)
	}
	link, err := c.streamLink(conn, r, id, false)
	if err != nil {
		return nil, err
	}
	if _, err := link.exactly(0); err != nil {
		return nil, err
	}
	if err := c.once(id); err != nil {
		return nil, err
	}
	return &Stream{link}, conn.SetReadDeadline(time.Time{})
}

// once notes an id whose opener has proved to be the peer. Nothing may be
// sent on a stream before: the keys of two streams with one id are the same.
func (c *Channel) once(id streamID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		return ErrClosed
	}
	if c.seen[id] || len(c.seen) >= maxStreams {
		return errStreams
	}
	c.seen[id] = true
	return nil
}

// streamLink makes the duplex of a stream that this end or the other opened.
func (c *Channel) streamLink(conn Conn, r *bufio.Reader, id streamID, mine bool) (*duplex, error) {
	out, err := c.streamKey(id, mine, true)
	if err != nil {
		return nil, err
	}
	in, err := c.streamKey(id, mine, false)
	if err != nil {
		return nil, err
	}
	link := newDuplex(conn, r, out, in, c.limits)
	link.patience = SendTimeout
	return link, nil
}

// streamKey is the key of one direction of a stream. The info names the
// opener and the sender as 'i' or 'r', so that a stream played back to its
// opener opens nothing.
func (c *Channel) streamKey(id streamID, openedHere, sentHere bool) (*flynn.CipherState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		return nil, ErrClosed // the secret is gone
	}
	roles := [2]byte{c.role(openedHere), c.role(sentHere)}
	key, err := derive(c.secret[:], nil, labelStream+string(id[:])+string(roles[:]))
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return flynn.UnsafeNewCipherState(suite(), key, 0), nil
}

// role is 'i' for the channel's initiator and 'r' for its responder.
func (c *Channel) role(here bool) byte {
	if here == c.initiator {
		return 'i'
	}
	return 'r'
}

// Read gives bytes in the order that they were written. io.EOF means that the
// peer closed the stream; a stream cut by anybody else is io.ErrUnexpectedEOF.
// After a deadline of the connection it may be called again.
func (s *Stream) Read(p []byte) (int, error) {
	s.link.rmu.Lock()
	defer s.link.rmu.Unlock()
	return s.link.read(p)
}

// Write sends p whole or ends the stream. It blocks while the peer reads
// slowly, at most SendTimeout for every 128 KiB.
func (s *Stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.link.sending(func(o *sealer) error { return o.send([][]byte{p}) }); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close tells the peer that nothing follows and closes the connection. While
// a Write is blocked it closes the connection at once.
func (s *Stream) Close() error {
	s.link.close(true)
	return nil
}
