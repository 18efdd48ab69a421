package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/entrenous/entrenous/app/control"
)

// welcome is the first start: a name, perhaps a passphrase, and one begins.
// Somebody with 24 words, or with a backup, comes back instead.
type welcome struct {
	w    *Window
	root *fyne.Container // what of the three is shown

	name, pass *entry
	find       *toggle // friends who moved, by the public table
	begin      *button
	restore    *button
	backup     *button
	wrong      *text
}

// newWelcome makes the first start's page.
func newWelcome(w *Window) fyne.CanvasObject {
	v := &welcome{w: w, root: container.NewStack()}
	v.showBegin()
	return v.root
}

func (v *welcome) showBegin() {
	w := v.w
	v.name, v.pass = newEntry(w.tr("welcome.name.hint")), newSecretEntry(w.tr("welcome.pass.hint"))
	v.wrong = newProblem()
	v.begin = primaryButton(w.tr("welcome.begin"), v.start)
	v.find = newToggle(w.tr("settings.find"), w.tr("welcome.find"), true, nil)
	v.restore = secondaryButton(w.tr("welcome.restore"), func() { v.show(newRestore(w, v.name.Text, v.find.on, v.showBegin)) })
	v.backup = secondaryButton(w.tr("welcome.backup"), func() { v.show(newFromBackup(w, v.showBegin)) })
	v.name.onEnter, v.pass.onEnter = v.start, v.start
	v.show(newMarkedSheet(460, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("welcome.title")), mutedText(w.tr("welcome.say"))),
		space(0),
		labelled(w.tr("welcome.name"), v.name),
		labelled(w.tr("welcome.pass"), v.pass),
		v.find,
		v.wrong,
		newRow(8, v.begin, v.restore, v.backup),
	))))
	w.focus(v.name)
}

func (v *welcome) show(page fyne.CanvasObject) {
	v.root.Objects = []fyne.CanvasObject{page}
	v.root.Refresh()
}

// start makes the identity; what the node answers holds the 24 words, this
// once.
func (v *welcome) start() {
	name, pass := strings.TrimSpace(v.name.Text), v.pass.Text
	if name == "" {
		v.wrong.say(v.w.tr("welcome.nameless"), v.root)
		v.w.win.Canvas().Focus(v.name)
		return
	}
	v.w.setUp(control.Setup{Name: name, Passphrase: pass, FindOnline: &v.find.on}, v.root, v.wrong, v.begin, v.restore, v.backup)
}

// setUp asks the node for an identity. A new one's words are shown over the
// main page, which therefore has to be up before them.
func (w *Window) setUp(s control.Setup, around fyne.CanvasObject, wrong *text, buttons ...*button) {
	wrong.say("", around)
	enable(false, buttons...)
	var done control.SetupDone
	w.ask(func(ctx context.Context) (err error) {
		if done, err = w.client.Setup(ctx, s); err == nil {
			w.reload(ctx)
		}
		return err
	}, func(err error) {
		enable(true, buttons...)
		if err != nil {
			wrong.say(w.sentence(err), around)
			return
		}
		if len(done.Words) > 0 {
			w.modal(newPhrase(w, done.Words))
		}
	})
}
