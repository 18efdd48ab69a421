package node

import (
	"context"
	"sync"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// maxPending is how many different changes may wait for one slow viewer
// before they are folded into a single reset.
const maxPending = 1024

// A Topic says what kind of thing became stale.
type Topic string

// The topics. Their words are those of the local API.
const (
	TopicHello    Topic = "hello" // the viewer is listening from here on
	TopicReset    Topic = "reset" // too much changed: read everything anew
	TopicMessage  Topic = "message"
	TopicRow      Topic = "row"
	TopicState    Topic = "state"
	TopicPresence Topic = "presence"
	TopicTyping   Topic = "typing"
	TopicContact  Topic = "contact"
	TopicRead     Topic = "read"
	TopicDraft    Topic = "draft"
	TopicSettings Topic = "settings"
	TopicDevices  Topic = "devices"
	TopicNetwork  Topic = "network"
	TopicWindow   Topic = "window"
	TopicProfile  Topic = "profile"
	TopicCall     Topic = "call"
)

// A Change names one stale thing. It is a value that can be compared: changes
// of the same thing that wait for the same viewer are folded into the latest.
type Change struct {
	Topic Topic
	Who   identity.ID // zero when no person is concerned
	ID    chat.Hash   // zero when no event is concerned
	State string      // the new state, presence, or "on" and "off"
}

// changeKey is what two changes must share to be one.
type changeKey struct {
	topic Topic
	who   identity.ID
	id    chat.Hash
}

// watchers hands every change to every viewer.
type watchers struct {
	mu  sync.Mutex
	all map[*Watcher]struct{}
}

// A Watcher collects changes for one viewer until it asks for them. A slow
// viewer costs a bounded amount of memory and never delays the node.
type Watcher struct {
	from *watchers
	wake chan struct{} // holds one token when something waits

	mu      sync.Mutex
	order   []changeKey
	pending map[changeKey]Change
}

// Watch starts a viewer. Its first change is TopicHello.
func (n *Node) Watch() *Watcher { return n.changes.watch() }

func (ws *watchers) watch() *Watcher {
	w := &Watcher{from: ws, wake: make(chan struct{}, 1), pending: map[changeKey]Change{}}
	w.put(Change{Topic: TopicHello})
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = map[*Watcher]struct{}{}
	}
	ws.all[w] = struct{}{}
	return w
}

// tell hands changes to every viewer.
func (ws *watchers) tell(changes ...Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		for _, c := range changes {
			w.put(c)
		}
	}
}

func (w *Watcher) put(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := changeKey{c.Topic, c.Who, c.ID}
	if _, waiting := w.pending[k]; !waiting {
		if len(w.order) >= maxPending {
			clear(w.pending)
			w.order = w.order[:0]
			c = Change{Topic: TopicReset}
			k = changeKey{topic: TopicReset}
		}
		w.order = append(w.order, k)
	}
	w.pending[k] = c
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next change. It returns ctx's error when ctx ends.
func (w *Watcher) Next(ctx context.Context) (Change, error) {
	for {
		if c, ok := w.take(); ok {
			return c, nil
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return Change{}, ctx.Err()
		}
	}
}

func (w *Watcher) take() (Change, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return Change{}, false
	}
	k := w.order[0]
	w.order = w.order[1:]
	c := w.pending[k]
	delete(w.pending, k)
	return c, true
}

// Close ends the viewer.
func (w *Watcher) Close() {
	w.from.mu.Lock()
	defer w.from.mu.Unlock()
	delete(w.from.all, w)
}
