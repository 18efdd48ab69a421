package dsp_test

import (
	"cmp"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// The timetable of every room, in seconds. The far side speaks but for nearOnly.
const (
	moved      = 8  // someone moves the laptop: another echo path
	doubleTalk = 12 // both speak
	nearOnly   = 16
	end        = 18
)

// room is a simulated one: a small loudspeaker, an exponentially decaying
// echo, a little noise.
type room struct {
	delayMs int     // of the devices
	bend    float64 // nonlinearity of the loudspeaker: tanh(x·bend)/bend
	ppm     float64 // the microphone's clock runs slow by
	moved   float64 // when the echo path changes, seconds; 0 is moved
	noise   float64 // amplitude of that in both rooms, this one's four times that of the friend's; 0 is 0.0005 in this one alone
}

// scene is what the two sides of a room's canceller are given, and the truth.
type scene struct {
	far, mic, near []float64
}

func (r room) scene() scene {
	far, near := speech(1, end, 110), make([]float64, end*media.Rate)
	clear(far[nearOnly*media.Rate:])
	copy(near[doubleTalk*media.Rate:], speech(2, end, 190))
	return r.hears(far, near)
}

// hears is what the microphone makes of what is played and spoken there.
func (r room) hears(far, near []float64) scene {
	played := make([]float64, len(far))
	for i, v := range far {
		played[i] = v
		if r.bend > 0 {
			played[i] = math.Tanh(v*r.bend) / r.bend
		}
	}
	before, after := path(1, 0.25, 3, -8, played), path(2, 0.35, 5, -6, played)
	echo := make([]float64, len(far))
	for i := range echo {
		pos := float64(i)*(1+r.ppm*1e-6) - float64(r.delayMs*media.Rate/1000)
		k := int(math.Floor(pos))
		if k < 4 || k+4 >= len(echo) {
			continue
		}
		from := before
		if at := cmp.Or(r.moved, moved); k >= int(at*media.Rate) {
			from = after
		}
		echo[i] = between(from, k, pos-float64(k))
	}
	mic := hiss(cmp.Or(r.noise, 0.0005), len(far))
	for i := range mic {
		mic[i] += echo[i] + near[i]
	}
	return scene{far, mic, near}
}

// hiss is n samples of white noise.
func hiss(amplitude float64, n int) []float64 {
	rng := rand.New(rand.NewPCG(9, 9))
	x := make([]float64, n)
	for i := range x {
		x[i] = amplitude * rng.NormFloat64()
	}
	return x
}

// between reads x at k+frac with eight taps.
func between(x []float64, k int, frac float64) (sum float64) {
	if frac == 0 {
		return x[k]
	}
	for j := -3; j <= 4; j++ {
		d := frac - float64(j)
		sum += x[k+j] * math.Sin(math.Pi*d) / (math.Pi * d) * math.Pow(math.Cos(math.Pi*d/10), 2)
	}
	return sum
}

// path is what a room makes of x: a direct sound after directMs and noise that
// dies by 60 dB in rt60 seconds, all of it erl dB below x.
func path(seed uint64, rt60, directMs, erl float64, x []float64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 5))
	h := make([]float64, media.Rate/4)
	direct := int(directMs * media.Rate / 1000)
	for i := direct + 1; i < len(h); i++ {
		h[i] = rng.NormFloat64() * math.Exp(-6.9*float64(i)/media.Rate/rt60)
	}
	h[direct] = 6
	h = lowPass(9000, lowPass(9000, h))
	low := lowPass(150, h)
	for i := range h {
		h[i] -= low[i]
	}
	y := convolve(x, h)
	scale := math.Pow(10, erl/20) * math.Sqrt(power(x)/power(y))
	for i := range y {
		y[i] *= scale
	}
	return y
}

func lowPass(hz float64, x []float64) []float64 {
	k := 1 - math.Exp(-2*math.Pi*hz/media.Rate)
	y, state := make([]float64, len(x)), 0.0
	for i, v := range x {
		state += k * (v - state)
		y[i] = state
	}
	return y
}

// speech makes seconds of babble with the pitch, the formants, the hisses and
// the pauses of speech, peaks at one half.
func speech(seed uint64, seconds int, pitch float64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 3))
	vowels := [][3]float64{{730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240}, {530, 1840, 2480}, {570, 840, 2410}, {440, 1020, 2240}}
	out := make([]float64, seconds*media.Rate)
	phase := 0.0
	for at := 0; at < len(out); {
		syllable := media.Rate * (100 + rng.IntN(160)) / 1000
		vowel := vowels[rng.IntN(len(vowels))]
		f0, hiss := pitch*(0.8+0.5*rng.Float64()), rng.IntN(3) == 0
		var state [3][2]float64
		for i := 0; i < syllable && at+i < len(out); i++ {
			t := float64(i) / float64(syllable)
			phase += f0 * (1.1 - 0.2*t) / media.Rate
			source := 0.02 * rng.NormFloat64()
			if phase >= 1 {
				phase--
				source++
			}
			if hiss && t < 0.3 {
				source = 0.15 * rng.NormFloat64()
			}
			sum := 0.0
			for k, hz := range vowel {
				radius := math.Exp(-math.Pi * (60 + 40*float64(k)) / media.Rate)
				v := source + 2*radius*math.Cos(2*math.Pi*hz/media.Rate)*state[k][0] - radius*radius*state[k][1]
				state[k][1], state[k][0] = state[k][0], v
				sum += v * (1 - radius) * math.Sin(math.Pi*min(1, 4*t)/2) * math.Sin(math.Pi*min(1, 4*(1-t))/2)
			}
			if hiss && t < 0.3 {
				sum += 0.1 * source
			}
			out[at+i] = sum
		}
		at += syllable
		if rng.IntN(7) == 0 {
			at += media.Rate * (150 + rng.IntN(250)) / 1000
		}
	}
	top := 0.0
	for _, v := range out {
		top = max(top, math.Abs(v))
	}
	for i := range out {
		out[i] *= 0.5 / top
	}
	return out
}

func power(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum / float64(len(x))
}

func dB(ratio float64) float64 { return 10 * math.Log10(ratio+1e-12) }

// convolve filters x with h, a quarter of a second, piece by piece.
func convolve(x, h []float64) []float64 {
	const size = 1 << 15
	f := newFourier(size)
	filter := make([]complex128, size)
	for i, v := range h {
		filter[i] = complex(v, 0)
	}
	f.run(filter)
	y, piece, step := make([]float64, len(x)+size), make([]complex128, size), size-len(h)
	for at := 0; at < len(x); at += step {
		clear(piece)
		for i, v := range x[at:min(at+step, len(x))] {
			piece[i] = complex(v, 0)
		}
		f.run(piece)
		for i := range piece {
			piece[i] = cmplx.Conj(piece[i] * filter[i])
		}
		f.run(piece)
		for i, v := range piece {
			y[at+i] += real(v) / size
		}
	}
	return y[:len(x)]
}

type fourier struct{ turn []complex128 }

func newFourier(n int) fourier {
	f := fourier{make([]complex128, n/2)}
	for k := range f.turn {
		f.turn[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n))
	}
	return f
}

// run transforms x in place.
func (f fourier) run(x []complex128) {
	n := len(x)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		for start := 0; start < n; start += size {
			for k := range size / 2 {
				u, v := x[start+k], x[start+k+size/2]*f.turn[k*n/size]
				x[start+k], x[start+k+size/2] = u+v, u-v
			}
		}
	}
}

// result is what a chain made of a scene.
type result struct {
	scene
	out   []float64
	state dsp.State
	delay time.Duration
}

func run(t testing.TB, s scene, cfg dsp.Config) result {
	t.Helper()
	return runIn(media.Tick, t, s, cfg)
}

// runIn is run where the loudspeaker takes pieces of a tick.
func runIn(piece int, t testing.TB, s scene, cfg dsp.Config) result {
	t.Helper()
	c, err := dsp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := result{scene: s, out: make([]float64, len(s.mic))}
	far, near := make([]float32, media.Tick), make([]float32, media.Tick)
	for at := 0; at+media.Tick <= len(s.mic); at += media.Tick {
		for i := range far {
			far[i], near[i] = float32(s.far[at+i]), float32(s.mic[at+i])
		}
		for x := range slices.Chunk(far, piece) {
			c.Far(x)
		}
		if err := c.Near(near); err != nil {
			t.Fatal(err)
		}
		for i, v := range near {
			r.out[at+i] = float64(v)
		}
	}
	r.state, r.delay = c.State(), c.Delay()
	return r
}

// erle is by how much the chain reduced the microphone between two times, in dB.
func (r result) erle(from, to float64) float64 {
	a, b := int(from*media.Rate), int(to*media.Rate)
	return dB(power(r.mic[a:b])) - dB(power(r.out[a:b]))
}

// kept is how loud the near voice is between two times compared with how it was spoken, in dB.
func (r result) kept(from, to float64) float64 {
	a, b := int(from*media.Rate), int(to*media.Rate)
	return dB(power(r.out[a:b])) - dB(power(r.near[a:b]))
}
