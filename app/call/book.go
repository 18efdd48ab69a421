package call

import (
	"bytes"
	"slices"
	"time"
)

// Book holds the calls of one device. The zero value is ready; it is not safe
// for concurrent use. Each method returns what is to be done, in order.
type Book struct {
	entries []*entry // the oldest first
	seen    []seen
	out     []Effect
}

// seen is an id that was offered or dialled, and why it was refused if it was at once.
type seen struct {
	id      ID
	refused Reason
}

// entry is a call and what else the rules need.
type entry struct {
	Call
	targets  map[Device]Reason // devices that were offered the call, and why they refused
	rang     bool
	shut     bool      // the other end has closed the path: its goodbye is on the way
	heldFor  *entry    // held so that this one could begin; nil once a person has decided
	deadline time.Time // when it ends by itself; zero never
}

// done gives and forgets the effects gathered.
func (b *Book) done() []Effect {
	out := b.out
	b.out = nil
	return out
}

func (b *Book) do(act Act, e *entry, d Device) {
	b.out = append(b.out, Effect{Act: act, Call: e.ID, Device: d})
}

func (b *Book) say(e *entry, d Device, s Signal) {
	b.out = append(b.out, Effect{Act: Send, Call: e.ID, Device: d, Signal: s})
}

// Calls lists all that are known, the oldest first.
func (b *Book) Calls() []Call {
	out := make([]Call, len(b.entries))
	for i, e := range b.entries {
		out[i] = e.Call
	}
	return out
}

// Find gives a call by its id, or by the one that it had before.
func (b *Book) Find(id ID) (Call, bool) {
	if e := b.entry(id); e != nil {
		return e.Call, true
	}
	return Call{State: Idle}, false
}

// Next is when Tick is due; zero when nothing waits.
func (b *Book) Next() (next time.Time) {
	for _, e := range b.entries {
		if e.Live() && !e.deadline.IsZero() && (next.IsZero() || e.deadline.Before(next)) {
			next = e.deadline
		}
	}
	return next
}

func (b *Book) entry(id ID) *entry {
	for _, e := range b.entries {
		if e.ID == id || e.Was == id && id != (ID{}) {
			return e
		}
	}
	return nil
}

// live finds calls that have not ended.
func (b *Book) live(want func(*entry) bool) *entry {
	for _, e := range b.entries {
		if e.Live() && want(e) {
			return e
		}
	}
	return nil
}

func (b *Book) count() (n int) {
	for _, e := range b.entries {
		if e.Live() {
			n++
		}
	}
	return n
}

// begin adds a call, and forgets the oldest of those that ended.
func (b *Book) begin(now time.Time, e *entry) {
	e.Began = now
	if e.targets == nil {
		e.targets = map[Device]Reason{}
	}
	b.entries = append(b.entries, e)
	b.remember(e.ID, "")
	for over := len(b.entries) - b.count() - maxEnded; over > 0; over-- {
		i := slices.IndexFunc(b.entries, func(e *entry) bool { return !e.Live() })
		b.entries = slices.Delete(b.entries, i, i+1)
	}
}

func (b *Book) remember(id ID, refused Reason) {
	if b.seen = append(b.seen, seen{id, refused}); len(b.seen) > maxSeen {
		b.seen = slices.Delete(b.seen, 0, maxSeen/4)
	}
}

// become puts a call into a state, with the time until it ends by itself.
func (b *Book) become(e *entry, s State, deadline time.Time) {
	e.State, e.deadline = s, deadline
	b.do(Changed, e, Device{})
}

// end ends a call.
func (b *Book) end(now time.Time, e *entry, why Reason, byUs bool) {
	e.State, e.Reason, e.Over, e.ByUs, e.Waiting, e.deadline = Ended, why, now, byUs, false, time.Time{}
	b.do(Over, e, e.Device)
	b.do(Changed, e, Device{})
	b.resumeAfter(e)
	if left := b.live(func(*entry) bool { return true }); left != nil && left.Waiting && b.count() == 1 {
		left.Waiting = false // now it rings as any other
		b.do(Changed, left, Device{})
	}
}

// resumeAfter goes on with the call that was held for one that has ended and in
// which nobody ever spoke: who calls somebody in vain is back where they were.
func (b *Book) resumeAfter(over *entry) {
	for _, e := range b.entries {
		if e.heldFor != over {
			continue
		}
		e.heldFor = nil
		spoken := b.live(func(o *entry) bool { return o.met() && !o.Held })
		if over.ActiveFrom.IsZero() && e.met() && e.Held && spoken == nil {
			b.hold(e, false)
		}
	}
}

// callOff tells the devices that were offered a call, except one, that it is over.
func (b *Book) callOff(e *entry, why Reason, except Device) {
	for _, d := range e.devices() {
		if d != except && e.targets[d] == "" {
			b.say(e, d, Signal{Kind: End, Reason: why})
		}
	}
}

// devices lists those that were offered the call, in a stable order.
func (e *entry) devices() []Device {
	out := make([]Device, 0, len(e.targets))
	for d := range e.targets {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Device) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// unanswered says whether an outgoing call waits for somebody to answer.
func (e *entry) unanswered() bool {
	return e.Outgoing && (e.State == Calling || e.State == Ringing)
}

// met says whether a call has found its device at the other end and goes on.
func (e *entry) met() bool {
	return e.State == Connecting || e.State == Active || e.State == Reconnecting
}
