package ui

import (
	"net/url"

	"fyne.io/fyne/v2/theme"
)

// askLink asks before an address from a message is opened: the host stands
// alone, so that nobody is led elsewhere by what surrounds it.
func (w *Window) askLink(link string) {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		w.toast.say(w.tr("link.bad"), w.tr("link.bad.next"))
		return
	}
	open := primaryButton(w.tr("link.open"), func() {
		w.closeModal()
		if err := w.app.OpenURL(u); err != nil {
			w.fail(err)
		}
	})
	copy := secondaryButton(w.tr("link.copy"), func() {
		w.app.Clipboard().SetContent(link)
		w.closeModal()
	})
	host := newText(u.Hostname(), 18, 26, theme.ColorNameForeground).bold()
	note := smallText(shorten(link, 240))
	say := mutedText(w.tr("link.say"))
	if u.Scheme == "http" {
		say = mutedText(w.tr("link.plain")).coloured(colorWarn)
	}
	no := secondaryButton(w.tr("link.no"), w.closeModal)
	w.modal(newSheet(440, newCard(newColumn(16, newColumn(6, labelText(w.tr("link.title")), host, note), say, newRow(8, open, copy, no)))))
	w.win.Canvas().Focus(no)
}

// shorten keeps the beginning of a long address.
func shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
