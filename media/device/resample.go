package device

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

const (
	crossings = 16  // of the sinc on either side
	grain     = 256 // table entries between two crossings
)

// resample takes sound of any rate to 48 kHz with a windowed sinc. It adds no
// delay and does not touch sound that has the rate already.
func resample(x []float32, rate int) []float32 {
	if rate == media.Rate || len(x) == 0 || rate <= 0 {
		return x
	}
	out := make([]float32, int64(len(x))*media.Rate/int64(rate))
	table := kernel()
	ratio := float64(rate) / media.Rate
	squeeze := min(1, 1/ratio) * 0.95 // of the band, so that nothing folds back
	reach := float64(crossings) / squeeze
	for i := range out {
		pos := float64(i) * ratio
		first, last := max(0, int(math.Ceil(pos-reach))), min(len(x)-1, int(pos+reach))
		sum := 0.0
		for k := first; k <= last; k++ {
			at := math.Abs(float64(k)-pos) * squeeze * grain
			n := min(int(at), len(table)-2)
			frac := at - float64(n)
			sum += float64(x[k]) * (table[n] + frac*(table[n+1]-table[n]))
		}
		out[i] = float32(sum * squeeze)
	}
	return out
}

// kernel is one side of the sinc under a Blackman window.
func kernel() []float64 {
	t := make([]float64, crossings*grain+2)
	for i := range t {
		x := float64(i) / grain
		w := 0.42 + 0.5*math.Cos(math.Pi*x/crossings) + 0.08*math.Cos(2*math.Pi*x/crossings)
		t[i] = w
		if i > 0 {
			t[i] *= math.Sin(math.Pi*x) / (math.Pi * x)
		}
	}
	t[len(t)-1] = 0
	return t
}
