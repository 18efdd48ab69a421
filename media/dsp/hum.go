package dsp

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

// hum takes away what lies below speech, and what is no sound at all: a
// Butterworth high-pass of second order at 80 Hz. The zero value is ready; it
// adds no delay.
type hum struct {
	x1, x2, y1, y2 float64 // the last samples before and after
}

// The filter by the bilinear transform; the tangent of so little is the angle itself.
const (
	humAngle  = math.Pi * 80 / media.Rate
	humWhole  = 1 + math.Sqrt2*humAngle + humAngle*humAngle
	humFirst  = 2 * (humAngle*humAngle - 1) / humWhole
	humSecond = (1 - math.Sqrt2*humAngle + humAngle*humAngle) / humWhole
	humLeast  = 1e-12 // less is silence, and slow to compute with
)

// apply changes one tick in place.
func (h *hum) apply(tick []float32) {
	x1, x2, y1, y2 := h.x1, h.x2, h.y1, h.y2
	for i, v := range tick {
		if v != v || v > 8 || v < -8 {
			v = 0
		}
		x := float64(v)
		y := (x-2*x1+x2)*(1/humWhole) - humSecond*y2 - humFirst*y1
		x1, x2, y1, y2 = x, x1, y, y1
		tick[i] = float32(y)
	}
	if max(y1, -y1, y2, -y2) < humLeast {
		y1, y2 = 0, 0
	}
	*h = hum{x1, x2, y1, y2}
}
