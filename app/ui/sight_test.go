package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

// TestTheWheelOverAnEntryScrollsThePage turns it over the name in the settings,
// which would keep it.
func TestTheWheelOverAnEntryScrollsThePage(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		n.w.showSettings()
		n.settle()
		name := entries(n.top())[0]
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(name).AddXY(20, 10)
		test.Scroll(n.w.win.Canvas(), at, 0, -120)
		moved := false
		eachScroll(n.top(), func(s *container.Scroll) { moved = moved || s.Offset.Y > 0 })
		if !moved {
			t.Error("the page stays where it is")
		}
	})
}
