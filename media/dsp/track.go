package dsp

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

const (
	lead       = 8 * media.Rate / 1000  // the loudspeaker is shown to the canceller so long before its echo
	leadLeast  = 1 * media.Rate / 1000  // less and the echo may come first
	leadMost   = 40 * media.Rate / 1000 // more and the canceller's 128 ms end before the room does
	sure       = 0.12                   // trust from which one look is believed
	apart      = 24.0                   // samples of 48 kHz between looks that mean the same place
	maxSkew    = 500e-6                 // no crystal is worse
	pastTicks  = 128
	aloneTicks = 1500 // 15 s of sound without an echo: headphones that nobody told of
	doubtTicks = 400  // 4 s: probably headphones
)

// tracker keeps the loudspeaker's tape aligned with the microphone: it holds
// the delay and the skew of the two clocks, and follows both.
type tracker struct {
	start  float64 // delay to believe until it is measured, samples
	near   int64   // samples of the microphone so far
	anchor float64 // near minus tape place when the tape began
	begun  bool
	offset float64 // near place minus tape place that is read
	step   float64 // tape samples a near sample
	found  bool
	hold   float64 // lag to keep
	place  float64 // estimated offset+lag at near place when
	when   int64
	skew   float64            // estimated change of place a sample
	cov    [3]float64         // of place and skew: pp, ps, ss
	past   [pastTicks]float64 // offset at the last ticks, for looks that are late
	alone  int                // ticks of sound without an echo found
	misses int
	missAt float64
	reach  reach
	back   int // samples by which the microphone has to wait for the loudspeaker's lead
}

func (t *tracker) reset(delay, skewPPM float64) {
	skew := min(max(skewPPM*1e-6, -maxSkew), maxSkew)
	*t = tracker{start: delay, step: 1 - skew, skew: skew, hold: lead}
	if skew == 0 {
		t.cov = [3]float64{0, 0, 1e-8}
		return
	}
	t.cov = [3]float64{0, 0, 4e-10}
}

// align fills heard with the loudspeaker that belongs to the next near tick,
// and says by how many samples the alignment jumped since the last.
func (t *tracker) align(l *line, heard []float32) (jump int) {
	if !t.begun {
		if l.written == 0 {
			clear(heard)
			t.near += int64(len(heard))
			return 0
		}
		t.begun = true
		t.anchor = float64(t.near - l.written)
		t.offset = math.Round(max(t.anchor+t.start-lead, t.anchor+media.Tick))
	}
	l.read(heard, float64(t.near)-t.offset, t.step)
	if t.reach.add(float64(t.near+int64(len(heard))+taps/2-l.written)) && t.offset < t.reach.floor {
		jump = int(math.Ceil((t.reach.floor-t.offset)/thin)) * thin
		t.move(jump)
		t.hold -= float64(jump)
	}
	t.near += int64(len(heard))
	t.offset += float64(len(heard)) * (1 - t.step)
	t.past[t.near/media.Tick%pastTicks] = t.offset
	return jump
}

// read is how far the tape is read: place by place with the microphone.
func (t *tracker) read() float64 { return float64(t.near) - t.offset }

// move reads the tape n samples earlier.
func (t *tracker) move(n int) {
	t.offset += float64(n)
	for i := range t.past {
		t.past[i] += float64(n)
	}
}

// reach is the least offset at which the tape has what is read. It is not
// what it was at the start, when the two devices begin as they please.
type reach struct {
	floor     float64
	low, high float64 // in this while
	ticks     int
}

const reachTicks = 32

// add takes the least offset of one tick, and says whether the floor is known anew.
// Which of the two devices is served first may change from tick to tick; a
// loudspeaker that was held up for longer than that catches up.
func (r *reach) add(least float64) bool {
	if r.ticks == 0 {
		r.low, r.high = least, least
	}
	r.low, r.high = min(r.low, least), max(r.high, least)
	if r.ticks++; r.ticks < reachTicks {
		return false
	}
	r.floor, r.ticks = min(r.high, r.low+media.Tick), 0
	return true
}

// lead is how far the aligned loudspeaker runs before its echo, in samples.
func (t *tracker) lead() float64 { return min(max(t.hold, 0), leadMost) }

func (t *tracker) delay() float64 {
	if !t.found {
		return t.start
	}
	return max(t.foresee(t.near)-t.anchor-float64(t.back), 0)
}

func (t *tracker) skewPPM() float64 { return t.skew * 1e6 }

// measured takes one look and says by how many samples the alignment jumped.
// written is the length of the tape: no echo comes before its sound.
func (t *tracker) measured(m lag, written int64) int {
	then := t.near - int64(m.age)*media.Tick
	place := t.past[max(then, 0)/media.Tick%pastTicks] + m.samples
	if m.trust < sure || !t.begun || place < float64(t.near-written) {
		return 0
	}
	if t.found && math.Abs(place-t.foresee(then)) < apart {
		t.misses = 0
		t.update(place, then)
		return 0
	}
	if t.misses == 0 || math.Abs(place-t.missAt) > apart {
		t.misses, t.missAt = 0, place
	}
	t.misses++
	if t.misses < t.needed(place) {
		return 0
	}
	return t.settle(place, then)
}

// hop is how much sound may pass until the next look.
func (t *tracker) hop() int {
	switch {
	case t.misses > 0 || t.doubted():
		return searchHop
	case t.found && !t.skewed():
		return followHop
	case !t.found && t.alone < aloneTicks:
		return loneHop
	}
	return restHop
}

// doubted says whether an echo may come that was not found so far.
func (t *tracker) doubted() bool { return !t.found && t.alone < doubtTicks }

// skewed says whether the skew is known to 10 ppm.
func (t *tracker) skewed() bool { return t.cov[2] <= 1e-10 }

// needed says how many looks must agree on a place. Looks overlap, and vowels
// are alike: far from where it should be, more of them are asked.
func (t *tracker) needed(place float64) int {
	ahead := place - t.offset
	if !t.found && ahead >= leadLeast && ahead <= leadMost {
		return 2
	}
	return 4
}

// settle takes a new place for true, and jumps only where the canceller could
// not reach from where it is. Where the echo comes so soon that the tape does
// not reach far enough ahead of it, the microphone is held back.
func (t *tracker) settle(place float64, then int64) (jump int) {
	t.place, t.when = place, then
	t.cov[0], t.cov[1] = 16, 0
	t.found, t.misses = true, 0
	t.hold = t.foresee(t.near) - t.offset
	if t.hold >= leadLeast && t.hold <= leadMost {
		return 0
	}
	jump = int(math.Round((t.hold-lead)/thin)) * thin
	most := int(math.Ceil((t.reach.floor-t.offset)/thin)) * thin
	late := min(max(most-jump, 0), lead)
	t.back += late
	t.place += float64(late)
	t.hold -= float64(jump)
	t.move(jump + late)
	return jump
}

// foresee says where the place is, or was, at a moment.
func (t *tracker) foresee(at int64) float64 { return t.place + t.skew*float64(at-t.when) }

// update is one step of a Kalman filter over place and skew, then sets the tape's speed.
func (t *tracker) update(place float64, then int64) {
	dt := float64(then - t.when)
	seen := place - t.foresee(then)
	pp := t.cov[0] + 2*dt*t.cov[1] + dt*dt*t.cov[2] + dt*2e-8
	ps := t.cov[1] + dt*t.cov[2]
	ss := t.cov[2] + dt*1e-18
	const noise = 8.0 // samples², looks overlap
	kp, ks := pp/(pp+noise), ps/(pp+noise)
	t.place += t.skew*dt + kp*seen
	t.when = then
	t.skew = min(max(t.skew+ks*seen, -maxSkew), maxSkew)
	t.cov = [3]float64{(1 - kp) * pp, (1 - kp) * ps, ss - ks*ps}
	t.steer()
}

// steer runs the tape at the measured skew, and a little faster or slower to bring
// the lag back to where it is held.
func (t *tracker) steer() {
	if !t.skewed() {
		return
	}
	off := t.foresee(t.near) - t.offset - t.hold
	pull := min(max(off/(10*media.Rate), -5e-6), 5e-6)
	if math.Abs(t.skew) < 2e-6 && math.Abs(off) < 2 {
		t.step, t.offset = 1, math.Round(t.offset)
		return
	}
	t.step = 1 - t.skew - pull
}
