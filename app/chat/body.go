package chat

import (
	"fmt"

	"github.com/entrenous/entrenous/identity"
)

// Limits of bodies, in bytes.
const (
	MaxText   = 64 << 10 // UTF-8 of a text, reply or edit
	MaxEmoji  = 64       // UTF-8 of a reaction
	MaxReason = 32       // why a call ended
	MaxReport = 1 << 10  // a call's report
	MaxName   = 64       // runes of a person's or a device's name
)

// maxNameBytes is MaxName runes at their longest.
const maxNameBytes = 4 * MaxName

// TextBody is the body of a KindText event.
type TextBody struct{ Text string }

// ReplyBody is the body of a KindReply event: a text that answers another.
type ReplyBody struct {
	To   Hash
	Text string
}

// EditBody is the body of a KindEdit event: what a text or reply says now.
type EditBody struct {
	Of   Hash
	Text string
}

// DeleteBody is the body of a KindDelete event: it takes a row's content
// away, for everybody who follows the rules.
type DeleteBody struct{ Of Hash }

// ReactionBody is the body of a KindReaction event: one emoji put under a
// row (On) or taken back.
type ReactionBody struct {
	Of    Hash
	Emoji string
	On    bool
}

// CallBody is the body of a KindCall event: a call that is over.
type CallBody struct {
	Call     [16]byte
	Outgoing bool   // the event's author had called
	Reason   string // why it ended, as a word of the call state machine; ≤ MaxReason bytes
	Duration uint32 // seconds of speech; 0 if it was never answered
	Report   []byte // quality figures, opaque here; ≤ MaxReport bytes
}

// Missed says whether somebody was called who does not know it, and may want
// to call back. Reasons that are not known count as that.
func (t CallBody) Missed() bool {
	switch t.Reason {
	case "ended", "lost", "declined", "failed": // spoken, refused, or heard to fail by both
		return false
	}
	return t.Outgoing
}

// DeviceAct says what happened to a device or an identity.
type DeviceAct uint8

// What a KindDevice event tells.
const (
	DeviceAdded     DeviceAct = 1
	DeviceRevoked   DeviceAct = 2
	IdentityChanged DeviceAct = 3
)

// DeviceBody is the body of a KindDevice event: a change of somebody's
// devices, shown as a row so that none happens unseen.
type DeviceBody struct {
	Act    DeviceAct
	Person identity.ID       // whose devices changed
	Device identity.DeviceID // zero for IdentityChanged
	Name   string            // the device's name, ≤ MaxName runes
}

// String names the act.
func (a DeviceAct) String() string {
	switch a {
	case DeviceAdded:
		return "added"
	case DeviceRevoked:
		return "revoked"
	case IdentityChanged:
		return "identity-changed"
	}
	return fmt.Sprintf("act-%d", uint8(a))
}

// Encode returns the body's bytes.
func (t TextBody) Encode() []byte { return []byte(t.Text) }

// Encode returns the body's bytes.
func (t ReplyBody) Encode() []byte { return append(t.To[:], t.Text...) }

// Encode returns the body's bytes.
func (t EditBody) Encode() []byte { return append(t.Of[:], t.Text...) }

// Encode returns the body's bytes.
func (t DeleteBody) Encode() []byte { return t.Of[:] }

// Encode returns the body's bytes.
func (t ReactionBody) Encode() []byte {
	w := writer{}
	w.raw(t.Of[:])
	w.bool(t.On)
	w.string(t.Emoji)
	return w.b
}

// Encode returns the body's bytes.
func (t CallBody) Encode() []byte {
	w := writer{}
	w.raw(t.Call[:])
	w.bool(t.Outgoing)
	w.string(t.Reason)
	w.uvarint(uint64(t.Duration))
	w.bytes(t.Report)
	return w.b
}

// Encode returns the body's bytes.
func (t DeviceBody) Encode() []byte {
	w := writer{}
	w.byte(byte(t.Act))
	w.raw(t.Person[:])
	w.raw(t.Device[:])
	w.string(t.Name)
	return w.b
}

// ParseTextBody reads the body of a KindText event.
func ParseTextBody(b []byte) (t TextBody, err error) {
	r := reader{b: b}
	t.Text = r.text()
	return finish(t, &r, "text body")
}

// ParseReplyBody reads the body of a KindReply event.
func ParseReplyBody(b []byte) (t ReplyBody, err error) {
	r := reader{b: b}
	r.target(&t.To)
	t.Text = r.text()
	return finish(t, &r, "reply body")
}

// ParseEditBody reads the body of a KindEdit event.
func ParseEditBody(b []byte) (t EditBody, err error) {
	r := reader{b: b}
	r.target(&t.Of)
	t.Text = r.text()
	return finish(t, &r, "edit body")
}

// ParseDeleteBody reads the body of a KindDelete event.
func ParseDeleteBody(b []byte) (t DeleteBody, err error) {
	r := reader{b: b}
	r.target(&t.Of)
	return finish(t, &r, "delete body")
}

// ParseReactionBody reads the body of a KindReaction event.
func ParseReactionBody(b []byte) (t ReactionBody, err error) {
	r := reader{b: b}
	r.target(&t.Of)
	t.On = r.bool()
	t.Emoji = r.string(MaxEmoji)
	if t.Emoji == "" {
		r.fail("no emoji")
	}
	return finish(t, &r, "reaction body")
}

// ParseCallBody reads the body of a KindCall event.
func ParseCallBody(b []byte) (t CallBody, err error) {
	r := reader{b: b}
	r.fixed(t.Call[:])
	t.Outgoing = r.bool()
	t.Reason = r.string(MaxReason)
	d := r.uvarint()
	if d > 1<<32-1 {
		r.fail("duration %d", d)
	}
	t.Duration = uint32(d)
	t.Report = r.bytes(MaxReport)
	return finish(t, &r, "call body")
}

// ParseDeviceBody reads the body of a KindDevice event.
func ParseDeviceBody(b []byte) (t DeviceBody, err error) {
	r := reader{b: b}
	t.Act = DeviceAct(r.byte())
	if t.Act == 0 {
		r.fail("act 0")
	}
	r.fixed(t.Person[:])
	r.fixed(t.Device[:])
	t.Name = r.string(maxNameBytes)
	return finish(t, &r, "device body")
}

// Target returns the row that an effect's body changes; false if e is no
// effect or its body cannot be read.
func (e *Event) Target() (Hash, bool) {
	r := reader{b: e.Body}
	var of Hash
	r.target(&of)
	return of, e.Kind.IsEffect() && r.err == nil
}

// Readable says whether the body of an effect can be read.
func (e *Event) Readable() bool {
	var err error
	switch e.Kind {
	case KindEdit:
		_, err = ParseEditBody(e.Body)
	case KindDelete:
		_, err = ParseDeleteBody(e.Body)
	case KindReaction:
		_, err = ParseReactionBody(e.Body)
	default:
		return false
	}
	return err == nil
}

func (r *reader) target(h *Hash) {
	r.fixed(h[:])
	if h.IsZero() {
		r.fail("no target")
	}
}

func (r *reader) text() string {
	s := r.rest(MaxText)
	if s == "" {
		r.fail("no text")
	}
	return s
}

// finish ends a reading: the zero value goes with an error.
func finish[T any](t T, r *reader, what string) (T, error) {
	if err := r.done(); err != nil {
		var zero T
		return zero, fmt.Errorf("parse %s: %w", what, err)
	}
	return t, nil
}
