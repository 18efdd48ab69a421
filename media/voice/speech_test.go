package voice_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
)

// spoken is the intelligibility of what bob hears of ann's speech, from after
// the first second, in which the line is still being learnt.
func spoken(ann, bob *person) float64 {
	words := speech()
	ann.mouth.say(tone(time.Second))
	pass(1500 * time.Millisecond)
	ann.mouth.say(words)
	long := media.Duration(len(words)) + 500*time.Millisecond
	pass(long)
	heard, _ := align(words, bob.ear.last(long), media.Rate/2)
	return stoi(words, heard)
}

// slowly leaves out what only measures sound where every step is checked for races.
func slowly(t *testing.T) {
	t.Helper()
	if slow {
		t.Skip("too slow under the race detector, and nothing in it races that others do not")
	}
}

func TestSpeechIsClearOnAGoodLine(t *testing.T) {
	slowly(t)
	for _, frame := range []string{"20 ms", "10 ms"} {
		t.Run(frame, func(t *testing.T) {
			call(t, quietLAN, func(t *testing.T, ann, bob *person) {
				if frame == "10 ms" {
					ann.Network(0, time.Millisecond, true)
				}
				if q := spoken(ann, bob); q < 0.99 {
					t.Errorf("intelligibility %.4f, want 0.99", q)
				}
			})
		})
	}
}

func TestSpeechIsUnderstoodAtTenPercentLoss(t *testing.T) {
	slowly(t)
	lossy := func() *shim { return newShim(20*time.Millisecond, 2*time.Millisecond, 0.1) }
	for _, told := range []bool{false, true} {
		t.Run(map[bool]string{false: "with in-band copies", true: "with RED"}[told], func(t *testing.T) {
			call(t, lossy, func(t *testing.T, ann, bob *person) {
				if told {
					ann.Network(0.1, 40*time.Millisecond, false)
				}
				if q := spoken(ann, bob); q < 0.97 {
					t.Errorf("intelligibility %.4f, want 0.97", q)
				}
			})
		})
	}
}
