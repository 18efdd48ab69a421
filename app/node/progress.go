package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// waits are the callers of Send who want to know how far a message has come.
type waits struct {
	mu  sync.Mutex
	all map[*wait]struct{}
	far map[chat.ConvID]chat.Receipt // how far our chains have come since the start
}

type wait struct {
	conv chat.ConvID
	seq  uint64
	want chat.State
	done chan struct{}
}

// reached says whether a receipt brings what is waited for.
func (w *wait) reached(rc chat.Receipt) bool {
	if w.want == chat.Seen {
		return w.conv == rc.Conv && w.seq <= rc.Seen
	}
	return w.conv == rc.Conv && w.seq <= rc.Delivered
}

// add registers w, and is false when what it waits for has come already.
func (ws *waits) add(w *wait) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if far, ok := ws.far[w.conv]; ok && w.reached(far) {
		return false
	}
	if ws.all == nil {
		ws.all = map[*wait]struct{}{}
	}
	ws.all[w] = struct{}{}
	return true
}

// reached says whether what w would wait for has come already.
func (ws *waits) reached(w *wait) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	far, ok := ws.far[w.conv]
	return ok && w.reached(far)
}

func (ws *waits) remove(w *wait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
}

// forget drops what is known of a conversation that was removed.
func (ws *waits) forget(conv chat.ConvID) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.far, conv)
}

// come lets go of those who wait for what a receipt brings.
func (ws *waits) come(rc chat.Receipt) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.far == nil {
		ws.far = map[chat.ConvID]chat.Receipt{}
	}
	far := ws.far[rc.Conv]
	far.Conv, far.Delivered, far.Seen = rc.Conv, max(far.Delivered, rc.Delivered), max(far.Seen, rc.Seen)
	ws.far[rc.Conv] = far
	for w := range ws.all {
		if w.reached(rc) {
			close(w.done)
			delete(ws.all, w)
		}
	}
}

// Await waits until a message that was posted just now has come as far as
// want, or until ctx ends: then the error wraps ErrTimeout.
func (n *Node) Await(ctx context.Context, p Posted, want chat.State) error {
	if want <= chat.Written {
		return nil
	}
	w := &wait{conv: p.conv, seq: p.seq, want: want, done: make(chan struct{})}
	if !n.waits.add(w) {
		return nil // it was quicker than we were
	}
	defer n.waits.remove(w)
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %v: %w", want, ErrTimeout)
	}
}

// CameTo says whether a message that was posted just now has come as far as
// want already.
func (n *Node) CameTo(p Posted, want chat.State) bool {
	return want <= chat.Written || n.waits.reached(&wait{conv: p.conv, seq: p.seq, want: want})
}

// progress is a receipt and whom it concerns.
type progress struct {
	who     identity.ID // the conversation's other person
	by      identity.ID // who signed it
	receipt chat.Receipt
	changed bool     // it says more than what was known
	states  []Change // of messages of ours
}

// keepReceipts keeps receipts. It is in no hurry: one that is lost comes again
// with the next greeting.
func (n *Node) keepReceipts(ctx context.Context, l *link, news []progress) error {
	for _, p := range news {
		if p.receipt.By == l.device {
			l.holdsUpTo(p.receipt)
		}
	}
	return n.store.WriteSoon(ctx, func(tx *store.Tx) error {
		for i := range news {
			if err := n.keepReceipt(tx, &news[i]); err != nil {
				return err
			}
		}
		return nil
	}, func(err error) {
		if err != nil {
			l.notKept(fmt.Errorf("keep receipts: %w", err))
			return
		}
		for _, p := range news {
			if p.changed {
				n.advance(p)
			}
		}
	})
}

func (n *Node) keepReceipt(tx *store.Tx, p *progress) error {
	rc := p.receipt
	before, err := tx.Receipt(rc.Conv, rc.By, rc.Author)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if p.changed, err = tx.PutReceipt(rc); err != nil || !p.ours(n) {
		return err
	}
	if err := p.came(tx, chat.Delivered, before.Delivered, rc.Delivered); err != nil {
		return err
	}
	return p.came(tx, chat.Seen, before.Seen, rc.Seen)
}

// ours says whether a friend has got something of ours.
func (p *progress) ours(n *Node) bool {
	return p.by != n.me.id && n.known().devices[p.receipt.Author].Person == n.me.id
}

// maxStates is how many messages are named one by one when they come further;
// beyond that the last one stands for all before it.
const maxStates = 64

// came lists the messages of ours that a receipt brings to a state.
func (p *progress) came(tx *store.Tx, s chat.State, from, to uint64) error {
	if to <= from {
		return nil
	}
	if to-from > maxStates {
		from = to - 1
	}
	ids, err := tx.Chain(p.receipt.Conv, p.receipt.Author, from+1, to)
	for _, id := range ids {
		p.states = append(p.states, Change{Topic: TopicState, Who: p.who, ID: id, State: s.String()})
	}
	return err
}

// advance tells viewers and waiters that messages of ours came further, or
// that our own other device has read.
func (n *Node) advance(p progress) {
	switch {
	case p.by == n.me.id:
		n.changes.tell(Change{Topic: TopicRead, Who: p.who})
	case p.ours(n):
		n.changes.tell(p.states...)
		if p.receipt.Author == n.me.device.ID() {
			n.waits.come(p.receipt)
		}
	}
}
