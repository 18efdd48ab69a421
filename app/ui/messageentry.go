package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A messageEntry is the composer's entry: Enter sends, Shift+Enter breaks the
// line, Up in an empty one edits the last message.
type messageEntry struct {
	widget.Entry
	c       *composer
	shift   bool
	focused bool
}

func newMessageEntry(c *composer) *messageEntry {
	e := &messageEntry{c: c}
	e.MultiLine, e.Wrapping = true, fyne.TextWrapWord
	e.ExtendBaseWidget(e)
	e.SetMinRowsVisible(1)
	e.OnChanged = func(string) { c.changed() }
	return e
}

// KeyDown is for Fyne.
func (e *messageEntry) KeyDown(k *fyne.KeyEvent) {
	e.shift = e.shift || isShift(k.Name)
	e.c.w.keyDown(k)
	e.Entry.KeyDown(k)
}

// KeyUp is for Fyne.
func (e *messageEntry) KeyUp(k *fyne.KeyEvent) {
	if isShift(k.Name) {
		e.shift = false
	}
	e.c.w.keyUp(k)
	e.Entry.KeyUp(k)
}

// FocusGained is for Fyne.
func (e *messageEntry) FocusGained() {
	e.focused = true
	e.c.paint()
	e.Entry.FocusGained()
}

// FocusLost keeps the draft.
func (e *messageEntry) FocusLost() {
	e.shift, e.focused = false, false
	e.c.paint()
	e.Entry.FocusLost()
	e.c.leave()
}

// AcceptsTab lets Tab go on to the next thing.
func (e *messageEntry) AcceptsTab() bool { return false }

// TypedKey is for Fyne.
func (e *messageEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if !e.shift {
			e.c.submit()
			return
		}
	case fyne.KeyEscape:
		e.c.escape()
		return
	case fyne.KeyUp:
		if e.c.editLast() {
			return
		}
	case fyne.KeyPageUp, fyne.KeyPageDown:
		e.c.chat.timeline.TypedKey(k)
		return
	case fyne.KeyF1:
		passKey(e, k)
		return
	}
	e.Entry.TypedKey(k)
}

// TypedShortcut leaves to the window what is the window's.
func (e *messageEntry) TypedShortcut(s fyne.Shortcut) {
	if !e.c.w.shortcut(s) {
		e.Entry.TypedShortcut(s)
	}
}

// oneRow is the entry's height with one line.
func (e *messageEntry) oneRow() float32 {
	return fyne.MeasureText("M", bodySize*textScale(), fyne.TextStyle{}).Height + 2*entryPad
}

// lines is how many lines the words take in the present width, at most so
// many.
func (e *messageEntry) lines(most int) int {
	width := e.Size().Width - 2*entryPad - 2
	if width <= 0 || e.Text == "" {
		return 1
	}
	e.c.chat.timeline.fit()
	text := e.Text
	if len(text) > 4096 {
		return most
	}
	n := 0
	for para := range strings.SplitSeq(text, "\n") {
		n += len(fill(split(para), width, e.c.chat.timeline.body, most))
		if n >= most {
			return most
		}
	}
	return n
}

// toEnd puts the cursor behind the last letter.
func (e *messageEntry) toEnd() {
	rows := strings.Split(e.Text, "\n")
	e.CursorRow, e.CursorColumn = len(rows)-1, len([]rune(rows[len(rows)-1]))
	e.Refresh()
}

// bareTheme is the app's theme with neither ground nor border for an entry: the
// composer draws both. Fyne reads all fonts again for each use of such a theme.
type bareTheme struct{}

func (bareTheme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if n == theme.ColorNameInputBackground {
		return color.Transparent
	}
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}

func (bareTheme) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}

func (bareTheme) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}

func (bareTheme) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNameInputBorder {
		return 0
	}
	return fyne.CurrentApp().Settings().Theme().Size(n)
}
