package call

import (
	"slices"
	"time"
)

// Dial calls a person at those of their devices that are here; devices that
// come while it rings are offered the call too.
//
// Whoever is calling us just now is answered instead.
func (b *Book) Dial(now time.Time, id ID, who Person, devices []Device) ([]Effect, error) {
	if e := b.live(func(e *entry) bool { return e.Person == who && e.State == Ringing && !e.Outgoing }); e != nil {
		b.holdOthers(e, e)
		e.Was = id
		b.join(now, e)
		return b.done(), nil
	}
	if b.live(func(e *entry) bool { return e.Person == who }) != nil {
		return nil, ErrInCall
	}
	if b.live(func(e *entry) bool { return e.unanswered() || e.State == Connecting }) != nil || b.count() >= maxLive {
		return nil, ErrBusy
	}
	e := &entry{Call: Call{ID: id, Person: who, Outgoing: true, State: Calling}}
	b.holdOthers(nil, e)
	b.begin(now, e)
	for _, d := range devices {
		b.offer(e, d)
	}
	b.become(e, Calling, now.Add(RingTime))
	return b.done(), nil
}

func (b *Book) offer(e *entry, d Device) {
	e.targets[d] = ""
	b.say(e, d, Signal{Kind: Offer})
}

// Answer accepts an incoming call. Whoever we speak with is put on hold, as by
// Dial; if the new call ends before anybody could speak, they are no longer.
func (b *Book) Answer(now time.Time, id ID) ([]Effect, error) {
	e := b.entry(id)
	switch {
	case e == nil:
		return nil, ErrNone
	case e.Outgoing || e.State != Ringing:
		return nil, ErrState
	}
	b.holdOthers(e, e)
	b.join(now, e)
	return b.done(), nil
}

func (b *Book) join(now time.Time, e *entry) {
	e.Answered, e.Waiting = now, false
	b.do(Join, e, e.Device)
	b.become(e, Connecting, now.Add(ConnectTime))
}

// holdOthers puts on hold whom we speak with, before we speak with somebody else;
// begins is the call that begins by it, nil if none does.
func (b *Book) holdOthers(except, begins *entry) {
	for _, e := range b.entries {
		if e != except && e.met() && !e.Held {
			b.hold(e, true)
			e.heldFor = begins
		}
	}
}

func (b *Book) hold(e *entry, on bool) {
	e.Held = on
	b.do(Hold, e, e.Device)
	b.say(e, e.Device, Signal{Kind: OnHold, On: on})
	b.do(Changed, e, Device{})
}

// Hold stops sound both ways, or goes on; then whoever else we speak with is held.
func (b *Book) Hold(_ time.Time, id ID, on bool) ([]Effect, error) {
	e := b.entry(id)
	switch {
	case e == nil:
		return nil, ErrNone
	case !e.met():
		return nil, ErrState
	}
	e.heldFor = nil
	if e.Held == on {
		return nil, nil
	}
	if !on {
		b.holdOthers(e, nil)
	}
	b.hold(e, on)
	return b.done(), nil
}

// HangUp ends a call: an outgoing one that nobody answered is called off, an
// incoming one that rings is declined.
func (b *Book) HangUp(now time.Time, id ID) ([]Effect, error) {
	return b.Break(now, id, Completed)
}

// Break is HangUp for a reason of this device's own, such as Broken.
func (b *Book) Break(now time.Time, id ID, why Reason) ([]Effect, error) {
	e := b.entry(id)
	switch {
	case e == nil:
		return nil, ErrNone
	case !e.Live():
		return nil, nil
	case e.unanswered():
		if why == Completed {
			why = Missed
		}
		b.callOff(e, why, Device{})
	case e.State == Ringing:
		if why == Completed {
			why = Declined
		}
		b.say(e, e.Device, Signal{Kind: Reject, Reason: why})
	default:
		b.say(e, e.Device, Signal{Kind: End, Reason: why})
	}
	b.end(now, e, why, true)
	return b.done(), nil
}

// Tick ends what has waited too long.
func (b *Book) Tick(now time.Time) []Effect {
	for _, e := range slices.Clone(b.entries) {
		if !e.Live() || e.deadline.IsZero() || now.Before(e.deadline) {
			continue
		}
		why, byUs := Missed, true
		switch {
		case e.shut:
			why, byUs = Completed, false
		case e.unanswered():
			if !e.rang {
				why = Away
			}
			byUs = false // nobody hung up: they did not answer
			b.callOff(e, Missed, Device{})
		case e.State == Ringing:
			b.say(e, e.Device, Signal{Kind: Reject, Reason: Missed})
		case e.State == Connecting:
			why = Failed
			b.say(e, e.Device, Signal{Kind: End, Reason: why})
		default:
			why = Lost
			b.say(e, e.Device, Signal{Kind: End, Reason: why})
		}
		b.end(now, e, why, byUs)
	}
	return b.done()
}
