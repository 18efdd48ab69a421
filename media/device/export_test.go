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

// Driving is a loudspeaker that is kept going by visits.
type Driving struct {
	r    *ring
	bite int // samples
}

// NewDriving waited for a bite, which was taken just now, and laid down the next tick.
func NewDriving(bite int) Driving {
	r := newRing(ringSize, Spec{}.lead())
	r.out = func(int, []float32) error { return nil }
	tick := make([]float32, media.Tick)
	r.write(tick)
	for range media.Tick / bite {
		r.bite(bite)
	}
	r.write(tick)
	return Driving{r, bite}
}

// Visit comes by after so many bites since the last time, and says how many ticks it laid down.
func (d Driving) Visit(bites int) (laid int) {
	for range bites {
		d.r.bitten(d.bite)
	}
	d.r.looked()
	laid = d.r.wants()
	for range laid {
		d.r.lay(make([]float32, media.Tick))
	}
	return laid
}

// Sense sees a bite as it is taken, after so many others.
func (d Driving) Sense(bites int) {
	for range bites {
		d.r.bitten(d.bite)
	}
	d.r.looked()
	d.r.bite(d.bite)
}

// Lead is how long before its bite the last tick was laid down.
func (d Driving) Lead() time.Duration { return d.r.lead() }

// Lost is how many ticks the device went without.
func (d Driving) Lost() int { return d.r.skipped() / media.Tick }
