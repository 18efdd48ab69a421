package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A note is a strip with a few words in its middle: a day, what happened, or
// nothing at all, to leave room.
type note struct {
	t     *timeline
	name  string
	words string
	high  float32
	ink   fyne.ThemeColorName
	pill  bool // stands on a ground of its own
	rule  bool // has a line at both sides

	tap  func() // what a press does; nil for nothing
	verb string // at the end of the words, in the accent: does act
	act  func()
}

var _ strip = (*note)(nil)

func newNote(t *timeline, key, words string, high float32) *note {
	return &note{t: t, name: key, words: words, high: high, ink: colorMuted}
}

// newUnread is the line above the first message not seen.
func newUnread(t *timeline) *note {
	return &note{t: t, name: unreadKey, words: t.w.tr("timeline.unread"), high: 40, ink: colorAccent, rule: true}
}

func (n *note) key() string  { return n.name }
func (n *note) kind() string { return noteKind }

func (n *note) height(float32) float32 { return scaled(n.high) }

func (n *note) draw(old fyne.CanvasObject) fyne.CanvasObject {
	r, ok := old.(*noteRow)
	if !ok {
		r = newNoteRow()
	}
	if r.n != n {
		r.n = n
		r.Refresh()
	}
	return r
}

// verbGap is between the words of a note and what a press on its end does.
const verbGap = 10

// A noteRow draws notes.
type noteRow struct {
	widget.BaseWidget
	n                   *note
	ground, left, right *canvas.Rectangle
	text, verb          *canvas.Text
	pointing            bool // the pointer is over what can be pressed
}

var (
	_ fyne.Tappable      = (*noteRow)(nil)
	_ desktop.Hoverable  = (*noteRow)(nil)
	_ desktop.Cursorable = (*noteRow)(nil)
)

func newNoteRow() *noteRow {
	r := &noteRow{ground: &canvas.Rectangle{}, left: &canvas.Rectangle{}, right: &canvas.Rectangle{}, text: &canvas.Text{}, verb: &canvas.Text{}}
	r.ExtendBaseWidget(r)
	return r
}

// Tapped does what the note is for.
func (r *noteRow) Tapped(e *fyne.PointEvent) {
	switch p := e.Position; {
	case r.n == nil || !r.on(p):
		if r.n != nil {
			r.n.t.rest()
		}
	case r.n.act != nil && p.X >= r.verb.Position().X-verbGap/2:
		r.n.act()
	default:
		r.n.tap()
	}
}

// on says whether a point is on a note that can be pressed.
func (r *noteRow) on(p fyne.Position) bool {
	d, s := p.Subtract(r.ground.Position()), r.ground.Size()
	return r.n != nil && r.n.tap != nil && d.X >= 0 && d.Y >= 0 && d.X < s.Width && d.Y < s.Height
}

// MouseIn is for Fyne.
func (r *noteRow) MouseIn(e *desktop.MouseEvent) { r.MouseMoved(e) }

// MouseMoved is for Fyne.
func (r *noteRow) MouseMoved(e *desktop.MouseEvent) { r.pointing = r.on(e.Position) }

// MouseOut is for Fyne.
func (r *noteRow) MouseOut() { r.pointing = false }

// Cursor is a hand over what can be pressed.
func (r *noteRow) Cursor() desktop.Cursor {
	if r.pointing {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// CreateRenderer is for Fyne.
func (r *noteRow) CreateRenderer() fyne.WidgetRenderer { return &noteRowRenderer{r} }

type noteRowRenderer struct{ *noteRow }

func (r *noteRowRenderer) Destroy()           {}
func (r *noteRowRenderer) MinSize() fyne.Size { return fyne.Size{} }

func (r *noteRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.left, r.right, r.text, r.verb}
}

func (r *noteRowRenderer) Refresh() {
	r.Layout(r.Size())
	canvas.Refresh(r.ground)
}

func (r *noteRowRenderer) Layout(size fyne.Size) {
	n, k := r.n, textScale()
	if n == nil || size.Width == 0 {
		return
	}
	n.t.fit()
	tail := float32(0)
	if n.verb != "" {
		tail = n.t.label.width(n.verb) + verbGap
	}
	words := ellipsize(legible(n.words), size.Width-2*bubbleSide-24-tail, n.t.chip.width)
	if c := theme.Color(n.ink); r.text.Text != words || r.text.Color != c || r.text.TextSize != 12*k {
		r.text.Text, r.text.Color, r.text.TextSize = words, c, 12*k
		r.text.Refresh()
	}
	m := r.text.MinSize()
	r.text.Resize(m)
	whole := m.Width + tail
	r.text.Move(fyne.NewPos((size.Width-whole)/2, (size.Height-m.Height)/2))
	r.verb.Hidden = n.verb == ""
	if c := theme.Color(colorAccent); r.verb.Text != n.verb || r.verb.Color != c || r.verb.TextSize != 12*k {
		r.verb.Text, r.verb.Color, r.verb.TextSize, r.verb.TextStyle = n.verb, c, 12*k, fyne.TextStyle{Bold: true}
		r.verb.Refresh()
	}
	r.verb.Resize(r.verb.MinSize())
	r.verb.Move(r.text.Position().AddXY(m.Width+verbGap, 0))

	r.ground.Hidden = !n.pill
	r.ground.FillColor, r.ground.CornerRadius = theme.Color(colorPill), 10
	r.ground.StrokeColor, r.ground.StrokeWidth = theme.Color(colorRing), 0
	if n.t.focused && n.t.selected == n.name {
		r.ground.StrokeWidth = 2
	}
	r.ground.Resize(fyne.NewSize(whole+24, 28*k))
	r.ground.Move(fyne.NewPos((size.Width-whole)/2-12, (size.Height-28*k)/2))

	line := max((size.Width-m.Width)/2-bubbleSide-12, 0)
	for _, o := range []*canvas.Rectangle{r.left, r.right} {
		o.Hidden = !n.rule
		o.FillColor = theme.Color(colorSoft)
		o.Resize(fyne.NewSize(line, 1))
	}
	r.left.Move(fyne.NewPos(bubbleSide, size.Height/2))
	r.right.Move(fyne.NewPos(size.Width-bubbleSide-line, size.Height/2))
}
