package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A pressed is what widgets of ours that are pressed have in common: the light
// under the pointer, the ring of the keyboard, and what happens.
type pressed struct {
	widget.BaseWidget
	tap           func()
	name          func() string // for a screen reader
	over, focused bool
	ring          *canvas.Rectangle
}

var (
	_ fyne.Focusable     = (*pressed)(nil)
	_ fyne.Tappable      = (*pressed)(nil)
	_ desktop.Hoverable  = (*pressed)(nil)
	_ desktop.Cursorable = (*pressed)(nil)
)

// newPressed makes the common part; radius is that of its corners.
func newPressed(tap func(), name func() string, radius float32) pressed {
	return pressed{tap: tap, name: name, ring: &canvas.Rectangle{CornerRadius: radius}}
}

// Tapped presses it.
func (p *pressed) Tapped(*fyne.PointEvent) { p.tap() }

// TypedKey presses it by keyboard.
func (p *pressed) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		p.tap()
	default:
		passKey(p, e)
	}
}

// TypedRune does nothing: Space comes as a key too.
func (p *pressed) TypedRune(rune) {}

// FocusGained shows the ring.
func (p *pressed) FocusGained() { p.focused = true; p.Refresh() }

// FocusLost hides the ring.
func (p *pressed) FocusLost() { p.focused = false; p.Refresh() }

// MouseIn lights it up.
func (p *pressed) MouseIn(*desktop.MouseEvent) { p.over = true; p.Refresh() }

// MouseMoved is for Fyne.
func (p *pressed) MouseMoved(*desktop.MouseEvent) {}

// MouseOut puts the light out.
func (p *pressed) MouseOut() { p.over = false; p.Refresh() }

// Cursor is a hand.
func (p *pressed) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is for a screen reader.
func (p *pressed) AccessibilityLabel() string { return p.name() }

// AccessibilityRole says that this is a button.
func (p *pressed) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// paint shows who has the keyboard, or the pointer.
func (p *pressed) paint() {
	p.ring.FillColor, p.ring.StrokeWidth = color.Transparent, 0
	switch {
	case p.focused:
		p.ring.StrokeWidth, p.ring.StrokeColor = 2, theme.Color(colorRing)
	case p.over:
		p.ring.FillColor = theme.Color(colorHover)
	}
}
