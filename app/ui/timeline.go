package ui

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

const (
	pageRows   = 60  // rows of the first page
	moreRows   = 100 // rows of each further one
	keptRows   = 600 // rows held at most; what is farther from sight is let go
	togetherIn = 5 * time.Minute
	hitTime    = 2 * time.Second
)

// A timeline shows the conversation with one person. It holds a piece of it
// and asks the node for more when an end of the piece comes near.
type timeline struct {
	widget.BaseWidget
	rulers
	w    *Window
	reel *reel
	down *button // to the newest message
	chat *conversation

	who            string
	turn           int // counts openings, so that a late answer is dropped
	rows           []control.Message
	earlier, later bool // there is more before, after rows
	loading        map[int]bool
	unread         string // the first message not seen when the conversation was opened
	fresh          int    // messages that came while scrolled away from the end
	readUpTo       string
	bubbles        map[string]*bubble
	unfolded       map[string]bool
	stale          []string // rows to read again
	reading        bool     // some of them
	hit            string   // jumped to a moment ago
	selected       string   // by keyboard
	called         string   // the person, where the strips were built
	focused, shift bool     // it has the keyboard; and Shift is held
}

// rulers measure the kinds of text in a timeline.
type rulers struct {
	scale                                                  float32
	body, large, slanted, label, chip, sign, second, small *ruler
}

// fit makes rulers for the present text size.
func (r *rulers) fit() {
	k := textScale()
	if r.scale == k {
		return
	}
	r.scale = k
	plain, bold := fyne.TextStyle{}, fyne.TextStyle{Bold: true}
	r.body, r.slanted = newRuler(bodySize*k, plain), newRuler(bodySize*k, fyne.TextStyle{Italic: true})
	r.large, r.sign = newRuler(32*k, plain), newRuler(17*k, plain)
	r.label, r.chip = newRuler(12*k, bold), newRuler(12*k, plain)
	r.second, r.small = newRuler(13*k, plain), newRuler(11*k, plain)
}

func newTimeline(w *Window, chat *conversation) *timeline {
	t := &timeline{w: w, chat: chat, reel: newReel(true)}
	t.fit()
	t.reel.edge, t.reel.moved = t.near, t.scrolled
	t.down = newDownButton(w, t.toNewest)
	t.down.Hide()
	t.ExtendBaseWidget(t)
	return t
}

// open shows the conversation with a person: its end, the first message not
// seen yet, or a message asked for.
func (t *timeline) open(who, around string) {
	t.turn++
	t.who, t.rows, t.unread, t.fresh, t.readUpTo = who, nil, "", 0, ""
	t.earlier, t.later, t.selected, t.hit, t.called = false, false, "", "", ""
	t.loading, t.bubbles, t.unfolded, t.stale = make(map[int]bool), nil, make(map[string]bool), nil
	t.reel.set(nil)
	t.down.Hide()
	t.ask(control.PageQuery{Limit: pageRows, Around: around}, func(p control.Page) {
		t.unread = p.FirstUnread
		t.rows, t.earlier, t.later = p.Rows, p.Earlier, p.Later
		t.build()
		switch {
		case around != "":
			t.mark(around)
		case p.FirstUnread != "" && !t.has(p.FirstUnread):
			t.around(p.FirstUnread, func() { t.reel.reveal(unreadKey) })
		case p.FirstUnread != "":
			t.reel.toEnd()
			t.showUnread()
		default:
			t.reel.toEnd()
		}
		t.scrolled()
	})
}

// showUnread scrolls up to the first message not seen, if it is out of sight.
func (t *timeline) showUnread() {
	if i := t.reel.index(unreadKey); i >= 0 && t.reel.tops[i] < t.reel.offset {
		t.reel.scrollTo(t.reel.tops[i] - 8)
	}
}

// ask reads a page and hands it over, unless another conversation was opened
// meanwhile.
func (t *timeline) ask(q control.PageQuery, got func(control.Page)) {
	who, turn := t.who, t.turn
	t.w.do(func(ctx context.Context) error {
		p, err := t.w.client.Messages(ctx, who, q)
		t.w.ui(func() {
			switch {
			case t.turn != turn:
			case err != nil:
				clear(t.loading) // the next turn of the wheel tries again
			default:
				got(p)
			}
		})
		return err
	})
}

// near reads more when an end of the rows comes near.
func (t *timeline) near(side int) {
	if len(t.rows) == 0 || t.loading[side] {
		return
	}
	switch {
	case side < 0 && t.earlier:
		t.extend(side, control.PageQuery{Limit: moreRows, Before: t.rows[0].ID}, func(p control.Page) {
			t.rows = slices.Concat(p.Rows, t.rows)
			t.earlier = p.Earlier
			if len(t.rows) > keptRows {
				t.rows, t.later = t.rows[:keptRows:keptRows], true
			}
		})
	case side > 0 && t.later:
		t.extend(side, control.PageQuery{Limit: moreRows, After: t.rows[len(t.rows)-1].ID}, func(p control.Page) {
			t.rows = slices.Concat(t.rows, p.Rows)
			t.later = p.Later
			if n := len(t.rows) - keptRows; n > 0 {
				t.rows, t.earlier = t.rows[n:], true
			}
		})
	}
}

func (t *timeline) extend(side int, q control.PageQuery, add func(control.Page)) {
	t.loading[side] = true
	t.ask(q, func(p control.Page) {
		t.loading[side] = false
		add(p)
		foot := t.reel.foot
		t.reel.foot = !t.later && foot // more below must not pull the window along
		t.build()
		t.reel.foot = foot
	})
}

// changed answers a change in this conversation.
func (t *timeline) changed(ch control.Change) {
	switch ch.Type {
	case control.ChangeMessage:
		if t.later {
			t.fresh++
			t.scrolled()
			return
		}
		t.newest()
	case control.ChangeRow, control.ChangeState:
		t.refetch(ch.ID)
	}
}

// newest reads the end of the conversation again: what is new may stand
// between rows already shown.
func (t *timeline) newest() {
	who, turn := t.who, t.turn
	t.w.read("newest", func(ctx context.Context) error {
		p, err := t.w.client.Messages(ctx, who, control.PageQuery{Limit: pageRows})
		if err != nil {
			return err
		}
		t.w.ui(func() {
			if t.turn == turn {
				t.join(p)
			}
		})
		return nil
	})
}

// reread reads what is shown again, after changes that nobody could tell of.
func (t *timeline) reread() {
	i := t.reel.first()
	for i < len(t.reel.strips) && !t.has(t.reel.strips[i].key()) {
		i++
	}
	if t.atEnd() || i == len(t.reel.strips) {
		t.open(t.who, "")
		return
	}
	t.turn++
	t.loading = make(map[int]bool)
	t.ask(control.PageQuery{Limit: pageRows, Around: t.reel.strips[i].key()}, func(p control.Page) {
		t.rows, t.earlier, t.later = p.Rows, p.Earlier, p.Later
		t.build()
		t.scrolled()
	})
}

// join puts the newest page in the place of the rows that it covers.
func (t *timeline) join(p control.Page) {
	if t.later || len(p.Rows) == 0 {
		return
	}
	before, atEnd := len(t.rows), t.reel.atEnd()
	at := slices.IndexFunc(t.rows, func(m control.Message) bool { return m.ID == p.Rows[0].ID })
	if at >= 0 {
		t.rows = slices.Concat(t.rows[:at], p.Rows)
	} else {
		t.rows, t.earlier = p.Rows, p.Earlier
	}
	t.later = p.Later
	last := p.Rows[len(p.Rows)-1]
	if n := len(t.rows) - before; n > 0 && !atEnd && !last.Mine {
		t.fresh += n
	}
	answered := last.Mine && len(t.rows) > before
	if answered {
		t.unread = "" // who answers has seen it
	}
	t.build()
	if answered {
		t.reel.toEnd()
	}
	t.scrolled()
}

// refetch reads a row again; those that become stale meanwhile share the next
// reading.
func (t *timeline) refetch(id string) {
	if t.has(id) && !slices.Contains(t.stale, id) {
		t.stale = append(t.stale, id)
		t.readStale()
	}
}

func (t *timeline) readStale() {
	if t.reading || len(t.stale) == 0 {
		return
	}
	ids, turn := t.stale, t.turn
	t.reading, t.stale = true, nil
	t.w.do(func(ctx context.Context) error {
		var rows []control.Message
		var err error
		for _, id := range ids {
			var m control.Message
			if m, err = t.w.client.Message(ctx, id); err != nil {
				break
			}
			rows = append(rows, m)
		}
		t.w.ui(func() {
			t.reading = false
			if t.turn == turn {
				t.replace(rows)
			}
			t.readStale()
		})
		return err
	})
}

func (t *timeline) replace(rows []control.Message) {
	fresh := slices.Clone(t.rows)
	for _, m := range rows {
		if i := slices.IndexFunc(fresh, func(r control.Message) bool { return r.ID == m.ID }); i >= 0 {
			fresh[i] = m
		}
	}
	t.rows = fresh
	t.build()
}

// scrolled follows where the window stands: at the end everything is seen.
func (t *timeline) scrolled() {
	end := t.atEnd()
	if end {
		t.fresh = 0
		t.seen()
	}
	t.down.set(t.w.downWords(t.fresh))
	if end != !t.down.Visible() {
		if end {
			t.down.Hide()
		} else {
			t.down.Show()
		}
	}
	t.placeDown()
}

// atEnd says whether the newest message is in sight.
func (t *timeline) atEnd() bool { return t.reel.atEnd() && !t.later }

// seen tells the node that everything up to the last row was seen, if that is
// in sight and the window in front.
func (t *timeline) seen() {
	if len(t.rows) == 0 || !t.w.front || !t.atEnd() {
		return
	}
	c, ok := t.w.contact(t.who)
	last := t.rows[len(t.rows)-1].ID
	if !ok || c.Unread == 0 || last == t.readUpTo {
		return
	}
	t.readUpTo = last
	who := t.who
	t.w.doInOrder(func(ctx context.Context) error { return t.w.client.MarkRead(ctx, who, last) })
}

// repaint draws a message anew if it is in sight.
func (t *timeline) repaint(id string) {
	if o, ok := t.reel.drawn[id]; ok {
		o.Refresh()
	}
}

func (t *timeline) has(id string) bool {
	return slices.ContainsFunc(t.rows, func(m control.Message) bool { return m.ID == id })
}

// unfold shows a long text whole.
func (t *timeline) unfold(id string) {
	t.unfolded[id] = true
	t.build()
}
