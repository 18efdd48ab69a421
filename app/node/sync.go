package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

const (
	// syncEvents and syncBytes bound one frame of events: large enough to share
	// one durable commit among many, small enough to be taken in a moment.
	syncEvents = 512
	syncBytes  = 256 << 10
)

// heardFrontier learns what the other end holds of a conversation; what it
// lacks is sent from there on.
func (n *Node) heardFrontier(l *link, f chat.Frontier) error {
	if _, ok := n.participant(l, f.Conv); !ok {
		return nil
	}
	have := make(map[identity.DeviceID]uint64, len(f.Tips))
	for _, t := range f.Tips {
		have[t.Device] = t.Seq
	}
	l.mu.Lock()
	if l.have == nil {
		l.have = map[chat.ConvID]map[identity.DeviceID]uint64{}
	}
	l.have[f.Conv] = have
	l.mu.Unlock()
	l.poke()
	return nil
}

// tellFrontier says anew what we hold, when something came that does not
// follow from it.
func (n *Node) tellFrontier(l *link, conv chat.ConvID) error {
	tips, err := n.store.Tips(conv)
	if err != nil {
		return err
	}
	l.send(chat.FrontierFrame{Frontier: chat.Frontier{Conv: conv, Tips: tips}})
	return nil
}

// askAgain tells what we hold if something came that we could not take.
func (l *link) askAgain(ctx context.Context) error {
	if l.guest.Load() || !l.missed.Swap(false) {
		return nil
	}
	for _, conv := range l.n.sharedWith(l) {
		if err := l.n.tellFrontier(l, conv); err != nil {
			return err
		}
	}
	return nil
}

// holds notes that the other end has what it sent us.
func (l *link) holds(conv chat.ConvID, events []*chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.noteLocked(conv, e.Device, e.Seq)
	}
}

// holdsUpTo notes what a receipt of the other end says that it has.
func (l *link) holdsUpTo(rc chat.Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteLocked(rc.Conv, rc.Author, rc.Delivered)
	if rc.Author == l.n.me.device.ID() && l.pace.landed(rc.Conv, rc.Delivered) {
		l.lookLocked()
	}
}

func (l *link) noteLocked(conv chat.ConvID, d identity.DeviceID, seq uint64) {
	if have := l.have[conv]; have != nil && have[d] < seq {
		have[d] = seq
	}
}

// lacksAny says whether the other end may lack one of these events.
func (l *link) lacksAny(conv chat.ConvID, events []*chat.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.have[conv]
	return slices.ContainsFunc(events, func(e *chat.Event) bool { return have[e.Device] < e.Seq })
}

// syncOnce sends at most one frame of events for each conversation. It says
// whether there is more to send.
func (l *link) syncOnce(ctx context.Context) (more bool, err error) {
	if l.guest.Load() {
		return false, nil
	}
	for _, conv := range l.synced() {
		sent, err := l.syncConversation(ctx, conv)
		if err != nil {
			return false, err
		}
		more = more || sent
	}
	return more, nil
}

// synced lists the conversations whose frontier the other end has told.
func (l *link) synced() []chat.ConvID {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]chat.ConvID, 0, len(l.have))
	for conv := range l.have {
		out = append(out, conv)
	}
	return out
}

func (l *link) syncConversation(ctx context.Context, conv chat.ConvID) (sent bool, err error) {
	if _, ok := l.n.participant(l, conv); !ok {
		return false, nil
	}
	tips, err := l.n.store.Tips(conv)
	if err != nil {
		return false, ignoreEnd(ctx, err)
	}
	want := l.lacks(conv, tips)
	if want == nil {
		return false, nil
	}
	events, err := l.n.store.EventsAfter(conv, want, syncEvents, syncBytes)
	if err != nil {
		return false, ignoreEnd(ctx, err)
	}
	if len(events) == 0 {
		return false, nil
	}
	return true, l.sendEvents(conv, events)
}

// sendEvents sends a frame of events of one conversation.
func (l *link) sendEvents(conv chat.ConvID, encoded [][]byte) error {
	l.doubt.sent() // they are acknowledged
	if err := l.ch.Send(chat.EventsFrame{Events: encoded}.Encode()); err != nil {
		return err
	}
	return l.noteSent(conv, encoded)
}

// lacks gives the frontier to send from, nil when the other end lacks nothing.
// Chains of others are held back a moment: their author brings them.
func (l *link) lacks(conv chat.ConvID, tips []chat.Tip) []chat.Tip {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.have[conv]
	self, behind, held := l.n.me.device.ID(), false, false
	out := make([]chat.Tip, 0, len(tips))
	for _, t := range tips {
		seq := have[t.Device]
		if seq < t.Seq {
			switch {
			case t.Device == self:
				behind = true
			case l.waitLocked(conv):
				held, seq = true, t.Seq
			default:
				behind = true
			}
		}
		if seq > 0 {
			out = append(out, chat.Tip{Device: t.Device, Seq: seq})
		}
	}
	if !held && !behind {
		delete(l.hold, conv)
	}
	if !behind {
		return nil
	}
	return out
}

// waitLocked starts or checks the time that others' events are held back.
func (l *link) waitLocked(conv chat.ConvID) bool {
	until, waiting := l.hold[conv]
	if !waiting {
		if l.hold == nil {
			l.hold = map[chat.ConvID]time.Time{}
		}
		until = time.Now().Add(holdBack)
		l.hold[conv] = until
		time.AfterFunc(holdBack+time.Millisecond, l.poke)
	}
	return time.Now().Before(until)
}

// noteSent counts what was sent as held; if it does not arrive, the link is
// over, and the next one begins with what really did.
func (l *link) noteSent(conv chat.ConvID, encoded [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var own uint64
	for _, b := range encoded {
		e, err := chat.ParseEvent(b)
		if err != nil {
			return err
		}
		l.noteLocked(conv, e.Device, e.Seq)
		if e.Device == l.n.me.device.ID() {
			own = e.Seq
		}
	}
	if own > 0 && !l.own() {
		l.pace.sent(conv, own)
	}
	return nil
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
