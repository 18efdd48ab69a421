package ui

import (
	"slices"

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

	held   fyne.CanvasObject // stays until it is released; nil for others
	refuse func()            // what Escape means to a held one
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

// closeModal closes the modal on top, and gives the keyboard back. What is held
// stays.
func (w *Window) closeModal() {
	for i := len(w.modals) - 1; i >= 0; i-- {
		if w.modals[i].held == nil {
			w.takeModal(i)
			return
		}
	}
}

// takeModal takes one modal away. Fyne takes all above it too, so that they
// are put up again.
func (w *Window) takeModal(i int) {
	m, above := w.modals[i], slices.Clone(w.modals[i+1:])
	w.modals = append(w.modals[:i:i], above...)
	c := w.win.Canvas()
	c.Overlays().Remove(m.layer)
	for _, a := range above {
		c.Overlays().Add(a.layer)
		a.layer.Resize(c.Size())
	}
	if m.focus != nil && len(above) == 0 {
		c.Focus(m.focus)
	}
}

// closeModals closes all but what is held.
func (w *Window) closeModals() {
	for slices.ContainsFunc(w.modals, func(m modal) bool { return m.held == nil }) {
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
