package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// entry is a line of text to fill in. keys sees every key first and says
// whether it used it up; then Enter is onEnter, and Escape is the window's.
type entry struct {
	widget.Entry

	onEnter func()
	left    func()      // the keyboard went elsewhere
	tabs    func() bool // whether Tab is for keys rather than for the next entry
	keys    func(*fyne.KeyEvent) bool
}

// newEntry makes an entry of one line.
func newEntry(placeholder string) *entry {
	e := &entry{}
	e.Wrapping, e.Scroll = fyne.TextWrap(fyne.TextTruncateClip), container.ScrollHorizontalOnly
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	e.OnSubmitted = func(string) {
		if e.onEnter != nil {
			e.onEnter()
		}
	}
	return e
}

// newSecretEntry makes an entry whose text is hidden until asked for.
func newSecretEntry(placeholder string) *entry {
	e := newEntry(placeholder)
	e.Password = true
	return e
}

// newTextEntry makes an entry of several lines that wraps; Enter breaks the
// line.
func newTextEntry(placeholder string, lines int) *entry {
	e := newEntry(placeholder)
	e.MultiLine, e.Wrapping = true, fyne.TextWrapWord
	e.SetMinRowsVisible(lines)
	return e
}

// newLinkEntry makes an entry for something long without spaces; it is broken
// anywhere, so that all of it can be seen, and Enter is onEnter.
func newLinkEntry(placeholder string) *entry {
	e := newTextEntry(placeholder, 2)
	e.Wrapping = fyne.TextWrapBreak
	e.keys = func(k *fyne.KeyEvent) bool {
		enter := k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter
		if enter && e.onEnter != nil {
			e.onEnter()
		}
		return enter
	}
	return e
}

// AcceptsTab is for Fyne: Tab goes on to what comes next, also from an entry
// of several lines.
func (e *entry) AcceptsTab() bool { return e.tabs != nil && e.tabs() }

// TypedKey is for Fyne.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	if e.keys != nil && e.keys(k) {
		return
	}
	if k.Name == fyne.KeyEscape || k.Name == fyne.KeyF1 {
		if e.left != nil {
			e.left() // what Escape closes does not tell
		}
		passKey(e, k)
		return
	}
	e.Entry.TypedKey(k)
}

// FocusGained is for Fyne.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	bringInSight(e)
}

// FocusLost is for Fyne.
func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	if e.left != nil {
		e.left()
	}
}

// labelled puts a small bold label over an entry. The wheel over one of one
// line, which has nothing to scroll, moves what it stands in.
func labelled(label string, e *entry) fyne.CanvasObject {
	if e.MultiLine {
		return newColumn(6, labelText(label), e)
	}
	return newColumn(6, labelText(label), container.NewStack(e, newWheel(e)))
}

// A wheel lies over something that would keep the wheel to itself, and takes
// nothing else.
type wheel struct {
	widget.BaseWidget
	over fyne.CanvasObject
}

var _ fyne.Scrollable = (*wheel)(nil)

func newWheel(over fyne.CanvasObject) *wheel {
	w := &wheel{over: over}
	w.ExtendBaseWidget(w)
	return w
}

// Scrolled is for Fyne.
func (w *wheel) Scrolled(e *fyne.ScrollEvent) {
	scrollsAround(w.over, func(s *container.Scroll, _ float32) { s.Scrolled(e) })
}

// CreateRenderer is for Fyne.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
