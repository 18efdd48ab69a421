package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/entrenous/entrenous/app/control"
)

// notes gives the words of all strips that are no bubbles, from top to bottom.
func (n *talkNode) notes() []string {
	var all []string
	for _, s := range n.w.shell.chat.timeline.reel.strips {
		if note, ok := s.(*note); ok && note.words != "" {
			all = append(all, note.words)
		}
	}
	return all
}

func TestWhatIsNoMessageIsAPill(t *testing.T) {
	call := func(out bool, reason string) func(*control.Message) {
		return func(m *control.Message) {
			m.Kind, m.Call = control.KindCall, &control.CallRow{Outgoing: out, Reason: reason, Seconds: 761}
		}
	}
	device := func(d control.DeviceRow) func(*control.Message) {
		return func(m *control.Message) { m.Kind, m.Device = control.KindDevice, &d }
	}
	for _, c := range []struct {
		make   func(*control.Message)
		en, fr string
	}{
		{call(true, "ended"), "Outgoing call · 12:41 · 14:32", "Appel émis · 12:41 · 14:32"},
		{call(false, "ended"), "Incoming call · 12:41 · 14:32", "Appel reçu · 12:41 · 14:32"},
		{call(true, "lost"), "Call broke off · 12:41 · 14:32", "Appel interrompu · 12:41 · 14:32"},
		{call(false, "missed"), "Missed call · 14:32", "Appel manqué · 14:32"},
		{call(true, "missed"), "No answer · 14:32", "Pas de réponse · 14:32"},
		{call(false, "declined"), "Call declined · 14:32", "Appel refusé · 14:32"},
		{call(true, "busy"), "They were in another call · 14:32", "Déjà en communication · 14:32"},
		{call(true, "failed"), "Call failed · 14:32", "L’appel a échoué · 14:32"},
		{call(true, "invented later"), "Call · 14:32", "Appel · 14:32"},
		{func(m *control.Message) { m.Kind = control.KindCall }, "Call · 14:32", "Appel · 14:32"},
		{func(m *control.Message) { m.Kind = control.KindDevice }, "Ana changed devices", "Ana a changé d’appareils"},
		{device(control.DeviceRow{Name: "Laptop", Act: control.DeviceAdded}), "Ana added the device Laptop", "Ana a ajouté l’appareil Laptop"},
		{device(control.DeviceRow{Name: "Laptop", Act: control.DeviceRevoked}), "Ana removed the device Laptop", "Ana a retiré l’appareil Laptop"},
		{device(control.DeviceRow{Mine: true, Name: "Phone", Act: control.DeviceAdded}), "You added the device Phone", "Vous avez ajouté l’appareil Phone"},
		{device(control.DeviceRow{Mine: true, Name: "Phone", Act: control.DeviceRevoked}), "You removed the device Phone", "Vous avez retiré l’appareil Phone"},
		{device(control.DeviceRow{Mine: true, Act: control.DeviceAdded}), "You changed devices", "Vous avez changé d’appareils"},
		{device(control.DeviceRow{Name: "Laptop", Act: "invented later"}), "Ana changed devices", "Ana a changé d’appareils"},
		{func(m *control.Message) { m.Kind = control.KindUnknown }, "Sent by a newer version. Update to read it", "Envoyé par une version plus récente. Mettez à jour pour le lire"},
		{func(m *control.Message) { m.Kind = "invented later" }, "Sent by a newer version. Update to read it", "Envoyé par une version plus récente. Mettez à jour pour le lire"},
	} {
		n := newTalkNode()
		n.befriend(anaID, "Ana")
		c.make(n.say(anaID, anaID, "", time.Minute))
		withWindow(t, n, func(t *testing.T) {
			for lang, want := range map[string]string{"en": c.en, "fr": c.fr} {
				set := n.settings
				set.Language = lang
				n.w.wear(set)
				n.settle()
				if got := n.notes(); got[len(got)-1] != want {
					t.Errorf("in %s the pill says %q, not %q", lang, got, want)
				}
				got := wordsOn(n.w.shell.roster)
				if got == "" {
					t.Error("the roster is empty")
				}
				if n.last().Kind == control.KindDevice && !strings.Contains(got, want) {
					t.Errorf("in %s the roster does not say %q but:\n%s", lang, want, got)
				}
			}
		})
	}
}

func TestDaysHaveTheirLines(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	for _, ago := range []time.Duration{400 * 24 * time.Hour, 30 * 24 * time.Hour, 3 * 24 * time.Hour, 25 * time.Hour, 24 * time.Hour, 2 * time.Hour, time.Hour} {
		n.say(anaID, anaID, "words", ago)
	}
	withWindow(t, n, func(t *testing.T) {
		want := "Here begins your conversation with Ana. Only the two of you can read it.|18 October 2025|23 October|Thursday|Yesterday|Today"
		if got := strings.Join(n.notes(), "|"); got != want {
			t.Errorf("the lines are %q, not %q", got, want)
		}
	})
}

func TestAnsweringTakesTheLineOfTheUnseenAway(t *testing.T) {
	n := history(20)
	n.contacts[0].Unread = 2
	n.unread[anaID] = n.rows[anaID][18].ID
	withWindow(t, n, func(t *testing.T) {
		n.w.openConversation(anaID, "")
		n.settle()
		reel := n.w.shell.chat.timeline.reel
		if reel.index(unreadKey) < 0 {
			t.Fatal("there is no line")
		}
		n.types("I see")
		n.key(fyne.KeyReturn)
		if reel.index(unreadKey) >= 0 {
			t.Error("the line stays")
		}
	})
}

func TestAPageThatFailsIsAskedForAgain(t *testing.T) {
	n := history(500)
	withWindow(t, n, func(t *testing.T) {
		verb := "GET /contacts/" + anaID + "/messages"
		tl := n.w.shell.chat.timeline
		n.mu.Lock()
		n.refusal[verb] = control.Failure{Message: "busy", Code: control.CodeInternal}
		n.mu.Unlock()
		tl.reel.scrollTo(0)
		n.settle()
		held := len(tl.rows)
		n.mu.Lock()
		delete(n.refusal, verb)
		n.mu.Unlock()
		tl.reel.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -30)})
		n.settle()
		if len(tl.rows) != held+moreRows {
			t.Errorf("after a failure, %d rows became %d", held, len(tl.rows))
		}
	})
}

func TestRowsBetweenKnownOnesFindTheirPlace(t *testing.T) {
	n := history(30)
	withWindow(t, n, func(t *testing.T) {
		n.mu.Lock()
		late := control.Message{ID: "late", Who: anaID, Author: anaID, Kind: control.KindText, Text: "came late", Time: n.rows[anaID][27].Time, State: control.Received}
		n.rows[anaID] = append(n.rows[anaID][:28:28], append([]control.Message{late}, n.rows[anaID][28:]...)...)
		n.tell(control.Change{Type: control.ChangeMessage, Who: anaID, ID: "late"})
		n.mu.Unlock()
		n.settle()
		seen := n.seen()
		got := strings.Join(seen[len(seen)-4:], "|")
		if got != "message 27|came late|message 28|message 29" {
			t.Errorf("the end reads %q", got)
		}
	})
}

// TestTheMeasuresAreAsDrawn holds the parts against the drawings, in points.
func TestTheMeasuresAreAsDrawn(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		s := n.w.shell
		at := func(o fyne.CanvasObject) fyne.Position {
			return fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		}
		row := s.roster.reel.drawn[anaID].(*rosterRow)
		mine := n.drawn(t, "Jackets are packed. Call you about the route?")
		for name, c := range map[string]struct{ got, want float32 }{
			"the roster's width":         {s.roster.Size().Width, 304},
			"a row's height":             {row.Size().Height, 64},
			"an avatar's width":          {row.face.Size().Width, 40},
			"an avatar's left edge":      {at(row.face).X, 24},
			"a name's left edge":         {at(row.name).X, 76},
			"the header's height":        {s.chat.header.Size().Height + 1, 64},
			"the conversation's left":    {at(s.chat).X, 304},
			"a bubble's height":          {mine.b.fit.size.Height, 40},
			"a bubble's distance":        {s.chat.Size().Width - mine.corner().X - mine.b.fit.size.Width, 24},
			"a bubble's radius":          {mine.box.Uniforms["corner"], 14},
			"the search field's height":  {s.roster.search.Size().Height, 36},
			"the send button's height":   {s.chat.composer.send.Size().Height, 36},
			"the foot's height":          {s.roster.foot.Size().Height, 44},
			"the distance to the border": {1200 - at(s.chat.composer.send).X - s.chat.composer.send.Size().Width, 16},
		} {
			if c.got != c.want {
				t.Errorf("%s is %v, drawn %v", name, c.got, c.want)
			}
		}
	})
}

func TestEveryShortcutLeadsSomewhere(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		for _, key := range []fyne.KeyName{fyne.KeyK, fyne.KeyN, fyne.KeyComma, fyne.KeyF} {
			s := &desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}
			if !n.w.shortcut(s) {
				t.Errorf("%s is no shortcut", key)
			}
			n.settle()
			if len(n.w.modals) != 1 {
				t.Errorf("%s opens %d cards", key, len(n.w.modals))
				continue
			}
			n.w.shortcut(s)
			n.settle()
			if len(n.w.modals) != 1 {
				t.Errorf("%s opens a card over a card", key)
			}
			n.w.closeModals()
		}
		for _, s := range []fyne.Shortcut{
			&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierAlt},
			&desktop.CustomShortcut{KeyName: fyne.KeyZ, Modifier: fyne.KeyModifierShortcutDefault},
			&fyne.ShortcutCopy{},
		} {
			if n.w.shortcut(s) {
				t.Errorf("%v is taken from the entry", s)
			}
		}
	})
}

func TestTheRosterIsWalkedWithEveryKey(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		r := n.w.shell.roster
		n.w.win.Canvas().Focus(r)
		first, last := r.people[0].ID, r.people[len(r.people)-1].ID
		for _, c := range []struct {
			key  fyne.KeyName
			want string
		}{
			{fyne.KeyHome, first},
			{fyne.KeyUp, first},
			{fyne.KeyEnd, last},
			{fyne.KeyDown, last},
			{fyne.KeyPageUp, first},
			{fyne.KeyPageDown, last},
		} {
			r.TypedKey(&fyne.KeyEvent{Name: c.key})
			if r.aimed != c.want {
				t.Errorf("%s leads to %q", c.key, r.aimed)
			}
			if row := r.reel.drawn[r.aimed].(*rosterRow); row.ring.StrokeWidth == 0 {
				t.Errorf("after %s nothing shows where the keyboard is", c.key)
			}
		}
		r.TypedRune('h')
		if got := n.w.shell.chat.composer.entry.Text; got != "h" {
			t.Errorf("who types over the roster wrote %q", got)
		}
	})
}
