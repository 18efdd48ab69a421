package node

import (
	"context"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// chainID names a device's chain of a conversation.
type chainID struct {
	conv   chat.ConvID
	device identity.DeviceID
}

// fresh is what a link's writer is to look at: events of ours that were just
// written, one frame of them at most, or the log. What is at hand need not be
// read again. Whatever does not follow from what was sent is found in the log.
type fresh struct {
	events  []*chat.Event
	encoded [][]byte // the same
	bytes   int      // of encoded
	look    bool     // into the log; then there are no events
}

// poke tells the writer that there may be something in the log to sync.
func (l *link) poke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookLocked()
}

func (l *link) lookLocked() {
	l.fresh = fresh{look: true}
	l.nudge()
}

func (l *link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// offer hands the writer events that were just written here. What takes a text
// back stays in the log: the text may still wait here, and is not to be sent.
func (l *link) offer(events []*chat.Event) {
	l.mu.Lock()
	f := &l.fresh
	for _, e := range events {
		b := e.Encode()
		f.bytes += len(b)
		if len(f.events) >= syncEvents || f.bytes > syncBytes || e.Kind.IsEffect() {
			*f = fresh{look: true}
		}
		if !f.look {
			f.events, f.encoded = append(f.events, e), append(f.encoded, b)
		}
	}
	l.mu.Unlock()
	l.nudge()
}

// catchUp sends a part of what the other end lacks, if it lacks something and
// has the time.
func (l *link) catchUp(ctx context.Context) error {
	if l.busy() {
		return nil
	}
	look, err := l.sendFresh()
	if err != nil || !look {
		return err
	}
	more, err := l.syncOnce(ctx)
	if more {
		l.poke()
	}
	return err
}

// sendFresh sends what was offered. It says whether to look into the log.
func (l *link) sendFresh() (look bool, err error) {
	f := l.takeFresh()
	if len(f.events) == 0 {
		return f.look, nil
	}
	conv := f.events[0].Conv
	if _, ok := l.n.participant(l, conv); !ok {
		return true, nil
	}
	return f.look, l.sendEvents(conv, f.encoded)
}

// takeFresh gives what was offered, of one conversation, as far as the other
// end holds what came before it. The rest is found in the log.
func (l *link) takeFresh() (out fresh) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fresh
	l.fresh = fresh{}
	if f.look || len(f.events) == 0 {
		return f
	}
	conv := f.events[0].Conv
	have := l.have[conv]
	if have == nil || l.guest.Load() {
		return fresh{} // its frontier comes, and then the log is looked at
	}
	next := have[f.events[0].Device] + 1
	for i, e := range f.events {
		if e.Conv != conv || e.Seq > next {
			out.look = true
			return out
		}
		if e.Seq == next {
			out.events, out.encoded = append(out.events, e), append(out.encoded, f.encoded[i])
			next++
		}
	}
	return out
}
