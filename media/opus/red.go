package opus

import (
	"errors"
	"fmt"
)

// Older is a packet that was sent before and travels again inside a later one.
type Older struct {
	// Offset is how many samples earlier than the packet around it its first
	// sample is, below 16,384 (341 ms).
	Offset int
	// Packet is at most 1,023 bytes.
	Packet []byte
}

// maxOlder is how many older packets one may carry: the three before it, 60 ms.
const maxOlder = 3

const (
	redMore   = 0x80
	maxOffset = 1<<14 - 1
	maxLength = 1<<10 - 1
)

// PackRED appends packet, preceded by older ones (the oldest first), to dst as
// a RED payload (RFC 2198 §3). All are of the RTP payload type pt. It is meant
// for lines that lose more than 5 %, where in-band FEC is not enough: with two
// older packets, two in a row may be lost.
func PackRED(dst []byte, pt uint8, packet []byte, older ...Older) ([]byte, error) {
	if len(older) > maxOlder {
		return nil, fmt.Errorf("pack RED: %d older packets, at most %d", len(older), maxOlder)
	}
	for _, o := range older {
		if o.Offset <= 0 || o.Offset > maxOffset || len(o.Packet) > maxLength {
			return nil, fmt.Errorf("pack RED: packet of %d bytes, %d samples ago, does not fit", len(o.Packet), o.Offset)
		}
		head := uint32(o.Offset)<<10 | uint32(len(o.Packet))
		dst = append(dst, redMore|pt&0x7f, byte(head>>16), byte(head>>8), byte(head))
	}
	dst = append(dst, pt&0x7f)
	for _, o := range older {
		dst = append(dst, o.Packet...)
	}
	return append(dst, packet...), nil
}

// UnpackRED takes a RED payload apart. What it returns shares payload's bytes.
// Blocks of other payload types than pt are left out.
func UnpackRED(payload []byte, pt uint8) (packet []byte, older []Older, err error) {
	lengths := make([]int, 0, maxOlder)
	types := make([]uint8, 0, maxOlder)
	rest := payload
	for len(rest) > 0 && rest[0]&redMore != 0 {
		if len(rest) < 4 || len(older) == maxOlder {
			return nil, nil, errors.New("unpack RED: too many or cut block headers")
		}
		head := uint32(rest[1])<<16 | uint32(rest[2])<<8 | uint32(rest[3])
		older = append(older, Older{Offset: int(head >> 10)})
		lengths = append(lengths, int(head&maxLength))
		types = append(types, rest[0]&0x7f)
		rest = rest[4:]
	}
	if len(rest) == 0 || rest[0] != pt&0x7f {
		return nil, nil, errors.New("unpack RED: no packet of the expected type")
	}
	rest = rest[1:]
	kept := older[:0]
	for i, o := range older {
		if lengths[i] > len(rest) {
			return nil, nil, errors.New("unpack RED: cut block")
		}
		o.Packet, rest = rest[:lengths[i]:lengths[i]], rest[lengths[i]:]
		if types[i] == pt&0x7f && o.Offset > 0 && len(o.Packet) > 0 {
			kept = append(kept, o)
		}
	}
	if len(rest) == 0 || len(rest) > MaxPacket {
		return nil, nil, fmt.Errorf("unpack RED: packet of %d bytes", len(rest))
	}
	return rest, kept, nil
}

// Redundancy makes RED payloads by remembering what was sent. It adds no delay
// here; the receiver's buffer must be as deep as the copies are old to use them.
type Redundancy struct {
	// Depth is how many older packets each carries, 0 to 3.
	Depth int

	sent []sentPacket
}

type sentPacket struct {
	timestamp uint32
	packet    []byte
}

// Pack appends packet, whose RTP timestamp is given, and copies of the ones
// before it to dst as a RED payload.
func (r *Redundancy) Pack(dst []byte, pt uint8, timestamp uint32, packet []byte) ([]byte, error) {
	var older []Older
	for _, s := range r.sent[max(0, len(r.sent)-max(r.Depth, 0)):] {
		if ago := timestamp - s.timestamp; ago > 0 && ago <= maxOffset {
			older = append(older, Older{Offset: int(ago), Packet: s.packet})
		}
	}
	out, err := PackRED(dst, pt, packet, older...)
	if err != nil {
		return nil, err
	}
	r.remember(timestamp, packet)
	return out, nil
}

func (r *Redundancy) remember(timestamp uint32, packet []byte) {
	if len(packet) > maxLength {
		return
	}
	var room []byte
	if len(r.sent) == maxOlder {
		room = r.sent[0].packet[:0]
		r.sent = append(r.sent[:0], r.sent[1:]...)
	}
	r.sent = append(r.sent, sentPacket{timestamp, append(room, packet...)})
}
