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

func TestSpeechIsClearOnAGoodLine(t *testing.T) {
	for _, frame := range []string{"20 ms", "10 ms"} {
		t.Run(frame, func(t *testing.T) {
			call(t, quietLAN, func(t *testing.T, ann, bob *person) {
				if frame == "10 ms" {
					ann.Network(0, time.Millisecond, true)
				}
				if q := spoken(ann, bob); q < 0.99 {
					t.Errorf("intelligibility %.4f, want 0.99", q)
				} else {
					t.Logf("%.4f", q)
				}
			})
		})
	}
}

func TestSpeechIsUnderstoodAtTenPercentLoss(t *testing.T) {
	lossy := func() *shim { return newShim(20*time.Millisecond, 2*time.Millisecond, 0.1) }
	for _, told := range []bool{false, true} {
		t.Run(map[bool]string{false: "with in-band copies", true: "with RED"}[told], func(t *testing.T) {
			call(t, lossy, func(t *testing.T, ann, bob *person) {
				if told {
					ann.Network(0.1, 40*time.Millisecond, false)
				}
				q := spoken(ann, bob)
				s := bob.Stats()
				t.Logf("%.4f, lost %d, recovered %d, concealed %d, delay %v", q, s.PacketsLost, s.RecoveredSamples, s.ConcealedSamples, s.JitterDelay)
				if q < 0.97 {
					t.Errorf("intelligibility %.4f, want 0.97", q)
				}
			})
		})
	}
}
