package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// safety is the card on which two people check that nobody sits between them:
// the same number, the same words, the same code on both screens.
type safety struct {
	w    *Window
	who  control.Contact
	root *fyne.Container
	page *fyne.Container
}

// showSafety opens the card over the window.
func (w *Window) showSafety(c control.Contact) {
	v := &safety{w: w, who: c, page: newColumn(16)}
	v.root = newSheet(520, newCard(newColumn(16, newHeading(w, w.tr("safety.title")), v.page)))
	w.modal(v.root)
	v.ask(func(ctx context.Context) (control.Safety, error) { return w.client.Safety(ctx, c.ID) })
}

// ask runs a verb that answers with how the two stand, and shows it.
func (v *safety) ask(verb func(context.Context) (control.Safety, error)) {
	var s control.Safety
	v.w.ask(func(ctx context.Context) (err error) {
		s, err = verb(ctx)
		return err
	}, func(err error) {
		if err != nil {
			v.w.closeModal()
			v.w.fail(err)
			return
		}
		v.show(s)
	})
}

func (v *safety) show(s control.Safety) {
	w := v.w
	v.page.RemoveAll()
	v.page.Add(mutedText(w.tr("safety.say", v.who.Name)))
	number := newNumber(s.Number, 16, 26, 4).centred()
	v.page.Add(newBox(number))
	if len(s.Words) > 0 {
		v.page.Add(newColumn(4, labelText(w.tr("safety.words")), bodyText(strings.Join(s.Words, " · "))))
	}
	if code, err := newCode(s.QR, 150); err == nil {
		v.page.Add(newCentredRow(0, newCodeFrame(code)))
	}
	v.page.Add(v.actions(s))
	relayout(v.root)
}

// actions are what follows from comparing.
func (v *safety) actions(s control.Safety) fyne.CanvasObject {
	w := v.w
	mark := func(ok bool) func() {
		return func() {
			v.ask(func(ctx context.Context) (control.Safety, error) { return w.client.Verify(ctx, v.who.ID, ok) })
			w.readContacts()
		}
	}
	if s.Verified {
		same := newText(w.tr("safety.verified"), 14, 20, colorGood).bold()
		return newColumn(12, same, newRow(8, secondaryButton(w.tr("safety.takeback"), mark(false))))
	}
	match := primaryButton(w.tr("safety.match"), mark(true)) // not focused: Enter by accident must not mark
	differ := secondaryButton(w.tr("safety.differ"), nil)
	differ.tap = func() {
		differ.Disable()
		v.page.Add(newWarning(w.tr("safety.differ.say")))
		relayout(v.root)
	}
	return newRow(8, match, differ)
}

// newWarning is a sentence that should not be overlooked.
func newWarning(sentence string) fyne.CanvasObject {
	return makeCard(&card{fill: colorPill, radius: 12, padX: 14, padY: 10, content: newText(sentence, 13, 18, colorWarn)})
}

// numberLines breaks a safety number into lines of groups.
func numberLines(number string, perLine int) string {
	groups := strings.Fields(number)
	var lines []string
	for len(groups) > 0 {
		n := min(perLine, len(groups))
		lines = append(lines, strings.Join(groups[:n], " "))
		groups = groups[n:]
	}
	return strings.Join(lines, "\n")
}

// newNumber shows a safety number in even lines of at most so many groups.
func newNumber(number string, size, line float32, groups int) *text {
	t := newText(number, size, line, colorInk).mono()
	t.groups = groups
	return t
}
