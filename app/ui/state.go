package ui

import (
	"context"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// A refresher remembers what is being read from the node and what became stale
// meanwhile, so that many changes make two readings at most.
type refresher struct {
	busy  map[string]bool
	again map[string]func(context.Context) error
}

// read runs f off Fyne's thread under a name; while it runs, the last of
// further calls with the name waits for its end.
func (w *Window) read(name string, f func(context.Context) error) {
	r := &w.stale
	if r.busy == nil {
		r.busy, r.again = make(map[string]bool), make(map[string]func(context.Context) error)
	}
	if r.busy[name] {
		r.again[name] = f
		return
	}
	r.busy[name] = true
	w.do(func(ctx context.Context) error {
		err := f(ctx)
		w.ui(func() {
			next := r.again[name]
			delete(r.busy, name)
			delete(r.again, name)
			if next != nil {
				w.read(name, next)
			}
		})
		return err
	})
}

// reload reads everything again: at the start, after a reset, and when the
// profile's state changed.
func (w *Window) reload(ctx context.Context) {
	st, err := w.client.Status(ctx)
	if err != nil {
		w.report(ctx, err)
		return
	}
	var (
		set    control.Settings
		people []control.Contact
	)
	if st.State == control.Ready {
		if set, err = w.client.Settings(ctx); err == nil {
			people, err = w.client.Contacts(ctx)
		}
		if err != nil {
			w.report(ctx, err)
			return
		}
	}
	w.ui(func() {
		w.banner.hide()
		w.status, w.contacts = st, people
		w.wear(set)
		w.show(st.State)
		if w.shell != nil {
			w.shell.reset()
			w.phone.read()
		}
		w.entitle()
	})
}

// entitle says in the window's title how much is new.
func (w *Window) entitle() {
	n := 0
	for _, c := range w.contacts {
		if !c.Muted {
			n += c.Unread
		}
	}
	title := w.tr("app.title")
	if n > 0 {
		title = "(" + strconv.Itoa(n) + ") " + title
	}
	if w.win.Title() != title {
		w.win.SetTitle(title)
	}
}

// apply answers one change by reading what it names.
func (w *Window) apply(ch control.Change) {
	switch ch.Type {
	case control.ChangeReset, control.ChangeProfile:
		w.read("all", func(ctx context.Context) error { w.reload(ctx); return nil })
		return
	case control.ChangeWindow:
		w.Show()
		return
	}
	if w.shell == nil {
		return
	}
	switch ch.Type {
	case control.ChangeMessage, control.ChangeRow, control.ChangeState, control.ChangeRead:
		w.shell.conversation(ch)
		w.readContacts()
	case control.ChangeCall:
		w.phone.read()
	case control.ChangePresence, control.ChangeTyping, control.ChangeContact, control.ChangeDevices:
		w.readContacts()
		w.readStatus()
	case control.ChangeDraft:
		w.shell.draftChanged(ch.Who)
		w.readContacts()
	case control.ChangeSettings:
		w.readSettings()
		w.readStatus()
	case control.ChangeNetwork:
		if w.nearby != nil && len(w.modals) > 0 {
			w.nearby()
		}
		w.readStatus()
		w.readContacts()
	}
}

func (w *Window) readContacts() {
	w.read("contacts", func(ctx context.Context) error {
		people, err := w.client.Contacts(ctx)
		if err != nil {
			return err
		}
		w.ui(func() {
			w.contacts = people
			w.shell.refresh()
			w.entitle()
		})
		return nil
	})
}

func (w *Window) readStatus() {
	w.read("status", func(ctx context.Context) error {
		st, err := w.client.Status(ctx)
		if err != nil {
			return err
		}
		w.ui(func() {
			w.status = st
			w.shell.refresh()
		})
		return nil
	})
}

func (w *Window) readSettings() {
	w.read("settings", func(ctx context.Context) error {
		set, err := w.client.Settings(ctx)
		if err != nil {
			return err
		}
		w.ui(func() { w.wear(set) })
		return nil
	})
}

// wear takes on settings: the look, the size of text, the language.
func (w *Window) wear(set control.Settings) {
	was := w.settings
	w.settings = set
	if look := w.theme.with(set.Appearance, set.TextSize); look != *w.theme { // Fyne reads all fonts again for each theme
		w.theme = &look
		w.app.Settings().SetTheme(w.theme)
	}
	if set.Language != was.Language {
		w.speak(set.Language)
		if w.shell != nil {
			w.rebuild()
		}
	}
}

// show puts up the page of a profile's state.
func (w *Window) show(state string) {
	if state == w.shown {
		return
	}
	w.shown = state
	w.closeModals()
	w.shell = nil
	switch state {
	case control.Ready:
		w.shell = newShell(w)
		w.setPage(w.shell)
	case control.Locked:
		w.setPage(newUnlock(w))
	default:
		w.setPage(newWelcome(w))
	}
}

// rebuild draws the main page anew, for another language.
func (w *Window) rebuild() {
	open := w.shell.open
	w.shell.leave()
	w.shell = newShell(w)
	w.setPage(w.shell)
	w.shell.reset()
	if open != "" {
		w.openConversation(open, "")
	}
	w.phone.again()
}

func (w *Window) setPage(o fyne.CanvasObject) {
	w.win.Canvas().Unfocus() // what goes must not keep the keyboard
	w.page.Objects = []fyne.CanvasObject{o}
	w.page.Refresh()
}

// contact finds a person in the list by id.
func (w *Window) contact(id string) (control.Contact, bool) {
	i := slices.IndexFunc(w.contacts, func(c control.Contact) bool { return c.ID == id })
	if i < 0 {
		return control.Contact{}, false
	}
	return w.contacts[i], true
}

// openConversation shows the conversation with a person: its newest rows, or
// those around a message.
func (w *Window) openConversation(id, around string) {
	if w.shell != nil {
		w.shell.converse(id, around)
	}
}
