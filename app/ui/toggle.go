package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// toggle is a choice between on and off: what it is about at the left, with a
// line that explains, and a switch at the right. Space turns it.
type toggle struct {
	widget.BaseWidget

	label, note *text
	on          bool
	changed     func(bool)

	over, focused bool
}

var (
	_ fyne.Focusable    = (*toggle)(nil)
	_ fyne.Accessible   = (*toggle)(nil)
	_ desktop.Hoverable = (*toggle)(nil)
	_ flowing           = (*toggle)(nil)
)

// newToggle makes a toggle; note may be empty.
func newToggle(label, note string, on bool, changed func(bool)) *toggle {
	t := &toggle{label: bodyText(label), note: smallText(note), on: on, changed: changed}
	t.note.Hidden = note == ""
	t.ExtendBaseWidget(t)
	return t
}

const (
	switchWidth  = 40
	switchHeight = 24
)

// Tapped turns the switch.
func (t *toggle) Tapped(*fyne.PointEvent) {
	t.on = !t.on
	t.Refresh()
	if t.changed != nil {
		t.changed(t.on)
	}
}

// TypedKey turns the switch by keyboard.
func (t *toggle) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		t.Tapped(nil)
	default:
		passKey(t, e)
	}
}

// TypedRune does nothing: Space comes as a key too.
func (t *toggle) TypedRune(rune) {}

// FocusGained shows the ring.
func (t *toggle) FocusGained() { t.focused = true; t.Refresh(); bringInSight(t) }

// FocusLost hides the ring.
func (t *toggle) FocusLost() { t.focused = false; t.Refresh() }

// MouseIn lights the switch up.
func (t *toggle) MouseIn(*desktop.MouseEvent) { t.over = true; t.Refresh() }

// MouseMoved does nothing.
func (t *toggle) MouseMoved(*desktop.MouseEvent) {}

// MouseOut puts the light out.
func (t *toggle) MouseOut() { t.over = false; t.Refresh() }

// AccessibilityLabel names the choice to a screen reader.
func (t *toggle) AccessibilityLabel() string { return t.label.words }

// AccessibilityRole is the nearest that Fyne knows.
func (t *toggle) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (t *toggle) heightFor(width float32) float32 {
	w := width - switchWidth - 16
	h := t.label.heightFor(w)
	if t.note.Visible() {
		h += 2 + t.note.heightFor(w)
	}
	return max(h, switchHeight)
}

// CreateRenderer is for Fyne.
func (t *toggle) CreateRenderer() fyne.WidgetRenderer {
	r := &toggleRenderer{t: t, track: &canvas.Rectangle{}, knob: &canvas.Circle{}, ring: &canvas.Rectangle{}}
	r.paint()
	return r
}

type toggleRenderer struct {
	t           *toggle
	track, ring *canvas.Rectangle
	knob        *canvas.Circle
}

func (r *toggleRenderer) Destroy() {}

func (r *toggleRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.label, r.t.note, r.ring, r.track, r.knob}
}

func (r *toggleRenderer) MinSize() fyne.Size {
	if w := r.t.label.width; w > 0 {
		return fyne.NewSize(160, r.t.heightFor(w+switchWidth+16))
	}
	return fyne.NewSize(160, switchHeight)
}

func (r *toggleRenderer) Layout(size fyne.Size) {
	w := size.Width - switchWidth - 16
	h := r.t.label.heightFor(w)
	y := float32(0)
	if !r.t.note.Visible() {
		y = (size.Height - h) / 2
	}
	r.t.label.Move(fyne.NewPos(0, y))
	r.t.label.Resize(fyne.NewSize(w, h))
	r.t.note.Move(fyne.NewPos(0, h+2))
	r.t.note.Resize(fyne.NewSize(w, r.t.note.heightFor(w)))

	at := fyne.NewPos(size.Width-switchWidth, (size.Height-switchHeight)/2)
	r.track.Move(at)
	r.track.Resize(fyne.NewSize(switchWidth, switchHeight))
	r.ring.Move(at.SubtractXY(3, 3))
	r.ring.Resize(fyne.NewSize(switchWidth+6, switchHeight+6))
	knob := at.AddXY(3, 3)
	if r.t.on {
		knob.X = size.Width - switchHeight + 3
	}
	place(r.knob, knob, switchHeight-6)
}

func (r *toggleRenderer) Refresh() {
	r.paint()
	r.Layout(r.t.Size())
	r.t.label.Refresh()
	r.t.note.Refresh()
	canvas.Refresh(r.t)
}

func (r *toggleRenderer) paint() {
	r.track.CornerRadius = switchHeight / 2
	r.track.FillColor, r.knob.FillColor = theme.Color(colorPill), theme.Color(colorMuted)
	r.track.StrokeColor, r.track.StrokeWidth = theme.Color(colorMuted), 1
	if r.t.on {
		r.track.FillColor, r.knob.FillColor = theme.Color(colorAccent), theme.Color(colorOnAccent)
		r.track.StrokeWidth = 0
	}
	if r.t.over && !r.t.on {
		r.track.StrokeColor = theme.Color(colorInk)
	}
	r.ring.CornerRadius = switchHeight/2 + 3
	r.ring.FillColor = withAlpha(theme.Color(colorRing), 0)
	r.ring.StrokeColor, r.ring.StrokeWidth = theme.Color(colorRing), 2
	r.ring.Hidden = !r.t.focused
}
