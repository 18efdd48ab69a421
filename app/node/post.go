package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// A Draft is a message to be written.
type Draft struct {
	Text string
	To   chat.Hash // the message it answers; zero for none
}

// Posted is what became of a Draft: a message on this disk, or why not.
type Posted struct {
	ID  chat.Hash
	Err error

	conv chat.ConvID
	seq  uint64
}

// Post writes messages to a person, all in one commit; when it returns, they
// are on this disk. It gives one Posted for each draft: one that is no message
// does not keep the others from being written. Its error means that none was.
func (n *Node) Post(ctx context.Context, who identity.ID, drafts []Draft) ([]Posted, error) {
	if err := n.mayWrite(who); err != nil {
		return nil, err
	}
	out := make([]Posted, len(drafts))
	bodies, places := make([]content, 0, len(drafts)), make([]int, 0, len(drafts))
	for i, d := range drafts {
		c, err := d.content()
		if err != nil {
			out[i].Err = err
			continue
		}
		bodies, places = append(bodies, c), append(places, i)
	}
	if len(bodies) == 0 {
		return out, nil
	}
	events, err := n.writeAll(ctx, who, bodies)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		out[places[i]] = Posted{ID: e.Hash(), conv: e.Conv, seq: e.Seq}
	}
	return out, nil
}

// content is what an event says.
type content struct {
	kind chat.Kind
	body []byte
}

func (d Draft) content() (content, error) {
	text, err := chat.CleanText(d.Text)
	if err != nil {
		return content{}, err
	}
	if text == "" {
		return content{}, ErrEmpty
	}
	if d.To.IsZero() {
		return content{chat.KindText, chat.TextBody{Text: text}.Encode()}, nil
	}
	return content{chat.KindReply, chat.ReplyBody{To: d.To, Text: text}.Encode()}, nil
}

// write appends one event, see writeAll.
func (n *Node) write(ctx context.Context, who identity.ID, kind chat.Kind, body []byte) error {
	_, err := n.writeAll(ctx, who, []content{{kind, body}})
	return err
}

// writeAll appends events of ours to the conversation with a person, durably
// and in one commit, and lets the links carry them.
func (n *Node) writeAll(ctx context.Context, who identity.ID, bodies []content) ([]*chat.Event, error) {
	conv := chat.Direct(n.me.id, who)
	var events []*chat.Event
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		if bodies[0].kind == chat.KindCall { // it may have ended because they were removed meanwhile
			if _, err := tx.Contact(who); err != nil {
				return err
			}
		}
		key, err := n.signingKey(tx, conv)
		if err != nil {
			return err
		}
		e, err := tx.Next(conv, n.me.device.ID())
		if err != nil {
			return err
		}
		events = make([]*chat.Event, 0, len(bodies))
		for _, c := range bodies {
			if len(events) > 0 {
				e = following(e)
			}
			if err := n.appendOwn(tx, key, e, c); err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	changes := make([]Change, len(events))
	for i, e := range events {
		changes[i] = changeOf(who, e)
	}
	n.changes.tell(changes...)
	for _, l := range n.links.of(who, n.me.id) {
		l.offer(events)
	}
	return events, nil
}

func (n *Node) appendOwn(tx *store.Tx, key ed25519.PrivateKey, e *chat.Event, c content) error {
	e.Time, e.Kind, e.Body = max(n.now(), 0), c.kind, c.body
	e.Sign(key)
	_, err := tx.Append(e, n.me.id)
	return err
}

// following prepares the event after e, when nothing came in between.
func following(e *chat.Event) *chat.Event {
	next := &chat.Event{Conv: e.Conv, Device: e.Device, Seq: e.Seq + 1, Prev: e.Hash(), Depth: e.Depth + 1}
	rand.Read(next.Salt[:])
	return next
}
