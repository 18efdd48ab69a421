package call

import (
	"bytes"
	"slices"
	"time"
)

// Heard takes a signal from a device of a person. What makes no sense is
// ignored: it changes nothing.
func (b *Book) Heard(now time.Time, id ID, who Person, from Device, s Signal) []Effect {
	if s.Kind == Offer {
		b.heardOffer(now, id, who, from, s)
		return b.done()
	}
	e := b.entry(id)
	if e == nil || !e.Live() || e.Person != who {
		if s.Kind == Accept { // too late
			b.out = append(b.out, Effect{Act: Send, Call: id, Device: from, Signal: Signal{Kind: End, Reason: Missed}})
		}
		return b.done()
	}
	switch {
	case e.unanswered():
		b.heardFromCallee(now, e, from, s)
	case e.Device != from:
		if s.Kind == Accept {
			b.say(e, from, Signal{Kind: End, Reason: Elsewhere})
		}
	case s.Kind == End || s.Kind == Reject:
		b.end(now, e, e.endedThere(s.Reason), false)
	case s.Kind == OnHold && e.met() && e.HeldThere != s.On:
		e.HeldThere = s.On
		b.do(Hold, e, from)
		b.do(Changed, e, Device{})
	}
	return b.done()
}

// endedThere says why a call ended, from what the other end said of it.
func (e *entry) endedThere(said Reason) Reason {
	switch {
	case said == Elsewhere && e.State == Ringing, said == Lost, said == Failed:
		return said
	case e.State == Ringing:
		return Missed
	}
	return Completed
}

func (b *Book) heardOffer(now time.Time, id ID, who Person, from Device, s Signal) {
	reject := func(why Reason) {
		b.say(&entry{Call: Call{ID: id}}, from, Signal{Kind: Reject, Reason: why})
	}
	refuse := func(why Reason) {
		b.remember(id, why)
		reject(why)
	}
	if e := b.entry(id); e != nil {
		if e.Device == from && !e.Outgoing {
			b.heardAgain(e)
		}
		return
	}
	if i := slices.IndexFunc(b.seen, func(x seen) bool { return x.id == id }); i >= 0 { // said again
		if why := b.seen[i].refused; why != "" {
			reject(why)
		}
		return
	}
	if s.Age > MaxAge {
		refuse(Stale)
		return
	}
	if mine := b.live(func(e *entry) bool { return e.Person == who && e.unanswered() }); mine != nil {
		b.remember(id, "")
		b.cross(now, mine, id, from)
		return
	}
	if old := b.live(func(e *entry) bool { return e.Person == who }); old != nil {
		if old.Device != from || old.State == Ringing {
			refuse(Busy)
			return
		}
		b.end(now, old, Lost, false) // whoever calls us is no longer in a call with us
	}
	ringing := b.live(func(e *entry) bool { return e.State == Ringing || e.State == Calling })
	if ringing != nil || b.count() >= maxLive-1 {
		refuse(Busy)
		return
	}
	e := &entry{Call: Call{ID: id, Person: who, Device: from, State: Ringing, Waiting: b.count() > 0}}
	b.begin(now, e)
	b.say(e, from, Signal{Kind: Rings})
	b.become(e, Ringing, now.Add(RingTime+ringSlack))
}

// heardAgain takes an offer that was said before: the channel was renewed, and
// what we answered may be lost with the old one.
func (b *Book) heardAgain(e *entry) {
	switch e.State {
	case Ringing:
		e.deadline = e.Began.Add(RingTime + ringSlack)
		b.say(e, e.Device, Signal{Kind: Rings})
	case Connecting:
		b.say(e, e.Device, Signal{Kind: Accept})
	case Ended:
		switch {
		case !e.ByUs || e.Was != (ID{}):
		case e.Answered.IsZero():
			b.say(e, e.Device, Signal{Kind: Reject, Reason: e.Reason})
		default:
			b.say(e, e.Device, Signal{Kind: End, Reason: e.Reason})
		}
	case Idle, Calling, Active, Reconnecting:
	}
}

// cross decides between our call to a person and theirs to us: the lower id
// stays, at both ends, and needs no answer.
func (b *Book) cross(now time.Time, mine *entry, id ID, from Device) {
	if bytes.Compare(mine.ID[:], id[:]) < 0 {
		if _, offered := mine.targets[from]; !offered {
			b.offer(mine, from)
		}
		return
	}
	b.callOff(mine, Missed, from)
	mine.Was, mine.ID, mine.Device, mine.Outgoing, mine.targets = mine.ID, id, from, false, map[Device]Reason{}
	b.join(now, mine)
}

// heardFromCallee takes what a device says that was offered our call.
func (b *Book) heardFromCallee(now time.Time, e *entry, from Device, s Signal) {
	if _, offered := e.targets[from]; !offered {
		return
	}
	switch s.Kind {
	case Rings:
		e.rang = true
		if e.State == Calling {
			b.become(e, Ringing, e.deadline)
		}
	case Accept:
		e.Device, e.Answered = from, now
		b.callOff(e, Elsewhere, from)
		b.out = append(b.out, Effect{Act: Meet, Call: e.ID, Device: from, Signal: s})
		b.become(e, Connecting, now.Add(ConnectTime))
	case Reject, End:
		b.refused(now, e, from, s.Reason)
	case Offer, OnHold, Again, AgainToo, Recording, Test:
	}
}

// refused ends an outgoing call when a person said no, or when no device is
// left that might say yes.
func (b *Book) refused(now time.Time, e *entry, from Device, why Reason) {
	if !slices.Contains([]Reason{Declined, Busy, Missed, Stale}, why) {
		why = Failed
	}
	e.targets[from] = why
	if why == Declined {
		e.Device = from
		b.callOff(e, Elsewhere, from)
		b.end(now, e, Declined, false)
		return
	}
	for _, r := range e.targets {
		if r == "" {
			return // another one still rings
		}
	}
	b.end(now, e, why, false)
}
