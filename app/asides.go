package app

import (
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// asides are what whoever follows a call in words is told besides how it goes:
// that the other end records, that they hold the call, what ails the sound.
type asides struct {
	words          map[string]string
	recorded, kept bool      // told last: that they record, that they hold
	noticed        time.Time // of the last notice told
}

// aside is a sentence by its key, and whom or what it is about.
type aside struct{ key, arg string }

// news is what was not told yet.
func (a *asides) news(x control.Call) (out []aside) {
	if x.State == control.CallEnded {
		return nil
	}
	say := func(told *bool, is bool, on, off string) {
		if *told == is {
			return
		}
		*told = is
		key := off
		if is {
			key = on
		}
		out = append(out, aside{key, x.Name})
	}
	say(&a.recorded, x.RecordingThere, "record.there", "record.there.over")
	say(&a.kept, x.HeldThere, "state.heldthere", "state.resumedthere")
	for _, n := range x.Notices {
		if !n.Time.After(a.noticed) {
			continue
		}
		a.noticed = n.Time
		key := "notice." + n.What
		if _, known := a.words[key]; known && (strings.HasPrefix(n.What, "microphone-") || strings.HasPrefix(n.What, "speaker-") || n.What == "recording-ended") {
			out = append(out, aside{key, n.Device})
		}
	}
	return out
}
