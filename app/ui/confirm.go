package ui

import (
	"context"

	"github.com/entrenous/entrenous/app/control"
)

// confirm asks before something that cannot be taken back. The safe answer has
// the keyboard.
func (w *Window) confirm(title, say, verb string, yes func()) {
	no := secondaryButton(w.tr("card.cancel"), w.closeModal)
	w.modal(newSheet(420, newCard(newColumn(20,
		newColumn(6, titleText(title), mutedText(say)),
		newRow(8, dangerButton(verb, func() { w.closeModal(); yes() }), no),
	))))
	w.win.Canvas().Focus(no)
}

// confirmRemove asks before a person and the conversation are forgotten.
func (w *Window) confirmRemove(c control.Contact) {
	w.confirm(w.tr("remove.title", c.Name), w.tr("remove.say"), w.tr("remove.verb"), func() {
		w.change(func(ctx context.Context) error { return w.client.Remove(ctx, c.ID) })
	})
}

// confirmBlock asks before nothing from a person arrives any more.
func (w *Window) confirmBlock(c control.Contact) {
	w.confirm(w.tr("block.title", c.Name), w.tr("block.say"), w.tr("block.verb"), func() {
		w.change(func(ctx context.Context) error { _, err := w.client.Block(ctx, c.ID); return err })
	})
}

// showRename asks for the name that is shown for a person here.
func (w *Window) showRename(c control.Contact) {
	name := newEntry(c.OwnName)
	name.SetText(c.Name)
	say := w.tr("rename.own")
	if c.OwnName != "" {
		say = w.tr("rename.say", c.OwnName)
	}
	save := func() {
		typed := name.Text
		w.closeModal()
		w.change(func(ctx context.Context) error {
			_, err := w.client.EditContact(ctx, c.ID, control.ContactEdit{Name: &typed})
			return err
		})
	}
	name.onEnter = save
	w.modal(newSheet(420, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("rename.title")), mutedText(say)),
		name,
		newRow(8, primaryButton(w.tr("rename.verb"), save), secondaryButton(w.tr("card.cancel"), w.closeModal)),
	))))
	w.win.Canvas().Focus(name)
}
