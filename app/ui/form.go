package ui

import (
	"context"

	"fyne.io/fyne/v2"
)

// newProblem makes the sentence under a form that did not work. It takes no
// room until there is one.
func newProblem() *text {
	t := newText("", 13, 18, colorDanger)
	t.Hide()
	return t
}

// say shows a sentence; "" takes it away. What is around it is laid out anew.
func (t *text) say(sentence string, around fyne.CanvasObject) {
	t.set(sentence)
	t.Hidden = sentence == ""
	if around != nil {
		relayout(around)
	}
}

// ask runs a verb away from Fyne's thread and then, on it, what follows from
// the answer. Forms use it where the failure belongs beside the entry.
func (w *Window) ask(verb func(context.Context) error, then func(error)) {
	w.do(func(ctx context.Context) error {
		err := verb(ctx)
		w.ui(func() { then(err) })
		return nil
	})
}

// sentence is an error in words with the next step, as a form shows it.
func (w *Window) sentence(err error) string {
	say, next := w.words.failure(err)
	if next == "" {
		return say + "."
	}
	return say + ". " + next + "."
}

// focus puts the keyboard on o once o is on the canvas.
func (w *Window) focus(o fyne.Focusable) {
	w.do(func(context.Context) error {
		w.ui(func() { w.win.Canvas().Focus(o) })
		return nil
	})
}

// enable turns buttons on or off together.
func enable(on bool, buttons ...*button) {
	for _, b := range buttons {
		if on {
			b.Enable()
			continue
		}
		b.Disable()
	}
}
