package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// item is a line of a list that does something: an icon, and what it does.
type item struct {
	widget.BaseWidget
	icon          fyne.Resource // nil for none
	label         *text
	tap           func()
	over, focused bool
}

var (
	_ fyne.Focusable     = (*item)(nil)
	_ fyne.Accessible    = (*item)(nil)
	_ desktop.Hoverable  = (*item)(nil)
	_ desktop.Cursorable = (*item)(nil)
)

func newItem(icon fyne.Resource, words string, tap func()) *item {
	i := &item{icon: icon, label: bodyText(words).oneLine(), tap: tap}
	i.ExtendBaseWidget(i)
	return i
}

// newDangerItem is an item for what cannot be taken back.
func newDangerItem(icon fyne.Resource, words string, tap func()) *item {
	i := newItem(icon, words, tap)
	i.label.color = colorDanger
	return i
}

// Tapped does it.
func (i *item) Tapped(*fyne.PointEvent) { i.tap() }

// TypedKey does it by keyboard.
func (i *item) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		i.tap()
	case fyne.KeyDown:
		focusStep(i, true)
	case fyne.KeyUp:
		focusStep(i, false)
	default:
		passKey(i, e)
	}
}

// focusStep moves the keyboard to the neighbour, as Tab does.
func focusStep(o fyne.CanvasObject, next bool) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	if next {
		c.FocusNext()
		return
	}
	c.FocusPrevious()
}

// TypedRune does nothing: Space comes as a key too.
func (i *item) TypedRune(rune) {}

// FocusGained shows the ring.
func (i *item) FocusGained() { i.focused = true; i.Refresh(); bringInSight(i) }

// FocusLost hides the ring.
func (i *item) FocusLost() { i.focused = false; i.Refresh() }

// MouseIn lights the line up.
func (i *item) MouseIn(*desktop.MouseEvent) { i.over = true; i.Refresh() }

// MouseMoved does nothing.
func (i *item) MouseMoved(*desktop.MouseEvent) {}

// MouseOut puts the light out.
func (i *item) MouseOut() { i.over = false; i.Refresh() }

// Cursor is a hand, because the line can be pressed.
func (i *item) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel names the line to a screen reader.
func (i *item) AccessibilityLabel() string { return i.label.words }

// AccessibilityRole says that it can be pressed.
func (i *item) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer is for Fyne.
func (i *item) CreateRenderer() fyne.WidgetRenderer {
	r := &itemRenderer{i: i, ground: canvas.NewRectangle(color.Transparent), icon: &canvas.Image{FillMode: canvas.ImageFillContain}}
	r.paint()
	return r
}

const itemHigh = 36

type itemRenderer struct {
	i      *item
	ground *canvas.Rectangle
	icon   *canvas.Image
}

func (r *itemRenderer) Destroy()           {}
func (r *itemRenderer) MinSize() fyne.Size { return fyne.NewSize(80, scaled(itemHigh)) }

func (r *itemRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.icon, r.i.label}
}

func (r *itemRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	x, side := float32(10), scaled(buttonIcon)
	if r.i.icon != nil {
		r.icon.Move(fyne.NewPos(x, (size.Height-side)/2))
		r.icon.Resize(fyne.NewSquareSize(side))
		x += side + 10
	}
	high := r.i.label.lineHeight()
	r.i.label.Move(fyne.NewPos(x, (size.Height-high)/2))
	r.i.label.Resize(fyne.NewSize(size.Width-x-10, high))
}

func (r *itemRenderer) Refresh() {
	r.paint()
	r.Layout(r.i.Size())
	r.i.label.Refresh()
	canvas.Refresh(r.i)
}

func (r *itemRenderer) paint() {
	r.ground.CornerRadius = 10
	r.ground.FillColor, r.ground.StrokeWidth = color.Transparent, 0
	if r.i.over {
		r.ground.FillColor = theme.Color(colorHover)
	}
	if r.i.focused {
		r.ground.StrokeColor, r.ground.StrokeWidth = theme.Color(colorRing), 2
	}
	r.icon.Hidden = r.i.icon == nil
	if r.i.icon == nil {
		return
	}
	ink := colorMuted
	if r.i.label.color == colorDanger {
		ink = colorDanger
	}
	r.icon.Resource = theme.NewColoredResource(r.i.icon, ink)
	r.icon.Refresh()
}
