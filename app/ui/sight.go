package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// sightGap is how much is seen around what has the keyboard.
const sightGap = 24

// bringInSight scrolls what o stands in just far enough that o is seen: where
// the keyboard is must not be a guess.
func bringInSight(o fyne.CanvasObject) {
	height := o.Size().Height
	scrollsAround(o, func(s *container.Scroll, y float32) {
		room := s.Size().Height
		switch top, foot := max(y-sightGap, 0), min(y+height+sightGap, s.Content.Size().Height); {
		case top < s.Offset.Y:
			s.ScrollToOffset(fyne.NewPos(0, top))
		case foot > s.Offset.Y+room:
			s.ScrollToOffset(fyne.NewPos(0, foot-room))
		}
	})
}

// scrollsAround calls f for what scrolls with o in it, and how far down o is.
func scrollsAround(o fyne.CanvasObject, f func(s *container.Scroll, y float32)) {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(o)
	if c == nil {
		return
	}
	page := c.Overlays().Top()
	if page == nil {
		page = c.Content()
	}
	at, size := d.AbsolutePositionForObject(o), o.Size()
	eachScroll(page, func(s *container.Scroll) {
		inner := s.Content.Size()
		y := at.Y - d.AbsolutePositionForObject(s.Content).Y
		x := at.X - d.AbsolutePositionForObject(s.Content).X
		if s.Size().Height == 0 || x < 0 || y < 0 || x+size.Width > inner.Width || y+size.Height > inner.Height {
			return // it stands elsewhere
		}
		f(s, y)
	})
}

// eachScroll calls f for all under o that scrolls and is shown.
func eachScroll(o fyne.CanvasObject, f func(*container.Scroll)) {
	if o == nil || !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *container.Scroll:
		f(o)
	case *shell:
		eachScroll(o.info, f)
		return
	case *infoPanel:
		eachScroll(o.scroll, f)
		return
	}
	for _, child := range inside(o) {
		eachScroll(child, f)
	}
}
