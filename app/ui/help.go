package ui

import (
	"runtime"
	"strings"
)

// showHelp opens the card of all keys (F1).
func (w *Window) showHelp() {
	page := newColumn(20)
	for _, group := range w.keys() {
		lines := newColumn(8, labelText(w.tr(group.title)))
		for _, k := range group.keys {
			lines.Add(newEnds(bodyText(w.tr(k.does)), newPill(w.keyName(k.press), colorInk)))
		}
		page.Add(lines)
	}
	w.modal(newSheet(460, newCard(newColumn(20, newHeading(w, w.tr("help.title")), page))))
}

// A keyGroup is the keys of one part of the window.
type keyGroup struct {
	title string
	keys  []keyHelp
}

// keyHelp is what a key does; both are keys of sentences but for the keys'
// own names.
type keyHelp struct{ press, does string }

// keys lists what the window answers to.
func (w *Window) keys() []keyGroup {
	return []keyGroup{
		{"help.everywhere", []keyHelp{
			{"Ctrl K", "help.switch"},
			{"Ctrl N", "help.add"},
			{"Ctrl F", "help.search"},
			{"Ctrl I", "help.info"},
			{"Ctrl ,", "help.settings"},
			{"Alt ↑↓", "help.step"},
			{"Esc", "help.close"},
			{"Tab", "help.tab"},
			{"Ctrl W", "help.window"},
			{"Ctrl Q", "help.quit"},
		}},
		{"help.calls", []keyHelp{
			{"Ctrl M", "help.mute"},
			{"F8", "help.talk"},
			{"right Ctrl", "help.talk"},
			{"Enter", "help.accept"},
			{"Esc", "help.decline"},
		}},
		{"help.writing", []keyHelp{
			{"Enter", "help.send"},
			{"Shift Enter", "help.break"},
			{"↑", "help.edit"},
		}},
		{"help.reading", []keyHelp{
			{"↑↓", "help.select"},
			{"Enter", "help.reply"},
			{"Delete", "help.delete"},
			{"Ctrl C", "help.copy"},
			{"Menu", "help.menu"},
			{"Shift F10", "help.menu"},
			{"End", "help.end"},
		}},
	}
}

// keyName is a key as it is printed on this machine's keyboards.
func (w *Window) keyName(press string) string {
	if runtime.GOOS == "darwin" {
		press = strings.NewReplacer("Ctrl ", "⌘", "Alt ", "⌥", "Shift ", "⇧").Replace(press)
	}
	if w.words.lang == "fr" {
		press = strings.NewReplacer("Shift", "Maj", "Enter", "Entrée", "Esc", "Échap", "Delete", "Suppr", "End", "Fin", "right Ctrl", "Ctrl droit").Replace(press)
	}
	return press
}
