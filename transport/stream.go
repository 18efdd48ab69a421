package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// Stream is a reliable two-way flow of bytes to one peer. One goroutine may
// read while another writes. Close says that both directions are done; Reset
// gives up at once.
type Stream struct {
	s    network.Stream
	host *Host
	peer Peer
}

var _ io.ReadWriteCloser = (*Stream)(nil)

// MaxMessage is the longest message that ReadMessage takes, whatever its caller allows: 16 MiB.
const MaxMessage = 16 << 20

// messageStep is how much is allocated ahead of bytes that have arrived.
const messageStep = 64 << 10

// Read reads what has arrived, at least one byte.
func (s *Stream) Read(b []byte) (int, error) { return s.s.Read(b) }

// Write writes all of b.
func (s *Stream) Write(b []byte) (int, error) { return s.s.Write(b) }

// Close sends what is pending, then ends both directions.
func (s *Stream) Close() error { return s.s.Close() }

// CloseWrite tells the other side that nothing more comes; reading goes on.
func (s *Stream) CloseWrite() error { return s.s.CloseWrite() }

// Reset ends the stream on both sides without sending what is pending.
func (s *Stream) Reset() error { return s.s.Reset() }

// SetDeadline sets when pending and later reads and writes give up; zero is never.
func (s *Stream) SetDeadline(t time.Time) error { return s.s.SetDeadline(t) }

// SetReadDeadline sets when pending and later reads give up.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.s.SetReadDeadline(t) }

// SetWriteDeadline sets when pending and later writes give up.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.s.SetWriteDeadline(t) }

// Peer returns who is at the other end.
func (s *Stream) Peer() Peer { return s.peer }

// Protocol returns the protocol the stream was opened for.
func (s *Stream) Protocol() string { return string(s.s.Protocol()) }

// Path returns the path of the connection this stream runs on.
func (s *Stream) Path() Path { return pathOf(s.s.Conn()) }

// Until ties the stream to ctx: when ctx ends, the stream is reset, and whoever
// reads or writes returns. The caller calls stop when done; stop reports
// whether the stream was left alone.
func (s *Stream) Until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = s.s.Reset() })
}

// WriteMessage writes b preceded by its length (4 bytes, big endian), both in
// one write. The error wraps ErrTooLarge if b exceeds MaxMessage.
func (s *Stream) WriteMessage(b []byte) error {
	if len(b) > MaxMessage {
		return fmt.Errorf("write message of %d bytes: %w", len(b), ErrTooLarge)
	}
	buf := make([]byte, 4, 4+len(b))
	binary.BigEndian.PutUint32(buf, uint32(len(b)))
	if _, err := s.s.Write(append(buf, b...)); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// ReadMessage reads what WriteMessage wrote, into a slice that the caller owns.
// A message longer than limit or MaxMessage is an error that wraps ErrTooLarge;
// the stream is of no use afterwards. io.EOF means that the other side closed
// between messages. Memory grows with what arrives, not with what is announced.
func (s *Stream) ReadMessage(limit int) ([]byte, error) { return readMessage(s.s, limit) }

func readMessage(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read message length: %w", err)
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > int64(min(limit, MaxMessage)) {
		return nil, fmt.Errorf("read message of %d bytes: %w", n, ErrTooLarge)
	}
	return readGrowing(r, int(n))
}

func readGrowing(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, 0, min(n, messageStep))
	for len(buf) < n {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(n, 2*cap(buf))), buf...)
		}
		m, err := io.ReadFull(r, buf[len(buf):min(n, cap(buf))])
		buf = buf[:len(buf)+m]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("read message: %w", err)
		}
	}
	return buf, nil
}
