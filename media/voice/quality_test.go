package voice_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/entrenous/entrenous/media"
)

// stoi is the short-time objective intelligibility (Taal et al. 2011) of heard
// against said, which must be aligned: 1 is perfect, 0.9 is good telephony.
func stoi(said, heard []float32) float64 {
	n := min(len(said), len(heard))
	x, y := audible(downsample(said[:n]), downsample(heard[:n]))
	return intelligibility(bands(x), bands(y))
}

const (
	stoiRate  = 10000
	stoiFrame = 256
	stoiFFT   = 512
	stoiBands = 15
	stoiSpan  = 30 // frames, 384 ms
)

// downsample takes 48 kHz to 10 kHz by a windowed sinc.
func downsample(x []float32) []float64 {
	const ratio, reach = media.Rate / float64(stoiRate), 77
	var h [2*reach*5 + 1]float64 // in fifths of a sample
	for i := range h {
		t := float64(i-reach*5) / 5
		h[i] = 0.5 + 0.5*math.Cos(math.Pi*t/reach)
		if t != 0 {
			h[i] *= math.Sin(math.Pi*t/ratio*0.95) / (math.Pi * t)
		} else {
			h[i] *= 0.95 / ratio
		}
	}
	out := make([]float64, int(float64(len(x))/ratio))
	for i := range out {
		at := i * 24 // fifths
		first, last := max(0, at/5-reach+1), min(len(x)-1, at/5+reach-1)
		for k := first; k <= last; k++ {
			out[i] += float64(x[k]) * h[at-5*k+reach*5]
		}
	}
	return out
}

// audible keeps the frames within 40 dB of the loudest of x, overlapped by half.
func audible(x, y []float64) (xs, ys [][]float64) {
	var window [stoiFrame]float64
	for i := range window {
		window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i+1)/(stoiFrame+1))
	}
	var loud []float64
	top := math.Inf(-1)
	cut := func(v []float64, at int) []float64 {
		f := make([]float64, stoiFrame)
		for i := range f {
			f[i] = v[at+i] * window[i]
		}
		return f
	}
	for at := 0; at+stoiFrame <= min(len(x), len(y)); at += stoiFrame / 2 {
		xs, ys = append(xs, cut(x, at)), append(ys, cut(y, at))
		energy := 1e-12
		for _, v := range xs[len(xs)-1] {
			energy += v * v
		}
		loud = append(loud, 10*math.Log10(energy))
		top = max(top, loud[len(loud)-1])
	}
	n := 0
	for i := range xs {
		if loud[i] > top-40 {
			xs[n], ys[n] = xs[i], ys[i]
			n++
		}
	}
	return xs[:n], ys[:n]
}

// bands are the amplitudes of third octaves from 150 Hz, by frame.
func bands(frames [][]float64) [][stoiBands]float64 {
	out := make([][stoiBands]float64, len(frames))
	for i, f := range frames {
		buf := make([]complex128, stoiFFT)
		for j, v := range f {
			buf[j] = complex(v, 0)
		}
		fft(buf)
		for k := range stoiFFT/2 + 1 {
			hz := float64(k) * stoiRate / stoiFFT
			b := int(math.Floor(3*math.Log2(hz/150) + 0.5))
			if b >= 0 && b < stoiBands {
				out[i][b] += real(buf[k])*real(buf[k]) + imag(buf[k])*imag(buf[k])
			}
		}
		for b := range out[i] {
			out[i][b] = math.Sqrt(out[i][b])
		}
	}
	return out
}

func intelligibility(x, y [][stoiBands]float64) float64 {
	sum, n := 0.0, 0
	for end := stoiSpan; end <= len(x); end++ {
		for b := range stoiBands {
			var xs, ys [stoiSpan]float64
			var ex, ey float64
			for i := range xs {
				xs[i], ys[i] = x[end-stoiSpan+i][b], y[end-stoiSpan+i][b]
				ex, ey = ex+xs[i]*xs[i], ey+ys[i]*ys[i]
			}
			gain := math.Sqrt(ex / (ey + 1e-20))
			for i := range ys {
				ys[i] = min(ys[i]*gain, xs[i]*(1+math.Pow(10, 15.0/20)))
			}
			sum += correlation(xs[:], ys[:])
			n++
		}
	}
	return sum / float64(max(n, 1))
}

func correlation(x, y []float64) float64 {
	var mx, my, xy, xx, yy float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(x))
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / (math.Sqrt(xx*yy) + 1e-20)
}

// align cuts off what comes in heard before the beginning of said, up to most
// samples, and says how long that was.
func align(said, heard []float32, most int) ([]float32, int) {
	n := 1
	for n < max(len(said), len(heard))+most {
		n *= 2
	}
	a, b := make([]complex128, n), make([]complex128, n)
	for i, v := range said {
		a[i] = complex(float64(v), 0)
	}
	for i, v := range heard {
		b[i] = complex(float64(v), 0)
	}
	fft(a)
	fft(b)
	for i := range a {
		a[i] = a[i] * cmplx.Conj(b[i]) // conj, for the way back
	}
	fft(a)
	best := 0
	for i := range min(most, len(heard)) {
		if real(a[i]) > real(a[best]) {
			best = i
		}
	}
	return heard[best:], best
}

// follow aligns heard phrase by phrase, as listeners do and ITU-T P.862 does: a
// pause that was made shorter or longer by up to reach samples is no loss. late
// is where said begins in heard on the whole.
func follow(said, heard []float32, late, reach int) []float32 {
	out := make([]float32, len(said))
	for _, p := range phrases(said) {
		first, last := max(0, late+p[0]-reach), min(len(heard), late+p[1]+reach)
		if first < last {
			piece, _ := align(said[p[0]:p[1]], heard[first:last], 2*reach)
			copy(out[p[0]:p[1]], piece)
		}
	}
	return out
}

// phrases cuts x in the midst of each pause.
func phrases(x []float32) (cuts [][2]int) {
	const still, pause = -50, 15 // dBFS, ticks
	begin, quiet := 0, 0
	for at := 0; at+media.Tick <= len(x); at += media.Tick {
		if media.Level(x[at:at+media.Tick]) < still {
			quiet++
			continue
		}
		if quiet >= pause {
			cut := at - quiet*media.Tick/2
			cuts, begin = append(cuts, [2]int{begin, cut}), cut
		}
		quiet = 0
	}
	return append(cuts, [2]int{begin, len(x)})
}

// fft is in place, for powers of two.
func fft(x []complex128) {
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
		step := cmplx.Exp(complex(0, -2*math.Pi/float64(size)))
		for start := 0; start < n; start += size {
			w := complex(1, 0)
			for k := start; k < start+size/2; k++ {
				v := x[k+size/2] * w
				x[k], x[k+size/2] = x[k]+v, x[k]-v
				w *= step
			}
		}
	}
}

func TestTheQualityMeterKnowsGoodFromBad(t *testing.T) {
	slowly(t)
	said := speech()
	same, late := align(said, append(make([]float32, 1234), said...), 4800)
	if late != 1234 {
		t.Errorf("a delay of 1234 samples is measured as %d", late)
	}
	if q := stoi(said, same); q < 0.9999 {
		t.Errorf("the same speech is %.4f alike", q)
	}
	noisy := append([]float32(nil), said...)
	noise := whisper(len(noisy))
	for i := range noisy {
		noisy[i] += noise[i]
	}
	if q := stoi(said, noisy); q < 0.4 || q > 0.9 {
		t.Errorf("speech in as much noise is %.4f alike", q)
	}
	if q := stoi(said, noise); q > 0.4 {
		t.Errorf("noise is %.4f alike", q)
	}
}

func TestTheQualityMeterForgivesAShorterPauseAndNoLostWord(t *testing.T) {
	slowly(t)
	words := speech()[:2*media.Rate]
	said := append(append(append([]float32(nil), words...), make([]float32, media.Rate/2)...), words...)
	pause := len(words) + media.Rate/4
	const cut = 80 * media.Rate / 1000
	for what, c := range map[string]struct {
		at, length  int
		least, most float64
	}{
		"a pause is 80 ms shorter":    {pause, cut, 0.999, 1},
		"80 ms of a word are missing": {media.Rate, cut, 0, 0.99},
	} {
		heard := append(make([]float32, 700, 700+len(said)), said[:c.at]...)
		heard = append(heard, said[c.at+c.length:]...)
		_, late := align(said, heard, media.Rate/2)
		if q := stoi(said, follow(said, heard, late, media.Rate/4)); q < c.least || q > c.most {
			t.Errorf("%s: %.4f alike, want %v to %v", what, q, c.least, c.most)
		}
	}
}
