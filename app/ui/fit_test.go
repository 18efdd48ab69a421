package ui

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/entrenous/entrenous/app/control"
)

// everyCard opens each card of the window by its name.
func everyCard(n *cardNode) map[string]func() {
	w := n.w
	bo := control.Contact{ID: "bo", Name: "Annette de la Villardière-Montgomery-Thompson", State: control.Request, Note: "محمد says hello. We met at the boat on Sunday, and you said that I should write, so here I am with more words than one line holds."}
	return map[string]func(){
		"welcome":  func() { w.modal(newWelcome(w)) },
		"restore":  func() { w.modal(newRestore(w, "", true, func() {})) },
		"comeback": func() { w.modal(newFromBackup(w, func() {})) },
		"unlock":   func() { w.modal(newUnlock(w)) },
		"words":    func() { w.modal(newPhrase(w, testSeed.Words())) },
		"empty":    func() { w.modal(newEmptyState(w)) },
		"invite":   w.showAddFriend,
		"add":      func() { w.modal(newFriends(w, true)) },
		"request":  func() { w.modal(requestCard(w, bo)) },
		"safety":   func() { w.showSafety(cardAna) },
		"settings": w.showSettings,
		"switcher": w.showSwitcher,
		"help":     w.showHelp,
		"sound":    func() { w.showSoundTest(nil) },
		"doctor":   w.showDoctor,
		"remove":   func() { w.confirmRemove(bo) },
		"rename":   func() { w.showRename(bo) },
		"backup":   w.showBackup,
		"emoji":    func() { w.showEmoji(fyne.NewPos(200, 300), func(string) {}) },
		"pictures": func() { w.pickPicture(func(string) {}) },
		"backups":  func() { w.pickBackup(func(string) {}) },
		"route":    func() { w.askRoute(control.Contact{ID: "bo", Name: bo.Name}, func() {}) },
		"panel":    func() { w.modal(newInfoPanel(w, bo)) },
	}
}

func TestEveryCardFitsEveryWindow(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		t.Setenv("HOME", t.TempDir())
		n.w.contacts = manyPeople()
		n.answer("POST /invites", invite())
		n.answer("GET /contacts/ana/safety", anaSafety)
		n.answer("GET /contacts/bo/safety", anaSafety)
		n.answer("GET /devices", []control.Device{{Name: "Old computer in the workshop behind the harbour office", LastSeen: n.w.now().Add(-50 * time.Hour)}})
		n.answer("GET /network", control.Network{Relays: []string{"/a"}, States: []control.Relay{{Addr: "/a", Name: "The relay of the harbour office", Ready: true}}})
		n.answer("GET /doctor", []control.Finding{{What: "Router", State: "warn", Say: "Your router changes ports for every contact.", Do: "Turn on UPnP in the router, or let a friend relay."}})
		for _, look := range []struct {
			lang, colours string
			width, text   float32
		}{
			{"en", "dark", 1200, 1},
			{"fr", "light", 480, 1},
			{"fr", "contrast", 480, 1.6},
			{"en", "light", 360, 1},
		} {
			s := n.w.settings
			s.Language, s.Appearance, s.TextSize = look.lang, look.colours, float64(look.text)
			n.w.wear(s)
			for name, open := range everyCard(n) {
				open()
				n.size(look.width, 780)
				shown := fmt.Sprintf("%s-%s-%s-%v-%v", name, look.lang, look.colours, look.width, look.text)
				wantInside(t, shown, n.top(), look.width)
				n.shot(t, "fit-"+shown)
				n.w.closeModals()
			}
		}
	})
}

// wantInside checks that nothing to read or press sticks out at a side, and
// that no button is narrower than its words.
func wantInside(t *testing.T, name string, o fyne.CanvasObject, width float32) {
	t.Helper()
	positions(o, fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		var what string
		switch o := o.(type) {
		case *button:
			what = o.AccessibilityLabel()
			if o.Size().Width < o.MinSize().Width-0.5 {
				t.Errorf("%s: %q has %v of the %v it needs", name, what, o.Size().Width, o.MinSize().Width)
			}
		case *text:
			what = o.words
		default:
			return
		}
		if at.X < -0.5 || at.X+o.Size().Width > width+0.5 {
			t.Errorf("%s: %q is at %v to %v of %v", name, what, at.X, at.X+o.Size().Width, width)
		}
	})
}

// positions walks over all that is visible with where it is in the window.
func positions(o fyne.CanvasObject, under fyne.Position, f func(fyne.CanvasObject, fyne.Position)) {
	if !o.Visible() {
		return
	}
	at := under.Add(o.Position())
	f(o, at)
	switch o := o.(type) {
	case *container.Scroll:
		positions(o.Content, at, f)
	case *heading:
		positions(newEnds(o.title, o.close), at, f)
	case *infoPanel:
		positions(o.scroll, at, f)
	default:
		for _, child := range inside(o) {
			positions(child, at, f)
		}
	}
}
