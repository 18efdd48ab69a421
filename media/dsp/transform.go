package dsp

import "math"

// transform is a Fourier transform of fixed size, a power of two, in place.
type transform struct {
	twiddle []complex128
	swap    []int
}

func newTransform(n int) *transform {
	t := &transform{twiddle: make([]complex128, n/2), swap: make([]int, n)}
	for k := range t.twiddle {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		t.twiddle[k] = complex(cos, sin)
	}
	for i := range t.swap {
		t.swap[i] = t.swap[i/2] / 2
		if i%2 == 1 {
			t.swap[i] += n / 2
		}
	}
	return t
}

func (t *transform) run(x []complex128) {
	n := len(t.swap)
	for i, j := range t.swap {
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		half, stride := size/2, n/size
		for start := 0; start < n; start += size {
			low, high := x[start:start+half], x[start+half:start+size]
			for k := range low {
				v := high[k] * t.twiddle[k*stride]
				low[k], high[k] = low[k]+v, low[k]-v
			}
		}
	}
}
