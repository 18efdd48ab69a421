package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A callLabel says with whom a call is and how it goes. The figures come up
// under the pointer; a press keeps them.
type callLabel struct {
	pressed
	bar        *callBar
	name, line *text
	pinned     bool
}

func newCallLabel(b *callBar) *callLabel {
	l := &callLabel{bar: b, name: headText("").oneLine(), line: smallText("").ofFacts()}
	l.line.size = 12
	l.pressed = newPressed(l.press, func() string { return l.name.words + ", " + l.line.words }, 10)
	l.ExtendBaseWidget(l)
	return l
}

func (l *callLabel) press() {
	l.pinned = !l.pinned
	if l.pinned {
		l.bar.phone.showFacts(l.bar)
		return
	}
	l.bar.phone.hideFacts()
}

// MouseIn shows the figures.
func (l *callLabel) MouseIn(e *desktop.MouseEvent) {
	l.pressed.MouseIn(e)
	l.bar.phone.showFacts(l.bar)
}

// MouseOut hides them, unless they are kept.
func (l *callLabel) MouseOut() {
	l.pressed.MouseOut()
	if !l.pinned {
		l.bar.phone.hideFacts()
	}
}

// natural is the width that cuts nothing.
func (l *callLabel) natural() float32 { return max(l.name.natural(), l.line.natural()) + 8 }

// CreateRenderer is for Fyne.
func (l *callLabel) CreateRenderer() fyne.WidgetRenderer {
	l.paint()
	return &callLabelRenderer{l}
}

type callLabelRenderer struct{ l *callLabel }

func (r *callLabelRenderer) Destroy()           {}
func (r *callLabelRenderer) MinSize() fyne.Size { return fyne.NewSize(80, scaled(44)) }

func (r *callLabelRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.l.ring, r.l.name, r.l.line}
}

func (r *callLabelRenderer) Layout(size fyne.Size) {
	k := textScale()
	r.l.ring.Move(fyne.NewPos(-4, 0))
	r.l.ring.Resize(size)
	top := (size.Height - 38*k) / 2
	r.l.name.Move(fyne.NewPos(0, top))
	r.l.name.Resize(fyne.NewSize(size.Width-4, 20*k))
	r.l.line.Move(fyne.NewPos(0, top+20*k))
	r.l.line.Resize(fyne.NewSize(size.Width-4, 18*k))
}

func (r *callLabelRenderer) Refresh() {
	r.l.paint()
	r.l.ring.FillColor = withAlpha(r.l.ring.FillColor, 0) // the figures are answer enough to the pointer
	r.Layout(r.l.Size())
	r.l.name.Refresh()
	r.l.line.Refresh()
	canvas.Refresh(r.l)
}

// callFacts are the figures of a call on a small card under its bar. The card
// takes no clicks.
type callFacts struct {
	widget.BaseWidget
	bar    *callBar
	names  []*text
	values []*text
	ground *canvas.Rectangle
}

const (
	factsWide = 340
	factHigh  = 22
	factsPad  = 14
)

// showFacts shows the figures of a bar's call.
func (p *phone) showFacts(b *callBar) {
	if p.facts != nil && p.facts.bar != b {
		p.hideFacts()
	}
	if p.w.shell == nil || len(p.w.callFigures(b.call)) == 0 {
		return
	}
	p.facts = &callFacts{bar: b, ground: &canvas.Rectangle{CornerRadius: 14}}
	p.facts.ExtendBaseWidget(p.facts)
	p.facts.set(b.call)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(b)
	at = at.Subtract(fyne.CurrentApp().Driver().AbsolutePositionForObject(p.w.shell))
	size := p.facts.MinSize()
	at = at.AddXY(b.label.Position().X-factsPad, b.Size().Height+6)
	at.X = max(8, min(at.X, p.w.shell.Size().Width-size.Width-8))
	p.facts.Resize(size)
	p.facts.Move(at)
	p.w.shell.float.Objects = []fyne.CanvasObject{p.facts}
	p.w.shell.float.Refresh()
}

// hideFacts puts the figures away.
func (p *phone) hideFacts() {
	if p.facts == nil {
		return
	}
	p.facts.bar.label.pinned = false
	p.facts = nil
	if p.w.shell != nil {
		p.w.shell.float.Objects = nil
		p.w.shell.float.Refresh()
	}
}

// set shows the figures of a call as it is now.
func (f *callFacts) set(c control.Call) {
	facts := f.bar.phone.w.callFigures(c)
	for len(f.names) < len(facts) {
		f.names = append(f.names, smallText("").oneLine())
		f.values = append(f.values, newText("", 13, 18, colorInk).oneLine())
	}
	f.names, f.values = f.names[:len(facts)], f.values[:len(facts)]
	for i, x := range facts {
		f.names[i].set(x.name)
		f.values[i].set(x.value)
	}
	f.Refresh()
}

// CreateRenderer is for Fyne.
func (f *callFacts) CreateRenderer() fyne.WidgetRenderer { return &callFactsRenderer{f} }

type callFactsRenderer struct{ f *callFacts }

func (r *callFactsRenderer) Destroy() {}

func (r *callFactsRenderer) MinSize() fyne.Size {
	room := r.f.bar.phone.w.shell.Size().Width - 16
	return fyne.NewSize(min(factsWide*textScale(), room), float32(len(r.f.names))*scaled(factHigh)+2*factsPad)
}

func (r *callFactsRenderer) Objects() []fyne.CanvasObject {
	objs := []fyne.CanvasObject{r.f.ground}
	for i := range r.f.names {
		objs = append(objs, r.f.names[i], r.f.values[i])
	}
	return objs
}

func (r *callFactsRenderer) Layout(size fyne.Size) {
	r.f.ground.FillColor = theme.Color(theme.ColorNameOverlayBackground)
	r.f.ground.StrokeColor, r.f.ground.StrokeWidth = theme.Color(colorLine), 1
	r.f.ground.Shadow = canvas.Shadow{Color: theme.Color(theme.ColorNameShadow), BlurRadius: 16, Offset: fyne.NewPos(0, 4)}
	r.f.ground.Resize(size)
	first := float32(0)
	for _, n := range r.f.names {
		first = max(first, n.natural())
	}
	x := factsPad + min(first, size.Width/2) + 16
	for i := range r.f.names {
		y := factsPad + float32(i)*scaled(factHigh) + scaled(2)
		r.f.names[i].Move(fyne.NewPos(factsPad, y))
		r.f.names[i].Resize(fyne.NewSize(x-factsPad-16, scaled(18)))
		r.f.values[i].Move(fyne.NewPos(x, y))
		r.f.values[i].Resize(fyne.NewSize(size.Width-x-factsPad, scaled(18)))
	}
}

func (r *callFactsRenderer) Refresh() {
	r.Layout(r.f.Size())
	canvas.Refresh(r.f)
}
