package dsp

import "github.com/entrenous/entrenous/media"

// rest lets the canceller stand still while the loudspeaker is silent, half of
// a conversation: both of its sides stop, so that it knows the room as before.
// It begins again when something is handed to the loudspeaker, which is heard
// tens of milliseconds later, and comes in without a click. Silent is what nobody
// hears: where the room has a noise of its own, so is a friend's room that is quieter.
//
// It also stands still while the microphone gives nothing: it is switched off, and
// the canceller would learn that the room has no echo, as the suppressor that it has
// no noise. And while it hears nothing of a loudspeaker that is not silent: there
// are headphones that nobody told of.
//
// Before it rests it listens to the room alone for a while: what it knows of the
// room's noise decides how much of an echo may stay, and what is put in its place.
// A canceller that first hears the room together with an echo takes seconds to tell.
type rest struct {
	loud  int64 // where on the tape the last sound ends
	due   bool  // there may be an echo of it
	ran   int   // ticks that the canceller has run
	quiet int   // ticks of a quiet microphone, since it first should have heard the loudspeaker
	off   int   // ticks of a microphone that gives nothing
	alone int   // ticks of the room alone that the canceller has heard
	noise floor // of the room
}

const (
	// Speech is near -25 dBFS and heard at some 65 dB: an echo of what peaks at
	// restPeak is heard at less than 30, a quiet room's noise, even where the
	// microphone hears the loudspeaker as loud as it was sent.
	restPeak = 0.001
	// What peaks at less than the room's noise by this factor is lost in it, where
	// the noise is not so loud that it may be the echo itself.
	restMasked = 0.7
	restMost   = 0.004
	// The longest reverberation of a room to talk in, after which a shout is below restPeak.
	restTail = 500 * media.Rate / 1000
	// How much later than believed the echo may come while that is doubted.
	restDoubt = searchWindow / 2 * thin
	// What the canceller gives in its first tick is from before.
	restWarm = 1
	// What peaks at restPlain is heard wherever there is an echo to cancel.
	restPlain = 0.03
	// After how many ticks it is certain that it is not: an echo comes half a second
	// later than believed at most.
	restDeaf = 100
	// Less than restNothing is below the least step of 16 bits.
	restNothing = 1e-5
	// In so many ticks of noise the canceller's idea of it comes to rest.
	restListen = 200
	// A few ticks without anything may be a hole.
	restOff = 5
)

// far notes what went to the loudspeaker.
func (r *rest) far(peak float32, written int64) {
	if peak > max(restPeak, min(r.noise.peak()*restMasked, restMost)) {
		r.loud = written
	}
}

// near notes what the microphone hears, and what is played.
func (r *rest) near(heard, played []float32) {
	loudest := media.Top(heard)
	r.noise.add(loudest)
	if r.off++; loudest > restNothing {
		r.off = 0
	}
	switch {
	case loudest > restPeak:
		r.quiet = 0
	case r.quiet > 0 || media.Top(played) > restPlain:
		r.quiet++
	}
}

// silent says whether the microphone gives nothing.
func (r *rest) silent() bool { return r.off > restOff }

// deaf says whether nothing of the loudspeaker is heard.
func (r *rest) deaf() bool { return r.quiet > restDeaf || r.silent() }

// step says for the tick whose echo is that of place on the tape whether the
// canceller is to run, and how much of its work is to be used at its end.
func (r *rest) step(place float64, doubted bool) (run bool, weight float32) {
	tail := float64(restTail)
	if doubted {
		tail += restDoubt
	}
	r.due = r.loud > 0 && place <= float64(r.loud)+tail
	listens := !r.due && r.alone < restListen
	switch {
	case r.silent(): // as it was before: it need not warm up afterwards
		return false, 0
	case !r.due && !listens || r.deaf():
		run = r.ran > restWarm
		r.ran = 0
		return run, 0
	case listens:
		r.alone++
		r.ran = 0
		return true, 0
	case r.ran < restWarm:
		r.ran++
		return true, 0
	}
	r.ran = restWarm + 1
	return true, 1
}

// floor is what the quietest of the last ticks peak at.
type floor struct {
	before, now float32 // in the last whole while, and in this one so far
	ticks       int
}

const floorTicks = 128 // of a while: in a second people take breath

func (f *floor) add(peak float32) {
	if f.ticks == 0 {
		f.before, f.now = f.now, peak
	}
	f.now = min(f.now, peak)
	f.ticks = (f.ticks + 1) % floorTicks
}

func (f *floor) peak() float32 { return min(f.before, f.now) }
