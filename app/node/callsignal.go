package node

import (
	"context"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/rtc"
)

// heardCall takes what a friend's device says about a call. What is malformed
// or was made for another channel is dropped and changes nothing.
func (n *Node) heardCall(l *link, f chat.CallFrame) {
	if l.own() {
		return
	}
	s, err := call.OpenSignal(f.Body, l.ch.Binding(), f.Call, call.Device(l.device))
	if err != nil {
		n.log.Warn("call signal refused", "peer", l.device, "call", shortCall(f.Call), "err", err)
		return
	}
	c := &n.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	if !l.signals.take(signalBurst, signalEvery) {
		n.log.Debug("call signals without end", "peer", l.device)
		return
	}
	id, from := call.ID(f.Call), call.Device(l.device)
	if c.over {
		n.heardLateLocked(id, from, s)
		return
	}
	if n.heardTrialLocked(l, f.Call, s) {
		return
	}
	effects := c.book.Heard(time.Now(), id, call.Person(l.person), from, s)
	now, known := c.book.Find(id)
	if !known || now.ID != id || now.Device != from {
		n.enqueueLocked(effects)
		return
	}
	switch s.Kind {
	case call.Offer:
		n.rangLocked(now, s)
	case call.End:
		n.reportedLocked(now, s.Report)
	case call.Again, call.AgainToo:
		if p := c.phones[id]; p != nil {
			r := &p.renewals[s.Kind-call.Again]
			r.wants = func(ctx context.Context) { n.renewPath(ctx, id, from, s) }
		}
	case call.Recording:
		if p := c.phones[id]; p != nil {
			p.recordedThere.Store(s.On)
			c.queue = append(c.queue, func(context.Context) { n.tellCall(n.findCall(id)) })
		}
	case call.Rings, call.Accept, call.Reject, call.OnHold, call.Test:
	}
	n.enqueueLocked(effects)
	if s.Kind == call.Offer && now.State == call.Ringing && n.cfg.AutoAnswer && !now.Waiting {
		c.queue = append(c.queue, func(context.Context) {
			if err := n.Answer(id); err != nil {
				n.log.Info("cannot answer", "call", shortCall(id), "err", err)
			}
		})
	}
}

// heardLateLocked takes what is said to a node that ends, and whose calls are
// over: reports of those, and calls that come too late to ring.
func (n *Node) heardLateLocked(id call.ID, from call.Device, s call.Signal) {
	if s.Kind == call.Offer {
		n.say(id, from, call.Signal{Kind: call.Reject, Reason: call.Missed})
		return
	}
	if x, known := n.calls.book.Find(id); known && s.Kind == call.End && x.Device == from {
		n.reportedLocked(x, s.Report)
	}
}

// rangLocked keeps the offer of a call that rings until it is answered.
func (n *Node) rangLocked(c call.Call, s call.Signal) {
	if c.Live() && n.calls.phones[c.ID] == nil {
		p := newPhone(n, c)
		p.offered = s.Description
		n.calls.phones[c.ID] = p
	}
}

// signal sends what the book says. An offer says how the caller is reached.
func (n *Node) signal(ctx context.Context, e call.Effect) {
	s := e.Signal
	switch s.Kind {
	case call.Offer:
		p, err := n.dialing(ctx, e.Call)
		if err != nil {
			n.breakOff(e.Call, call.Failed, err)
			return
		}
		if p == nil {
			return // ended meanwhile
		}
		s.Age, s.Description = time.Since(p.made), p.described
	case call.End:
		if p := n.phone(e.Call); p != nil && p.called().ActiveFrom != (time.Time{}) {
			s.Report = p.report()
		}
	case call.Accept: // once more
		p := n.phone(e.Call)
		if p == nil || p.described == nil {
			return // join has still to say it
		}
		s.Description = p.described
	case call.Rings, call.Reject, call.OnHold, call.Again, call.AgainToo, call.Recording, call.Test:
	}
	n.say(e.Call, e.Device, s)
}

// say seals a signal for the channel to a device, and sends it; without a
// channel it is lost.
func (n *Node) say(id call.ID, to call.Device, s call.Signal) {
	l := n.links.to(identity.DeviceID(to))
	if l == nil || l.guest.Load() {
		n.log.Debug("call signal has no way", "peer", identity.DeviceID(to), "call", shortCall(id))
		return
	}
	l.send(chat.CallFrame{Call: id, Body: s.Seal(l.ch.Binding(), id, call.Device(n.me.device.ID()))})
}

// dialing gives the phone of an outgoing call, with its offer; nil when the
// call is over.
func (n *Node) dialing(ctx context.Context, id call.ID) (*phone, error) {
	if p := n.phone(id); p != nil {
		return p, nil
	}
	c := n.findCall(id)
	if c.ID != id || !c.Live() {
		return nil, nil
	}
	p := newPhone(n, c)
	if err := p.openLeg(); err != nil {
		return nil, err
	}
	d, err := p.leg.Offer(ctx)
	if err != nil {
		p.close()
		return nil, err
	}
	p.described = d.Encode()
	n.calls.mu.Lock()
	n.calls.phones[id] = p
	n.calls.mu.Unlock()
	return p, nil
}

// join answers: it takes the offer, and says how we are reached.
func (n *Node) join(ctx context.Context, e call.Effect) {
	c := n.findCall(e.Call)
	if !c.Live() {
		return
	}
	if c.Was != (call.ID{}) {
		n.dropPhone(c.Was) // of our own call, which became one with theirs
	}
	p := n.phone(e.Call)
	if p == nil {
		return
	}
	d, err := rtc.ParseDescription(p.offered)
	if err == nil {
		err = p.openLeg()
	}
	if err == nil {
		d, err = p.leg.Answer(ctx, d)
	}
	if err != nil {
		n.breakOff(e.Call, call.Failed, err)
		return
	}
	p.described = d.Encode()
	n.say(e.Call, e.Device, call.Signal{Kind: call.Accept, Description: p.described})
	p.begin(ctx)
}

// meet connects to the device that answered.
func (n *Node) meet(ctx context.Context, e call.Effect) {
	p := n.phone(e.Call)
	if p == nil || p.leg == nil {
		return
	}
	d, err := rtc.ParseDescription(e.Signal.Description)
	if err == nil {
		err = p.leg.Accept(ctx, d)
	}
	if err != nil {
		n.breakOff(e.Call, call.Failed, err)
		return
	}
	p.begin(ctx)
}

// restart looks for a path anew, from the addresses we have now; a callee asks
// the caller to.
func (n *Node) restart(ctx context.Context, e call.Effect) {
	p := n.phone(e.Call)
	if p == nil || p.leg == nil {
		return
	}
	if p.offered != nil {
		n.say(e.Call, e.Device, call.Signal{Kind: call.Again})
		return
	}
	d, err := p.leg.Restart(ctx)
	if err != nil {
		n.log.Warn("look for another path", "call", shortCall(e.Call), "err", err)
		return
	}
	n.say(e.Call, e.Device, call.Signal{Kind: call.Again, Description: d.Encode()})
}

// renewBurst renewals of a call's path, which an honest end that moves needs, are
// taken at once, and then one each renewEvery: the last that was wanted.
const (
	renewBurst = 4
	renewEvery = time.Second
)

// renewal is what the other end wants of our path.
type renewal struct {
	wants func(context.Context) // nil: nothing
	spent allowance
}

// renewalLocked gives a renewal that is wanted, or how long to wait for one.
func (c *calls) renewalLocked(now time.Time) (job func(context.Context), pause time.Duration) {
	pause = time.Hour
	for _, p := range c.phones {
		for i := range p.renewals {
			r := &p.renewals[i]
			switch {
			case r.wants == nil:
			case r.spent.take(renewBurst, renewEvery):
				job, r.wants = r.wants, nil
				return job, 0
			default:
				pause = min(pause, r.spent.since.Add(renewEvery).Sub(now))
			}
		}
	}
	return nil, max(pause, 0)
}

// renewPath takes the other end's restart, or its answer to ours.
func (n *Node) renewPath(ctx context.Context, id call.ID, from call.Device, s call.Signal) {
	p := n.phone(id)
	if p == nil || p.leg == nil {
		return
	}
	if p.offered == nil && s.Kind == call.Again {
		n.restart(ctx, call.Effect{Call: id, Device: from})
		return
	}
	d, err := rtc.ParseDescription(s.Description)
	if err == nil && s.Kind == call.AgainToo {
		err = p.leg.Accept(ctx, d)
	} else if err == nil {
		if d, err = p.leg.Answer(ctx, d); err == nil {
			n.say(id, from, call.Signal{Kind: call.AgainToo, Description: d.Encode()})
		}
	}
	if err != nil {
		n.log.Warn("take another path", "call", shortCall(id), "err", err)
	}
}

// linkedCalls tells the book that a friend's device is here.
func (n *Node) linkedCalls(l *link) {
	if l.own() || l.guest.Load() {
		return
	}
	c := &n.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	before, met := c.boots[l.device]
	c.boots[l.device] = l.boot
	for _, x := range c.book.Calls() {
		if p := c.phones[x.ID]; p != nil && x.Live() && !x.ActiveFrom.IsZero() && x.Device == call.Device(l.device) {
			c.queue = append(c.queue, func(context.Context) { p.tellRecording(x.Device) })
		}
	}
	n.enqueueLocked(c.book.Linked(time.Now(), call.Person(l.person), call.Device(l.device), met && before != l.boot))
	for _, x := range c.book.Calls() { // one of us may have moved
		if x.State == call.Active && x.Outgoing && x.Device == call.Device(l.device) {
			n.enqueueLocked([]call.Effect{{Act: call.Restart, Call: x.ID, Device: x.Device}})
		}
	}
}

// unlinkedCalls tells the book that a device is not reached any more.
func (n *Node) unlinkedCalls(l *link) {
	c := &n.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	n.enqueueLocked(c.book.Unlinked(time.Now(), call.Device(l.device)))
}
