package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// An action is something that can be done with a message.
type action int

const (
	actReply action = iota
	actReact
	actCopy
	actEdit
	actDelete
)

// actions are what can be done with a message, with the key that does it while
// the message is selected.
func (t *timeline) actions(m control.Message) []action {
	switch {
	case m.Kind == control.KindDeleted || !isBubble(&m):
		return nil
	case m.Mine:
		return []action{actReply, actReact, actCopy, actEdit, actDelete}
	}
	return []action{actReply, actReact, actCopy}
}

// act does something with a message, if that can be done with it.
func (t *timeline) act(m control.Message, a action) {
	if !slices.Contains(t.actions(m), a) {
		return
	}
	w := t.w
	switch a {
	case actReply:
		t.chat.composer.reply(m)
	case actReact:
		w.showEmoji(t.placeOf(m.ID), func(emoji string) { t.react(m, emoji) })
	case actCopy:
		w.app.Clipboard().SetContent(m.Text)
	case actEdit:
		t.chat.composer.edit(m)
	case actDelete:
		w.confirm(w.tr("delete.title"), w.tr("delete.say"), w.tr("delete.verb"), func() {
			w.do(func(ctx context.Context) error { _, err := w.client.Delete(ctx, m.ID); return err })
		})
	}
}

// react puts an emoji on a message, or takes it back.
func (t *timeline) react(m control.Message, emoji string) {
	off := slices.ContainsFunc(m.Reactions, func(r control.Reactions) bool { return r.Emoji == emoji && r.Mine })
	t.w.do(func(ctx context.Context) error {
		_, err := t.w.client.React(ctx, m.ID, control.Reaction{Emoji: emoji, Off: off})
		return err
	})
}

// menu lists what can be done with a message.
func (t *timeline) menu(m control.Message, at fyne.Position) {
	var items []*fyne.MenuItem
	for _, a := range t.actions(m) {
		key := []string{"reply", "react", "copy", "edit", "delete"}[a]
		items = append(items, fyne.NewMenuItem(t.w.tr("message."+key), func() { t.act(m, a) }))
	}
	if len(items) == 0 {
		return
	}
	items = append(items, t.pressable(m)...)
	t.choose(m.ID)
	menu, room := widget.NewPopUpMenu(fyne.NewMenu("", items...), t.w.win.Canvas()), t.w.win.Canvas().Size()
	menu.ShowAtPosition(fyne.NewPos(
		max(min(at.X, room.Width-menu.Size().Width-menuMargin), 0),
		max(min(at.Y, room.Height-menu.Size().Height-menuMargin), 0),
	))
}

// menuMargin is how far a menu keeps from the window's edge.
const menuMargin float32 = 8

// linksMost is how many links of a message its menu lists.
const linksMost = 8

// pressable lists what can be pressed in a message, for who has no pointer.
func (t *timeline) pressable(m control.Message) (items []*fyne.MenuItem) {
	add := func(words string, do func()) { items = append(items, fyne.NewMenuItem(words, do)) }
	for _, link := range links(m.Text, linksMost) {
		add(t.w.tr("message.link", shorten(link, 40)), func() { t.w.askLink(link) })
	}
	if m.Quote != nil {
		add(t.w.tr("message.quoted"), func() { t.jump(m.ReplyTo) })
	}
	if b := t.bubbles[m.ID]; b != nil && b.fit.more != "" {
		add(b.fit.more, func() { t.unfold(m.ID) })
	}
	for _, r := range m.Reactions {
		key := "message.join"
		if r.Mine {
			key = "message.takeback"
		}
		add(t.w.tr(key, r.Emoji), func() { t.react(m, r.Emoji) })
	}
	return items
}

// placeOf is a point of the window by a message, for what opens beside it.
func (t *timeline) placeOf(id string) fyne.Position {
	o, ok := t.reel.drawn[id].(*bubbleRow)
	if !ok {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(t)
	}
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Add(o.corner()).AddXY(0, o.b.fit.size.Height)
}

// choose selects a message for the keyboard.
func (t *timeline) choose(id string) {
	was := t.selected
	t.selected = id
	t.repaint(was)
	t.repaint(id)
}

// step selects the message or call n rows away from the selected one.
func (t *timeline) step(n int) {
	i := slices.IndexFunc(t.rows, func(m control.Message) bool { return m.ID == t.selected })
	if i < 0 {
		i = len(t.rows)
	}
	for i += n; i >= 0 && i < len(t.rows); i += n {
		if isBubble(&t.rows[i]) || t.rows[i].Kind == control.KindCall {
			t.choose(t.rows[i].ID)
			t.reel.reveal(t.rows[i].ID)
			return
		}
	}
}

// lastOwn is the newest message of ours that can be edited.
func (t *timeline) lastOwn() (control.Message, bool) {
	for _, m := range slices.Backward(t.rows) {
		if m.Mine && isBubble(&m) && m.Kind != control.KindDeleted {
			return m, true
		}
	}
	return control.Message{}, false
}

// rest gives the keyboard to the timeline.
func (t *timeline) rest() { t.w.win.Canvas().Focus(t) }

// Tapped gives the keyboard to the timeline.
func (t *timeline) Tapped(*fyne.PointEvent) { t.rest() }

// FocusGained shows which message is selected.
func (t *timeline) FocusGained() {
	t.focused = true
	if t.selected == "" || !t.has(t.selected) {
		t.step(-1)
	}
	t.repaint(t.selected)
}

// FocusLost hides it.
func (t *timeline) FocusLost() {
	t.focused, t.shift = false, false
	t.repaint(t.selected)
}

// TypedRune begins to write: who types means the composer.
func (t *timeline) TypedRune(r rune) { t.chat.composer.typed(r) }

// TypedKey is for Fyne.
func (t *timeline) TypedKey(e *fyne.KeyEvent) {
	h := t.reel.Size().Height
	switch e.Name {
	case fyne.KeyUp:
		t.step(-1)
	case fyne.KeyDown:
		t.step(1)
	case fyne.KeyPageUp:
		t.reel.scrollTo(t.reel.offset - h*0.9)
	case fyne.KeyPageDown:
		t.reel.scrollTo(t.reel.offset + h*0.9)
	case fyne.KeyHome:
		t.reel.scrollTo(0)
	case fyne.KeyEnd:
		t.toNewest()
	case fyne.KeyReturn, fyne.KeyEnter:
		t.enter()
	case fyne.KeyDelete, fyne.KeyBackspace:
		t.actSelected(actDelete)
	case desktop.KeyMenu:
		t.menuSelected()
	case fyne.KeyF10:
		if t.shift {
			t.menuSelected()
		}
	default:
		passKey(t, e)
	}
}

// KeyDown is for Fyne.
func (t *timeline) KeyDown(k *fyne.KeyEvent) {
	t.shift = t.shift || isShift(k.Name)
	t.w.keyDown(k)
}

// KeyUp is for Fyne.
func (t *timeline) KeyUp(k *fyne.KeyEvent) {
	t.shift = t.shift && !isShift(k.Name)
	t.w.keyUp(k)
}

// TypedShortcut copies the selected message; others belong to the window.
func (t *timeline) TypedShortcut(s fyne.Shortcut) {
	if _, ok := s.(*fyne.ShortcutCopy); ok {
		t.actSelected(actCopy)
		return
	}
	t.w.shortcut(s)
}

func (t *timeline) chosen() (control.Message, bool) {
	i := slices.IndexFunc(t.rows, func(m control.Message) bool { return m.ID == t.selected })
	if i < 0 {
		return control.Message{}, false
	}
	return t.rows[i], true
}

// enter answers the selected message, or tells of the selected call.
func (t *timeline) enter() {
	if m, ok := t.chosen(); ok && m.Kind == control.KindCall {
		t.w.showCallRow(m)
		return
	}
	t.actSelected(actReply)
}

func (t *timeline) menuSelected() {
	if m, ok := t.chosen(); ok {
		t.menu(m, t.placeOf(m.ID))
	}
}

func (t *timeline) actSelected(a action) {
	if m, ok := t.chosen(); ok {
		t.act(m, a)
	}
}

// newDownButton goes to the newest message.
func newDownButton(w *Window, tap func()) *button {
	return iconButton(secondary, theme.MoveDownIcon(), w.tr("timeline.down"), tap)
}

// downWords counts what came while the reader was elsewhere.
func (w *Window) downWords(n int) string {
	if n == 0 {
		return ""
	}
	return w.count("timeline.fresh", n)
}

// placeDown puts the button over the lower right corner.
func (t *timeline) placeDown() {
	s, m := t.Size(), t.down.MinSize()
	t.down.Resize(m)
	t.down.Move(fyne.NewPos(s.Width-m.Width-20, s.Height-m.Height-scaled(typingHigh)-12))
}

// CreateRenderer is for Fyne.
func (t *timeline) CreateRenderer() fyne.WidgetRenderer { return &timelineRenderer{t} }

type timelineRenderer struct{ t *timeline }

func (r *timelineRenderer) Destroy()           {}
func (r *timelineRenderer) MinSize() fyne.Size { return r.t.reel.MinSize() }

func (r *timelineRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.reel, r.t.down}
}

func (r *timelineRenderer) Layout(size fyne.Size) {
	r.t.fit()
	r.t.reel.Resize(size)
	r.t.placeDown()
}

func (r *timelineRenderer) Refresh() {
	r.t.fit()
	r.t.reel.Refresh()
	r.t.down.Refresh()
	canvas.Refresh(r.t.down)
}
