package nodetest

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// Phone is how a person calls: with fakes for a microphone and a loudspeaker.
type Phone struct {
	Audio  string // as package device spells it; empty is a steady tone and nobody listening
	Auto   bool   // answers by itself
	Broken error  // why no sound can be opened
	Saves  bool   // its engine was last asked to save bandwidth; read it when nothing goes on
	Low    bool   // or for low latency
	Opened int    // how often its devices were opened; read it when nothing goes on
}

func (p *Phone) sound() node.Sound {
	return node.Sound{Open: func(cfg voice.Config) (*voice.Engine, error) {
		mic, speaker, err := p.open()
		if err != nil {
			return nil, err
		}
		p.Saves, p.Low = cfg.SaveBandwidth, cfg.LowLatency
		cfg.Mic, cfg.Speaker, cfg.Headphones, cfg.NoiseSuppression, cfg.GainControl = mic, speaker, true, false, false
		return voice.New(cfg)
	}, Test: func(ctx context.Context, step func(voice.EchoStep), line *voice.Line) (voice.EchoReport, error) {
		mic, speaker, err := p.open()
		if err != nil {
			return voice.EchoReport{}, err
		}
		return voice.EchoTest(ctx, voice.EchoTestConfig{
			Mic: mic, Speaker: speaker, Headphones: true, Listen: time.Second, Speak: 2 * time.Second, Line: line, Step: step,
		})
	}}
}

func (p *Phone) open() (device.Mic, device.Speaker, error) {
	if p.Broken != nil {
		return nil, nil, p.Broken
	}
	p.Opened++
	spec := p.Audio
	if spec == "" {
		spec = "tone"
	}
	return device.Open(spec)
}

// Call calls a friend.
func (p *Person) Call(o *Person) call.ID {
	p.t.Helper()
	id, err := p.node.Call(o.ID())
	p.must(err)
	return id
}

// Rings waits until a call of somebody rings here, and gives it.
func (p *Person) Rings(from *Person) call.ID {
	p.t.Helper()
	var id call.ID
	p.town.Within(10*time.Second, fmt.Sprintf("%s's phone rings", p.Name), func() bool {
		for _, c := range p.node.Calls() {
			if !c.Outgoing && c.State == call.Ringing && c.Person == call.Person(from.ID()) {
				id = c.ID
				return true
			}
		}
		return false
	})
	return id
}

// Answer accepts a call.
func (p *Person) Answer(id call.ID) {
	p.t.Helper()
	p.must(p.node.Answer(id))
}

// HangUp ends or declines a call.
func (p *Person) HangUp(id call.ID) {
	p.t.Helper()
	p.must(p.node.HangUp(id))
}

// WantCall waits until a call is in a state.
func (p *Person) WantCall(id call.ID, s call.State) node.CallInfo {
	p.t.Helper()
	return p.WantCallWithin(time.Minute, id, s)
}

// WantCallWithin is WantCall for some virtual time.
func (p *Person) WantCallWithin(limit time.Duration, id call.ID, s call.State) node.CallInfo {
	p.t.Helper()
	var got node.CallInfo
	p.town.Within(limit, fmt.Sprintf("%s's call is %s", p.Name, s), func() bool {
		got, _ = p.node.CallInfo(id) // one that is not known is idle
		return got.State == s
	})
	return got
}

// WantEnded waits until a call has ended for a reason.
func (p *Person) WantEnded(id call.ID, why call.Reason) node.CallInfo {
	p.t.Helper()
	c := p.WantCall(id, call.Ended)
	if c.Reason != why {
		p.t.Errorf("%s's call ended because %q, want %q", p.Name, c.Reason, why)
	}
	return c
}

// Hears says how many packets of sound have come in a call.
func (p *Person) Hears(id call.ID) uint64 {
	p.t.Helper()
	c, err := p.node.CallInfo(id)
	p.must(err)
	return c.Voice.PacketsReceived
}

// WantSound waits until sound flows in a call.
func (p *Person) WantSound(id call.ID) {
	p.t.Helper()
	before := p.Hears(id)
	p.town.Eventually(fmt.Sprintf("%s hears something", p.Name), func() bool { return p.Hears(id) > before+20 })
}

// Recording is where a person's loudspeaker can record: a file in the test's folder.
func (p *Person) Recording() string { return filepath.Join(filepath.Dir(p.Dir), "heard.wav") }

// CallRow waits until the conversation with somebody tells of a call, and gives
// its row.
func (p *Person) CallRow(with *Person, id call.ID) (row CallRow) {
	p.t.Helper()
	p.town.Eventually(fmt.Sprintf("%s's log tells of the call", p.Name), func() bool {
		for _, r := range p.Rows(with) {
			if r.Call != nil && r.Call.Call == id {
				row = CallRow{Reason: r.Call.Reason, Seconds: int(r.Call.Duration), Mine: r.Author == p.ID(), Reports: node.ParseCallReports(r.Reports...)}
				return true
			}
		}
		return false
	})
	return row
}

// CallRow is what the log tells of a call.
type CallRow struct {
	Reason  string
	Seconds int
	Mine    bool // written by this person
	Reports node.CallReports
}

// Move takes a person's machine to another address, as when it changes networks.
func (tn *Town) Move(p *Person) { p.Host.Move(tn.lan) }
