package chat

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/identity"
)

// Kind says what an event is, and so how its body is read.
type Kind uint8

// The kinds of events. Numbers are part of the format and are never used
// again. An unknown kind is kept and passed on like any other event; its row
// says that a newer version is needed.
const (
	KindText     Kind = 1
	KindReply    Kind = 2
	KindEdit     Kind = 3
	KindDelete   Kind = 4
	KindReaction Kind = 5
	KindCall     Kind = 6
	KindDevice   Kind = 7 // a device came or went, or an identity changed

	// Reserved: their bodies are not defined yet.
	KindFileOffer Kind = 16
	KindJoin      Kind = 32
	KindLeave     Kind = 33
	KindRole      Kind = 34
	KindRename    Kind = 35
)

// Limits of an event. A longer one is refused before memory is taken for it.
const (
	MaxBody  = 66 << 10       // bytes of a body
	MaxHeads = 16             // heads of one event
	MaxEvent = MaxBody + 1024 // bytes of an encoded event, signature included

	// MaxSeq bounds sequence numbers, depths and times: they fit a float64, a
	// signed column and a sum without care.
	MaxSeq = 1 << 53
)

const (
	eventVersion = 1
	eventLabel   = "event"
	eventDomain  = "entrenous/1 event\x00"
)

// Event is one entry of a conversation's log: signed, and linked by hashes to
// what its author had seen. Once signed it never changes.
//
// Hash and signature cover the body only by its digest. So an event whose body
// was taken away, a redacted one, has the same hash, keeps its place in the
// chain and still verifies.
type Event struct {
	Conv   ConvID
	Device identity.DeviceID // the author's device
	Seq    uint64            // 1, 2, 3… in this device's chain of this conversation
	Prev   Hash              // the event Seq-1 of the chain; zero for the first
	Heads  []Hash            // heads of other devices' chains seen: sorted, unique, ≤ MaxHeads
	Depth  uint64            // 1 + the greatest depth of Prev and Heads: causal order
	Time   int64             // Unix milliseconds by the author's clock: for display only
	Kind   Kind
	Salt   [16]byte // random: without it, and it goes with the body, a digest does not let a short body be guessed
	Body   []byte   // ≤ MaxBody; none once redacted
	Sig    [64]byte // by the device's key of this conversation

	redacted bool
	digest   [32]byte // of the body that was there, if redacted
}

// String names the known kinds.
func (k Kind) String() string {
	switch k {
	case KindText:
		return "text"
	case KindReply:
		return "reply"
	case KindEdit:
		return "edit"
	case KindDelete:
		return "delete"
	case KindReaction:
		return "reaction"
	case KindCall:
		return "call"
	case KindDevice:
		return "device"
	case KindFileOffer:
		return "file-offer"
	case KindJoin:
		return "join"
	case KindLeave:
		return "leave"
	case KindRole:
		return "role"
	case KindRename:
		return "rename"
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// IsEffect says whether events of this kind change another row instead of
// being one.
func (k Kind) IsEffect() bool {
	return k == KindEdit || k == KindDelete || k == KindReaction
}

// Hash returns the event's id. The signature is not part of it.
func (e *Event) Hash() Hash {
	h := sha256.New()
	h.Write([]byte(eventDomain))
	h.Write(e.signed())
	return Hash(h.Sum(nil))
}

// Redact returns e without its body: with the same hash and a signature that
// still verifies. A delete stays as it is: it says nothing, and whoever gets
// it later must be able to obey it.
func (e *Event) Redact() *Event {
	r := *e
	if e.redacted || e.Kind == KindDelete {
		return &r
	}
	r.redacted, r.digest, r.Salt, r.Body = true, e.bodyDigest(), [16]byte{}, nil
	return &r
}

// Redacted says whether e's body was taken away.
func (e *Event) Redacted() bool { return e.redacted }

// bodyDigest is SHA-256 of salt and body.
func (e *Event) bodyDigest() [32]byte {
	if e.redacted {
		return e.digest
	}
	h := sha256.New()
	h.Write(e.Salt[:])
	h.Write(e.Body)
	return [32]byte(h.Sum(nil))
}

// Sign signs e with the device's key of this conversation.
func (e *Event) Sign(k ed25519.PrivateKey) {
	copy(e.Sig[:], identity.Sign(k, eventLabel, e.signed()))
}

// Verify says whether e was signed by the private part of pub.
func (e *Event) Verify(pub [32]byte) bool {
	return identity.Verify(pub[:], eventLabel, e.signed(), e.Sig[:])
}

// Encode returns the one encoding of e. The caller owns it. It does not check
// e: ParseEvent refuses what breaks a rule.
func (e *Event) Encode() []byte {
	w := e.header(len(e.Body))
	w.bool(e.redacted)
	if e.redacted {
		w.raw(e.digest[:])
	} else {
		w.raw(e.Salt[:])
		w.bytes(e.Body)
	}
	w.raw(e.Sig[:])
	return w.b
}

// signed is what hash and signature cover: the header and the body's digest.
func (e *Event) signed() []byte {
	w := e.header(0)
	d := e.bodyDigest()
	w.raw(d[:])
	return w.b
}

// header is version, conv, device, seq, prev (from the second event on),
// heads, depth, time and kind, with room for a body behind it.
func (e *Event) header(room int) writer {
	w := writer{b: make([]byte, 0, 256+32*len(e.Heads)+room)}
	w.byte(eventVersion)
	w.raw(e.Conv[:])
	w.raw(e.Device[:])
	w.uvarint(e.Seq)
	if e.Seq != 1 {
		w.raw(e.Prev[:])
	}
	w.uvarint(uint64(len(e.Heads)))
	for _, h := range e.Heads {
		w.raw(h[:])
	}
	w.uvarint(e.Depth)
	w.uvarint(uint64(e.Time))
	w.byte(byte(e.Kind))
	return w
}

// ParseEvent reads the encoding of one event and nothing else. It checks
// everything that can be checked without a key and without other events; the
// body is not looked into. The event keeps no part of b.
func ParseEvent(b []byte) (*Event, error) {
	if len(b) > MaxEvent {
		return nil, fmt.Errorf("parse event: %d bytes: %w", len(b), ErrTooLarge)
	}
	r := reader{b: b}
	e := r.event()
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("parse event: %w", err)
	}
	return e, nil
}

func (r *reader) event() *Event {
	e := new(Event)
	if v := r.byte(); v != eventVersion {
		r.fail("version %d", v)
	}
	r.fixed(e.Conv[:])
	r.fixed(e.Device[:])
	e.Seq = r.number()
	if e.Seq == 0 {
		r.fail("sequence number 0")
	}
	if e.Seq != 1 {
		r.fixed(e.Prev[:])
	}
	e.Heads = r.hashes(MaxHeads)
	e.Depth = r.number()
	if e.Depth < e.Seq {
		r.fail("depth %d at sequence number %d", e.Depth, e.Seq)
	}
	e.Time = int64(r.number())
	e.Kind = Kind(r.byte())
	if e.Kind == 0 {
		r.fail("kind 0")
	}
	r.content(e)
	r.fixed(e.Sig[:])
	return e
}

// content reads salt and body, or the digest that stands for them.
func (r *reader) content(e *Event) {
	if e.redacted = r.bool(); !e.redacted {
		r.fixed(e.Salt[:])
		e.Body = r.bytes(MaxBody)
		return
	}
	if e.Kind == KindDelete {
		r.fail("redacted delete")
	}
	r.fixed(e.digest[:])
}

// hashes reads a list that is sorted and has no entry twice.
func (r *reader) hashes(limit int) []Hash {
	n := r.count(limit, len(Hash{}))
	if n == 0 {
		return nil
	}
	hs := make([]Hash, n)
	for i := range hs {
		r.fixed(hs[i][:])
		if i > 0 && hs[i-1].Compare(hs[i]) >= 0 {
			r.fail("hashes out of order")
		}
	}
	return hs
}

// SortHeads puts heads into the order an event wants: sorted, each once.
func SortHeads(heads []Hash) []Hash {
	slices.SortFunc(heads, Hash.Compare)
	return slices.Compact(heads)
}

// Compare orders events as a timeline shows them: by depth, then by the
// authors' clocks, then by hash. It is the same order on every device.
func Compare(a, b *Event) int {
	if c := cmp.Compare(a.Depth, b.Depth); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Time, b.Time); c != 0 {
		return c
	}
	ah, bh := a.Hash(), b.Hash()
	return bytes.Compare(ah[:], bh[:])
}
