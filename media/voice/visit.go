package voice

import (
	"context"
	"sync/atomic"
	"time"
)

// Being woken is dear, so that the microphone's goroutine, which is awake every
// 10 ms, does for the loudspeaker what is to be done, and the loudspeaker's own
// rests meanwhile: it waits for the device where the other is not regular or the
// device none that may be driven, and now and then to see when it moves.

// visits tells whether somebody comes by regularly.
type visits struct {
	last time.Time
	gap  time.Duration // the longest lately
}

const (
	pace     = 10 * time.Millisecond // of ticks
	regular  = 2 * pace              // what gaps are shorter than where one need not wait for the loudspeaker
	gapFades = 128                   // visits until of what a gap had beyond pace a third is left
)

// come notes a visit, and says whether they are regular.
func (v *visits) come(now time.Time) bool {
	v.gap = max(pace, v.gap-(v.gap-pace)/gapFades)
	if !v.last.IsZero() {
		v.gap = max(v.gap, now.Sub(v.last))
	}
	v.last = now
	return v.gap < regular
}

// resting is how the loudspeaker's goroutine is let rest, and woken up.
type resting struct {
	alone   *time.Timer // until the other one is missed, or the device is to be sensed
	visited atomic.Bool // the other one has come by in time
	late    atomic.Bool // it came by while the device was being sensed

	// Guarded by turn.
	wound  time.Time // when alone was wound up
	sensed time.Time // when it was last seen when the device moves
	doubt  bool      // that is long ago
}

const (
	// missed is how long at most nobody may come by until the loudspeaker is waited
	// for, half of it at least.
	missed = 80 * time.Millisecond
	// senseEvery is the time in which two clocks that run apart by 200 ppm move by 2 ms.
	senseEvery = 10 * time.Second
)

func newResting() resting { return resting{alone: time.NewTimer(missed)} }

func (r *resting) wind(now time.Time) {
	r.wound = now
	r.alone.Reset(missed)
}

// visit is called by the microphone's goroutine after all that it does. Where it
// does not suffice the loudspeaker's own is woken.
func (l *listener) visit(now time.Time) {
	if !l.visits.come(now) {
		if l.visited.Swap(false) {
			l.alone.Reset(0)
		}
		return
	}
	l.visited.Store(true)
	if !l.turn.TryLock() { // the other one is at work
		l.late.Store(true)
		return
	}
	defer l.turn.Unlock()
	switch {
	case !l.e.out.drive(l.tick[:], l.fill):
		l.alone.Reset(0)
	case now.Sub(l.sensed) > senseEvery && !l.doubt:
		l.doubt = true
		l.alone.Reset(0)
	case now.Sub(l.wound) > missed/2: // not each time: it would wake the runtime as often
		l.wind(now)
	}
}

// mayRest returns when the loudspeaker has to be waited for.
func (l *listener) mayRest(ctx context.Context) {
	if !l.e.out.driven() || !l.visited.Swap(false) {
		return
	}
	l.turn.Lock()
	l.sensed, l.doubt = time.Now(), false
	l.wind(l.sensed)
	l.turn.Unlock()
	for again := true; again; again = l.sense() {
		select {
		case <-ctx.Done():
			return
		case <-l.alone.C:
		}
	}
	l.visited.Store(false)
}

// sense sees when the device moves, if that is why it was called, and does what
// a visit would have done meanwhile.
func (l *listener) sense() bool {
	l.turn.Lock()
	defer l.turn.Unlock()
	if !l.doubt {
		return false
	}
	l.late.Store(false)
	l.e.out.sense()
	l.sensed, l.doubt = time.Now(), false
	l.wind(l.sensed)
	return !l.late.Swap(false) || l.e.out.drive(l.tick[:], l.fill)
}
