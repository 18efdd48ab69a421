package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/voice"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
)

// Payload types (RFC 3551 §6), and how much sound a packet holds at first.
const (
	payloadOpus = 111
	payloadRED  = 63
	firstFrame  = 10 * time.Millisecond
)

// phone is one call that has begun: its leg through the network, and its
// sound. Between the two it only hands packets over.
type phone struct {
	n         *Node
	id        call.ID
	person    identity.ID // at the other end
	made      time.Time
	offered   []byte   // incoming: how the caller is reached
	described []byte   // how we are
	leg       *rtc.Leg // nil until it begins; written by the operator, under mu
	work      sync.WaitGroup
	stop      context.CancelFunc // ends work; nil before begin
	done      chan struct{}      // closed by close
	better    chan struct{}      // holds a token when there may be a better path for the tunnel

	renewals [2]renewal // guarded by calls.mu: of the path, asked for and answered

	far           atomic.Pointer[call.Device] // of a test: the other end, once it is known
	recordedThere atomic.Bool

	mu      sync.Mutex
	engine  *voice.Engine // nil until sound is open
	tunnel  *tunnelled    // the newest
	theirs  []byte        // the other end's report
	choices choices
	notices []Notice
	tape    io.Closer // a recording, nil if there is none
	taped   string    // the file of the newest recording
}

// choices are a person's, for the time of a call.
type choices struct {
	muted, pushToTalk, talking bool
	volume                     float64 // dB
}

func newPhone(n *Node, c call.Call) *phone {
	p := barePhone(n, c.ID, identity.ID(c.Person))
	p.choices.volume = n.terms(identity.ID(c.Person)).Volume
	return p
}

func barePhone(n *Node, id call.ID, person identity.ID) *phone {
	return &phone{n: n, id: id, person: person, made: time.Now(), done: make(chan struct{}), better: make(chan struct{}, 1)}
}

// device is at the other end; zero until one has answered.
func (p *phone) device() call.Device {
	if d := p.far.Load(); d != nil {
		return *d
	}
	return p.called().Device
}

// called is the call that the phone is for.
func (p *phone) called() call.Call { return p.n.findCall(p.id) }

func (p *phone) openLeg() error {
	l, err := rtc.NewLeg(rtc.Config{
		Port: p.n.calls.port, Reflexive: p.n.host.Observed, Allow: p.n.host.MayReach, Log: p.n.log,
		Tunnelled: p.n.known().hides(p.person),
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leg = l
	return nil
}

// begin follows the leg and opens the sound, while the leg connects.
func (p *phone) begin(ctx context.Context) {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx)) // the operator ends it, in order
	up := make(chan struct{})
	p.work.Go(func() { p.follow(ctx, up) })
	p.work.Go(func() { p.talk(ctx, up) })
	if p.offered == nil {
		p.work.Go(func() { p.keepTunnel(ctx) })
		p.work.Go(func() { p.watchTunnel(ctx) })
	}
}

// follow tells the book what becomes of the leg. It closes up once it is connected.
func (p *phone) follow(ctx context.Context, up chan struct{}) {
	var once sync.Once
	for {
		state, why := p.leg.State()
		switch state {
		case rtc.Connected:
			once.Do(func() { close(up) })
			p.tell(call.Up)
		case rtc.Interrupted:
			p.tell(call.Down)
		case rtc.Failed:
			if why != nil {
				p.n.log.Warn("call refused", "call", shortCall(p.id), "err", why)
				p.tell(call.Dead)
			} else {
				p.tell(call.Down)
			}
		case rtc.Closed:
			p.tell(call.Shut)
			return
		case rtc.New, rtc.Connecting:
		}
		select {
		case <-p.leg.Changes():
		case <-ctx.Done():
			return
		}
	}
}

func (p *phone) tell(what call.Path) {
	p.n.calls.mu.Lock()
	defer p.n.calls.mu.Unlock()
	p.n.enqueueLocked(p.n.calls.book.Path(time.Now(), p.id, what))
}

// talk opens the sound and runs it once the leg is connected.
func (p *phone) talk(ctx context.Context, up <-chan struct{}) {
	set := p.n.settings()
	e, err := p.n.cfg.Sound.Open(voice.Config{
		Send: p.send, Look: p.look, PayloadType: payloadOpus, REDPayloadType: payloadRED, Frame: firstFrame,
		NoiseSuppression: true, GainControl: true, SaveBandwidth: set.SaveBandwidth, LowLatency: set.LowLatency, Log: p.n.log,
	})
	if err != nil {
		p.n.breakOff(p.id, call.Broken, err)
		return
	}
	p.take(e)
	runs, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-up:
	case <-ctx.Done():
		cancel() // Run still has to close the devices
	}
	p.hear(e)
	defer p.leg.Hand(nil)
	p.work.Go(func() { p.adapt(runs, e) })
	p.work.Go(func() { p.notice(e) })
	p.work.Go(func() { p.awaitSound(runs, e) })
	err = e.Run(runs)
	if p.n.cfg.Sound.Closed != nil {
		p.n.cfg.Sound.Closed(e)
	}
	if err != nil && ctx.Err() == nil {
		p.n.breakOff(p.id, call.Broken, err)
	}
}

// send sends a packet of sound. Those of the last moment of a call go nowhere.
func (p *phone) send(x *rtp.Packet) error {
	if err := p.leg.Send(x); !errors.Is(err, rtc.ErrClosed) {
		return err
	}
	return nil
}

// look lets what has arrived come to the sound.
func (p *phone) look() { p.leg.Look() }

// take begins to use an engine, with the choices made before it was there.
func (p *phone) take(e *voice.Engine) {
	p.mu.Lock()
	p.engine = e
	p.mu.Unlock()
	p.choose(func(*choices) {})
	p.holds(p.called())
	p.n.beep()
}

// choose changes choices and applies them.
func (p *phone) choose(f func(*choices)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.choices)
	if e := p.engine; e != nil {
		e.Mute(p.choices.muted)
		e.PushToTalk(p.choices.pushToTalk)
		e.Talk(p.choices.talking)
		e.Volume(p.choices.volume)
	}
}

// holds stops sound while either end holds the call.
func (p *phone) holds(c call.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine != nil {
		p.engine.Hold(c.Held || c.HeldThere)
	}
}

// hear hands what arrives to the sound, until the leg is told otherwise.
func (p *phone) hear(e *voice.Engine) {
	p.leg.Hand(func(a rtc.Arrival) { e.Receive(a.Packet, a.At) })
}

// adapt tells the sound how the network is, each second.
func (p *phone) adapt(ctx context.Context, e *voice.Engine) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var reports uint64
	e.Network(0, 0, p.near())
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s := p.leg.Stats(); s.Reports != reports {
			reports = s.Reports
			e.Network(s.Loss, s.RTT, p.near())
		}
	}
}

// awaitSound tells viewers when the first sound is heard.
func (p *phone) awaitSound(ctx context.Context, e *voice.Engine) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; e.Stats().FirstAudio.IsZero(); n++ {
		if n == 400 { // two seconds: it will not be soon
			tick.Reset(100 * time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	p.n.tellCall(p.called())
}

// near says whether the other end is on this site.
func (p *phone) near() bool { return p.kind() == transport.LAN }

// kindOfPath gives the word for a leg's path.
func kindOfPath(p rtc.Path) transport.Kind {
	a := p.Remote.Addr()
	switch {
	case p.Kind == 0:
		return transport.None
	case p.Kind == rtc.Relayed:
		return transport.Relay
	case a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast():
		return transport.LAN
	}
	return transport.Direct
}

// close ends the phone and waits for all of it.
func (p *phone) close() {
	close(p.done)
	if p.leg != nil {
		if err := p.leg.Close(); err != nil && !errors.Is(err, rtc.ErrClosed) {
			p.n.log.Debug("close leg", "call", shortCall(p.id), "err", err)
		}
	}
	if p.stop != nil {
		p.stop()
	}
	p.work.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tape != nil { // the engine has ended the recording
		_ = p.tape.Close()
		p.tape = nil
	}
}
