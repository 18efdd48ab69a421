package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// heading is the top of a card: its title, and at the right the way out.
type heading struct {
	widget.BaseWidget
	title *text
	close *button
}

func newHeading(w *Window, title string) *heading {
	h := &heading{
		title: titleText(title),
		close: iconButton(quiet, theme.CancelIcon(), w.tr("card.close"), w.closeModal),
	}
	h.ExtendBaseWidget(h)
	return h
}

func (h *heading) heightFor(width float32) float32 {
	b := h.close.MinSize()
	return max(h.title.heightFor(width-b.Width-8), b.Height)
}

// CreateRenderer is for Fyne.
func (h *heading) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(newEnds(h.title, h.close))
}

// newEnds puts one thing at the left, which takes all the room that is left
// by the other at the right.
func newEnds(left, right fyne.CanvasObject) *fyne.Container {
	c := &fyne.Container{Layout: &ends{}, Objects: []fyne.CanvasObject{left, right}}
	return c
}

type ends struct{ width float32 }

var _ flowLayout = (*ends)(nil)

const endsGap = 8

func (e *ends) flow(objs []fyne.CanvasObject, width float32) float32 {
	e.width = width
	right := wanted(objs[1])
	return max(heightFor(objs[0], width-right.Width-endsGap), right.Height)
}

// Layout is for Fyne.
func (e *ends) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	right := wanted(objs[1])
	left := fyne.NewSize(size.Width-right.Width-endsGap, 0)
	left.Height = heightFor(objs[0], left.Width)
	objs[0].Move(fyne.NewPos(0, (size.Height-left.Height)/2))
	objs[0].Resize(left)
	objs[1].Move(fyne.NewPos(size.Width-right.Width, (size.Height-right.Height)/2))
	objs[1].Resize(right)
}

// MinSize is for Fyne.
func (e *ends) MinSize(objs []fyne.CanvasObject) fyne.Size {
	left, right := objs[0].MinSize(), wanted(objs[1])
	if e.width > 0 {
		left.Height = heightFor(objs[0], e.width-right.Width-endsGap)
	}
	return fyne.NewSize(left.Width+endsGap+right.Width, max(left.Height, right.Height))
}
