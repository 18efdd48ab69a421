package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// ringer makes the sounds around calls: somebody calls, it rings there, they
// are busy, the call has ended. The daemon has one, so that a call is heard
// when no window is open.
type ringer struct {
	node *node.Node
	open func() (device.Speaker, error)
	log  *slog.Logger

	known map[callKey]node.CallInfo // as they were last
	now   voice.Sound               // what is played until it is stopped
	stop  context.CancelFunc        // nil when nothing is
	work  sync.WaitGroup
}

// callKey is a call's id.
type callKey [16]byte

// run follows the calls until ctx ends.
func (r *ringer) run(ctx context.Context) {
	w := r.node.Watch()
	defer w.Close()
	defer r.work.Wait()
	defer r.hush()
	for {
		c, err := w.Next(ctx)
		if err != nil {
			return
		}
		if c.Topic == node.TopicCall || c.Topic == node.TopicReset {
			r.hear(ctx, r.node.Calls())
		}
	}
}

// hear plays what the calls ask for, and no longer what they do not.
func (r *ringer) hear(ctx context.Context, calls []node.CallInfo) {
	last, ended := lastWord(r.known, calls)
	r.known = make(map[callKey]node.CallInfo, len(calls))
	for _, c := range calls {
		r.known[callKey(c.ID)] = c
	}
	want, ring := tune(calls, r.muted)
	if r.stop != nil && (!ring || want != r.now) {
		r.hush()
	}
	switch {
	case ring && r.stop == nil:
		r.now = want
		ctx, r.stop = context.WithCancel(ctx)
		r.play(ctx, want)
	case ended && !ring:
		r.play(ctx, last)
	}
}

// hush ends what would go on by itself.
func (r *ringer) hush() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

func (r *ringer) play(ctx context.Context, s voice.Sound) {
	r.work.Go(func() {
		speaker, err := r.open()
		if err == nil {
			err = voice.Ring(ctx, speaker, s)
		}
		if err != nil {
			r.log.Warn("ring", "err", err)
		}
	})
}

func (r *ringer) muted(who identity.ID) bool {
	c, err := r.node.Contact(who)
	return err == nil && c.Muted
}

// tune is what is to be heard for as long as the calls stay as they are:
// whoever calls, unless one is in a call, where it beeps instead
// (voice.Engine.CallWaiting), or that it rings at whom we call.
func tune(calls []node.CallInfo, muted func(identity.ID) bool) (voice.Sound, bool) {
	there := false
	for _, c := range calls {
		switch {
		case string(c.State) != control.CallRinging:
		case c.Outgoing:
			there = true
		case !c.Waiting && !muted(identity.ID(c.Person)):
			return voice.Ringing, true
		}
	}
	return voice.Ringback, there
}

// lastWord is what is to be heard once, because a call has just ended.
func lastWord(was map[callKey]node.CallInfo, calls []node.CallInfo) (voice.Sound, bool) {
	for _, c := range calls {
		before, ok := was[callKey(c.ID)]
		if !ok || string(c.State) != control.CallEnded || before.State == c.State {
			continue
		}
		switch {
		case c.Outgoing && string(c.Reason) == control.EndBusy:
			return voice.Busy, true
		case !c.ActiveFrom.IsZero() && !c.ByUs:
			return voice.HangUp, true
		}
	}
	return voice.HangUp, false
}
