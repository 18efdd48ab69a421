package device

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// hold decides how many ticks are laid down for a device that somebody keeps
// going who comes by every 10 ms: one at each visit, so that they are made at an
// even pace, and one more or less only where the device would run dry until the
// next visit, or has more than it needs.
type hold struct {
	begun bool
	next  time.Time     // when the next visit is to be expected
	spare time.Duration // that a visit may be late
	bite  int           // samples of the least bite
	lead  time.Duration // how long before it is taken the last tick was laid down
	calm  int           // visits since the device ran dry, or spare was made less
	trust int           // visits of calm after which spare is made less
}

const (
	holdSpare  = 4 * time.Millisecond
	holdMost   = 40 * time.Millisecond
	holdStep   = 5 * time.Millisecond // added where the device ran dry
	holdBack   = time.Millisecond     // taken back after some calm
	holdSlack  = 2 * time.Millisecond // beyond spare, within which nothing is changed
	holdTrust  = 500                  // visits
	holdTrusts = 64 * holdTrust       // the most that it grows to where a little less proved too little

	visitEvery = 10 * time.Millisecond
	visitsLate = 32 // visits after which they are late no more, but come then
)

// visit says how many ticks are to be laid down with fill samples there.
func (h *hold) visit(now time.Time, d *due, fill int) (lay int) {
	h.learn(d)
	until, least := h.expect(now), h.spare
	// The server may ask for less or more than the device takes at once, but what it
	// asks for goes by the device's clock. A bite that is late may come at any moment.
	left := max(d.last.Add(media.Duration(h.bite)).Sub(now), 0)
	lasts := func(ticks int) time.Duration { return left + media.Duration(fill+ticks*media.Tick) }
	if h.begun {
		lay = 1
	} else {
		least += holdSlack/2 + media.Duration(max(fill, 0)%h.bite) // less than a bite may be worth nothing
	}
	for lasts(lay) < until+least {
		lay++
	}
	for lay > 0 && lasts(lay-1) >= until+h.spare+holdSlack {
		lay--
	}
	h.begun = true
	h.lead = lasts(lay) - until
	return lay
}

// expect says how long it is until the next visit: one that is late makes no
// other late.
func (h *hold) expect(now time.Time) time.Duration {
	late := now.Sub(h.next)
	if !h.begun || late < 0 || late > stall {
		h.next = now
	} else {
		h.next = h.next.Add(late / visitsLate)
	}
	h.next = h.next.Add(visitEvery)
	return max(h.next.Sub(now), 0)
}

// learn adapts to how the device goes.
func (h *hold) learn(d *due) {
	if !h.begun {
		h.spare, h.trust, h.bite = max(h.spare, holdSpare), max(h.trust, holdTrust), d.bites
		return
	}
	h.bite = min(h.bite, d.bites)
	h.calm++
	switch {
	case d.dry && h.calm > 1:
		h.spare = min(h.spare+holdStep, holdMost)
		h.trust = min(2*h.trust, holdTrusts)
		h.calm = 0
	case h.calm > h.trust && h.spare > holdSpare:
		h.spare = max(h.spare-holdBack, holdSpare)
		h.calm = 1
	}
}
