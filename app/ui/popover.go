package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// popover shows o over the window without dimming what is behind: it is small
// and soon gone. A click beside it or Escape closes it.
func (w *Window) popover(o fyne.CanvasObject) {
	c := w.win.Canvas()
	m := modal{layer: container.NewStack(newPane(w.closeModal), o), focus: c.Focused()}
	w.modals = append(w.modals, m)
	c.Overlays().Add(m.layer)
	m.layer.Resize(c.Size())
}

// pane is a veil that cannot be seen.
type pane struct {
	widget.BaseWidget
	tap func()
}

func newPane(tap func()) *pane {
	p := &pane{tap: tap}
	p.ExtendBaseWidget(p)
	return p
}

// newShield takes the clicks between the things on a card, so that they do not
// reach the veil behind it, which would close it.
func newShield() *pane { return newPane(func() {}) }

// Tapped closes what is in front.
func (p *pane) Tapped(*fyne.PointEvent) { p.tap() }

// TappedSecondary closes it too.
func (p *pane) TappedSecondary(*fyne.PointEvent) { p.tap() }

// CreateRenderer is for Fyne.
func (p *pane) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
