package device

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// IsWorn is what a unit knows of a device by what its sound server says.
func IsWorn(form, port, name string) bool { return worn(form, port, name) }

// RestAfterATick is how long a loudspeaker that takes its bites in time is left
// alone by timers once a tick was laid down after one.
func (s Spec) RestAfterATick() time.Duration {
	r := newRing(ringSize, s.lead())
	r.out = func(int, []float32) error { return nil }
	tick := make([]float32, media.Tick)
	for range 3 {
		r.write(tick)
		for range media.Tick / s.period() {
			r.bite(s.period())
		}
	}
	r.write(tick)
	return r.wanted()
}
