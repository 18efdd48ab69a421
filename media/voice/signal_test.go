package voice_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os/exec"
	"sync"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

func sine(turns float64) float64 { return math.Sin(2 * math.Pi * turns) }

// speech is some six seconds of a voice at -20 dBFS: espeak-ng's if it is
// installed, else one made up here.
var speech = sync.OnceValue(func() []float32 {
	x := espeak("Between us there is nothing but air. The quick brown fox jumps over the lazy dog, " +
		"and she sells sea shells on the shore.")
	if x == nil {
		x = babble(6 * media.Rate)
	}
	return loud(x, -20)
})

// espeak speaks text, or returns nil.
func espeak(text string) []float32 {
	wav, err := exec.Command("espeak-ng", "--stdout", text).Output()
	if err != nil {
		return nil
	}
	x, err := device.ReadWAV(bytes.NewReader(wav))
	if err != nil {
		return nil
	}
	return x
}

// loud brings x to a level in dBFS.
func loud(x []float32, level float64) []float32 {
	gain := float32(media.Amplitude(level - media.Level(x)))
	for i := range x {
		x[i] *= gain
	}
	return x
}

// babble is a buzz in changing vowels and syllables, with hisses in between.
func babble(n int) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	formants := [][2]float64{{730, 1090}, {270, 2290}, {300, 870}, {530, 1840}, {440, 1020}}
	x := make([]float32, n)
	var phase, a1, a2, b1, b2 float64
	for i := range x {
		t := float64(i) / media.Rate
		syllable := t * 4
		f := formants[int(syllable)%len(formants)]
		within := syllable - math.Floor(syllable)
		phase += (120 + 25*math.Sin(3*t)) / media.Rate
		source := 0.02 * rng.NormFloat64()
		if phase >= 1 {
			phase--
			source += 4
		}
		source *= math.Sin(math.Pi * within)
		a1, a2 = resonate(source, a1, a2, f[0]), a1
		b1, b2 = resonate(source, b1, b2, f[1]), b1
		x[i] = float32(a1 + b1/2 + 0.05*source)
	}
	return x
}

// resonate is one step of a resonance of 100 Hz width.
func resonate(in, y1, y2, hz float64) float64 {
	r := math.Exp(-math.Pi * 100 / media.Rate)
	return 0.01*in + 2*r*math.Cos(2*math.Pi*hz/media.Rate)*y1 - r*r*y2
}

// whisper is noise at -20 dBFS.
func whisper(n int) []float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(0.1 * rng.NormFloat64())
	}
	return x
}

func nan() float64 { return math.NaN() }
