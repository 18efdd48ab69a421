package dsp

import "github.com/entrenous/entrenous/media"

// rest lets the canceller stand still while the loudspeaker is silent, half of
// a conversation: both of its sides stop, so that it knows the room as before.
// It begins again when something is handed to the loudspeaker, which is heard
// tens of milliseconds later, and comes in without a click.
type rest struct {
	loud int64 // where on the tape the last sound ends
	ran  int   // ticks that the canceller has run
}

const (
	// Speech is near -25 dBFS and heard at some 65 dB: an echo of what peaks at
	// restPeak is heard at less than 30, a quiet room's noise, even where the
	// microphone hears the loudspeaker as loud as it was sent.
	restPeak = 0.001
	// The longest reverberation of a room to talk in, after which a shout is below restPeak.
	restTail = 500 * media.Rate / 1000
	// How much later than believed the echo may come while nobody knows.
	restDoubt = searchWindow / 2 * thin
	// What the canceller gives in its first tick is from before.
	restWarm = 1
)

// far notes what went to the loudspeaker.
func (r *rest) far(peak float32, written int64) {
	if peak > restPeak {
		r.loud = written
	}
}

// step says for the tick whose echo is that of place on the tape whether the
// canceller is to run, and how much of its work is to be used at its end.
func (r *rest) step(place float64, found bool) (run bool, weight float32) {
	tail := float64(restTail)
	if !found {
		tail += restDoubt
	}
	if r.loud == 0 || place > float64(r.loud)+tail {
		run = r.ran > restWarm
		r.ran = 0
		return run, 0
	}
	if r.ran < restWarm {
		r.ran++
		return true, 0
	}
	r.ran = restWarm + 1
	return true, 1
}
