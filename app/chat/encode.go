package chat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Errors of parsing. Every parser of this package wraps one of them.
var (
	ErrTooLarge  = errors.New("too large")
	ErrMalformed = errors.New("malformed")
)

// writer appends the pieces all encodings are made of: bytes as they are,
// numbers as minimal uvarints, and strings and lists behind their length.
type writer struct{ b []byte }

func (w *writer) byte(v byte)      { w.b = append(w.b, v) }
func (w *writer) raw(v []byte)     { w.b = append(w.b, v...) }
func (w *writer) uvarint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) string(v string)  { w.uvarint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *writer) bytes(v []byte)   { w.uvarint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *writer) bool(v bool) {
	if v {
		w.byte(1)
		return
	}
	w.byte(0)
}

// reader takes those pieces apart again. The first error sticks, everything
// after it reads as zero, and done reports it.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	r.failWith(fmt.Errorf(format+": %w", append(args, ErrMalformed)...))
}

func (r *reader) failWith(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// done returns the first error; bytes left over are one.
func (r *reader) done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	return r.err
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail("cut off")
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bool() bool {
	v := r.byte()
	if v > 1 {
		r.fail("truth value %d", v)
	}
	return v == 1
}

// fixed fills dst.
func (r *reader) fixed(dst []byte) { copy(dst, r.take(len(dst))) }

// uvarint reads a number that is written as short as it can be.
func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("number")
		return 0
	}
	if n > 1 && r.b[n-1] == 0 {
		r.fail("number longer than it must be")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// number reads a sequence number, depth or time: at most MaxSeq.
func (r *reader) number() uint64 {
	v := r.uvarint()
	if v > MaxSeq {
		r.fail("number %d", v)
		return 0
	}
	return v
}

// count reads how many entries of at least size bytes follow. It refuses
// more than limit and more than the bytes that are there could hold.
func (r *reader) count(limit, size int) int {
	v := r.uvarint()
	if v > uint64(limit) {
		r.failWith(fmt.Errorf("%d entries: %w", v, ErrTooLarge))
		return 0
	}
	if int(v)*size > len(r.b) {
		r.fail("cut off")
		return 0
	}
	return int(v)
}

// view reads a length and that many bytes, without a copy.
func (r *reader) view(limit int) []byte {
	v := r.uvarint()
	if v > uint64(limit) {
		r.failWith(fmt.Errorf("%d bytes: %w", v, ErrTooLarge))
		return nil
	}
	return r.take(int(v))
}

// bytes reads a length and that many bytes into a new slice; nil for none.
func (r *reader) bytes(limit int) []byte {
	return append([]byte(nil), r.view(limit)...)
}

// string reads a length and that much UTF-8 without NUL.
func (r *reader) string(limit int) string { return r.utf8(r.view(limit)) }

// rest reads all that is left as UTF-8 without NUL.
func (r *reader) rest(limit int) string {
	if len(r.b) > limit {
		r.failWith(fmt.Errorf("%d bytes: %w", len(r.b), ErrTooLarge))
	}
	return r.utf8(r.take(len(r.b)))
}

func (r *reader) utf8(b []byte) string {
	if !validText(b) {
		r.fail("text")
		return ""
	}
	return string(b)
}

func validText(b []byte) bool {
	for _, c := range b {
		if c == 0 {
			return false
		}
	}
	return utf8.Valid(b)
}
