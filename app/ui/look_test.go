package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// harbour is a node with the people and the words of everyday.
func harbour() *talkNode {
	n := newTalkNode()
	day := 24 * time.Hour
	n.befriend("ana-id-1", "Ana")
	crew := n.befriend("crew-id-7", "Harbour crew")
	crew.Unread, crew.Path = 3, "lan"
	bo := n.befriend("bo-id-3", "Bo")
	bo.Presence, bo.LastSeen = control.Away, talkNow().Add(-2*time.Hour)
	n.befriend("mohammed-id", "محمد الأمين").Path = "lan"
	dad := n.befriend("dad-id-2", "Dad")
	dad.Presence, dad.Unread, dad.LastSeen = control.Away, 1, talkNow().Add(-6*day)
	long := n.befriend("long-id-9", "Maximiliana Konstantinopolskaya-Featherstonehaugh")
	long.Typing = true
	ask := n.befriend("ask-id-5", "Ines")
	ask.State, ask.Note = control.Request, "Hello, we met at the harbour on Sunday."

	n.say("ana-id-1", "ana-id-1", "Found the chart you asked about, sending it over", 20*time.Hour+31*time.Minute)
	m := n.say("ana-id-1", "yelena", "Perfect, thank you! I will print it tonight", 20*time.Hour+29*time.Minute)
	m.Reactions = []control.Reactions{{Emoji: "👍", By: []string{"ana-id-1"}}}
	quote := *m
	r := n.say("ana-id-1", "ana-id-1", "Use the big paper, the depths are tiny on A4", 5*time.Minute)
	r.Kind, r.ReplyTo, r.Quote = control.KindReply, quote.ID, &control.Quote{Author: "yelena", Mine: true, Text: quote.Text}
	n.say("ana-id-1", "ana-id-1", "And the boat leaves at nine, bring the warm jackets. The forecast is at https://weather.example.org/harbour?day=sunday&lang=en and it looks cold", time.Minute)
	n.say("ana-id-1", "yelena", "Jackets are packed. Call you about the route?", 0).State = control.Delivered
	n.contacts[0].Typing = true

	n.say("crew-id-7", "crew-id-7", "Bo: tides look good for Sunday, see everybody at the pier", 13*time.Minute)
	n.say("bo-id-3", "yelena", "see you there", 88*time.Minute).State = control.Written
	n.say("mohammed-id", "mohammed-id", "شكرا جزيلا 🙏", 5*day)
	c := n.say("dad-id-2", "dad-id-2", "", 6*day)
	c.Kind, c.Call = control.KindCall, &control.CallRow{Reason: "missed"}
	return n
}

// TestTheWindowLooksAsDrawn takes the pictures that people compare with the
// drawings, and checks that everything is there to be read.
func TestTheWindowLooksAsDrawn(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.shot(t, "main-light")
		for _, want := range []string{"Ana", "Harbour crew", "Reachable directly", "Laptop · online"} {
			if got := wordsOn(n.w.shell.roster); !strings.Contains(got, want) {
				t.Errorf("%q is not to be read in the roster:\n%s", want, got)
			}
		}
		n.w.toggleInfo()
		n.shot(t, "main-info")
		n.w.toggleInfo()
		set := n.settings
		set.Appearance = "dark"
		n.w.wear(set)
		n.shot(t, "main-dark")
		set.Appearance = "contrast"
		n.w.wear(set)
		n.shot(t, "main-contrast")
		set.Appearance, set.Language = "light", "fr"
		n.w.wear(set)
		n.shot(t, "main-french")
		set.Language, set.TextSize = "en", 1.6
		n.w.wear(set)
		n.shot(t, "main-large")
		set.TextSize = 1
		n.w.wear(set)
		n.size(480, 780)
		n.shot(t, "narrow-talk")
		n.w.shell.back()
		n.shot(t, "narrow-roster")
	})
}
