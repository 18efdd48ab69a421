package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A modal is something shown over the whole window.
type modal struct {
	layer fyne.CanvasObject
	focus fyne.Focusable // what had the keyboard before
}

// modal shows o over everything else, with a veil behind it. A click on the
// veil or Escape closes it. o is given the window's whole size.
func (w *Window) modal(o fyne.CanvasObject) {
	c := w.win.Canvas()
	m := modal{layer: container.NewStack(newVeil(w.closeModal), o), focus: c.Focused()}
	w.modals = append(w.modals, m)
	c.Overlays().Add(m.layer)
	m.layer.Resize(c.Size())
}

// closeModal closes the modal on top, and gives the keyboard back.
func (w *Window) closeModal() {
	n := len(w.modals)
	if n == 0 {
		return
	}
	m := w.modals[n-1]
	w.modals = w.modals[:n-1]
	c := w.win.Canvas()
	c.Overlays().Remove(m.layer)
	if m.focus != nil {
		c.Focus(m.focus)
	}
}

func (w *Window) closeModals() {
	for len(w.modals) > 0 {
		w.closeModal()
	}
}

// A veil dims what is behind a modal and takes the clicks beside it.
type veil struct {
	widget.BaseWidget
	tap func()
}

func newVeil(tap func()) *veil {
	v := &veil{tap: tap}
	v.ExtendBaseWidget(v)
	return v
}

// Tapped closes what is in front.
func (v *veil) Tapped(*fyne.PointEvent) { v.tap() }

// TappedSecondary takes the click, so that nothing behind gets it.
func (v *veil) TappedSecondary(*fyne.PointEvent) {}

func (v *veil) CreateRenderer() fyne.WidgetRenderer {
	return &veilRenderer{ground: canvas.NewRectangle(theme.Color(colorScrim))}
}

type veilRenderer struct{ ground *canvas.Rectangle }

func (r *veilRenderer) Destroy()                     {}
func (r *veilRenderer) Layout(s fyne.Size)           { r.ground.Resize(s) }
func (r *veilRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *veilRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.ground} }

func (r *veilRenderer) Refresh() {
	r.ground.FillColor = theme.Color(colorScrim)
	r.ground.Refresh()
}
