package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// shelfSide is the room beside and above the call bars.
const shelfSide = 16

// holdCalls puts the call bars under the header of the conversation, or where
// none is shown on top of what is.
func (s *shell) holdCalls() {
	here, there := s.call, s.chat.call
	if s.chat.Visible() {
		here, there = there, here
	}
	any := len(s.w.phone.bars) > 0
	if !any {
		here.Objects = nil
	} else if len(here.Objects) == 0 {
		here.Objects = []fyne.CanvasObject{newInset(shelfSide+4, shelfSide, s.w.phone.shelf)}
	}
	there.Objects = nil
	setVisible(here, any)
	setVisible(there, false)
}

// placeCalls gives the call bars the room that they need now.
func (s *shell) placeCalls() {
	s.holdCalls()
	s.chat.relayout()
	if s.renderer != nil {
		s.renderer.Layout(s.Size())
	}
	if len(s.w.phone.bars) > 0 {
		relayout(s.w.phone.shelf)
	}
	canvas.Refresh(s)
}

// shelve puts the shell's own call bars over what is in their place.
func (r *shellRenderer) shelve(left, right float32, size fyne.Size) {
	s := r.s
	if !s.call.Visible() || len(s.call.Objects) == 0 {
		return
	}
	high := heightFor(s.call.Objects[0], right-left)
	s.call.Move(fyne.NewPos(left, 0))
	s.call.Resize(fyne.NewSize(right-left, high))
	for _, o := range []fyne.CanvasObject{s.roster, s.empty, s.info} {
		if at := o.Position(); at.X >= left && at.X < right {
			o.Move(fyne.NewPos(at.X, high))
			o.Resize(fyne.NewSize(o.Size().Width, max(size.Height-high, 0)))
		}
	}
}
