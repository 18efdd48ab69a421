package ui

import (
	"context"
	"io"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// askPassphrase opens a card with one secret to fill in. done runs off Fyne's
// thread; its failure is said under the entry, else the card closes.
func (w *Window) askPassphrase(title, say, verb string, done func(ctx context.Context, pass string) error, after func()) {
	pass, wrong := newSecretEntry(""), newProblem()
	yes := primaryButton(verb, nil)
	var root *fyne.Container
	try := func() {
		typed := pass.Text
		wrong.say("", root)
		yes.Disable()
		w.ask(func(ctx context.Context) error { return done(ctx, typed) }, func(err error) {
			yes.Enable()
			if err != nil {
				wrong.say(w.sentence(err), root)
				w.win.Canvas().Focus(pass)
				return
			}
			w.closeModal()
			after()
		})
	}
	yes.tap, pass.onEnter = try, try
	pass.OnChanged = func(string) { wrong.say("", root) } // it was said of what stood there
	root = newSheet(420, newCard(newColumn(16,
		newColumn(6, titleText(title), mutedText(say)),
		labelled(w.tr("unlock.pass"), pass),
		wrong,
		newRow(8, yes, secondaryButton(w.tr("card.cancel"), w.closeModal)),
	)))
	w.modal(root)
	w.win.Canvas().Focus(pass)
}

// showWords shows the 24 words again; a profile with a passphrase asks for it
// first.
func (w *Window) showWords() {
	var words []string
	read := func(ctx context.Context, pass string) (err error) {
		words, err = w.client.Words(ctx, pass)
		return err
	}
	show := func() { w.modal(newPhrase(w, words)) }
	if w.status.KeyKept == "passphrase" {
		w.askPassphrase(w.tr("phrase.title"), w.tr("phrase.ask"), w.tr("settings.words.show"), read, show)
		return
	}
	w.ask(func(ctx context.Context) error { return read(ctx, "") }, func(err error) {
		if err != nil {
			w.fail(err)
			return
		}
		show()
	})
}

// backupExt is how the name of a backup ends.
const backupExt = ".age"

// showBackup saves all that the account holds, sealed with a passphrase.
func (w *Window) showBackup() {
	var sealed string
	w.askPassphrase(w.tr("backup.title"), w.tr("backup.say"), w.tr("settings.backup.save"), func(_ context.Context, pass string) error {
		if pass == "" {
			return &control.Failure{Message: w.tr("backup.empty"), Code: control.CodeInvalid}
		}
		sealed = pass
		return nil
	}, func() {
		w.save("Entrenous", backupExt, func(ctx context.Context) (io.ReadCloser, error) { return w.client.Backup(ctx, sealed) })
	})
}
