package chat

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/entrenous/entrenous/identity"
)

const receiptLabel = "receipt"

// Receipt says how far one device has another's chain. It is cumulative: it
// speaks for all events up to a sequence number, so the last one is enough.
type Receipt struct {
	Conv      ConvID
	By        identity.DeviceID // who has it
	Author    identity.DeviceID // whose chain
	Delivered uint64            // By holds Author's events up to this one
	Seen      uint64            // By's person has seen them up to this one; ≤ Delivered
	Time      int64             // Unix milliseconds by By's clock: for display only
	Sig       [64]byte          // by By's key of this conversation
}

// State is how far a row has got, as its author may honestly say.
type State uint8

// The states of a row. Received is what others wrote and we have.
const (
	Written   State = 1 // on our disk
	Carried   State = 2 // held for them by others
	Delivered State = 3 // on a device of theirs
	Seen      State = 4 // on the screen of theirs
	Received  State = 5
)

// String returns the state's word: "written", "carried", "delivered", "seen"
// or "received".
func (s State) String() string {
	switch s {
	case Written:
		return "written"
	case Carried:
		return "carried"
	case Delivered:
		return "delivered"
	case Seen:
		return "seen"
	case Received:
		return "received"
	}
	return fmt.Sprintf("state-%d", uint8(s))
}

// ParseState reads what State.String wrote.
func ParseState(word string) (State, error) {
	for s := Written; s <= Received; s++ {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, fmt.Errorf("parse state %.16q: %w", word, ErrMalformed)
}

// MarshalText writes s as String does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(b []byte) (err error) {
	*s, err = ParseState(string(b))
	return err
}

// Sign signs r with By's key of the conversation.
func (r *Receipt) Sign(k ed25519.PrivateKey) {
	copy(r.Sig[:], identity.Sign(k, receiptLabel, r.unsigned()))
}

// Verify says whether r was signed by the private part of pub.
func (r *Receipt) Verify(pub [32]byte) bool {
	return identity.Verify(pub[:], receiptLabel, r.unsigned(), r.Sig[:])
}

// IsSigned says whether r carries a signature at all: what Merge made of two
// that contradict each other does not, and is not for others.
func (r *Receipt) IsSigned() bool { return r.Sig != [64]byte{} }

// Merge returns the most that r and old say together, and whether that is
// more than old said. The signature is that of the one that says it all; it
// is zero if neither does.
func (r *Receipt) Merge(old Receipt) (Receipt, bool) {
	if r.Delivered <= old.Delivered && r.Seen <= old.Seen {
		return old, false
	}
	m := *r
	if old.Delivered > r.Delivered || old.Seen > r.Seen {
		m.Sig = [64]byte{}
	}
	m.Delivered = max(r.Delivered, old.Delivered)
	m.Seen = max(r.Seen, old.Seen)
	m.Time = max(r.Time, old.Time)
	if m.IsSigned() {
		m.Time = r.Time
	}
	return m, true
}

// Encode returns the one encoding of r.
func (r *Receipt) Encode() []byte { return append(r.unsigned(), r.Sig[:]...) }

func (r *Receipt) unsigned() []byte {
	w := writer{b: make([]byte, 0, 192)}
	w.raw(r.Conv[:])
	w.raw(r.By[:])
	w.raw(r.Author[:])
	w.uvarint(r.Delivered)
	w.uvarint(r.Seen)
	w.uvarint(uint64(r.Time))
	return w.b
}

// ParseReceipt reads the encoding of one receipt and nothing else.
func ParseReceipt(b []byte) (Receipt, error) {
	r := reader{b: b}
	rc := r.receipt()
	return finish(rc, &r, "receipt")
}

func (r *reader) receipt() (rc Receipt) {
	r.fixed(rc.Conv[:])
	r.fixed(rc.By[:])
	r.fixed(rc.Author[:])
	rc.Delivered = r.number()
	rc.Seen = r.number()
	rc.Time = int64(r.number())
	r.fixed(rc.Sig[:])
	if rc.Seen > rc.Delivered {
		r.fail("seen without having")
	}
	if bytes.Equal(rc.By[:], rc.Author[:]) {
		r.fail("receipt for oneself")
	}
	return rc
}
