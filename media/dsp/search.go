package dsp

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

const (
	searchRate   = 8000
	thin         = media.Rate / searchRate
	searchWindow = 8192             // 1.02 s, so lags of ±0.5 s
	searchHop    = 1024             // 128 ms between looks while the delay is not known, or in doubt
	followHop    = 2048             // 256 ms until the skew is known as well
	loneHop      = searchWindow     // 1 s where there probably is no echo
	restHop      = 8 * searchWindow // 8 s afterwards: a look is a millisecond's work, and what it looks at that of a second
	lowBin       = 256              // 250 Hz, below is hum
	highBin      = 3686             // 3.6 kHz, above is the thinning filter
)

// lag is one measurement: how many samples of 48 kHz the microphone runs after
// the aligned loudspeaker, and how sure that is (0 to 1).
type lag struct {
	samples float64
	trust   float64
	age     int // ticks since the middle of what was measured
}

// search finds the lag by the phase of the cross-spectrum of both sides
// (generalised cross-correlation, Knapp and Carter 1976), thinned to 8 kHz. It
// remembers one second and adds no delay.
type search struct {
	far, near thinner
	fars      tail
	nears     tail
	since     int
	window    [searchWindow]float32
	transform *transform
	buf, spec []complex64
	phase     [searchWindow / 2]complex64
	filled    int
	weight    float32 // of all looks in phase, 1 when there were many
}

func newSearch() *search {
	s := &search{
		transform: newTransform(searchWindow),
		buf:       make([]complex64, searchWindow),
		spec:      make([]complex64, searchWindow),
	}
	for i := range s.window {
		s.window[i] = float32(math.Sin(math.Pi * (float64(i) + 0.5) / searchWindow))
	}
	return s
}

func (s *search) reset() {
	s.fars, s.nears = tail{}, tail{}
	clear(s.phase[:])
	s.since, s.filled, s.weight = 0, 0, 0
	s.far, s.near = thinner{}, thinner{}
}

// add takes one tick of both sides. Every hop samples it measures; of those of
// restHop it gathers the second before alone.
func (s *search) add(far, near []float32, hop int) (lag, bool) {
	const n = media.Tick / thin
	s.since += n
	if s.since < hop-searchWindow {
		s.pause()
		return lag{}, false
	}
	s.far.push(s.fars.next(n), far)
	s.near.push(s.nears.next(n), near)
	s.filled = min(s.filled+n, searchWindow)
	least, fresh := searchWindow/2, float32(0.4)
	if hop == restHop {
		least, fresh = searchWindow, 1 // nothing to go on with from the look before
	}
	if s.since < hop || s.filled < least {
		return lag{}, false
	}
	m, ok := s.measure(fresh)
	if s.since = 0; !ok && hop == restHop {
		s.since = restHop - searchHop
	}
	// Half a window, and what the smoothing of the phases looks back on average.
	m.age = (searchWindow/2 + int(float32(hop)*(1-fresh)/fresh)) * thin / media.Tick
	return m, ok
}

// hurry has the next look taken within a second.
func (s *search) hurry() { s.since = max(s.since, restHop-searchWindow) }

// pause leaves out a tick in which there is nothing to learn.
func (s *search) pause() { s.filled = 0 }

// shift tells that the aligned loudspeaker jumped by n samples of 48 kHz (later if positive).
func (s *search) shift(n int) {
	n = n / thin
	if n == 0 {
		return
	}
	clear(s.phase[:])
	s.weight = 0
	fars := s.fars.window()
	if n > 0 {
		n = min(n, searchWindow)
		copy(fars[n:], fars[:searchWindow-n])
		clear(fars[:n])
		return
	}
	n = min(-n, searchWindow)
	copy(fars, fars[n:])
	clear(fars[searchWindow-n:])
}

// measure takes a look, which counts for a part of what is known then: fresh.
func (s *search) measure(fresh float32) (lag, bool) {
	fars, nears := s.fars.window(), s.nears.window()
	if quiet(fars, -55) || quiet(nears, -75) {
		return lag{}, false
	}
	for i := range s.buf {
		s.buf[i] = complex(fars[i]*s.window[i], nears[i]*s.window[i])
	}
	s.transform.run(s.buf)
	clear(s.spec)
	s.weight += fresh * (1 - s.weight)
	for k := lowBin; k < highBin; k++ {
		p, q := s.buf[k], s.buf[searchWindow-k]
		// Twice the spectra of both sides, which are real.
		x := complex(real(p)+real(q), imag(p)-imag(q))
		y := complex(imag(p)+imag(q), real(q)-real(p))
		cross := times(y, conj(x))
		if a := abs(cross); a > 0 {
			was := s.phase[k]
			s.phase[k] = complex(real(was)+fresh*(real(cross)/a-real(was)), imag(was)+fresh*(imag(cross)/a-imag(was)))
		}
		s.spec[k] = s.phase[k]
	}
	s.back()
	return s.peak()
}

// back turns spec into the correlation, by the forward transform and reading it mirrored.
func (s *search) back() {
	for i, v := range s.spec {
		s.spec[i] = conj(v)
	}
	s.transform.run(s.spec)
}

func conj(v complex64) complex64 { return complex(real(v), -imag(v)) }

func abs(v complex64) float32 {
	return float32(math.Sqrt(float64(real(v)*real(v) + imag(v)*imag(v))))
}

func (s *search) peak() (lag, bool) {
	at, top := 0, float32(0)
	for i, v := range s.spec {
		if r := real(v); r > top {
			at, top = i, r
		}
	}
	around := func(d int) float64 { return float64(real(s.spec[(at+d)&(searchWindow-1)])) }
	l, c, r := around(-1), around(0), around(1)
	frac := 0.0
	if bend := l - 2*c + r; bend < 0 {
		frac = 0.5 * (l - r) / bend
	}
	if at >= searchWindow/2 {
		at -= searchWindow
	}
	m := lag{samples: (float64(at) + frac) * thin, trust: float64(top / (highBin - lowBin) / s.weight)}
	return m, true
}

// tail holds the last second of one side. It has room for two, so that it is
// moved once a second and not each tick.
type tail struct {
	room [2 * searchWindow]float32
	at   int // where the last second begins
}

func (t *tail) window() []float32 { return t.room[t.at:][:searchWindow] }

// next is where the next n samples go; the oldest n are forgotten.
func (t *tail) next(n int) []float32 {
	if t.at+searchWindow+n > len(t.room) {
		copy(t.room[:], t.window())
		t.at = 0
	}
	t.at += n
	return t.room[t.at+searchWindow-n:][:n]
}

func quiet(x []float32, dbfs float64) bool { return media.Level(x) < dbfs }

// thinner takes 48 kHz to 8 kHz. Both sides pass one, so its delay cancels out.
type thinner struct {
	past [thinTaps]float32
}

const thinTaps = 36

func (t *thinner) push(dst, tick []float32) {
	var x [thinTaps + media.Tick]float32
	copy(x[:], t.past[:])
	copy(x[thinTaps:], tick)
	for i := range dst {
		sum := float32(0)
		for k, v := range x[(i+1)*thin : (i+1)*thin+thinTaps] {
			sum += v * thinFilter[k]
		}
		dst[i] = sum
	}
	copy(t.past[:], x[media.Tick:])
}

// thinFilter is a windowed sinc with its edge at 3.7 kHz.
var thinFilter = func() (h [thinTaps]float32) {
	sum := float32(0)
	for k := range h {
		x := float64(k) - float64(thinTaps-1)/2
		h[k] = float32(math.Sin(2*math.Pi*3700/media.Rate*x) / x * (0.54 + 0.46*math.Cos(2*math.Pi*x/thinTaps)))
		sum += h[k]
	}
	for k := range h {
		h[k] /= sum
	}
	return h
}()
