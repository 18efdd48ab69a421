package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"github.com/entrenous/entrenous/app/control"
)

// requestCard stands where the conversation will be: somebody asks to become
// a friend, or has been asked by us and has not answered.
func requestCard(w *Window, c control.Contact) fyne.CanvasObject {
	face := newAvatar(c.ID, 72, presenceNone)
	face.stand(theme.ColorNameOverlayBackground)
	body := newColumn(16, container.NewCenter(face))
	if c.State == control.SentReq {
		words := w.tr("request.sent", c.Name)
		if c.Spent {
			words = w.tr("request.spent", c.Name)
		}
		body.Add(newColumn(6, newText(c.Name, 18, 26, colorInk).bold().centred(), mutedText(words).centred()))
		body.Add(newCentredRow(8, secondaryButton(w.tr("request.withdraw"), func() { w.confirmRemove(c) })))
		return newSheet(420, newCard(body))
	}
	body.Add(newColumn(6, newText(c.Name, 18, 26, colorInk).bold().centred(), mutedText(w.tr("request.asks")).centred()))
	if c.Note != "" {
		body.Add(newBox(bodyText(c.Note)))
	}
	body.Add(newCentredRow(8,
		primaryButton(w.tr("request.accept"), func() {
			w.change(func(ctx context.Context) error { _, err := w.client.Accept(ctx, c.ID); return err })
		}),
		secondaryButton(w.tr("request.decline"), func() {
			w.change(func(ctx context.Context) error { return w.client.Remove(ctx, c.ID) })
		}),
		secondaryButton(w.tr("info.block"), func() { w.confirmBlock(c) }),
	))
	return newSheet(420, newCard(body))
}

// change runs a verb that changes a contact and reads the contacts again.
func (w *Window) change(verb func(context.Context) error) {
	w.do(func(ctx context.Context) error {
		err := verb(ctx)
		w.ui(w.readContacts)
		return err
	})
}
