package ui

import (
	"reflect"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// Keys of strips that are no messages.
const (
	unreadKey = "unread"
	beginKey  = "begin"
	headKey   = "head"
	footKey   = "foot"
)

// build makes the strips of the rows: a line where a day begins and where the
// unseen begins, a bubble a message, a pill for what is no message.
func (t *timeline) build() {
	t.fit()
	friend, _ := t.w.contact(t.who)
	t.called = friend.Name
	was := t.bubbles
	t.bubbles = make(map[string]*bubble, len(t.rows))
	strips := make([]strip, 0, len(t.rows)+8)
	if !t.earlier {
		strips = append(strips, t.beginning())
	} else {
		strips = append(strips, newNote(t, headKey, "", 16))
	}
	now := t.w.now()
	var before *control.Message
	for i := range t.rows {
		m := &t.rows[i]
		when := m.Time.In(now.Location())
		alone := before == nil || !m.Time.Before(before.Time.Add(togetherIn)) || before.Author != m.Author || !isBubble(before)
		if before == nil || !sameDay(when, before.Time.In(now.Location())) {
			strips = append(strips, newNote(t, "day "+when.Format(time.DateOnly), t.w.words.day(when, now), 46))
			alone = true
		}
		if m.ID == t.unread {
			strips = append(strips, newUnread(t))
			alone = true
		}
		before = m
		if !isBubble(m) {
			strips = append(strips, t.pill(m))
			continue
		}
		b := was[m.ID]
		if b == nil || b.first != alone || b.open != t.unfolded[m.ID] || !reflect.DeepEqual(b.m, *m) {
			b = &bubble{t: t, m: *m, first: alone, open: t.unfolded[m.ID]}
		}
		t.bubbles[m.ID] = b
		strips = append(strips, b)
	}
	strips = append(strips, newNote(t, footKey, "", 12+typingHigh))
	t.reel.set(strips)
}

func isBubble(m *control.Message) bool {
	return m.Kind == control.KindText || m.Kind == control.KindReply || m.Kind == control.KindDeleted
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// beginning stands above the first message.
func (t *timeline) beginning() strip {
	c, ok := t.w.contact(t.who)
	if !ok || len(t.rows) > 0 && c.Since.IsZero() {
		return newNote(t, headKey, "", 16)
	}
	return newNote(t, beginKey, t.w.tr("timeline.begin", c.Name), 56)
}

// pill stands for what happened and is no message.
func (t *timeline) pill(m *control.Message) strip {
	n := newNote(t, m.ID, t.pillWords(m), 52)
	n.pill = true
	if m.Kind == control.KindCall {
		t.callPill(n, m)
	}
	return n
}

func (t *timeline) pillWords(m *control.Message) string {
	w := t.w
	at := w.words.clock(m.Time.In(w.now().Location()))
	switch m.Kind {
	case control.KindCall:
		return w.callWords(m) + " · " + at
	case control.KindDevice:
		friend, _ := w.contact(t.who)
		return w.deviceWords(m, friend.Name)
	}
	return w.tr("row.unknown")
}

// deviceWords say whose devices changed, and which one came or went.
func (w *Window) deviceWords(m *control.Message, friend string) string {
	d := m.Device
	if d == nil {
		return w.tr("row.device.changed", friend)
	}
	act := "changed"
	if d.Name != "" && (d.Act == control.DeviceAdded || d.Act == control.DeviceRevoked) {
		act = d.Act
	}
	if d.Mine {
		act += ".mine"
	}
	return w.tr("row.device."+act, friend, d.Name)
}

// call gives the person another name where one stands between the messages.
func (t *timeline) call(name string) {
	if t.called != "" && t.called != name {
		t.build()
	}
}

// nameOf is the name of a message's author.
func (t *timeline) nameOf(m *control.Message) string {
	if m.Mine {
		return t.w.tr("you")
	}
	c, _ := t.w.contact(t.who)
	return c.Name
}

// quoteName is the name over a quote.
func (t *timeline) quoteName(q *control.Quote) string {
	if q.Mine {
		return legible(t.w.status.Name)
	}
	c, _ := t.w.contact(t.who)
	return legible(c.Name)
}
