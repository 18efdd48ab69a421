package ui

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

const (
	quickPace = 100 * time.Millisecond // of the levels, while they are looked at
	calmPace  = time.Second            // else
	goodbye   = 4 * time.Second        // that a call which ended well stays in sight
	regret    = 20 * time.Second       // one that did not
)

// A phone is what the window knows of calls. The node holds them, rings and
// speaks; the phone asks how they are, shows them, and tells what the person
// does. While there is no call it does nothing.
type phone struct {
	w     *Window
	calls []control.Call // those that live, and those whose end is still shown
	bars  []*callBar
	shelf *fyne.Container // the bars, one under the other
	card  *incoming       // nil unless somebody calls
	facts *callFacts      // the figures of a call, while they are shown

	fed  string        // the call that is followed closely
	pace time.Duration // and how closely
	stop chan struct{} // closed to end that
}

func newPhone(w *Window) *phone { return &phone{w: w, shelf: newColumn(8)} }

// read asks the node which calls there are.
func (p *phone) read() {
	p.w.read("calls", func(ctx context.Context) error {
		list, err := p.w.client.Calls(ctx)
		if err != nil {
			p.w.log.Debug("no calls", "err", err)
			return nil // whatever ails the node, others say it
		}
		p.w.ui(func() { p.take(list) })
		return nil
	})
}

// take shows the calls as the node lists them.
func (p *phone) take(list []control.Call) {
	var calls []control.Call
	for _, c := range list {
		if c.State != control.CallEnded || p.shows(c) {
			calls = append(calls, c)
		}
	}
	p.part(calls)
	p.calls = slices.DeleteFunc(calls, func(c control.Call) bool { return c.State == control.CallEnded && calledAgain(c, list) })
	p.show()
}

// calledAgain says whether another call lives with the person of a call that
// has ended: how that was is the past then.
func calledAgain(over control.Call, all []control.Call) bool {
	return slices.ContainsFunc(all, func(c control.Call) bool { return c.Who == over.Who && c.State != control.CallEnded })
}

// update shows one call as it is now.
func (p *phone) update(c control.Call) {
	calls := slices.Clone(p.calls)
	i := p.index(c)
	if i < 0 {
		return
	}
	same := calls[i].State == c.State && calls[i].Held == c.Held
	calls[i] = c
	if c.State == control.CallEnded && !p.shows(c) {
		calls = slices.Delete(calls, i, i+1)
	}
	p.part(calls)
	p.calls = calls
	if !same {
		p.show()
		return
	}
	for _, b := range p.bars {
		if b.is(c) {
			p.set(b, c)
		}
	}
}

// cut shows that the calls have ended, for the node is gone that held them.
func (p *phone) cut() {
	var calls []control.Call
	for _, c := range p.calls {
		if rings(c) {
			continue
		}
		if c.State != control.CallEnded {
			c.State, c.Reason, c.Over, c.Quality = control.CallEnded, control.EndLost, p.w.now(), nil
		}
		calls = append(calls, c)
	}
	p.part(calls)
	p.calls = calls
	p.show()
}

// shows says whether the end of a call is to be told: the person saw it live,
// and it was more than a ring that stopped.
func (p *phone) shows(c control.Call) bool {
	return p.index(c) >= 0 && (c.Outgoing || !c.Answered.IsZero())
}

// part lets the end of those calls be read for a while that have just ended,
// and says where the recordings are that have.
func (p *phone) part(calls []control.Call) {
	for _, c := range calls {
		i := p.index(c)
		if i < 0 {
			continue
		}
		was := p.calls[i]
		// A call that is over names no file any more.
		if file := cmp.Or(c.RecordingFile, was.RecordingFile); was.Recording && !c.Recording && file != "" && !p.w.recordingBroke(c) {
			p.w.toast.say(p.w.tr("save.done"), file)
		}
		if c.State != control.CallEnded || was.State == control.CallEnded {
			continue
		}
		pause := regret
		if c.Reason == control.EndCompleted || c.ByUs {
			pause = goodbye
		}
		p.w.after(pause, func() { p.dismiss(c.ID) })
	}
}

// dismiss forgets a call that has ended.
func (p *phone) dismiss(id string) {
	was := len(p.calls)
	p.calls = slices.DeleteFunc(slices.Clone(p.calls), func(c control.Call) bool { return c.ID == id && c.State == control.CallEnded })
	if len(p.calls) != was {
		p.show()
	}
}

// index finds a call by its id, or the one that it had before two became one.
func (p *phone) index(c control.Call) int {
	return slices.IndexFunc(p.calls, func(o control.Call) bool { return sameCall(o.ID, c) })
}

func sameCall(id string, c control.Call) bool { return id == c.ID || c.Was != "" && id == c.Was }

// with finds the call that lives with a person.
func (p *phone) with(who string) (control.Call, bool) {
	i := slices.IndexFunc(p.calls, func(c control.Call) bool { return c.Who == who && c.State != control.CallEnded })
	if i < 0 {
		return control.Call{}, false
	}
	return p.calls[i], true
}

// current is the call that keys and levels belong to: the one that is spoken
// in, else the one that is dialled.
func (p *phone) current() (control.Call, bool) {
	best := -1
	rank := func(c control.Call) int {
		switch {
		case c.State == control.CallEnded || rings(c):
			return 0
		case c.Held:
			return 1
		case c.Answered.IsZero():
			return 2
		}
		return 3
	}
	for i, c := range p.calls {
		if rank(c) > 0 && (best < 0 || rank(c) > rank(p.calls[best])) {
			best = i
		}
	}
	if best < 0 {
		return control.Call{}, false
	}
	return p.calls[best], true
}

// rings says whether a call waits for an answer here.
func rings(c control.Call) bool { return !c.Outgoing && c.State == control.CallRinging }

// show brings bars and card in step with the calls.
func (p *phone) show() {
	if p.w.shell == nil {
		return
	}
	var bars []*callBar
	for _, c := range p.calls {
		if rings(c) {
			continue
		}
		i := slices.IndexFunc(p.bars, func(b *callBar) bool { return b.is(c) })
		b := (*callBar)(nil)
		if i >= 0 {
			b = p.bars[i]
		} else {
			b = newCallBar(p)
		}
		b.set(c)
		bars = append(bars, b)
	}
	p.bars = bars
	p.shelf.Objects = nil
	for _, b := range bars {
		p.shelf.Add(b)
	}
	if p.facts != nil && !slices.Contains(bars, p.facts.bar) {
		p.hideFacts()
	}
	p.ring()
	p.follow()
	p.w.shell.placeCalls()
	p.w.shell.chat.refresh()
}

// set shows one bar's call anew; a bar that grew needs another place.
func (p *phone) set(b *callBar, c control.Call) {
	if b.set(c) {
		p.w.shell.placeCalls()
	}
	if p.facts != nil && p.facts.bar == b {
		p.facts.set(c)
	}
}

// ring shows the card of the first call that waits for an answer, or puts it away.
func (p *phone) ring() {
	i := slices.IndexFunc(p.calls, rings)
	switch {
	case i < 0 && p.card == nil:
	case i < 0:
		p.card.leave()
		p.card = nil
	case p.card != nil && sameCall(p.card.call.ID, p.calls[i]):
		p.card.call = p.calls[i]
	default:
		if p.card != nil {
			p.card.leave()
		}
		p.card = newIncoming(p, p.calls[i])
	}
}

// follow keeps up with the call that is spoken in: closely while the window is
// looked at and things may move.
func (p *phone) follow() {
	c, ok := p.current()
	pace := calmPace
	if p.w.front && !p.w.settings.ReduceMotion && c.State == control.CallActive && !c.Held {
		pace = quickPace
	}
	if !ok {
		c.ID = ""
	}
	if c.ID == p.fed && (pace == p.pace || !ok) {
		return
	}
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
	if p.fed, p.pace = c.ID, pace; !ok {
		return
	}
	stop := make(chan struct{})
	p.stop = stop
	p.w.work.do(func(ctx context.Context) { p.feed(ctx, c.ID, pace, stop) })
}

// feed hands over the states of a call until it ends or stop is closed.
func (p *phone) feed(ctx context.Context, id string, pace time.Duration, stop <-chan struct{}) {
	f, err := p.w.client.FollowCall(ctx, id, pace)
	if err != nil {
		p.w.log.Debug("a call cannot be followed", "err", err)
		return
	}
	defer f.Close()
	for {
		c, err := f.Next()
		select {
		case <-stop:
			return
		default:
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.w.log.Debug("a call is no longer followed", "err", err)
			}
			p.w.ui(func() { p.unfed(stop) })
			return
		}
		p.w.ui(func() { p.update(c) })
	}
}

// unfed looks what became of a call whose feed ended.
func (p *phone) unfed(stop <-chan struct{}) {
	if p.stop == stop {
		p.fed, p.stop = "", nil
		p.read()
	}
}

// again draws everything anew, for a new page or another language.
func (p *phone) again() {
	if p.card != nil {
		p.card.leave()
		p.card = nil
	}
	p.hideFacts()
	p.bars = nil
	p.show()
}
