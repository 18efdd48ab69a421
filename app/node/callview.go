package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/voice"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
)

// keptNotices is how many notices of a call are remembered.
const keptNotices = 8

// silent is the level of nothing, in dBFS.
const silent = -127

// Notice is something about the sound that a person would want to know.
type Notice struct {
	At time.Time
	voice.Notice
}

// CallInfo is a call as viewers see it now.
type CallInfo struct {
	call.Call
	Name           string // of the person
	Muted          bool
	PushToTalk     bool
	Talking        bool
	Headphones     bool
	Volume         float64 // dB
	Recording      bool
	RecordingFile  string // the newest recording of this call, a plain file; empty without one
	RecordingThere bool
	Mine, Theirs   float64 // levels in dBFS
	Voice          voice.Stats
	Net            rtc.Stats
	Path           transport.Kind
	Addr           string // the farther end of the path
	Notices        []Notice
}

// Calls lists the calls that live and those that ended lately, the oldest first.
func (n *Node) Calls() []CallInfo {
	n.calls.mu.Lock()
	all := n.calls.book.Calls()
	n.calls.mu.Unlock()
	out := make([]CallInfo, len(all))
	for i, c := range all {
		out[i] = n.describeCall(c)
	}
	return out
}

// CallInfo describes one call, by its id or the one that it had before.
func (n *Node) CallInfo(id call.ID) (CallInfo, error) {
	c := n.findCall(id)
	if c.State == call.Idle {
		return CallInfo{}, ErrNoCall
	}
	return n.describeCall(c), nil
}

func (n *Node) describeCall(c call.Call) CallInfo {
	info := CallInfo{Call: c, Path: transport.None, Mine: silent, Theirs: silent}
	if who, ok := n.known().contacts[identity.ID(c.Person)]; ok {
		info.Name = shownName(who)
	}
	if p := n.phone(c.ID); p != nil {
		p.describe(&info)
	}
	return info
}

func (p *phone) describe(info *CallInfo) {
	p.mu.Lock()
	e, leg, ch := p.engine, p.leg, p.choices
	info.Notices, info.Recording, info.RecordingFile = slices.Clone(p.notices), p.tape != nil, p.taped
	p.mu.Unlock()
	info.Muted, info.PushToTalk, info.Talking, info.Volume = ch.muted, ch.pushToTalk, ch.talking, ch.volume
	info.RecordingThere = p.recordedThere.Load()
	if e != nil {
		info.Mine, info.Theirs = e.Levels()
		info.Voice = e.Stats()
		info.Headphones = e.Wears()
	}
	if leg == nil {
		return
	}
	info.Net = leg.Stats()
	info.Path = p.kind()
	if path := leg.Path(); path.Kind != 0 && path.Kind != rtc.Relayed {
		info.Addr = path.Remote.String()
	}
}

// notice remembers what the sound has to tell.
func (p *phone) notice(e *voice.Engine) {
	for x := range e.Notices() {
		p.mu.Lock()
		p.notices = append(p.notices, Notice{time.Now(), x})
		p.notices = p.notices[max(0, len(p.notices)-keptNotices):]
		p.mu.Unlock()
		if x.Kind == voice.RecordingEnded {
			p.recordingBroke(e)
		}
		p.n.log.Info("sound", "call", shortCall(p.id), "what", string(x.Kind), "device", x.Device, "err", x.Err)
		p.n.tellCall(p.called())
	}
}

// recordingBroke lets go of a recording that cannot be written on, and tells
// the other end that nobody records any more.
func (p *phone) recordingBroke(e *voice.Engine) {
	c := p.called() // not under the lock: it takes that of all calls
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tape == nil || e.Recording() { // stopped meanwhile, or begun anew
		return
	}
	if err := p.tape.Close(); err != nil {
		p.n.log.Warn("close a recording that broke off", "call", shortCall(p.id), "err", err)
	}
	p.tape = nil
	p.n.say(p.id, c.Device, call.Signal{Kind: call.Recording})
}

// CallEdit is what to change in a call; nil leaves as it is.
type CallEdit struct {
	Muted, Held, PushToTalk, Talking, Headphones, Recording *bool
	Volume                                                  *float64 // dB, in this call and the next
	Typing                                                  bool     // a key was pressed: press its click down
}

// EditCall changes how a call is heard and spoken in.
func (n *Node) EditCall(ctx context.Context, id call.ID, e CallEdit) error {
	c := n.findCall(id)
	p := n.phone(c.ID)
	if !c.Live() || p == nil {
		return ErrNoCall
	}
	if e.Held != nil {
		if err := n.Hold(c.ID, *e.Held); err != nil {
			return err
		}
	}
	p.choose(func(ch *choices) {
		set(&ch.muted, e.Muted)
		set(&ch.pushToTalk, e.PushToTalk)
		set(&ch.talking, e.Talking)
	})
	if e.Volume != nil {
		if err := n.SetVolume(ctx, identity.ID(c.Person), *e.Volume); err != nil {
			return err
		}
	}
	if err := p.adjust(e); err != nil {
		return err
	}
	if e.Recording != nil {
		if err := n.record(c, p, *e.Recording); err != nil {
			return err
		}
	}
	n.tellCall(c)
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// adjust does what is not kept.
func (p *phone) adjust(e CallEdit) error {
	p.mu.Lock()
	engine := p.engine
	p.mu.Unlock()
	switch {
	case engine == nil && e.Headphones != nil:
		return ErrCallState
	case engine == nil:
		return nil
	case e.Typing:
		engine.Typing()
	}
	if e.Headphones == nil {
		return nil
	}
	if err := engine.Headphones(*e.Headphones); err != nil {
		return err
	}
	if p.n.cfg.Sound.Wear != nil {
		p.n.cfg.Sound.Wear(engine, *e.Headphones)
	}
	return nil
}

// recordings is the folder in the profile that recordings go to.
const recordings = "recordings"

// record begins or ends a recording of both voices, and tells the other end.
func (n *Node) record(c call.Call, p *phone, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.engine == nil:
		return ErrCallState
	case on == (p.tape != nil):
		return nil
	case !on:
		err := errors.Join(p.engine.StopRecord(), p.tape.Close())
		p.tape = nil
		n.say(c.ID, c.Device, call.Signal{Kind: call.Recording})
		return err
	}
	f, err := n.newRecording(c)
	if err != nil {
		return err
	}
	if err := p.engine.Record(f); err != nil {
		return errors.Join(fmt.Errorf("record: %w", err), f.Close())
	}
	p.tape, p.taped = f, f.Name()
	n.say(c.ID, c.Device, call.Signal{Kind: call.Recording, On: true})
	return nil
}

// tellRecording says whether we record: what was said of it before may be lost
// with an old channel.
func (p *phone) tellRecording(to call.Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n.say(p.id, to, call.Signal{Kind: call.Recording, On: p.tape != nil})
}

func (n *Node) newRecording(c call.Call) (*os.File, error) {
	dir := filepath.Join(n.cfg.Dir, recordings)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	name := n.cfg.Now().Format("2006-01-02 15.04.05") + " " + shortCall(c.ID) + ".opus"
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return f, nil
}

// SoundDevices lists the microphones and loudspeakers there are.
func (n *Node) SoundDevices() ([]SoundDevice, error) {
	if n.cfg.Sound.List == nil {
		return nil, nil
	}
	return n.cfg.Sound.List()
}

// ChooseSound takes other devices, at once in the call that goes on.
func (n *Node) ChooseSound(c SoundChoice) error {
	if n.cfg.Sound.Choose == nil {
		return ErrNoSound
	}
	return n.cfg.Sound.Choose(n.speaking(), c)
}

// speaking is the engine of the call that is neither held nor over.
func (n *Node) speaking() *voice.Engine {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	for _, c := range n.calls.book.Calls() {
		if p := n.calls.phones[c.ID]; p != nil && !c.Held && !c.Answered.IsZero() {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.engine
		}
	}
	return nil
}

// TestSound hears whether this machine can call. It takes the devices, so no
// call may go on.
func (n *Node) TestSound(ctx context.Context, step func(voice.EchoStep)) (voice.EchoReport, error) {
	if n.cfg.Sound.Test == nil {
		return voice.EchoReport{}, ErrNoSound
	}
	if n.speaking() != nil {
		return voice.EchoReport{}, ErrTalking
	}
	return n.cfg.Sound.Test(ctx, step, nil)
}

// Reached counts the devices of a friend that would ring now.
func (n *Node) Reached(who identity.ID) (count int) {
	for _, l := range n.links.of(who) {
		if !l.guest.Load() {
			count++
		}
	}
	return count
}
