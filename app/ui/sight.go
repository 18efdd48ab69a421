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
		inner, room := s.Content.Size(), s.Size().Height
		y := at.Y - d.AbsolutePositionForObject(s.Content).Y
		x := at.X - d.AbsolutePositionForObject(s.Content).X
		if room == 0 || x < 0 || y < 0 || x+size.Width > inner.Width || y+size.Height > inner.Height {
			return // it stands elsewhere
		}
		switch top, foot := max(y-sightGap, 0), min(y+size.Height+sightGap, inner.Height); {
		case top < s.Offset.Y:
			s.ScrollToOffset(fyne.NewPos(0, top))
		case foot > s.Offset.Y+room:
			s.ScrollToOffset(fyne.NewPos(0, foot-room))
		}
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
