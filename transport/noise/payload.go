package noise

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	payloadUnit = 256 // message 2 and 3 payloads are padded to a multiple of this
	maxPayload  = (2 + maxCertificate + 8 + 2 + maxCaps + payloadUnit - 1) / payloadUnit * payloadUnit
)

var errPayload = errors.New("malformed handshake payload")

// payload is what messages 2 and 3 carry. Head is the responder's hello in
// message 2 and the initiator's certificate in message 3.
type payload struct {
	head  []byte
	epoch uint64
	caps  []byte
}

// encode is len16 || head || epoch64 || len16 || caps || zeros.
func (p payload) encode() []byte {
	n := 2 + len(p.head) + 8 + 2 + len(p.caps)
	b := make([]byte, 0, roundUp(n, payloadUnit))
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.head)))
	b = append(b, p.head...)
	b = binary.BigEndian.AppendUint64(b, p.epoch)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.caps)))
	b = append(b, p.caps...)
	return b[:cap(b)]
}

// parsePayload accepts exactly what encode makes.
func parsePayload(b []byte) (p payload, err error) {
	if len(b) > maxPayload {
		return p, fmt.Errorf("handshake payload of %d bytes: %w", len(b), ErrTooLarge)
	}
	rest := b
	var ok bool
	if p.head, rest, ok = prefixed(rest, maxCertificate); !ok || len(rest) < 8 {
		return payload{}, errPayload
	}
	p.epoch, rest = binary.BigEndian.Uint64(rest), rest[8:]
	if p.caps, rest, ok = prefixed(rest, maxCaps); !ok {
		return payload{}, errPayload
	}
	if len(b) != roundUp(len(b)-len(rest), payloadUnit) || !zeros(rest) {
		return payload{}, errPayload
	}
	return p, nil
}

// prefixed takes a 16-bit length and that many bytes, at most limit.
func prefixed(b []byte, limit int) (field, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; n > limit || n > len(b) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func zeros(b []byte) bool {
	var or byte
	for _, v := range b {
		or |= v
	}
	return or == 0
}
