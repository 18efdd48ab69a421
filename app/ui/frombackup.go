package ui

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// fromBackup brings everything back from a backup: the identity, friends and
// messages. Its passphrase is this computer's from then on.
type fromBackup struct {
	w    *Window
	root *fyne.Container

	file, pass *entry
	wrong      *text
	bring      *button
	back       *button
}

// newFromBackup makes the page; back leaves it.
func newFromBackup(w *Window, back func()) fyne.CanvasObject {
	v := &fromBackup{w: w, file: newLinkEntry(w.tr("frombackup.hint")), pass: newSecretEntry(""), wrong: newProblem()}
	v.bring = primaryButton(w.tr("frombackup.bring"), v.start)
	v.back = secondaryButton(w.tr("restore.back"), back)
	v.file.onEnter, v.pass.onEnter = v.start, v.start
	v.root = newSheet(460, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("frombackup.title")), mutedText(w.tr("frombackup.say"))),
		newColumn(6, labelText(w.tr("frombackup.file")), v.file, newRow(8, secondaryButton(w.tr("frombackup.choose"), v.choose))),
		labelled(w.tr("frombackup.pass"), v.pass),
		v.wrong,
		newRow(8, v.bring, v.back),
	)))
	w.focus(v.file)
	return v.root
}

func (v *fromBackup) choose() { v.w.pickBackup(v.take) }

// take puts a file in its place; the passphrase comes next.
func (v *fromBackup) take(path string) {
	v.file.SetText(path)
	v.wrong.say("", v.root)
	v.w.win.Canvas().Focus(v.pass)
}

func (v *fromBackup) start() {
	path := strings.TrimSpace(v.file.Text)
	if path == "" {
		v.wrong.say(v.w.tr("frombackup.fileless"), v.root)
		v.w.win.Canvas().Focus(v.file)
		return
	}
	v.w.setUp(control.Setup{Backup: path, Passphrase: v.pass.Text}, v.root, v.wrong, v.bring, v.back)
}
