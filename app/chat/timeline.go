package chat

import (
	"cmp"
	"slices"

	"github.com/entrenous/entrenous/identity"
)

// Row is one line of a timeline: an event and what later ones made of it.
type Row struct {
	ID        Hash
	Author    identity.ID
	Device    identity.DeviceID
	Seq       uint64
	Depth     uint64
	Time      int64 // Unix milliseconds by the author's clock: for display only
	Kind      Kind
	Text      string // empty once deleted
	ReplyTo   Hash   // zero unless it answers a row
	Edited    bool
	EditedAt  int64 // Unix milliseconds by the author's clock
	Deleted   bool
	Unknown   bool // kind or body cannot be read: a newer version is needed; false once deleted
	Reactions []Reaction
	Call      *CallBody
	Change    *DeviceBody // what a KindDevice row tells
}

// Reaction is one emoji under a row and who put it there, earliest first.
type Reaction struct {
	Emoji string
	By    []identity.ID
}

// Effect is an event that changes a row, and whose it is.
type Effect struct {
	Event  *Event
	Author identity.ID
}

// Compare orders rows as a timeline shows them: by depth, then by the
// authors' clocks, then by hash.
func (r *Row) Compare(o *Row) int {
	return cmp.Or(cmp.Compare(r.Depth, o.Depth), cmp.Compare(r.Time, o.Time), r.ID.Compare(o.ID))
}

// Reduce makes the row of base, which author wrote, from the events that
// change it. Their order does not matter, nor does one that comes twice.
// Effects that aim elsewhere, that their author had no right to, or that
// cannot be read change nothing. Only the author's person (from any device)
// edits and deletes; the last edit counts; delete beats everything and leaves
// a row without content. A redacted base is a deleted row, a redacted effect
// none.
func Reduce(base *Event, author identity.ID, effects []Effect) Row {
	row := Row{
		ID: base.Hash(), Author: author, Device: base.Device,
		Seq: base.Seq, Depth: base.Depth, Time: base.Time, Kind: base.Kind,
	}
	if base.Redacted() {
		row.Deleted = true
		return row
	}
	row.readBody(base)
	if len(effects) == 0 {
		return row
	}
	effects = slices.SortedFunc(slices.Values(effects), func(a, b Effect) int { return Compare(a.Event, b.Event) })
	var hands reactions
	for _, f := range effects {
		if f.Event.Conv != base.Conv {
			continue
		}
		switch f.Event.Kind {
		case KindEdit:
			row.edit(f)
		case KindDelete:
			row.delete(f)
		case KindReaction:
			hands.add(f, row.ID)
		}
	}
	if row.Deleted {
		row.Text, row.ReplyTo, row.Call, row.Edited, row.EditedAt, row.Unknown = "", Hash{}, nil, false, 0, false
		return row
	}
	row.Reactions = hands.shown()
	return row
}

func (r *Row) readBody(e *Event) {
	var err error
	switch e.Kind {
	case KindText:
		var b TextBody
		b, err = ParseTextBody(e.Body)
		r.Text = b.Text
	case KindReply:
		var b ReplyBody
		b, err = ParseReplyBody(e.Body)
		r.Text, r.ReplyTo = b.Text, b.To
	case KindCall:
		var b CallBody
		if b, err = ParseCallBody(e.Body); err == nil {
			r.Call = &b
		}
	case KindDevice:
		var b DeviceBody
		if b, err = ParseDeviceBody(e.Body); err == nil {
			r.Change = &b
		}
	default:
		r.Unknown = true
	}
	r.Unknown = r.Unknown || err != nil
}

// edit and delete are called in timeline order.
func (r *Row) edit(f Effect) {
	b, err := ParseEditBody(f.Event.Body)
	if err != nil || b.Of != r.ID || f.Author != r.Author || (r.Kind != KindText && r.Kind != KindReply) {
		return
	}
	r.Text, r.Edited, r.EditedAt = b.Text, true, f.Event.Time
}

func (r *Row) delete(f Effect) {
	b, err := ParseDeleteBody(f.Event.Body)
	if err != nil || b.Of != r.ID || f.Author != r.Author || r.Kind == KindDevice {
		return
	}
	r.Deleted = true
}

// reactions holds the last word of each person about each emoji, in the order
// of those words.
type reactions []hand

type hand struct {
	by    identity.ID
	emoji string
	on    bool
}

func (rs *reactions) add(f Effect, of Hash) {
	b, err := ParseReactionBody(f.Event.Body)
	if err != nil || b.Of != of {
		return
	}
	last := hand{by: f.Author, emoji: b.Emoji, on: b.On}
	*rs = slices.DeleteFunc(*rs, func(h hand) bool { return h.by == last.by && h.emoji == last.emoji })
	*rs = append(*rs, last)
}

func (rs reactions) shown() (out []Reaction) {
	for _, h := range rs {
		if !h.on {
			continue
		}
		i := slices.IndexFunc(out, func(r Reaction) bool { return r.Emoji == h.emoji })
		if i < 0 {
			out = append(out, Reaction{Emoji: h.emoji})
			i = len(out) - 1
		}
		out[i].By = append(out[i].By, h.by)
	}
	return out
}
