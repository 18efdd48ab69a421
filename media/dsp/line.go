package dsp

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

const (
	lineSize = 1 << 17 // 2.7 s of loudspeaker, the longest delay that can be aligned
	taps     = 16      // of the interpolator
)

// line is the tape of what went to the loudspeaker. It is written in ticks and
// read at any place, between samples too.
type line struct {
	tape    [lineSize]float32
	written int64
}

func (l *line) reset() {
	clear(l.tape[:])
	l.written = 0
}

// write adds a tick and says how large its largest sample is.
func (l *line) write(tick []float32) (peak float32) {
	at := int(l.written & (lineSize - 1))
	first := copy(l.tape[at:], tick)
	rest := copy(l.tape[:], tick[first:])
	l.written += int64(len(tick))
	return max(top(l.tape[at:][:first]), top(l.tape[:rest]))
}

// skip writes n samples of silence.
func (l *line) skip(n int) {
	for i := range min(n, lineSize) {
		l.tape[(l.written+int64(i))&(lineSize-1)] = 0
	}
	l.written += int64(n)
}

// at is sample n of the tape: silence before its start, after its end and where it is overwritten.
func (l *line) at(n int64) float32 {
	if n < 0 || n >= l.written || n < l.written-lineSize {
		return 0
	}
	return l.tape[n&(lineSize-1)]
}

// read fills dst with the tape from place pos, moving on by step a sample (1 is
// the tape's own speed). Pieces on the sample grid are copied.
func (l *line) read(dst []float32, pos, step float64) {
	whole := math.Floor(pos)
	if step == 1 && pos == whole {
		for i := range dst {
			dst[i] = l.at(int64(whole) + int64(i))
		}
		return
	}
	for len(dst) > 0 {
		n := min(len(dst), media.Tick/4)
		l.glide(dst[:n], pos, pos+float64(n)*step)
		pos += float64(n) * step
		dst = dst[n:]
	}
}

// glide reads from place a up to place b, which differs from a+len(dst) by a
// fraction of a sample: the interpolator's taps move in a straight line from one to the other.
func (l *line) glide(dst []float32, a, b float64) {
	base := int64(math.Floor(a))
	first := sinc(a - float64(base))
	last := sinc(b - float64(base) - float64(len(dst)))
	var window [media.Tick/4 + taps]float32
	for i := range window[:len(dst)+taps] {
		window[i] = l.at(base + int64(i) - taps/2 + 1)
	}
	for i := range dst {
		t := float32(i) / float32(len(dst))
		var from, to float32
		for k, w := range window[i : i+taps] {
			from += w * first[k]
			to += w * last[k]
		}
		dst[i] = from + t*(to-from)
	}
}

// sinc gives the taps that read at frac after sample taps/2-1; frac may lie a
// little outside of [0, 1).
func sinc(frac float64) (h [taps]float32) {
	for k := range h {
		x := float64(k-taps/2+1) - frac
		window := math.Cos(math.Pi * x / (taps + 2))
		v := window * window
		if x != 0 {
			v *= math.Sin(math.Pi*x) / (math.Pi * x)
		}
		h[k] = float32(v)
	}
	return h
}
