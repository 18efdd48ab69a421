package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// sheet puts a card in the middle of whatever room it is given: at most wide,
// with 16 around it, and scrolling when it is too high. The mark may stand
// over it.
type sheet struct {
	wide  float32
	card  *card
	crown *mark // nil for none
}

const (
	markGap   = 24 // between the mark and a card under it
	sheetEdge = 4  // around the card, so that scrolling does not cut its line
)

// newSheet makes a sheet around a card.
func newSheet(wide float32, c *card) *fyne.Container {
	return container.New(&sheet{wide: wide, card: c}, newShield(), container.NewVScroll(newInset(sheetEdge, sheetEdge, c)))
}

// newMarkedSheet makes a sheet under the mark, as a page of its own.
func newMarkedSheet(wide float32, c *card) *fyne.Container {
	m := newMark(48)
	return container.New(&sheet{wide: wide, card: c, crown: m}, newShield(), container.NewVScroll(newInset(sheetEdge, sheetEdge, c)), m)
}

// Layout is for Fyne.
func (s *sheet) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	w := min(s.wide*max(1, (1+textScale())/2), size.Width-32)
	room, top := size.Height-32, float32(0)
	if s.crown != nil {
		top = s.crown.MinSize().Height + markGap
	}
	h := min(s.card.heightFor(w), room-top)
	y := 16 + (room-top-h)/2
	if s.crown != nil {
		m := s.crown.MinSize()
		s.crown.Resize(m)
		s.crown.Move(fyne.NewPos((size.Width-m.Width)/2, y))
	}
	for _, o := range objs[:2] { // the shield and what scrolls before it
		o.Resize(fyne.NewSize(w+2*sheetEdge, h+2*sheetEdge))
		o.Move(fyne.NewPos((size.Width-w)/2-sheetEdge, y+top-sheetEdge))
	}
}

// MinSize is for Fyne: a sheet fits any window.
func (s *sheet) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(240, 160) }

// inside gives what o holds, whatever kind of holder it is.
func inside(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *card:
		return []fyne.CanvasObject{o.content}
	case *container.Scroll:
		return []fyne.CanvasObject{o.Content}
	case *container.ThemeOverride:
		return []fyne.CanvasObject{o.Content}
	case *fyne.Container:
		return o.Objects
	}
	return nil
}

// relayout gives everything under o its place again after something in it grew
// or was shown.
func relayout(o fyne.CanvasObject) {
	if c, ok := o.(*fyne.Container); ok && c.Layout != nil {
		c.Layout.Layout(c.Objects, c.Size())
	}
	for _, child := range inside(o) {
		relayout(child)
	}
	o.Refresh()
}
