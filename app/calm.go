//go:build !headless

package app

import "fyne.io/fyne/v2"

// calm is an app in which nothing moves by itself. Fyne would fade the cursor
// of the entry with the focus for ever, which draws the window anew many times
// a second: a tenth of a core, while nobody does anything.
type calm struct{ fyne.App }

// newCalm calms an app, for all that asks for the current one.
func newCalm(a fyne.App) fyne.App {
	c := calm{a}
	fyne.SetCurrentApp(c)
	return c
}

// Settings are those of the app, without animations.
func (c calm) Settings() fyne.Settings { return calmSettings{c.App.Settings()} }

type calmSettings struct{ fyne.Settings }

// ShowAnimations is no.
func (calmSettings) ShowAnimations() bool { return false }
