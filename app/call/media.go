package call

import "time"

// Path is what became of a call's way through the network.
type Path int

// What a Book is told of a path.
const (
	Up   Path = iota // packets flow
	Down             // nothing arrives any more
	Dead             // the other end is certainly gone, or no way can be found
	Shut             // the other end closed it
)

// Path takes what became of a call's path.
func (b *Book) Path(now time.Time, id ID, p Path) []Effect {
	e := b.entry(id)
	if e == nil || !e.met() {
		return nil
	}
	switch p {
	case Up:
		if e.ActiveFrom.IsZero() {
			e.ActiveFrom = now
		}
		if e.State != Active {
			b.become(e, Active, time.Time{})
		}
	case Down:
		if e.State == Active {
			b.become(e, Reconnecting, now.Add(ReconnectTime))
			b.do(Probe, e, e.Device)
		}
	case Dead:
		why := Lost
		if e.State == Connecting {
			why = Failed
		}
		b.say(e, e.Device, Signal{Kind: End, Reason: why})
		b.end(now, e, why, false)
	case Shut:
		e.shut, e.deadline = true, now.Add(goodbyeTime)
	}
	return b.done()
}

// Linked is told that a device of a person is reached. fresh means that its
// program was started anew: it knows nothing of the calls there were.
func (b *Book) Linked(now time.Time, who Person, d Device, fresh bool) []Effect {
	for _, e := range append([]*entry(nil), b.entries...) {
		switch {
		case !e.Live() || e.Person != who:
		case e.unanswered():
			b.offer(e, d) // once more, where the first may have been lost
		case e.Device != d:
		case fresh && e.State == Ringing:
			b.end(now, e, Missed, true) // a program that was killed has kept no record of its call
		case fresh:
			b.end(now, e, Lost, false)
		case e.State == Ringing:
			e.deadline = e.Began.Add(RingTime + ringSlack)
		case e.met():
			if e.State == Reconnecting {
				b.do(Restart, e, d)
			}
			b.say(e, d, Signal{Kind: OnHold, On: e.Held}) // what was said last may be lost with the old channel
		}
	}
	return b.done()
}

// Unlinked is told that a device is not reached any more.
func (b *Book) Unlinked(now time.Time, d Device) []Effect {
	for _, e := range b.entries {
		if e.Live() && e.State == Ringing && !e.Outgoing && e.Device == d && e.deadline.After(now.Add(linkTime)) {
			e.deadline = now.Add(linkTime)
		}
	}
	return b.done()
}
