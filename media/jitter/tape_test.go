package jitter_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/jitter"
)

var _ jitter.Decoder = (*tape)(nil)

// tape is a Decoder whose payloads say which 20 ms of a recording to play. It
// conceals by playing its last frame again.
type tape struct {
	fec  bool // packets carry the frame before them
	last [media.Frame]float32
}

// label is the payload for frame i.
func label(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }

func (d *tape) Decode(payload []byte, pcm []float32) (int, error) {
	if len(payload) != 4 {
		return 0, errors.New("no label")
	}
	speech := speech()
	i := int(binary.BigEndian.Uint32(payload)) % (len(speech) / media.Frame)
	copy(d.last[:], speech[i*media.Frame:])
	return copy(pcm, d.last[:]), nil
}

func (d *tape) DecodeFEC(next []byte, pcm []float32) (bool, error) {
	if !d.fec || len(next) != 4 {
		return false, d.Conceal(pcm)
	}
	i := binary.BigEndian.Uint32(next) - 1
	_, err := d.Decode(label(int(i)), pcm)
	return true, err
}

func (d *tape) Conceal(pcm []float32) error {
	for i := range pcm {
		pcm[i] = d.last[i%media.Frame]
	}
	return nil
}

// speech is ten seconds like a talker's: syllables of a gliding pitch with the
// formants of vowels, hisses between them, and pauses of near silence.
var speech = sync.OnceValue(func() []float32 {
	rng := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, 10*media.Rate)
	phase, hiss := 0.0, 0.0
	var gains [25]float64 // of the harmonics: formants at 600 and 1,700 Hz
	for h := range gains {
		f := float64(h+1) * 130
		gains[h] = 1/(1+math.Pow((f-600)/200, 2)) + 0.4/(1+math.Pow((f-1700)/300, 2)) + 0.05
	}
	for i := range x {
		t := float64(i) / media.Rate
		syllable := math.Sin(2 * math.Pi * 2.2 * t)
		phase += (130 + 35*math.Sin(1.9*t) + 10*math.Sin(7*t)) / media.Rate
		v := 0.0
		if syllable > 0 {
			turn, this, last := 2*math.Cos(2*math.Pi*phase), math.Sin(2*math.Pi*phase), 0.0
			for h := range gains { // sin(n+1)x = 2 cos x sin nx - sin(n-1)x
				v += gains[h] * this
				this, last = turn*this-last, this
			}
			v *= 0.12 * syllable
		} else if syllable < -0.8 && math.Sin(0.9*t) > 0 {
			hiss = rng.NormFloat64() - 0.6*hiss
			v = 0.01 * hiss
		}
		if math.Mod(t, 4) > 2.7 {
			v = 0 // listens
		}
		x[i] = float32(v + 0.0004*rng.NormFloat64())
	}
	return x
})
