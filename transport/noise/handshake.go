package noise

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// readBuffer is enough for every handshake message but one and lets small
// frames arrive in one read.
const readBuffer = 2048

// within runs a handshake under the deadline and the cancellation of ctx and
// lets go of the connection if it fails.
func within(ctx context.Context, c Conn, run func() (*Channel, error)) (*Channel, error) {
	deadline := time.Now().Add(HandshakeTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	err := c.SetDeadline(deadline)
	var ch *Channel
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
		ch, err = run()
		switch {
		case stop():
		case err == nil:
			err = ctx.Err()
		default:
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if errors.Is(err, ErrVersion) {
		_ = c.Close() // in peace, so that the peer gets our hello
		return nil, err
	}
	if err != nil {
		abandon(c)
		return nil, err
	}
	return ch, nil
}

// withPrefix puts a 16-bit length before a handshake message.
func withPrefix(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(msg)), uint16(len(msg))), msg...)
}

// readPrefixed reads a 16-bit length and that many bytes, at most limit.
func readPrefixed(r io.Reader, limit int) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > limit {
		return nil, fmt.Errorf("%d bytes: %w", n, ErrTooLarge)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
