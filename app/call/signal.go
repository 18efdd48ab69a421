package call

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Kind says what a signal means.
type Kind byte

// The kinds of signals. Numbers are part of the format.
const (
	Offer     Kind = 1  // a call begins; with a description
	Rings     Kind = 2  // it rings here
	Accept    Kind = 3  // answered; with a description
	Reject    Kind = 4  // no, with a reason
	End       Kind = 5  // hung up or called off, with a reason and perhaps a report
	OnHold    Kind = 6  // On: the sender does not listen now
	Again     Kind = 7  // the caller looks for a path anew, with a description; without one, the callee asks for it
	AgainToo  Kind = 8  // the answer to Again; with a description
	Recording Kind = 9  // On: the sender records the call
	Test      Kind = 10 // an echo test is asked for, with a description; answered by Accept, Reject, or nothing where it is not allowed
)

// Limits of a signal.
const (
	MaxDescription = 4 << 10 // bytes
	MaxReport      = 512     // bytes
	maxReason      = 32      // bytes
	macSize        = sha256.Size
)

// Signal is what two ends say to each other about one call.
type Signal struct {
	Kind        Kind
	On          bool
	Reason      Reason
	Age         time.Duration // how old the offer was when it was sent
	Description []byte
	Report      []byte
}

// Errors of OpenSignal.
var (
	// ErrMalformed means that bytes are no signal.
	ErrMalformed = errors.New("malformed call signal")
	// ErrForged means that a signal was made for another channel, call or
	// direction, or altered.
	ErrForged = errors.New("call signal does not belong here")
)

// Seal encodes a signal and binds it to the live channel it goes through, the
// call and the sender: nothing in it, above all no fingerprint, can be used
// anywhere else.
func (s Signal) Seal(channel [32]byte, id ID, sender Device) []byte {
	b := make([]byte, 0, 64+len(s.Description)+len(s.Report)+macSize)
	on := byte(0)
	if s.On {
		on = 1
	}
	b = append(b, byte(s.Kind), on, byte(len(s.Reason)))
	b = append(b, s.Reason...)
	b = binary.BigEndian.AppendUint32(b, uint32(min(max(s.Age.Milliseconds(), 0), 1<<32-1)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Description)))
	b = append(b, s.Description...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Report)))
	b = append(b, s.Report...)
	return append(b, mac(channel, id, sender, b)...)
}

func mac(channel [32]byte, id ID, sender Device, b []byte) []byte {
	m := hmac.New(sha256.New, channel[:])
	m.Write([]byte("entrenous/1 call\x00"))
	m.Write(id[:])
	m.Write(sender[:])
	m.Write(b)
	return m.Sum(nil)
}

// OpenSignal checks and reads what Seal made.
func OpenSignal(b []byte, channel [32]byte, id ID, sender Device) (Signal, error) {
	if len(b) < macSize {
		return Signal{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	plain, sum := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(sum, mac(channel, id, sender, plain)) {
		return Signal{}, ErrForged
	}
	return parseSignal(plain)
}

func parseSignal(b []byte) (Signal, error) {
	r := reader{b: b}
	s := Signal{Kind: Kind(r.take(1)[0])}
	if s.Kind < Offer || s.Kind > Test {
		r.fail("kind")
	}
	switch r.take(1)[0] {
	case 0:
	case 1:
		s.On = true
	default:
		r.fail("flag")
	}
	s.Reason = Reason(r.bytes(int(r.take(1)[0]), maxReason))
	for _, c := range []byte(s.Reason) {
		if c < 'a' || c > 'z' {
			r.fail("reason")
		}
	}
	s.Age = time.Duration(binary.BigEndian.Uint32(r.take(4))) * time.Millisecond
	s.Description = r.bytes(int(binary.BigEndian.Uint16(r.take(2))), MaxDescription)
	s.Report = r.bytes(int(binary.BigEndian.Uint16(r.take(2))), MaxReport)
	if r.err == nil && len(r.b) != 0 {
		r.fail("end")
	}
	if r.err != nil {
		return Signal{}, r.err
	}
	return s, nil
}

// reader reads from the front of b; after a failure it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
}

func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.b) < n {
		r.fail("too short")
	}
	if r.err != nil {
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// bytes copies n bytes, of which there may be at most most.
func (r *reader) bytes(n, most int) []byte {
	if n > most {
		r.fail("too long")
	}
	if n == 0 || r.err != nil {
		return nil
	}
	return append([]byte(nil), r.take(n)...)
}
