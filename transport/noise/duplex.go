package noise

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	flynn "github.com/flynn/noise"
)

// duplex is a connection with sealed frames both ways and one end of life:
// the first error closes it for good, save for read deadlines.
type duplex struct {
	conn     Conn
	prefix   []byte        // goes out before the next frames, in the same write
	patience time.Duration // how long a write may take, 0 for as long as the connection says

	wmu sync.Mutex
	out *sealer

	rmu  sync.Mutex
	in   *opener
	rest []byte // of the item that read is in; until the next item

	emu sync.Mutex
	err error // why it is over, nil while it lives
}

func newDuplex(c Conn, r *bufio.Reader, out, in *flynn.CipherState, l limits) *duplex {
	d := &duplex{conn: c, in: &opener{r: r, cs: in}}
	d.out = newSealer(out, l, d.write)
	return d
}

// over ends the duplex and gives the first reason that it had to.
func (d *duplex) over(err error) error { return d.end(err, abandon) }

// end is over with a way to let go of the connection.
func (d *duplex) end(err error, release func(Conn)) error {
	d.emu.Lock()
	defer d.emu.Unlock()
	if d.err == nil {
		d.err = err
		release(d.conn)
	}
	return d.err
}

// abandon lets go of a connection that failed, whoever is using it. Closing a
// libp2p stream means to finish it; only resetting it also frees it when the
// peer does not read and is safe beside a blocked write.
func abandon(c Conn) {
	if s, ok := c.(interface{ Reset() error }); ok {
		_ = s.Reset()
		return
	}
	_ = c.Close()
}

// ended is why the duplex is over, nil while it lives.
func (d *duplex) ended() error {
	d.emu.Lock()
	defer d.emu.Unlock()
	return d.err
}

// write hands frames to the connection.
func (d *duplex) write(b []byte) error {
	if d.patience > 0 {
		if err := d.conn.SetWriteDeadline(time.Now().Add(d.patience)); err != nil {
			return err
		}
	}
	if d.prefix != nil {
		b = append(d.prefix, b...)
		d.prefix = nil
	}
	_, err := d.conn.Write(b)
	return err
}

// sending runs send while nobody else does.
func (d *duplex) sending(send func(*sealer) error) error {
	d.wmu.Lock()
	defer d.wmu.Unlock()
	if err := d.ended(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := send(d.out); err != nil {
		return fmt.Errorf("send: %w", d.over(err)) // half a frame may be out: nothing can follow it
	}
	return nil
}

// failed tells a read deadline, after which reading may go on, from the end.
func (d *duplex) failed(err error) error {
	if timedOut(err) && d.ended() == nil {
		return fmt.Errorf("receive: %w", err)
	}
	return fmt.Errorf("receive: %w", d.over(err))
}

// timedOut reports whether a read deadline passed. Yamux has an error of its
// own for that. A dead connection may call itself a timeout too: QUIC's idle
// one is not temporary, TCP's is ETIMEDOUT.
func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var t interface {
		Timeout() bool
		Temporary() bool
	}
	return errors.As(err, &t) && t.Timeout() && t.Temporary() && !errors.Is(err, syscall.ETIMEDOUT)
}

// exactly reads a frame with one whole item of n bytes, as the handshake and
// the opening of a stream have them. The item is valid until the next read.
func (d *duplex) exactly(n int) ([]byte, error) {
	item, last, err := d.in.item()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && (!last || len(item) != n || d.in.flags&^flagRekey != 0) {
		err = fmt.Errorf("item of %d bytes, not %d: %w", len(item), n, errFrame)
	}
	return item, err
}

// read copies bytes of the items out, whatever frames they came in.
func (d *duplex) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(d.rest) == 0 {
		if err := d.ended(); err != nil {
			return 0, fmt.Errorf("receive: %w", err)
		}
		item, _, err := d.in.item()
		if errors.Is(err, io.EOF) {
			if d.in.flags&flagEnd != 0 {
				return 0, io.EOF // in the words of io.Reader, unwrapped
			}
			err = io.ErrUnexpectedEOF
		}
		if err == nil && len(item) == 0 && d.in.flags&flagEnd == 0 {
			err = errFrame
		}
		if err != nil {
			return 0, d.failed(err)
		}
		d.rest = item
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// close ends the duplex in peace, after the authentic end if farewell, or at
// once while a write is under way.
func (d *duplex) close(farewell bool) {
	if !d.wmu.TryLock() {
		_ = d.over(ErrClosed)
		return
	}
	defer d.wmu.Unlock()
	if farewell && d.ended() == nil {
		d.patience = closeTimeout
		if err := d.out.single(nil, flagEnd); err != nil {
			_ = d.over(ErrClosed) // a peer that is gone misses nothing
			return
		}
	}
	_ = d.end(ErrClosed, func(c Conn) { _ = c.Close() })
}
