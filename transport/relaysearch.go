package transport

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// ownFirst is how long relays of friends, and those named, may take before
	// strangers' are looked for.
	ownFirst = 6 * time.Second
	// A search lasts no longer than askAll, one stranger's answer askStranger;
	// askedAtOnce are asked side by side.
	askAll, askStranger, askedAtOnce = 30 * time.Second, 6 * time.Second, 4
	// enoughStrangers is how many of them are kept: one may go away.
	enoughStrangers = 2
	// maxStrangerAddrs is at how many addresses one of them is dialled.
	maxStrangerAddrs = 4
	// relayRetry is the pause after a search without success, doubled each time up
	// to relayBetter. As seldom, a better one is looked for than a public one.
	relayRetry, relayBetter = 30 * time.Second, 2 * time.Hour
)

// relaySearch is how far the search for strangers' relays has come.
type relaySearch struct {
	want  bool      // strangers may pass on for us, and nobody better does
	has   Origin    // what passes on for us; empty for nobody
	since time.Time // when that began
	busy  bool
	next  time.Time
	fails int
}

// lookForRelays says whether strangers are to be asked to pass on for this host,
// and gives back those who are needed no more. again makes a search due that was
// put off.
func (k *seeker) lookForRelays(now time.Time, again bool) {
	r := &k.relays
	may := k.dht() != nil && k.search.Strangers != nil && k.search.Strangers()
	before := r.has
	if r.has = k.host.bestRelay(); before == "" && r.has != "" {
		r.since = now
	}
	own := r.has != "" && !r.has.stranger()
	if !may || own || k.host.standsAlone() {
		k.host.giveBackStrangers(func(Origin, bool) bool { return true })
		r.want = false
		return
	}
	began := !r.want
	r.want = r.has != OriginOpen
	switch {
	case r.busy || !r.want:
	case again || began || before != "" && r.has == "":
		r.next, r.fails = now, 0
		if k.host.hasOwnRelays() {
			r.next = now.Add(ownFirst)
		}
	}
}

// dispatchRelays starts the search if it is due, and says when to look again.
func (k *seeker) dispatchRelays(ctx context.Context, now time.Time) (next time.Time, due bool) {
	r := &k.relays
	next = now.Add(lastLook)
	if !r.want || r.busy {
		return next, false
	}
	due = !r.next.After(now)
	if due && k.ready() {
		k.findRelay(ctx)
		return next, true
	}
	return sooner(next, r.next, now), due
}

// findRelay looks for a stranger's relay, beside run: one that its owner offers,
// else any libp2p node that has room.
func (k *seeker) findRelay(ctx context.Context) {
	k.relays.busy = true
	k.busy++
	s := k.scout
	var days []int64
	for _, at := range k.times() {
		days = append(days, dayOf(at))
	}
	go func() {
		k.host.giveBackStrangers(func(_ Origin, reserved bool) bool { return !reserved })
		k.host.askStrangers(ctx, OriginOpen, func(ctx context.Context, ask func(peer.AddrInfo)) {
			s.table.offers(ctx, k.host.network(), days, ask)
		})
		if k.host.bestRelay() == "" {
			k.host.askStrangers(ctx, OriginPublic, func(_ context.Context, ask func(peer.AddrInfo)) {
				for _, info := range s.hops() {
					ask(info)
				}
			})
		}
		k.done <- k.hasFoundRelay
	}()
}

func (k *seeker) hasFoundRelay() {
	r := &k.relays
	k.busy--
	r.busy = false
	r.has = k.host.bestRelay()
	if r.has == OriginOpen { // then nobody else is needed
		k.host.giveBackStrangers(func(from Origin, _ bool) bool { return from == OriginPublic })
	}
	pause := relayBetter
	if r.has == "" {
		pause = min(relayRetry<<min(r.fails, 10), relayBetter)
		r.fails++
	}
	r.next = time.Now().Add(pause + spread(pause/4))
}

// askStrangers asks relays one after another, some side by side, to pass on for
// this host, until there are enough; each calls its argument with those it finds.
func (h *Host) askStrangers(ctx context.Context, from Origin, each func(context.Context, func(peer.AddrInfo))) {
	ctx, cancel := context.WithTimeout(ctx, askAll)
	defer cancel()
	var mu sync.Mutex
	took := 0
	slots := make(chan struct{}, askedAtOnce)
	var asked sync.WaitGroup
	each(ctx, func(info peer.AddrInfo) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		asked.Go(func() {
			defer func() { <-slots }()
			if !h.askStranger(ctx, info, from) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if took++; took >= enoughStrangers {
				cancel()
			}
		})
	})
	asked.Wait()
}

// askStranger says whether a relay passes on for this host from now on.
func (h *Host) askStranger(ctx context.Context, info peer.AddrInfo, from Origin) bool {
	var at []ma.Multiaddr
	for _, a := range info.Addrs {
		if !viaRelay(a) && (h.cfg.DHT.AnyAddr || len(publicOnly([]ma.Multiaddr{a})) > 0) && len(at) < maxStrangerAddrs {
			at = append(at, a)
		}
	}
	if len(at) == 0 || info.ID == h.p2p.ID() || ctx.Err() != nil || h.borrow(ctx, peer.AddrInfo{ID: info.ID, Addrs: at}, from) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askStranger)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !h.relayState(info.ID).Reserved {
		select {
		case <-look.C:
		case <-ctx.Done():
			h.giveBack(info.ID)
			return false
		}
	}
	return true
}

// giveBackStrangers lets relays of strangers go.
func (h *Host) giveBackStrangers(which func(from Origin, reserved bool) bool) {
	h.mu.Lock()
	var idle []peer.ID
	for id, b := range h.borrowed {
		if b.from.stranger() && which(b.from, len(h.circuits[id].addrs) > 0) {
			idle = append(idle, id)
		}
	}
	h.mu.Unlock()
	for _, id := range idle {
		h.giveBack(id)
	}
}

// bestRelay is the best of those who pass on for this host now, empty for nobody.
func (h *Host) bestRelay() (best Origin) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.circuits {
		if o := h.originLocked(id); best == "" || o.rank() < best.rank() {
			best = o
		}
	}
	return best
}

// hasOwnRelays says whether a friend's relay, or one that was named, may come to
// pass on for this host.
func (h *Host) hasOwnRelays() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.borrowed {
		if !b.from.stranger() {
			return true
		}
	}
	return len(h.named) > 0
}

// standsAlone says whether this host needs no relay: it is one, or has an address
// that can be reached.
func (h *Host) standsAlone() bool { return h.onlyLends() || h.isPublic() || len(h.confirmed()) > 0 }

func (h *Host) movesNow() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.moves
}
