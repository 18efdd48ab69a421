package app

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

func TestWhatAilsTheSoundIsToldOnceInACallThatIsFollowed(t *testing.T) {
	for lang, want := range map[string]string{"en": "Now using the loudspeaker Jabra", "fr": "Haut-parleur utilisé maintenant : Jabra"} {
		a := asides{words: spokenWords(lang)}
		x := control.Call{State: control.CallActive, Notices: []control.CallNotice{
			{Time: time.Unix(1, 0), What: "invented later"},
			{Time: time.Unix(2, 0), What: "muted-speech"},
			{Time: time.Unix(3, 0), What: "speaker-changed", Device: "Jabra"},
		}}
		got := a.news(x)
		if len(got) != 1 || inWords(a.words, got[0].key, got[0].arg) != want {
			t.Fatalf("in %s it is told %q, not %q", lang, got, want)
		}
		x.Notices = append(x.Notices, control.CallNotice{Time: time.Unix(4, 0), What: "microphone-lost"})
		if got = a.news(x); len(got) != 1 || got[0].key != "notice.microphone-lost" {
			t.Errorf("then it is told %v", got)
		}
		if got = a.news(x); got != nil {
			t.Errorf("it is told again: %v", got)
		}
	}
}

func TestTheHistoryTellsHowACallEnded(t *testing.T) {
	for want, row := range map[string]control.CallRow{
		"(call of 1m5s)":          {Reason: control.EndCompleted, Seconds: 65},
		"(call of 3s, broke off)": {Reason: control.EndLost, Seconds: 3},
		"(call: missed)":          {Reason: control.EndMissed},
	} {
		if got := callRowText(control.Message{Call: &row}); got != want {
			t.Errorf("it says %q, not %q", got, want)
		}
	}
}
