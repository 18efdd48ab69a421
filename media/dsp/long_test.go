package dsp_test

import (
	"math"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// Where all is known a look is taken now and then only. A minute of it, with
// pauses: the worst of crystals is followed, and when after that the devices'
// delay jumps without a word, it is found within three seconds.
func TestAMinuteLaterTheDriftIsFollowedAndAJumpFound(t *testing.T) {
	needCanceller(t)
	needTime(t)
	for name, ppm := range map[string]float64{"one clock": 0, "100 ppm": 100, "-300 ppm": -300} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seconds, jumps, by = 70, 62, 0.2
			far := speech(3, seconds, 120)
			for at := 9; at < jumps-9; at += 9 { // the friend listens for 3 of 9 seconds
				clear(far[at*media.Rate : (at+3)*media.Rate])
			}
			s := room{delayMs: 60, ppm: ppm, moved: seconds}.hears(far, make([]float64, len(far)))
			mic := append([]float64(nil), s.mic[:jumps*media.Rate]...)
			mic = append(mic, make([]float64, int(by*media.Rate))...)
			s.mic = append(mic, s.mic[jumps*media.Rate:len(s.mic)-int(by*media.Rate)]...)
			x := newCall(t, s, dsp.Config{})
			x.both(jumps - 1)
			before := x.chain.State().Delay
			x.both(4)
			if moved := x.chain.State().Delay - before; moved < 195*time.Millisecond || moved > 205*time.Millisecond {
				t.Errorf("three seconds after the jump the delay has changed by %v, want 200 ms", moved)
			}
			x.both(seconds - jumps - 3)
			for at := 6.0; at+6 < jumps; at += 6 {
				atLeast(t, "followed", x.erle(at, at+6), 23)
			}
			atLeast(t, "three seconds after the jump", x.erle(jumps+3, jumps+6), 25)
			if math.Abs(x.chain.State().Skew+ppm) > 12 {
				t.Errorf("skew %.1f ppm, want %.0f", x.chain.State().Skew, -ppm)
			}
		})
	}
}
