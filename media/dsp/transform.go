package dsp

import "math"

// transform is a Fourier transform of fixed size, a power of two, in place.
type transform struct {
	twiddle []complex64 // those of each size in a row, one after the other
	swap    []int32
}

func newTransform(n int) *transform {
	t := &transform{twiddle: make([]complex64, n), swap: make([]int32, n)}
	for size := 2; size <= n; size *= 2 {
		for k := range size / 2 {
			sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(size))
			t.twiddle[size/2+k] = complex(float32(cos), float32(sin))
		}
	}
	for i := range t.swap {
		t.swap[i] = t.swap[i/2] / 2
		if i%2 == 1 {
			t.swap[i] += int32(n / 2)
		}
	}
	return t
}

func (t *transform) run(x []complex64) {
	n := len(t.swap)
	for i, j := range t.swap {
		if int32(i) < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		half := size / 2
		twiddle := t.twiddle[half:size]
		for start := 0; start < n; start += size {
			low, high := x[start:][:len(twiddle)], x[start+half:][:len(twiddle)]
			for k, w := range twiddle {
				v := times(high[k], w)
				low[k], high[k] = low[k]+v, low[k]-v
			}
		}
	}
}

// times is v*w. The language's own product of such numbers goes by way of twice
// the precision, which takes as long again.
func times(v, w complex64) complex64 {
	return complex(real(v)*real(w)-imag(v)*imag(w), real(v)*imag(w)+imag(v)*real(w))
}
