package noise

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
)

const (
	labelLive    = "entrenous/1 live"
	labelPSK     = "entrenous/1 live psk"
	labelChannel = "entrenous/1 live channel"
	labelPair    = "entrenous/1 live pair"
	labelConfirm = "entrenous/1 live confirm"
	labelStream  = "entrenous/1 live stream"
)

const (
	hintSize = 16
	msg1Size = 32 + mlkem.EncapsulationKeySize768 + hintSize + 16 // e, payload, tag
)

// fixed replaces what must not vary in a test; a nil one is production.
type fixed struct {
	random      io.Reader
	encapsulate func(*mlkem.EncapsulationKey768) (ss, ct []byte)
	hello       hello
	limits      limits
}

// settled are the values to use: the production ones where tests fixed nothing.
func (f *fixed) settled() fixed {
	s := fixed{}
	if f != nil {
		s = *f
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.encapsulate == nil {
		s.encapsulate = (*mlkem.EncapsulationKey768).Encapsulate
	}
	if s.hello == (hello{}) {
		s.hello = hello{1, Version}
	}
	if s.limits == (limits{}) {
		s.limits = standardLimits()
	}
	return s
}

// hello is the lowest and the highest version that an end speaks.
type hello [2]byte

// common is the highest version that both speak, 0 if there is none.
func (h hello) common(o hello) byte {
	lo, hi := max(h[0], o[0]), min(h[1], o[1])
	if h[0] == 0 || o[0] == 0 || lo > hi {
		return 0
	}
	return hi
}

// prologue binds the handshake to the initiator's hello and to both peer ids.
// The ids have length prefixes, else two pairs of ids could read the same.
func prologue(h hello, initiator, responder []byte) []byte {
	b := append([]byte(labelLive), h[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(initiator)))
	b = append(b, initiator...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(responder)))
	return append(b, responder...)
}

// psk joins the KEM's secret and the pair secret, all zeros when there is
// none, and binds the KEM's transcript.
func psk(ss, ek, ct []byte, pair [32]byte) ([32]byte, error) {
	h := sha256.New()
	h.Write(ek)
	h.Write(ct)
	ikm := append(append(make([]byte, 0, 64), ss...), pair[:]...)
	defer clear(ikm)
	return derive(ikm, nil, labelPSK+string(h.Sum(nil)))
}

// derive is HKDF-SHA256 with 32 bytes of output.
func derive(ikm, salt []byte, info string) (key [32]byte, err error) {
	b, err := hkdf.Key(sha256.New, ikm, salt, info, len(key))
	copy(key[:], b)
	clear(b)
	return key, err
}

// hint lets the responder find the pair secret before it knows who calls.
func hint(pair [32]byte, ek []byte) []byte {
	m := hmac.New(sha256.New, pair[:])
	m.Write([]byte("hint"))
	m.Write(ek)
	return m.Sum(nil)[:hintSize]
}

// match finds the pair that a hint was made with, nil if none. It always
// looks at all of them, so that its time does not tell which one it was.
func match(pairs []Pair, ek, got []byte) *Pair {
	var used *Pair
	for i := range pairs {
		same := hmac.Equal(hint(pairs[i].Secret, ek), got)
		if same && used == nil && pairs[i].Secret != [32]byte{} {
			used = &Pair{Secret: pairs[i].Secret, Of: pairs[i].Of}
		}
	}
	return used
}
