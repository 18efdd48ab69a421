package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/entrenous/entrenous/app/control"
)

// TestEveryCardIsWalkedWithTab finds what can be pressed but not reached by
// keyboard, and what a screen reader would not know a name for.
func TestEveryCardIsWalkedWithTab(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		t.Setenv("HOME", t.TempDir())
		n.w.contacts = manyPeople()
		n.answer("POST /invites", invite())
		n.answer("GET /contacts/ana/safety", anaSafety)
		n.answer("GET /contacts/bo/safety", anaSafety)
		n.answer("GET /devices", []control.Device{{Name: "Laptop", This: true}})
		n.answer("GET /network", control.Network{Relays: []string{"/a"}, States: []control.Relay{{Addr: "/a", Name: "The relay of the harbour office", Ready: true}}})
		n.answer("GET /doctor", []control.Finding{})
		for name, open := range everyCard(n) {
			open()
			n.settle()
			walked := make(map[fyne.Focusable]bool)
			c := n.w.win.Canvas()
			for range 200 {
				c.FocusNext()
				walked[c.Focused()] = true
			}
			each(n.top(), func(o fyne.CanvasObject) {
				f, can := o.(fyne.Focusable)
				if can && isOn(o) && !walked[f] {
					t.Errorf("%s: Tab never comes to %T %q", name, o, label(o))
				}
				if can && label(o) == "" {
					t.Errorf("%s: %T has no name", name, o)
				}
			})
			n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
			if n.top() != nil {
				t.Errorf("%s: Escape does not close it", name)
			}
			n.settle()
		}
	})
}

func isOn(o fyne.CanvasObject) bool {
	d, ok := o.(fyne.Disableable)
	return !ok || !d.Disabled()
}

func label(o fyne.CanvasObject) string {
	if a, ok := o.(fyne.Accessible); ok {
		return a.AccessibilityLabel()
	}
	return "an entry has its label above"
}

func TestNoKeyOpensACardOverACard(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.showHelp()
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyF1})
		if len(n.w.modals) != 1 {
			t.Errorf("%d cards are open", len(n.w.modals))
		}
	})
}

func TestTheKeyboardGoesBackWhereItWas(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		b := secondaryButton("Rename", nil)
		n.page(newRow(0, b))
		c := n.w.win.Canvas()
		c.Focus(b)
		n.w.showRename(cardAna)
		entries(n.top())[0].TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if c.Focused() != b {
			t.Errorf("the keyboard is at %v", c.Focused())
		}
	})
}

// BenchmarkOpeningSettings is the largest card from nothing to laid out.
func BenchmarkOpeningSettings(b *testing.B) {
	withCardsB(b, func(n *cardNode) {
		for b.Loop() {
			n.w.showSettings()
			n.w.closeModal()
		}
	})
}

// BenchmarkAKeyInTheFinder shows 50 messages and 16 people anew.
func BenchmarkAKeyInTheFinder(b *testing.B) {
	withCardsB(b, func(n *cardNode) {
		n.w.contacts = manyPeople()
		var hits []control.Hit
		for range foundMessages {
			hits = append(hits, control.Hit{Message: control.Message{ID: "m", Who: "ana", Author: "ana", Time: n.w.now()}, Snippet: "the boat leaves at nine, bring the warm jackets and a lamp", Marks: [][2]int{{4, 8}}})
		}
		f := newFinder(n.w, "", "")
		for b.Loop() {
			f.show(n.w.contacts, hits)
		}
	})
}

func TestAClickBesideACardClosesItAndOneOnItDoesNot(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.contacts = manyPeople()
		c := n.w.win.Canvas()
		for name, open := range map[string]func(){
			"help":   n.w.showHelp,
			"finder": n.w.showSwitcher,
			"emoji":  func() { n.w.showEmoji(fyne.NewPos(800, 600), func(string) {}) },
		} {
			open()
			n.size(1200, 780)
			on := fyne.NewPos(600, 60)
			switch name {
			case "finder":
				on = fyne.NewPos(600, 220)
			case "emoji":
				on = fyne.NewPos(600, 264)
			}
			test.TapCanvas(c, on)
			if n.top() == nil {
				t.Errorf("%s: a click between two things on it closed it", name)
				continue
			}
			test.TapCanvas(c, fyne.NewPos(20, 770))
			if n.top() != nil {
				t.Errorf("%s: a click beside it did not close it", name)
				n.w.closeModals()
			}
		}
	})
}

func TestTheKeyboardIsNeverOutOfSight(t *testing.T) {
	n := newTalkNode()
	n.befriend("ana", "Ana")
	withWindow(t, n, func(t *testing.T) {
		c := n.w.win.Canvas()
		walk := func(where string, least int) {
			t.Helper()
			seen := make(map[fyne.Focusable]bool)
			for _, step := range []func(){c.FocusNext, c.FocusPrevious} {
				for range 60 {
					step()
					o := c.Focused().(fyne.CanvasObject)
					seen[c.Focused()] = true
					at, size := fyne.CurrentApp().Driver().AbsolutePositionForObject(o), o.Size()
					if at.Y < 0 || at.Y+size.Height > c.Size().Height {
						t.Fatalf("%s: the keyboard is at %v, %v high, in a window of %v", where, at.Y, size.Height, c.Size().Height)
					}
				}
			}
			if len(seen) < least {
				t.Errorf("%s: the keyboard came to %d places only", where, len(seen))
			}
		}
		n.size(1200, 500)
		n.w.openConversation("ana", "")
		n.w.toggleInfo()
		n.settle()
		walk("the panel", 12)
		n.w.showSettings()
		n.settle()
		walk("the settings", 20)
	})
}
