package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/voice"
	"github.com/entrenous/entrenous/transport/rtc"
)

// Sound is how a node hears and speaks. Its functions are safe for concurrent
// use.
type Sound struct {
	// Open opens a microphone and a loudspeaker and makes an engine with them.
	Open func(voice.Config) (*voice.Engine, error)
	// Closed is told of an engine that has done its work; nil if nobody asks.
	Closed func(*voice.Engine)
	// List names the devices there are; nil where there is no choice.
	List func() ([]SoundDevice, error)
	// Choose takes other devices from now on. The engine is the one of the call
	// that goes on, or nil.
	Choose func(*voice.Engine, SoundChoice) error
	// Wear remembers whether the devices of an engine are headphones; nil if
	// nobody does.
	Wear func(e *voice.Engine, on bool)
	// Test hears whether this machine can call, over a line to another one if
	// it is given; it tells step what happens.
	Test func(ctx context.Context, step func(voice.EchoStep), line *voice.Line) (voice.EchoReport, error)
}

// SoundDevice is a microphone or a loudspeaker.
type SoundDevice struct {
	ID, Name string
	Mic      bool
	Default  bool // the system's own choice
	Chosen   bool // in use for calls
	Rings    bool // calls that come in are heard here
}

// SoundChoice takes devices by their ids; nil leaves as it is. An empty
// microphone or loudspeaker is the system's own choice; an empty Ring rings
// where calls are heard.
type SoundChoice struct{ Mic, Speaker, Ring *string }

// Errors of the verbs on calls.
var (
	// ErrNoCall means that there is no such call.
	ErrNoCall = errors.New("no such call")
	// ErrInCall means that we are in a call with that person already.
	ErrInCall = call.ErrInCall
	// ErrCallBusy means that another call is just beginning.
	ErrCallBusy = call.ErrBusy
	// ErrTalking means that a call has the microphone and the loudspeaker.
	ErrTalking = errors.New("a call goes on here")
	// ErrCallState means that a call is not in the state for that.
	ErrCallState = call.ErrState
	// ErrNoSound means that this node was started without sound.
	ErrNoSound = errors.New("this node has no sound")
)

// calls are the calls of this device. The book decides; the operator, one
// goroutine, does what it says, in order; each call that has begun has a phone.
type calls struct {
	port *rtc.Port
	wake chan struct{} // holds a token when there is something to do

	mu     sync.Mutex
	book   call.Book
	queue  []func(context.Context)
	phones map[call.ID]*phone
	tests  call.Tests
	trials map[call.ID]*trial
	boots  map[identity.DeviceID]string // the run of each device's program that we last met
	over   bool                         // the operator has ended
	late   map[call.ID]chan []byte      // records that wait for the other end's report
	ending sync.WaitGroup               // phones that close, and their records
}

// open prepares for calls on the host's own sockets.
func (n *Node) openCalls() error {
	conns, err := n.host.SharedConns()
	if err != nil {
		return fmt.Errorf("prepare for calls: %w", err)
	}
	c := &n.calls
	c.wake = make(chan struct{}, 1)
	c.phones, c.trials = map[call.ID]*phone{}, map[call.ID]*trial{}
	c.boots, c.late = map[identity.DeviceID]string{}, map[call.ID]chan []byte{}
	if c.port, err = rtc.NewPort(conns, n.host.SharedAddrs); err != nil {
		return fmt.Errorf("prepare for calls: %w", err)
	}
	return nil
}

// operate does what the book says until ctx ends; then it ends every call.
func (n *Node) operate(ctx context.Context) {
	c := &n.calls
	for ctx.Err() == nil {
		job, next := c.take()
		if job != nil {
			job(ctx)
			continue
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-timer.C:
			c.mu.Lock()
			n.enqueueLocked(c.book.Tick(time.Now()))
			c.mu.Unlock()
		}
		timer.Stop()
	}
	n.endCalls(context.WithoutCancel(ctx))
}

// take gives the next job, or how long to wait for one.
func (c *calls) take() (func(context.Context), time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		job := c.queue[0]
		c.queue = c.queue[1:]
		return job, 0
	}
	job, pause := c.renewalLocked(time.Now())
	if job != nil {
		return job, 0
	}
	if next := c.book.Next(); !next.IsZero() {
		pause = min(pause, max(time.Until(next), 0))
	}
	return nil, pause
}

// enqueueLocked makes jobs of what the book says.
func (n *Node) enqueueLocked(effects []call.Effect) {
	if n.calls.over {
		return
	}
	for _, e := range effects {
		n.calls.queue = append(n.calls.queue, func(ctx context.Context) { n.perform(ctx, e) })
	}
	select {
	case n.calls.wake <- struct{}{}:
	default:
	}
}

// endCalls hangs up whatever lives, keeps the records, and waits for the phones.
func (n *Node) endCalls(ctx context.Context) {
	for job := n.lastJob(); job != nil; job = n.lastJob() {
		job(ctx)
	}
	n.endTrials(identity.ID{})
	n.calls.ending.Wait()
}

// lastJob hangs up whatever lives, and gives the next job. When there is none,
// the calls of this node are over.
func (n *Node) lastJob() func(context.Context) {
	c := &n.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.book.Calls() {
		if !x.Live() {
			continue
		}
		why := call.Completed
		if x.State == call.Ringing && !x.Outgoing {
			why = call.Missed // nobody has said no: it may ring on at other devices
		}
		effects, _ := c.book.Break(time.Now(), x.ID, why) // it lives
		n.enqueueLocked(effects)
	}
	if len(c.queue) == 0 {
		c.over = true
		return nil
	}
	job := c.queue[0]
	c.queue = c.queue[1:]
	return job
}

// decide runs a verb of the book.
func (n *Node) decide(f func(*call.Book, time.Time) ([]call.Effect, error)) error {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	if n.calls.over {
		return ErrNoCall
	}
	effects, err := f(&n.calls.book, time.Now())
	if errors.Is(err, call.ErrNone) {
		err = ErrNoCall
	}
	if err != nil {
		return err
	}
	n.enqueueLocked(effects)
	return nil
}

// Call calls a friend at all their devices.
func (n *Node) Call(who identity.ID) (call.ID, error) {
	if err := n.mayWrite(who); err != nil {
		return call.ID{}, err
	}
	if n.cfg.Sound.Open == nil {
		return call.ID{}, ErrNoSound
	}
	var id call.ID
	rand.Read(id[:])
	var devices []call.Device
	for _, l := range n.links.of(who) {
		if !l.guest.Load() {
			devices = append(devices, call.Device(l.device))
		}
	}
	return id, n.decide(func(b *call.Book, now time.Time) ([]call.Effect, error) {
		return b.Dial(now, id, call.Person(who), devices)
	})
}

// Answer accepts a call that rings here. Whoever we speak with is put on hold.
func (n *Node) Answer(id call.ID) error {
	if n.cfg.Sound.Open == nil {
		return ErrNoSound
	}
	return n.decide(func(b *call.Book, now time.Time) ([]call.Effect, error) { return b.Answer(now, id) })
}

// HangUp ends a call, calls it off, or declines it.
func (n *Node) HangUp(id call.ID) error {
	return n.decide(func(b *call.Book, now time.Time) ([]call.Effect, error) { return b.HangUp(now, id) })
}

// endCallsWith ends all calls and sound tests with a person.
func (n *Node) endCallsWith(who identity.ID) {
	for _, c := range n.Calls() {
		if c.Person == call.Person(who) && c.Live() {
			_ = n.HangUp(c.ID) // it may be over already
		}
	}
	n.endTrials(who)
}

// Hold puts a call on hold, or goes on with it; another one that goes on is
// held then.
func (n *Node) Hold(id call.ID, on bool) error {
	return n.decide(func(b *call.Book, now time.Time) ([]call.Effect, error) { return b.Hold(now, id, on) })
}

// breakOff ends a call that cannot go on, for a reason of ours.
func (n *Node) breakOff(id call.ID, why call.Reason, err error) {
	n.log.Warn("call breaks off", "call", shortCall(id), "err", err)
	_ = n.decide(func(b *call.Book, now time.Time) ([]call.Effect, error) { return b.Break(now, id, why) }) // it may be over already
}

// perform does one thing that the book says.
func (n *Node) perform(ctx context.Context, e call.Effect) {
	switch e.Act {
	case call.Send:
		n.signal(ctx, e)
	case call.Join:
		n.join(ctx, e)
	case call.Meet:
		n.meet(ctx, e)
	case call.Restart:
		n.restart(ctx, e)
	case call.Hold:
		if p := n.phone(e.Call); p != nil {
			p.holds(n.findCall(e.Call))
		}
	case call.Probe:
		if p := n.phone(e.Call); p != nil {
			p.work.Go(func() { n.probe(ctx, p, e) })
		}
	case call.Over:
		n.hungUp(ctx, e.Call)
	case call.Changed:
		n.beep()
		n.tellCall(n.findCall(e.Call))
	}
}

func (n *Node) findCall(id call.ID) call.Call {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	c, _ := n.calls.book.Find(id)
	return c
}

func (n *Node) phone(id call.ID) *phone {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	if t := n.calls.trials[id]; t != nil {
		return t.phone
	}
	return n.calls.phones[id]
}

// tellCall tells viewers that a call changed.
func (n *Node) tellCall(c call.Call) {
	var id chat.Hash
	copy(id[:], c.ID[:])
	n.changes.tell(Change{Topic: TopicCall, Who: identity.ID(c.Person), ID: id, State: string(c.State)})
}

func shortCall(id call.ID) string { return fmt.Sprintf("%x", id[:4]) }

// The steps and the report of a sound test, under the name that the rooms above
// know them by.
type (
	// EchoStep is how far a sound test is.
	EchoStep = voice.EchoStep
	// EchoReport is what a sound test measured.
	EchoReport = voice.EchoReport
	// EchoFinding is a word for something that a sound test found.
	EchoFinding = voice.Finding
)
