package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/voice"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
)

// Errors of TestWith.
var (
	// ErrNotHere means that no device of a friend is reached now.
	ErrNotHere = errors.New("no device of theirs is here now")
	// ErrNoEcho means that no machine of a friend takes part in a test: it was
	// not allowed to, or did not hear of it.
	ErrNoEcho = errors.New("their machine does not take part")
	// ErrEchoBusy means that a machine may take part, and has just done so.
	ErrEchoBusy = errors.New("their machine is in another test, or was just now")
	// ErrNoPath means that no way for sound to a friend's machine was found.
	ErrNoPath = errors.New("no way for sound was found")
)

// How long a test waits.
const (
	trialAnswer  = 5 * time.Second // for a machine that takes part
	trialConnect = 5 * time.Second // for a path
)

// trial is an echo test between this machine and a friend's. Nothing of it is
// a call: nobody rings, the book knows nothing, the log keeps nothing.
type trial struct {
	*phone
	heard chan trialSignal
	stop  context.CancelFunc
}

type trialSignal struct {
	from call.Device
	call.Signal
}

// FarReport is what a test with a friend's machine measured.
type FarReport struct {
	voice.EchoReport
	Path      transport.Kind
	RTT       time.Duration
	Loss      float64 // part of the packets that were lost on the way back
	LossThere float64 // part of ours that were lost on the way there
}

func (n *Node) newTrial(id call.ID, who identity.ID, stop context.CancelFunc) *trial {
	t := &trial{phone: barePhone(n, id, who), heard: make(chan trialSignal, 8), stop: stop}
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	n.calls.trials[id] = t
	return t
}

// end says goodbye and lets go of everything.
func (t *trial) end() {
	t.n.calls.mu.Lock()
	delete(t.n.calls.trials, t.id)
	t.n.calls.tests.End(t.id)
	t.n.calls.mu.Unlock()
	if far := t.device(); far != (call.Device{}) {
		t.n.say(t.id, far, call.Signal{Kind: call.End, Reason: call.Completed})
	}
	t.stop()
	t.close()
}

// endTrials ends the tests with a person, or all where who is zero.
func (n *Node) endTrials(who identity.ID) {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	for _, t := range n.calls.trials {
		if who == (identity.ID{}) || t.person == who {
			t.stop()
		}
	}
}

// heardTrialLocked takes a signal about a test, and says whether it was one.
func (n *Node) heardTrialLocked(l *link, id call.ID, s call.Signal) bool {
	if s.Kind == call.Test {
		n.askedToTestLocked(l, id, s)
		return true
	}
	t := n.calls.trials[id]
	if t == nil || t.person != l.person {
		return false
	}
	select {
	case t.heard <- trialSignal{call.Device(l.device), s}:
	default: // no honest end says so much
	}
	return true
}

// askedToTestLocked begins to take part in a friend's test, if they may.
// Whoever may not hears nothing, as if this machine knew no tests.
func (n *Node) askedToTestLocked(l *link, id call.ID, s call.Signal) {
	c := &n.calls
	if l.guest.Load() || !n.known().friend(l.person) || c.trials[id] != nil || !n.terms(l.person).Echo {
		return
	}
	from := call.Device(l.device)
	if !c.tests.Begin(time.Now(), id, call.Person(l.person)) {
		c.queue = append(c.queue, func(context.Context) {
			n.say(id, from, call.Signal{Kind: call.Reject, Reason: call.Busy})
		})
		n.enqueueLocked(nil)
		return
	}
	c.queue = append(c.queue, func(ctx context.Context) {
		ctx, stop := context.WithTimeout(ctx, call.TestTime)
		t := n.newTrial(id, l.person, stop)
		t.far.Store(&from)
		c.ending.Go(func() {
			defer t.end()
			if err := t.giveBack(ctx, s.Description); err != nil {
				n.log.Info("echo test", "peer", l.device, "err", err)
			}
		})
	})
	n.enqueueLocked(nil)
}

// giveBack is the end of a test that nobody sits at: what it hears it sends
// back. No microphone is opened.
func (t *trial) giveBack(ctx context.Context, offer []byte) error {
	d, err := rtc.ParseDescription(offer)
	if err == nil {
		err = t.openLeg()
	}
	if err == nil {
		d, err = t.leg.Answer(ctx, d)
	}
	if err != nil {
		return err
	}
	t.n.say(t.id, t.device(), call.Signal{Kind: call.Accept, Description: d.Encode()})
	if err := t.connect(ctx); err != nil {
		return err
	}
	e, err := voice.NewReturn(voice.Config{Send: t.send, Look: t.look, PayloadType: payloadOpus, Log: t.n.log})
	if err != nil {
		return err
	}
	t.hear(e)
	defer t.leg.Hand(nil)
	t.work.Go(func() { t.adapt(ctx, e) })
	t.work.Go(func() { t.untilOver(ctx) })
	return e.Run(ctx)
}

// untilOver stops a test when the other end says so or is gone.
func (t *trial) untilOver(ctx context.Context) {
	defer t.stop()
	for {
		if state, _ := t.leg.State(); state == rtc.Closed || state == rtc.Failed {
			return
		}
		select {
		case s := <-t.heard:
			if s.from == t.device() && (s.Kind == call.End || s.Kind == call.Reject) {
				return
			}
		case <-t.leg.Changes():
		case <-ctx.Done():
			return
		}
	}
}

// connect waits until the leg has a path and keys.
func (t *trial) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trialConnect)
	defer cancel()
	for {
		switch state, why := t.leg.State(); state {
		case rtc.Connected:
			return nil
		case rtc.Failed, rtc.Closed:
			return errors.Join(ErrNoPath, why)
		case rtc.New, rtc.Connecting, rtc.Interrupted:
		}
		select {
		case <-t.leg.Changes():
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrNoPath, ctx.Err())
		}
	}
}

// TestWith hears whether this machine can call a friend: it plays a sound and
// lets one speak, and both go to the friend's machine and come back. Nobody
// rings there; their consent is asked for beforehand, by people. It takes the
// devices here, so no call may go on.
func (n *Node) TestWith(ctx context.Context, who identity.ID, step func(voice.EchoStep)) (r FarReport, err error) {
	if err := n.mayWrite(who); err != nil {
		return r, err
	}
	switch {
	case n.cfg.Sound.Test == nil:
		return r, ErrNoSound
	case n.speaking() != nil:
		return r, ErrTalking
	}
	var id call.ID
	rand.Read(id[:])
	ctx, stop := context.WithCancel(ctx)
	t := n.newTrial(id, who, stop)
	defer t.end()
	if err := t.ask(ctx); err != nil {
		return r, err
	}
	if err := t.connect(ctx); err != nil {
		return r, err
	}
	r.EchoReport, err = n.cfg.Sound.Test(ctx, step, &voice.Line{
		Send: func(x *rtp.Packet) error {
			x.PayloadType = payloadOpus
			return t.send(x)
		},
		Receive: t.receive,
		Network: func() (float64, time.Duration) { s := t.leg.Stats(); return s.Loss, s.RTT },
	})
	s := t.leg.Stats()
	r.Path, r.RTT, r.LossThere = t.kind(), s.RTT, s.Loss
	if total := s.PacketsReceived + s.PacketsLost; total > 0 {
		r.Loss = float64(s.PacketsLost) / float64(total)
	}
	return r, err
}

// receive gives what came back, whatever its payload was called on the way.
func (t *trial) receive(ctx context.Context) (*rtp.Packet, time.Time, error) {
	a, err := t.leg.Receive(ctx)
	return a.Packet, a.At, err
}

// ask asks the friend's devices to take part, and takes the first that does.
func (t *trial) ask(ctx context.Context) error {
	if err := t.openLeg(); err != nil {
		return err
	}
	d, err := t.leg.Offer(ctx)
	if err != nil {
		return err
	}
	asked := 0
	for _, l := range t.n.links.of(t.person) {
		if !l.guest.Load() {
			t.n.say(t.id, call.Device(l.device), call.Signal{Kind: call.Test, Description: d.Encode()})
			asked++
		}
	}
	if asked == 0 {
		return ErrNotHere
	}
	timer := time.NewTimer(trialAnswer)
	defer timer.Stop()
	for refused := 0; refused < asked; {
		select {
		case s := <-t.heard:
			if s.Kind == call.Accept {
				return t.meet(ctx, s)
			}
			refused++
		case <-timer.C:
			return ErrNoEcho
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ErrEchoBusy
}

// meet connects to the device that takes part.
func (t *trial) meet(ctx context.Context, s trialSignal) error {
	t.far.Store(&s.from)
	d, err := rtc.ParseDescription(s.Description)
	if err != nil {
		return err
	}
	if err := t.leg.Accept(ctx, d); err != nil {
		return err
	}
	t.work.Go(func() { t.keepTunnel(ctx) })
	return nil
}
