package voice_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
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
	words = filtered(words)
	heard, _ := align(words, bob.ear.last(long), media.Rate/2)
	return stoi(words, heard)
}

// filtered is what the chain makes of a voice without an echo: it takes the
// rumble away, which is meant and no loss on the way. What is heard is compared
// with this.
func filtered(words []float32) []float32 {
	chain, err := dsp.New(dsp.Config{Headphones: true})
	if err != nil {
		panic(err)
	}
	defer chain.Close()
	out := append([]float32(nil), words[:len(words)/media.Tick*media.Tick]...)
	for at := 0; at < len(out); at += media.Tick {
		if err := chain.Near(out[at : at+media.Tick]); err != nil {
			panic(err)
		}
	}
	return out
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
	for name, line := range map[string]struct {
		rtt time.Duration
		lan bool
	}{
		"frames of 20 ms":          {100 * time.Millisecond, false},
		"frames of 10 ms":          {time.Millisecond, false},
		"frames of 10 ms on a LAN": {time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			call(t, quietLAN, func(t *testing.T, ann, bob *person) {
				ann.Network(0, line.rtt, line.lan)
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
