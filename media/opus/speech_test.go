package opus_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os/exec"
	"sync"
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

// speech is some seconds of a voice at about -20 dBFS with a second and
// a half of silence at the end: espeak-ng's if it is installed, else made up.
var speech = sync.OnceValue(func() []float32 {
	x := espeak("Between us, nothing but air.")
	if x == nil {
		x = vowels()
	}
	gain := float32(media.Amplitude(-20 - media.Level(x)))
	for i := range x {
		x[i] *= gain
	}
	x = append(x, make([]float32, 3*media.Rate/2)...)
	return x[:len(x)/media.Frame*media.Frame]
})

// espeak speaks text, or returns nil.
func espeak(text string) []float32 {
	wav, err := exec.Command("espeak-ng", "--stdout", text).Output()
	at := bytes.Index(wav, []byte("data"))
	if err != nil || at < 28 || at+8 > len(wav) {
		return nil
	}
	rate := float64(binary.LittleEndian.Uint32(wav[24:]))
	wav = wav[at+8:]
	pcm := make([]float64, len(wav)/2)
	for i := range pcm {
		pcm[i] = float64(int16(binary.LittleEndian.Uint16(wav[2*i:]))) / 32768
	}
	x := make([]float32, 0, int(float64(len(pcm))*media.Rate/rate))
	for t := 0.0; t < float64(len(pcm)-1); t += rate / media.Rate {
		i, f := int(t), t-math.Floor(t)
		x = append(x, float32(pcm[i]*(1-f)+pcm[i+1]*f))
	}
	return x
}

// vowels is a buzz of gliding pitch in syllables, with hiss between them.
func vowels() []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 2*media.Rate)
	phase := 0.0
	for i := range x {
		t := float64(i) / media.Rate
		phase += 2 * math.Pi * (120 + 30*math.Sin(3*t)) / media.Rate
		loud, v := max(0, math.Sin(2*math.Pi*2.5*t)), 0.0
		for h := 1.0; h < 20; h++ {
			v += loud * math.Sin(phase*h) / h
		}
		x[i] = float32(v + 0.003*(1-loud)*rng.NormFloat64())
	}
	return x
}

// encode returns the packets for x; empty ones where nothing is to be sent.
func encode(tb testing.TB, c opus.Config, x []float32) [][]byte {
	tb.Helper()
	enc, err := opus.NewEncoder(c)
	if err != nil {
		tb.Fatal(err)
	}
	var packets [][]byte
	for n := enc.Frame(); len(x) >= n; x = x[n:] {
		packet := make([]byte, opus.MaxPacket)
		size, err := enc.Encode(x[:n], packet)
		if err != nil {
			tb.Fatal(err)
		}
		packets = append(packets, packet[:size])
	}
	return packets
}

func decoder(tb testing.TB) *opus.Decoder {
	tb.Helper()
	d, err := opus.NewDecoder()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// snr is how far, in dB, y is from x: the energy of x over that of their
// difference.
func snr(x, y []float32) float64 {
	diff := make([]float32, min(len(x), len(y)))
	for i := range diff {
		diff[i] = x[i] - y[i]
	}
	return 10 * math.Log10((media.Energy(x[:len(diff)])+1e-12)/(media.Energy(diff)+1e-12))
}
