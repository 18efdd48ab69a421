package noise

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	flynn "github.com/flynn/noise"
)

// A frame is len16 || AEAD(flags || items || zeros). An item is
// (length+1)16 || bytes; the length field 0 begins the padding. With flagMore
// the last item goes on in the first item of the next frame.
const (
	flagMore  = 1 << 0 // the last item is a fragment, more of it follows
	flagRekey = 1 << 1 // both ends rekey this direction after this frame
	flagEnd   = 1 << 2 // nothing follows: an authentic end, which a cut stream has not
	flagsAll  = flagMore | flagRekey | flagEnd
)

const (
	tagSize    = 16
	itemHeader = 2
	frameUnit  = 512
	maxPlain   = (maxNoise - tagSize) / frameUnit * frameUnit // 65,024
	maxItem    = maxPlain - 1 - itemHeader
	maxBatch   = 2 * (2 + maxPlain + tagSize) // bytes gathered for one write
	keepBuffer = 4096                         // an idle channel holds no more than this
)

// bucket is the padded size of a plaintext of n bytes.
func bucket(n int) int {
	switch {
	case n <= 64:
		return 64
	case n <= 128:
		return 128
	case n <= 256:
		return 256
	}
	return roundUp(n, frameUnit)
}

// limits say when a sender rekeys.
type limits struct {
	frames uint64
	bytes  uint64
	age    time.Duration
}

func standardLimits() limits {
	return limits{frames: 1 << 16, bytes: 1 << 30, age: 10 * time.Minute}
}

// sealer packs items into frames of one direction. It is not safe for
// concurrent use.
type sealer struct {
	cs     *flynn.CipherState
	limits limits
	write  func([]byte) error // hands on whole frames

	frames uint64 // since the last rekey, like the two below
	bytes  uint64
	since  time.Time

	buf   []byte // finished frames, then the one being filled
	start int    // where the one being filled begins
	small int    // writes in a row that needed little of a big buffer
}

func newSealer(cs *flynn.CipherState, l limits, write func([]byte) error) *sealer {
	return &sealer{cs: cs, limits: l, write: write, since: time.Now()}
}

// send packs messages into as few frames and writes as it can.
func (s *sealer) send(msgs [][]byte) error {
	s.buf = slices.Grow(s.buf[:0], estimate(msgs))
	s.begin()
	for _, m := range msgs {
		if err := s.add(m); err != nil {
			return err
		}
	}
	if err := s.finish(0); err != nil {
		return err
	}
	return s.flush()
}

// single sends one frame with one item that is no longer than maxItem.
func (s *sealer) single(item []byte, flags byte) error {
	s.buf = s.buf[:0]
	s.begin()
	s.put(item)
	if err := s.finish(flags); err != nil {
		return err
	}
	return s.flush()
}

// estimate is the size of the buffer that msgs need, at most maxBatch.
func estimate(msgs [][]byte) int {
	n := 2 + 1 + tagSize
	for _, m := range msgs {
		if n += itemHeader + len(m); n >= maxBatch {
			return maxBatch
		}
	}
	return min(n+frameUnit, maxBatch)
}

// add packs one message, over as many frames as it takes.
func (s *sealer) add(m []byte) error {
	for {
		room := maxPlain - (len(s.buf) - s.start - 2) - itemHeader
		if room < 0 || (room == 0 && len(m) > 0) {
			if err := s.next(0); err != nil {
				return err
			}
			continue
		}
		n := min(room, len(m))
		s.put(m[:n])
		if m = m[n:]; len(m) == 0 {
			return nil
		}
		if err := s.next(flagMore); err != nil {
			return err
		}
	}
}

// next finishes a frame and begins another.
func (s *sealer) next(flags byte) error {
	if err := s.finish(flags); err != nil {
		return err
	}
	if len(s.buf)+2+maxPlain+tagSize > maxBatch {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.begin()
	return nil
}

func (s *sealer) begin() {
	s.start = len(s.buf)
	s.buf = append(s.buf, 0, 0, 0) // length and flags
}

func (s *sealer) put(item []byte) {
	s.buf = binary.BigEndian.AppendUint16(s.buf, uint16(len(item)+1))
	s.buf = append(s.buf, item...)
}

// finish pads and seals the frame being filled, in place.
func (s *sealer) finish(flags byte) error {
	size := bucket(len(s.buf) - s.start - 2)
	s.buf = slices.Grow(s.buf, s.start+2+size+tagSize-len(s.buf))
	used := len(s.buf)
	s.buf = s.buf[:s.start+2+size]
	clear(s.buf[used:])
	s.frames, s.bytes = s.frames+1, s.bytes+uint64(size)
	rekey := s.frames >= s.limits.frames || s.bytes >= s.limits.bytes || time.Since(s.since) >= s.limits.age
	if rekey {
		flags |= flagRekey
	}
	plain := s.buf[s.start+2:]
	plain[0] = flags
	binary.BigEndian.PutUint16(s.buf[s.start:], uint16(size+tagSize))
	sealed, err := s.cs.Encrypt(s.buf[:s.start+2], nil, plain)
	if err != nil {
		return fmt.Errorf("seal frame: %w", err)
	}
	s.buf = sealed
	if rekey {
		s.cs.Rekey()
		s.frames, s.bytes, s.since = 0, 0, time.Now()
	}
	return nil
}

// flush writes the finished frames and lets go of a buffer that has become
// too big for what is sent.
func (s *sealer) flush() error {
	err := s.write(s.buf)
	if s.small++; len(s.buf) > keepBuffer || cap(s.buf) <= keepBuffer {
		s.small = 0
	}
	s.buf = s.buf[:0]
	if s.small >= 8 {
		s.buf, s.small = nil, 0
	}
	return err
}
