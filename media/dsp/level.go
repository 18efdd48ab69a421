package dsp

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

// Activity hears whether someone speaks, by energy above a floor that follows
// the noise. The zero value is ready; it is not safe for concurrent use and
// adds no delay.
type Activity struct {
	floor float64 // dBFS
	begun bool
	hold  int // ticks of speech left
}

// Speech takes one tick and says whether it belongs to speech; pauses of up to
// 200 ms do.
func (a *Activity) Speech(tick []float32) bool {
	const above, quietest, hang = 9.0, -58.0, 20
	level := media.Level(tick)
	if !a.begun {
		a.floor, a.begun = max(min(level, -50), -90), true
	}
	rise := 0.02
	if level < a.floor {
		rise = (level - a.floor) * 0.1
	}
	a.floor = max(a.floor+rise, -90)
	if level > a.floor+above && level > quietest {
		a.hold = hang
	}
	a.hold--
	return a.hold >= 0
}

// Volume is how loud one person is heard here. The zero value leaves them as
// they are; it is not safe for concurrent use and adds no delay.
type Volume struct {
	db    float64
	muted bool
	gain  float32
	begun bool
}

// Set changes the loudness by db, from -40 to +20; it takes effect within one tick, without a click.
func (v *Volume) Set(db float64) { v.db = min(max(db, -40), 20) }

// Mute silences the person until it is called with false.
func (v *Volume) Mute(on bool) { v.muted = on }

// Apply changes one tick in place.
func (v *Volume) Apply(tick []float32) {
	want := float32(0)
	if !v.muted {
		want = float32(media.Amplitude(v.db))
	}
	if !v.begun {
		v.gain, v.begun = want, true
	}
	if v.gain == 1 && want == 1 {
		return
	}
	ramp(tick, v.gain, want)
	v.gain = want
}

func ramp(tick []float32, from, to float32) {
	step := (to - from) / float32(len(tick))
	for i := range tick {
		from += step
		tick[i] *= from
	}
}

// Limiter keeps a mix inside [-1, 1]: what is below -6 dBFS passes untouched,
// peaks above are bent softly, and many loud voices are turned down together.
// The zero value is ready; it is not safe for concurrent use and adds no delay.
type Limiter struct {
	cut float32 // 0 is none, 1 is silence
}

// Apply limits one tick in place.
func (l *Limiter) Apply(tick []float32) {
	const most = 1.4 // peaks the bend takes by itself
	peak := top(tick)
	want := float32(0)
	if peak > most {
		want = 1 - most/peak
	}
	from := 1 - l.cut
	if want < l.cut {
		want = l.cut + (want-l.cut)*0.05*float32(len(tick))/media.Tick // let go over some 200 ms
	}
	l.cut = want
	if from != 1 || l.cut != 0 {
		ramp(tick, from, 1-l.cut)
	}
	if peak <= knee {
		return
	}
	for i, v := range tick {
		tick[i] = bend(v)
	}
}

// top is the largest magnitude in x, whose samples that are no numbers it silences.
func top(x []float32) float32 {
	most := media.Top(x)
	if most == most {
		return most
	}
	for i, v := range x {
		if v != v {
			x[i] = 0
		}
	}
	return media.Top(x)
}

// knee is the amplitude from which peaks are bent.
const knee = 0.5

// bend is the identity up to one half and comes near to 1 above.
func bend(v float32) float32 {
	a := max(v, -v)
	if a <= knee {
		return v
	}
	over := float64(a-knee) / (1 - knee)
	return float32(math.Copysign(knee+(1-knee)*math.Tanh(over), float64(v)))
}

// fade moves from one loudness to another without a click.
type fade struct {
	gain float32
	open bool
}

// to brings a tick to a gain: down within 1 ms, up over some 30 ms.
func (f *fade) to(tick []float32, want float32) {
	if !f.open {
		f.gain, f.open = 1, true
	}
	if f.gain == 1 && want == 1 {
		return
	}
	if want < f.gain {
		ramp(tick[:48], f.gain, want)
		ramp(tick[48:], want, want)
	} else {
		want = min(want, f.gain+0.34)
		ramp(tick, f.gain, want)
	}
	f.gain = want
}

// duck presses keystrokes down.
type duck struct {
	fade
	left int // ticks
}

const (
	duckTicks = 15 // 150 ms
	duckGain  = 0.03
)

func (d *duck) press() { d.left = duckTicks }

func (d *duck) apply(tick []float32) {
	if d.left == 0 {
		d.to(tick, 1)
		return
	}
	d.left--
	d.to(tick, duckGain)
}
