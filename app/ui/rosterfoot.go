package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A rosterFoot says how reachable we are; a press opens the doctor. Beside it
// is the way to the settings.
type rosterFoot struct {
	widget.BaseWidget
	w     *Window
	dot   *canvas.Circle
	reach *button
	set   *button
}

func newRosterFoot(w *Window) *rosterFoot {
	f := &rosterFoot{w: w, dot: &canvas.Circle{}}
	f.reach = quietButton("", w.showDoctor)
	f.set = iconButton(quiet, theme.SettingsIcon(), w.tr("roster.settings"), w.showSettings)
	f.ExtendBaseWidget(f)
	return f
}

// show follows the status.
func (f *rosterFoot) show() {
	if words := f.w.tr("reach." + f.w.reach()); words != f.reach.words {
		f.reach.set(words)
	}
	f.Refresh()
}

// reach is the word for how reachable this node is.
func (w *Window) reach() string {
	switch w.status.Reach {
	case control.ReachDirect, control.ReachLAN, control.ReachNone:
		return w.status.Reach
	}
	return "unknown"
}

// CreateRenderer is for Fyne.
func (f *rosterFoot) CreateRenderer() fyne.WidgetRenderer { return &rosterFootRenderer{f} }

type rosterFootRenderer struct{ f *rosterFoot }

func (r *rosterFootRenderer) Destroy()           {}
func (r *rosterFootRenderer) MinSize() fyne.Size { return fyne.NewSize(200, 44*textScale()) }

func (r *rosterFootRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.f.reach, r.f.dot, r.f.set}
}

func (r *rosterFootRenderer) Layout(size fyne.Size) {
	f := r.f
	m := f.set.MinSize()
	f.set.Resize(m)
	f.set.Move(fyne.NewPos(size.Width-12-m.Width, (size.Height-m.Height)/2))
	f.dot.FillColor = theme.Color(colorGood)
	switch f.w.status.Reach {
	case control.ReachDirect:
	case control.ReachLAN:
		f.dot.FillColor = theme.Color(colorAccent)
	default:
		f.dot.FillColor = theme.Color(colorMuted)
	}
	place(f.dot, fyne.NewPos(17, size.Height/2-4.5), 9)
	b := f.reach.MinSize()
	f.reach.Move(fyne.NewPos(23, (size.Height-b.Height)/2))
	f.reach.Resize(fyne.NewSize(min(b.Width, size.Width-12-m.Width-8-23), b.Height))
}

func (r *rosterFootRenderer) Refresh() {
	r.Layout(r.f.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

// A searchPill looks like a field and opens the switcher.
type searchPill struct {
	widget.BaseWidget
	w             *Window
	over, focused bool
	ground, ring  *canvas.Rectangle
	icon          *canvas.Image
	words         *text
	keys          *canvas.Text
}

var (
	_ fyne.Focusable     = (*searchPill)(nil)
	_ fyne.Tappable      = (*searchPill)(nil)
	_ desktop.Hoverable  = (*searchPill)(nil)
	_ desktop.Cursorable = (*searchPill)(nil)
)

func newSearchPill(w *Window) *searchPill {
	s := &searchPill{
		w: w, ground: &canvas.Rectangle{CornerRadius: 12}, ring: &canvas.Rectangle{CornerRadius: 12},
		icon:  &canvas.Image{FillMode: canvas.ImageFillContain},
		words: smallText(w.tr("roster.search")).oneLine(), keys: &canvas.Text{Text: w.keyName("Ctrl K")},
	}
	s.ExtendBaseWidget(s)
	return s
}

// Tapped opens the switcher.
func (s *searchPill) Tapped(*fyne.PointEvent) { s.w.showSwitcher() }

// TypedKey opens it by keyboard.
func (s *searchPill) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		s.w.showSwitcher()
	default:
		passKey(s, e)
	}
}

// TypedRune does nothing: Space comes as a key too.
func (s *searchPill) TypedRune(rune) {}

// FocusGained shows the ring.
func (s *searchPill) FocusGained() { s.focused = true; s.Refresh() }

// FocusLost hides the ring.
func (s *searchPill) FocusLost() { s.focused = false; s.Refresh() }

// MouseIn is for Fyne.
func (s *searchPill) MouseIn(*desktop.MouseEvent) { s.over = true; s.Refresh() }

// MouseMoved is for Fyne.
func (s *searchPill) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is for Fyne.
func (s *searchPill) MouseOut() { s.over = false; s.Refresh() }

// Cursor is a hand.
func (s *searchPill) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is for a screen reader.
func (s *searchPill) AccessibilityLabel() string { return s.words.words }

// AccessibilityRole says that this is a button.
func (s *searchPill) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer is for Fyne.
func (s *searchPill) CreateRenderer() fyne.WidgetRenderer {
	s.paint()
	return &searchPillRenderer{s}
}

func (s *searchPill) paint() {
	s.ground.FillColor = theme.Color(colorPill)
	s.ring.FillColor, s.ring.StrokeWidth = color.Transparent, 0
	switch {
	case s.focused:
		s.ring.StrokeWidth, s.ring.StrokeColor = 2, theme.Color(colorRing)
	case s.over:
		s.ring.FillColor = theme.Color(colorHover)
	}
	s.icon.Resource = theme.NewColoredResource(theme.SearchIcon(), colorMuted)
	s.keys.Color, s.keys.TextSize = theme.Color(colorMuted), 11*textScale()
}

type searchPillRenderer struct{ s *searchPill }

func (r *searchPillRenderer) Destroy()           {}
func (r *searchPillRenderer) MinSize() fyne.Size { return fyne.NewSize(160, 36*textScale()) }

func (r *searchPillRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.s.ground, r.s.icon, r.s.words, r.s.keys, r.s.ring}
}

func (r *searchPillRenderer) Layout(size fyne.Size) {
	s, k := r.s, textScale()
	s.ground.Resize(size)
	s.ring.Resize(size)
	place(s.icon, fyne.NewPos(11, (size.Height-16*k)/2), 16*k)
	m := s.keys.MinSize()
	s.keys.Resize(m)
	s.keys.Move(fyne.NewPos(size.Width-12-m.Width, (size.Height-m.Height)/2))
	x := 11 + 16*k + 7
	s.words.Move(fyne.NewPos(x, (size.Height-18*k)/2))
	s.words.Resize(fyne.NewSize(max(size.Width-12-m.Width-8-x, 0), 18*k))
}

func (r *searchPillRenderer) Refresh() {
	r.s.paint()
	r.Layout(r.s.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
