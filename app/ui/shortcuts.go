package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// shortcuts makes the keys that work everywhere in the window.
func (w *Window) shortcuts() {
	c := w.win.Canvas()
	for key, f := range map[fyne.KeyName]func(){
		fyne.KeyK:     func() { w.showSwitcher() },
		fyne.KeyN:     func() { w.showAddFriend() },
		fyne.KeyComma: func() { w.showSettings() },
		fyne.KeyF:     func() { w.searchHere() },
		fyne.KeyI:     func() { w.toggleInfo() },
		fyne.KeyQ:     func() { w.quit() },
		fyne.KeyW:     func() { w.close() },
	} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) {
			if w.shell != nil || key == fyne.KeyQ || key == fyne.KeyW {
				f()
			}
		})
	}
	for key, step := range map[fyne.KeyName]int{fyne.KeyUp: -1, fyne.KeyDown: 1} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierAlt}, func(fyne.Shortcut) {
			if w.shell != nil {
				w.shell.roster.step(step)
			}
		})
	}
	c.SetOnTypedKey(w.typed)
	c.SetOnTypedRune(func(r rune) {
		if w.shell != nil && len(w.modals) == 0 {
			w.shell.chat.composer.typed(r)
		}
	})
}

// isWindowShortcut says whether a shortcut belongs to the window, also while
// something is being written.
func isWindowShortcut(s *desktop.CustomShortcut) bool {
	switch s.Modifier {
	case fyne.KeyModifierShortcutDefault:
		switch s.KeyName {
		case fyne.KeyK, fyne.KeyN, fyne.KeyComma, fyne.KeyF, fyne.KeyI, fyne.KeyQ, fyne.KeyW:
			return true
		}
	case fyne.KeyModifierAlt:
		return s.KeyName == fyne.KeyUp || s.KeyName == fyne.KeyDown
	}
	return false
}

// typed answers keys that nothing with the focus has used.
func (w *Window) typed(e *fyne.KeyEvent) {
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
		w.showHelp()
	}
}

// passKey gives a key that a focused widget has no use for to its window.
func passKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// passShortcut gives a shortcut that a focused widget has no use for to its
// window; Fyne offers it to nobody else.
func passShortcut(o fyne.CanvasObject, s fyne.Shortcut) {
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(o).(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}
