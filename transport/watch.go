package transport

import (
	"fmt"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// EventKind is what happened.
type EventKind int

// What a watcher hears of.
const (
	// Connected means that there is a connection to Peer where there was none.
	Connected EventKind = iota + 1
	// Disconnected means that the last connection to Peer is gone.
	Disconnected
	// Improved means that there is a direct connection to Peer now, where there was
	// one through a relay.
	Improved
	// NetworkChanged means that this machine's addresses are not what they were.
	NetworkChanged
)

// Event is one change. Peer is empty for NetworkChanged.
type Event struct {
	Kind EventKind
	Peer Peer
}

// Watch returns a channel of changes, and a function that ends it. It begins
// with a Connected for each peer connected now. A slow reader gets changes of
// one peer merged: a connection that came and went is left out, one that was
// lost and found again is a Disconnected and a Connected. The channel is closed
// when the watch or the host ends.
func (h *Host) Watch() (<-chan Event, func()) {
	w := newWatcher()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(w.out)
		return w.out, func() {}
	}
	h.watchers[w] = struct{}{}
	for _, id := range h.swarm.Peers() {
		w.note(Peer(id.String()), true)
	}
	h.wg.Go(func() { w.run(h.quit) })
	return w.out, func() {
		h.mu.Lock()
		delete(h.watchers, w)
		h.mu.Unlock()
		w.stop()
	}
}

// watcher holds what one reader has not heard yet: at most one entry for each
// peer that is connected or that the reader believes to be.
type watcher struct {
	out  chan Event
	wake chan struct{} // a token: something is due
	end  chan struct{}
	once sync.Once

	mu      sync.Mutex
	told    map[Peer]bool    // peers the reader believes connected
	due     map[Peer]*change // what the reader has to hear
	order   []Peer           // keys of due, the oldest first
	network bool             // NetworkChanged is due
}

// change is what happened to a peer since the reader last heard of it.
type change struct{ lost, connected, improved bool }

func newWatcher() *watcher {
	return &watcher{
		out: make(chan Event), wake: make(chan struct{}, 1), end: make(chan struct{}),
		told: map[Peer]bool{}, due: map[Peer]*change{},
	}
}

func (w *watcher) stop() { w.once.Do(func() { close(w.end) }) }

// note takes down that p is connected now, or not. It never blocks.
func (w *watcher) note(p Peer, connected bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.due[p]
	if c == nil {
		if connected == w.told[p] {
			return
		}
		c = &change{}
		w.due[p] = c
		w.order = append(w.order, p)
	}
	c.lost = c.lost || (!connected && w.told[p])
	c.connected = connected
	if !c.lost && (connected == w.told[p]) && !c.improved {
		w.forgetLocked(p)
	}
	w.ring()
}

// noteImproved takes down that a peer the reader knows has a direct connection.
func (w *watcher) noteImproved(p Peer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.due[p]
	if c == nil {
		if !w.told[p] {
			return
		}
		c = &change{connected: true}
		w.due[p] = c
		w.order = append(w.order, p)
	}
	c.improved = true
	w.ring()
}

func (w *watcher) noteNetwork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.network = true
	w.ring()
}

func (w *watcher) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) forgetLocked(p Peer) {
	delete(w.due, p)
	w.order = slices.DeleteFunc(w.order, func(q Peer) bool { return q == p })
}

// take returns the oldest change as one or two events.
func (w *watcher) take() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.network {
		w.network = false
		return []Event{{Kind: NetworkChanged}}
	}
	if len(w.order) == 0 {
		return nil
	}
	p := w.order[0]
	c := *w.due[p]
	w.forgetLocked(p)
	var out []Event
	if c.lost {
		out = append(out, Event{Disconnected, p})
		delete(w.told, p)
	}
	if c.connected && (c.lost || !w.told[p]) {
		out = append(out, Event{Connected, p})
		w.told[p] = true
	}
	if c.improved && c.connected && !c.lost {
		out = append(out, Event{Improved, p})
	}
	return out
}

// run hands out changes until the watch or the host ends.
func (w *watcher) run(quit <-chan struct{}) {
	defer close(w.out)
	for {
		events := w.take()
		for _, e := range events {
			select {
			case w.out <- e:
			case <-w.end:
				return
			case <-quit:
				return
			}
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-w.wake:
		case <-w.end:
			return
		case <-quit:
			return
		}
	}
}

// subscribe asks libp2p for changes of connectedness, in order, and for what
// peers say about us.
func (h *Host) subscribe() (event.Subscription, error) {
	sub, err := h.p2p.EventBus().Subscribe([]any{new(event.EvtPeerConnectednessChanged), new(event.EvtPeerIdentificationCompleted)},
		eventbus.Name("entrenous"), eventbus.BufSize(256))
	if err != nil {
		return nil, fmt.Errorf("follow connections: %w", err)
	}
	return sub, nil
}

// followPeers tells watchers who came and went, until the host closes.
func (h *Host) followPeers(changed event.Subscription) {
	defer func() { _ = changed.Close() }()
	relayed := map[peer.ID]bool{}
	for {
		select {
		case <-h.quit:
			return
		case e, ok := <-changed.Out():
			if !ok {
				return
			}
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				h.took(e)
			case event.EvtPeerConnectednessChanged:
				h.connectedness(e, relayed)
			}
		}
	}
}

// connectedness tells watchers of one change; relayed remembers who is reached
// through a relay only.
func (h *Host) connectedness(c event.EvtPeerConnectednessChanged, relayed map[peer.ID]bool) {
	h.peerChanged(Peer(c.Peer.String()), c.Connectedness == network.Connected || c.Connectedness == network.Limited)
	if c.Connectedness == network.Connected && relayed[c.Peer] {
		h.peerImproved(Peer(c.Peer.String()))
	}
	delete(relayed, c.Peer)
	if c.Connectedness == network.Limited {
		relayed[c.Peer] = true
	}
}

func (h *Host) peerChanged(p Peer, connected bool) {
	h.log.Debug("connection changed", "peer", p, "connected", connected)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchIdleLocked(p, connected)
	for w := range h.watchers {
		w.note(p, connected)
	}
}

func (h *Host) peerImproved(p Peer) {
	h.log.Debug("direct connection", "peer", p)
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		w.noteImproved(p)
	}
}

// networkChanged tells watchers and discovery that the machine's addresses changed.
func (h *Host) networkChanged() {
	h.log.Info("network changed")
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		w.noteNetwork()
	}
}
