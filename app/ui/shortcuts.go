package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// shortcutKeys are the keys that work everywhere in the window, with the
// modifier that they need.
var shortcutKeys = map[fyne.KeyName]fyne.KeyModifier{
	fyne.KeyK:     fyne.KeyModifierShortcutDefault, // switch conversation
	fyne.KeyN:     fyne.KeyModifierShortcutDefault, // add a friend
	fyne.KeyComma: fyne.KeyModifierShortcutDefault, // settings
	fyne.KeyF:     fyne.KeyModifierShortcutDefault, // search here
	fyne.KeyI:     fyne.KeyModifierShortcutDefault, // information
	fyne.KeyQ:     fyne.KeyModifierShortcutDefault, // quit
	fyne.KeyW:     fyne.KeyModifierShortcutDefault, // close
	fyne.KeyM:     fyne.KeyModifierShortcutDefault, // mute
	fyne.KeyUp:    fyne.KeyModifierAlt,             // the conversation above
	fyne.KeyDown:  fyne.KeyModifierAlt,             // the one below
}

// isShift says whether a key is one of the two of that name.
func isShift(key fyne.KeyName) bool {
	return key == desktop.KeyShiftLeft || key == desktop.KeyShiftRight
}

// listen makes the window hear its keys.
func (w *Window) listen() {
	c := w.win.Canvas()
	for key, modifier := range shortcutKeys {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: modifier}, func(s fyne.Shortcut) { w.shortcut(s) })
	}
	c.SetOnTypedKey(w.typed)
	if d, ok := c.(desktop.Canvas); ok {
		d.SetOnKeyDown(w.keyDown)
		d.SetOnKeyUp(w.keyUp)
	}
	c.SetOnTypedRune(func(r rune) {
		if w.shell != nil && len(w.modals) == 0 {
			w.shell.chat.composer.typed(r)
		}
	})
}

// shortcut does what a shortcut of the window means, and says whether it is
// one. While something is being written Fyne offers shortcuts to the entry
// alone, so that entry asks here.
func (w *Window) shortcut(s fyne.Shortcut) bool {
	c, ok := s.(*desktop.CustomShortcut)
	if !ok || shortcutKeys[c.KeyName] == 0 || shortcutKeys[c.KeyName] != c.Modifier {
		return false
	}
	switch {
	case c.KeyName == fyne.KeyQ:
		w.end(w.quit)
	case c.KeyName == fyne.KeyW:
		w.close()
	case c.KeyName == fyne.KeyM:
		w.phone.mute()
	case w.shell == nil || len(w.modals) > 0:
	default:
		w.visit(c.KeyName)
	}
	return true
}

// visit leads somewhere from the main page.
func (w *Window) visit(key fyne.KeyName) {
	switch key {
	case fyne.KeyK:
		w.showSwitcher()
	case fyne.KeyN:
		w.showAddFriend()
	case fyne.KeyComma:
		w.showSettings()
	case fyne.KeyF:
		w.searchHere()
	case fyne.KeyI:
		w.toggleInfo()
	case fyne.KeyUp:
		w.shell.roster.step(-1)
	case fyne.KeyDown:
		w.shell.roster.step(1)
	}
}

// typed answers keys that nothing with the focus has used.
func (w *Window) typed(e *fyne.KeyEvent) {
	if w.phone.card != nil {
		w.phone.card.typed(e.Name)
		return
	}
	switch e.Name {
	case fyne.KeyEscape:
		if len(w.modals) > 0 {
			w.closeModal()
			return
		}
		if w.shell != nil {
			w.shell.back()
		}
	case fyne.KeyF1:
		if len(w.modals) == 0 {
			w.showHelp()
		}
	}
}

// passKey gives a key that a focused widget has no use for to its window.
func passKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}
