package noise

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	flynn "github.com/flynn/noise"
)

var errFrame = errors.New("malformed frame")

// opener reads the frames of one direction. A read that a deadline cut short
// goes on where it stopped. It is not safe for concurrent use.
type opener struct {
	r  *bufio.Reader
	cs *flynn.CipherState

	buf   []byte // the frame being read, then the opened one
	have  int    // bytes of it read so far
	need  int    // its size, 0 before its length is known
	items []byte // what is left of the opened frame's items
	flags byte   // of the opened frame
	small int    // frames in a row that needed little of a big buffer
}

// item gives the next item, valid until the next call, and whether it is the
// last of its frame. After flagEnd it gives io.EOF.
func (o *opener) item() (item []byte, last bool, err error) {
	if len(o.items) == 0 {
		if o.flags&flagEnd != 0 {
			return nil, false, io.EOF
		}
		if err := o.frame(); err != nil {
			return nil, false, err
		}
	}
	n := int(binary.BigEndian.Uint16(o.items)) - 1
	item, o.items = o.items[itemHeader:itemHeader+n], o.items[itemHeader+n:]
	return item, len(o.items) == 0, nil
}

// frame reads, opens and checks the next frame.
func (o *opener) frame() error {
	if err := o.fill(); err != nil {
		return err
	}
	body := o.buf[:o.need]
	o.need, o.have = 0, 0
	plain, err := o.cs.Decrypt(body[:0], nil, body)
	if err != nil {
		return fmt.Errorf("open frame: %w: %w", ErrAuth, err)
	}
	if o.flags = plain[0]; o.flags&^flagsAll != 0 {
		return fmt.Errorf("flags %#x: %w", o.flags, errFrame)
	}
	if o.items, err = trim(plain[1:], o.flags); err != nil {
		return err
	}
	if o.flags&flagRekey != 0 {
		o.cs.Rekey()
	}
	return nil
}

// fill reads one sealed frame into buf. An end of the stream between frames
// is io.EOF, within one io.ErrUnexpectedEOF.
func (o *opener) fill() error {
	if o.need == 0 {
		head, err := o.r.Peek(2)
		if err != nil {
			if err == io.EOF && len(head) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		size := int(binary.BigEndian.Uint16(head))
		if plain := size - tagSize; plain < 64 || plain > maxPlain || bucket(plain) != plain {
			return fmt.Errorf("frame of %d bytes: %w: %w", size, errFrame, ErrAuth) // no honest end sends it
		}
		if _, err := o.r.Discard(2); err != nil {
			return err
		}
		o.reserve(size)
	}
	n, err := io.ReadFull(o.r, o.buf[o.have:o.need])
	if o.have += n; err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// reserve makes room for a frame and lets go of a buffer that has become too big.
func (o *opener) reserve(size int) {
	if o.small++; size > keepBuffer || cap(o.buf) <= keepBuffer {
		o.small = 0
	}
	if o.small >= 8 {
		o.buf, o.small = nil, 0
	}
	o.need, o.have = size, 0
	o.buf = slices.Grow(o.buf[:0], size)[:size]
}

// trim checks the items of a frame and cuts off the padding.
func trim(b []byte, flags byte) ([]byte, error) {
	end, empty := 0, false
	for len(b)-end >= itemHeader {
		n := int(binary.BigEndian.Uint16(b[end:])) - 1
		if n < 0 {
			break
		}
		if end += itemHeader; n > len(b)-end {
			return nil, fmt.Errorf("item beyond its frame: %w", errFrame)
		}
		end, empty = end+n, n == 0
	}
	switch {
	case end == 0:
		return nil, fmt.Errorf("no item: %w", errFrame)
	case bucket(1+end) != 1+len(b) || !zeros(b[end:]):
		return nil, fmt.Errorf("padding: %w", errFrame)
	case flags&flagMore != 0 && (empty || flags&flagEnd != 0):
		return nil, fmt.Errorf("fragment: %w", errFrame)
	}
	return b[:end], nil
}
