package device

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// hold decides how many ticks lie ready for a device that somebody keeps going
// who comes by every 10 ms: for each visit one, so that they are made at an even
// pace, and one more or less only where that does not do.
type hold struct {
	begun bool
	ticks int           // that lie there after a visit
	lead  time.Duration // how long before its bite the last one was laid down
	calm  int           // visits since as many were needed
	trust int           // visits of calm after which one less is tried
}

const (
	holdMost   = 5
	holdNear   = 2 * time.Millisecond // what visits and bites may be early or late
	holdSoon   = 3 * time.Millisecond // a bite so soon after a visit wants its tick at the visit before
	holdLate   = 6 * time.Millisecond // one so late does not
	holdTrust  = 500                  // visits
	holdTrusts = 64 * holdTrust       // the most that it grows to where one less proved too little
)

// visit says how many ticks are to be laid down with fill samples there, left
// before the next bite; the last one found too little if it was dry.
func (h *hold) visit(left time.Duration, fill int, dry bool) (lay int) {
	h.look(left, dry)
	if h.begun {
		lay = 1
	}
	for fill+lay*media.Tick < h.ticks*media.Tick {
		lay++
	}
	most := h.ticks
	if left < holdNear || left > media.Duration(media.Tick)-holdNear {
		most++ // the bite may come before this visit or after it
	}
	for lay > 0 && fill+lay*media.Tick > most*media.Tick {
		lay--
	}
	h.begun = true
	h.lead = left + media.Duration(fill+(lay-1)*media.Tick)
	return lay
}

// look adapts how many ticks are held.
func (h *hold) look(left time.Duration, dry bool) {
	if !h.begun {
		h.ticks, h.calm = 1, 0
		h.trust = max(h.trust, holdTrust)
		if left < (holdSoon+holdLate)/2 {
			h.ticks = 2
		}
		return
	}
	switch {
	case dry && h.calm > 0:
		h.trust = min(2*h.trust, holdTrusts)
		fallthrough
	case h.ticks == 1 && left < holdSoon:
		h.ticks, h.calm = min(h.ticks+1, holdMost), 0
	case h.ticks == 1 || h.ticks == 2 && left < holdLate:
		h.calm = 1
	default:
		if h.calm++; h.calm > h.trust {
			h.ticks, h.calm = h.ticks-1, 1
		}
	}
}
