package device

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// due knows when a loudspeaker will take its next bite, so that each tick can
// be made as late as is wished: what waits in the ring is only delay. Where
// ticks came too late, it asks for them sooner.
type due struct {
	last   time.Time     // of the last bite
	looked time.Time     // when it was looked for bites last, where nobody waits for them
	bites  int           // samples of it
	period time.Duration // that it lasts
	least  time.Duration // that lead is
	lead   time.Duration // how long before a bite its tick should be there: the delay that the ring adds
	begun  bool          // a tick was laid down
	dry    bool          // the last bite found too little
	calm   int           // bites since one did
}

const (
	leadMost = 50 * time.Millisecond
	leadStep = 3 * time.Millisecond // added when a bite found too little
	leadCalm = 1000                 // bites after which leadBack is tried
	leadBack = time.Millisecond

	driveBite = 12500 * time.Microsecond // the longest bite of a device that may be driven

	leadSoon = 1500 * time.Microsecond // sooner than that is now: to sleep so briefly costs more
)

// bite notes that n samples were taken just now, and whether some of them were missing.
func (d *due) bite(now time.Time, n int, missing bool) {
	d.last = now
	d.took(n, missing)
}

// bitten notes the same of some moment since it was looked last. Devices are regular.
func (d *due) bitten(now time.Time, n int, missing bool) {
	d.last = d.last.Add(media.Duration(n))
	if d.last.Before(d.looked) {
		d.last = d.looked
	}
	if d.last.After(now) {
		d.last = now
	}
	d.took(n, missing)
}

func (d *due) took(n int, missing bool) {
	d.bites, d.period = n, media.Duration(n)
	if !d.begun {
		return
	}
	d.calm++
	if missing && !d.dry {
		d.lead = min(d.lead+leadStep, leadMost)
		d.calm = 0
	}
	d.dry = missing
	if d.calm >= leadCalm {
		d.lead = max(d.lead-leadBack, d.least)
		d.calm = 0
	}
}

// in says how long it is until the next tick is wanted, with fill samples
// there. What lies beyond the next bite is not worth a timer: the bite itself
// will wake whoever waits.
func (d *due) in(now time.Time, fill int) time.Duration {
	wait := d.exactly(now, fill)
	if d.period > 0 && wait >= d.last.Add(d.period).Sub(now) {
		return time.Hour
	}
	return wait
}

// driven says whether who comes by every 10 ms is enough to keep the device
// going: it moves, and its bites are not much longer than a tick.
func (d *due) driven(now time.Time) bool {
	return d.begun && d.period > 0 && d.period <= driveBite && now.Sub(d.last) < stall
}

func (d *due) exactly(now time.Time, fill int) time.Duration {
	if media.Duration(fill) > d.lead+d.period { // it stands still, or has not begun
		return time.Hour
	}
	if d.period <= 0 {
		return 0
	}
	bites := 1 + media.Duration(fill)/d.period // until the ring is dry
	if wait := d.last.Add(bites*d.period).Sub(now) - d.lead; wait > leadSoon {
		return wait
	}
	return 0
}
