package dsp

import "github.com/entrenous/entrenous/media"

// guard presses the microphone down while the loudspeaker plays and the
// canceller cannot work yet: nobody's first words come back to them. Where
// nothing is ever found there is no echo, so it gives up.
type guard struct {
	fade
	playing int // ticks that the loudspeaker may still echo
	patient int // ticks that it will still guard
	missed  int // ticks in which an echo comes that the canceller does not expect
	recent  [onsetTicks]float64
	at      int
}

const (
	guardGain  = 0.08
	guardTicks = 120 // 1.2 s of playing until it gives up
	guardAfter = 20  // after the delay was found
	guardJump  = 60  // after the alignment jumped: the canceller learns anew
	echoTicks  = 40  // an echo may be so late
	audible    = -50 // dBFS
	onsetTicks = 5   // a sound begins when it is louder than anything in so many ticks
	onsetRise  = 3   // by so many dB
	strayLeast = 10  // ms
)

func (g *guard) far(tick []float32) {
	if media.Level(tick) > audible {
		g.playing = echoTicks
	}
}

// astray guards against a canceller that looks for the echo, which comes after
// leadMs, only from echoMs on: what comes before passes it where a sound
// begins. AEC3 of 1.3 takes a loud reflection for the echo now and then.
func (g *guard) astray(heard []float32, leadMs, echoMs int) {
	level, loudest := media.Level(heard), g.recent[0]
	for _, v := range g.recent {
		loudest = max(loudest, v)
	}
	g.recent[g.at%onsetTicks] = level
	g.at++
	if echoMs-leadMs >= strayLeast && level > audible && level > loudest+onsetRise {
		g.missed = echoMs/10 + 3
	}
}

func (g *guard) apply(tick []float32) {
	want := float32(1)
	if g.playing > 0 && g.patient > 0 {
		g.playing--
		g.patient--
		want = guardGain
	}
	if g.missed > 0 {
		g.missed--
		want = guardGain
	}
	g.to(tick, want)
}
