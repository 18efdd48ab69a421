package chat

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/entrenous/entrenous/identity"
)

// WorkBits is what a contact request from a stranger has to show: about a
// third of a second of one core.
const WorkBits = 20

// Work is what a stranger computes over before a contact request, so that
// asking many people, or asking one many times, costs something.
type Work struct {
	Requester, Target identity.ID
	Text              string // the request's text: another text is another work
}

// Find looks for a nonce that shows n bits of work. It uses one core and
// returns ctx's error if that ends first.
func (w Work) Find(ctx context.Context, n int) (uint64, error) {
	b := w.input()
	for nonce := uint64(0); ; nonce++ {
		if nonce%4096 == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if zeros(b, nonce) >= n {
			return nonce, nil
		}
	}
}

// Check says whether nonce shows n bits of work.
func (w Work) Check(nonce uint64, n int) bool { return zeros(w.input(), nonce) >= n }

// input is label, target, requester, the text's hash and room for the nonce.
func (w Work) input() []byte {
	b := []byte("entrenous/1 work\x00")
	b = append(b, w.Target[:]...)
	b = append(b, w.Requester[:]...)
	text := sha256.Sum256([]byte(w.Text))
	b = append(b, text[:]...)
	return append(b, make([]byte, 8)...)
}

// zeros returns the leading zero bits of the hash with this nonce.
func zeros(b []byte, nonce uint64) int {
	binary.BigEndian.PutUint64(b[len(b)-8:], nonce)
	h := sha256.Sum256(b)
	n := 0
	for _, c := range h {
		n += bits.LeadingZeros8(c)
		if c != 0 {
			break
		}
	}
	return n
}
