package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/entrenous/entrenous/app/chat"
)

// waits are the callers of Send who want to know how far a message has come.
type waits struct {
	mu  sync.Mutex
	all map[*wait]struct{}
}

type wait struct {
	conv chat.ConvID
	seq  uint64
	want chat.State
	done chan struct{}
}

// await waits until a message of ours has come as far as want.
func (n *Node) await(ctx context.Context, e *chat.Event, want chat.State) error {
	w := &wait{conv: e.Conv, seq: e.Seq, want: want, done: make(chan struct{})}
	n.waits.mu.Lock()
	if n.waits.all == nil {
		n.waits.all = map[*wait]struct{}{}
	}
	n.waits.all[w] = struct{}{}
	n.waits.mu.Unlock()
	defer func() {
		n.waits.mu.Lock()
		delete(n.waits.all, w)
		n.waits.mu.Unlock()
	}()
	if row, _, err := n.find(e.Hash()); err == nil && row.State >= want {
		return nil // it was quicker than we were
	}
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %v: %w", want, ErrTimeout)
	}
}

// advance tells viewers and waiters that messages of ours came further, or
// that our own other device has read.
func (n *Node) advance(_ context.Context, p progress) {
	rc := p.receipt
	if p.by == n.me.id {
		n.changes.tell(Change{Topic: TopicRead, Who: p.who})
		return
	}
	if n.known().devices[rc.Author].Person != n.me.id {
		return
	}
	n.tellStates(p, chat.Delivered, p.before.Delivered, rc.Delivered)
	n.tellStates(p, chat.Seen, p.before.Seen, rc.Seen)
	if rc.Author != n.me.device.ID() {
		return
	}
	n.waits.mu.Lock()
	defer n.waits.mu.Unlock()
	for w := range n.waits.all {
		reached := rc.Delivered
		if w.want == chat.Seen {
			reached = rc.Seen
		}
		if w.conv == rc.Conv && w.seq <= reached {
			close(w.done)
			delete(n.waits.all, w)
		}
	}
}

// maxStates is how many messages are named one by one when they come further;
// beyond that the last one stands for all before it.
const maxStates = 64

func (n *Node) tellStates(p progress, s chat.State, from, to uint64) {
	if to <= from {
		return
	}
	if to-from > maxStates {
		from = to - 1
	}
	ids, err := n.store.Chain(p.receipt.Conv, p.receipt.Author, from+1, to)
	if err != nil {
		n.log.Warn("read chain", "err", err)
		return
	}
	for _, id := range ids {
		n.changes.tell(Change{Topic: TopicState, Who: p.who, ID: id, State: s.String()})
	}
}
