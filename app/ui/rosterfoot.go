package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A rosterFoot says how reachable we are; a press opens the doctor. Beside it
// is the way to the settings.
type rosterFoot struct {
	widget.BaseWidget
	w    *Window
	line *reachLine
	set  *button
}

func newRosterFoot(w *Window) *rosterFoot {
	f := &rosterFoot{w: w, line: newReachLine(w)}
	f.set = iconButton(quiet, theme.SettingsIcon(), w.tr("roster.settings"), w.showSettings)
	f.ExtendBaseWidget(f)
	return f
}

// show follows the status.
func (f *rosterFoot) show() {
	f.line.words.words = f.w.tr("reach." + f.w.reach())
	f.line.Refresh()
	f.Refresh()
}

// reach is the word for how reachable this node is.
func (w *Window) reach() string {
	switch w.status.Reach {
	case control.ReachDirect, control.ReachRelay, control.ReachLAN, control.ReachNone:
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
	return []fyne.CanvasObject{r.f.line, r.f.set}
}

func (r *rosterFootRenderer) Layout(size fyne.Size) {
	f := r.f
	m := f.set.MinSize()
	f.set.Resize(m)
	f.set.Move(fyne.NewPos(size.Width-12-m.Width, (size.Height-m.Height)/2))
	f.line.Move(fyne.NewPos(8, 4))
	f.line.Resize(fyne.NewSize(max(min(f.line.MinSize().Width, size.Width-m.Width-28), 0), size.Height-8))
}

func (r *rosterFootRenderer) Refresh() {
	r.Layout(r.f.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

// A reachLine is a dot and a few words about how reachable we are; a press
// opens the doctor.
type reachLine struct {
	pressed
	w     *Window
	dot   *canvas.Circle
	words *text
}

func newReachLine(w *Window) *reachLine {
	l := &reachLine{w: w, dot: &canvas.Circle{}, words: newText("", 12, 18, colorMuted).oneLine()}
	l.pressed = newPressed(w.showDoctor, func() string { return l.words.words }, 10)
	l.ExtendBaseWidget(l)
	return l
}

// CreateRenderer is for Fyne.
func (l *reachLine) CreateRenderer() fyne.WidgetRenderer { return &reachLineRenderer{l} }

type reachLineRenderer struct{ l *reachLine }

func (r *reachLineRenderer) Destroy() {}

func (r *reachLineRenderer) MinSize() fyne.Size {
	return fyne.NewSize(27+r.l.words.natural()+12, 30*textScale())
}

func (r *reachLineRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.l.dot, r.l.words, r.l.ring}
}

func (r *reachLineRenderer) Layout(size fyne.Size) {
	l, k := r.l, textScale()
	l.paint()
	l.ring.Resize(size)
	place(l.dot, fyne.NewPos(9, size.Height/2-4.5), 9)
	l.words.Move(fyne.NewPos(27, (size.Height-18*k)/2))
	l.words.Resize(fyne.NewSize(max(size.Width-27-8, 0), 18*k))
	switch l.w.status.Reach {
	case control.ReachDirect, control.ReachRelay:
		l.dot.FillColor = theme.Color(colorGood)
	case control.ReachLAN:
		l.dot.FillColor = theme.Color(colorAccent)
	default:
		l.dot.FillColor = theme.Color(colorMuted)
	}
}

func (r *reachLineRenderer) Refresh() {
	r.Layout(r.l.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
