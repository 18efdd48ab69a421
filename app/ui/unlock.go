package ui

import (
	"context"

	"fyne.io/fyne/v2"
)

// newUnlock makes the page of a locked profile: the passphrase and nothing
// else.
func newUnlock(w *Window) fyne.CanvasObject {
	pass, wrong := newSecretEntry(""), newProblem()
	open := primaryButton(w.tr("unlock.open"), nil)
	page := newMarkedSheet(420, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("unlock.title")), mutedText(w.tr("unlock.say"))),
		labelled(w.tr("unlock.pass"), pass),
		wrong,
		newRow(8, open),
	)))
	try := func() {
		typed := pass.Text
		wrong.say("", page)
		open.Disable()
		w.ask(func(ctx context.Context) error {
			_, err := w.client.Unlock(ctx, typed)
			return err
		}, func(err error) {
			open.Enable()
			if err == nil {
				pass.SetText("")
				return
			}
			wrong.say(w.sentence(err), page)
			w.win.Canvas().Focus(pass)
			pass.TypedShortcut(&fyne.ShortcutSelectAll{})
		})
	}
	open.tap, pass.onEnter = try, try
	w.focus(pass)
	return page
}
