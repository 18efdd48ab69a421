package transport

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// tell leaves word for one friend on every shelf, beside run.
func (k *seeker) tell(ctx context.Context, t *telling) {
	w := Whereabouts{Peer: k.host.self, Addrs: t.want.Addrs, At: k.search.Now()}
	var places []place
	for _, at := range k.times() {
		places = append(places, t.want.Spot.within(k.host.network()).places(at)...)
	}
	shelves := k.shelves(t.want.Boards, t.want.BoardsOnly)
	t.busy, t.dirty = true, false
	k.busy++
	go func() {
		err := leave(ctx, shelves, places, w)
		k.done <- func() { k.hasTold(t, w.Addrs, err) }
	}()
}

// hold is until when word that was never left waits for a relay: while one is
// sought, or was found just now and a second one is about to be, and no other
// address in it leads to this host from far away.
func (k *seeker) hold(t *telling) (until time.Time) {
	far := func(a string) bool {
		m, err := ma.NewMultiaddr(a)
		return err == nil && !viaRelay(m) && !nearbyAddr(m)
	}
	switch {
	case t.addrs != nil || t.fails > 0 || slices.ContainsFunc(t.want.Addrs, far):
		return until
	case k.relays.has != "":
		return k.relays.since.Add(secondRelay)
	case k.relays.want:
		return t.since.Add(firstPatience)
	}
	return until
}

// leave puts w on all shelves; one that keeps it is enough.
func leave(ctx context.Context, shelves []shelf, places []place, w Whereabouts) error {
	failed := errNoShelf
	var mu sync.Mutex
	var wg sync.WaitGroup
	kept := false
	for _, p := range places {
		rec, err := p.record(w)
		if err != nil {
			return err
		}
		for _, s := range shelves {
			wg.Go(func() {
				err := s.put(ctx, p, rec)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					kept = true
				} else {
					failed = errors.Join(failed, err)
				}
			})
		}
	}
	wg.Wait()
	if kept {
		return nil
	}
	return failed
}

func (k *seeker) hasTold(t *telling, addrs []string, err error) {
	k.busy--
	t.busy = false
	now := time.Now()
	k.host.setFinding(func(f *FindStatus) {
		f.TellError = ""
		if err == nil {
			f.Told = now
		} else {
			f.TellError = err.Error()
		}
	})
	defer k.askClock()
	if err != nil {
		k.host.log.Debug("word not left", "err", err)
		t.next = now.Add(min(tellRetry<<min(t.fails, 10), lastLook) + spread(tellRetry/4))
		t.fails++
		return
	}
	first := t.addrs == nil || t.fails > 0 || throughRelay(addrs) && !throughRelay(t.addrs)
	t.fails, t.addrs = 0, addrs
	t.next = k.nextTelling(t.want.Spot, now)
	if t.dirty {
		t.next = now.Add(t.patience())
	}
	k.fresh = k.fresh || first
	k.lookAfterTelling(now)
}

// throughRelay says whether one of the addresses leads through a relay. Whoever
// gets the first such looks once more for everybody: it has become possible to
// reach them, and they may have left word meanwhile that they can be, too.
func throughRelay(addrs []string) bool {
	return slices.ContainsFunc(addrs, func(a string) bool { return strings.Contains(a, "/p2p-circuit") })
}

// nextTelling is when word has to be left again: in time, and when the place
// for the next day may be looked at.
func (k *seeker) nextTelling(s Spot, now time.Time) time.Time {
	next := now.Add(tellAgain + spread(tellSpread))
	for _, at := range k.times() {
		_, into := s.within(k.host.network()).day(at)
		if ahead := spotDay - spotSkew - into; ahead > 0 {
			next = earlier(next, now.Add(ahead+spread(tellSpread/4)))
		}
	}
	return next
}

// lookAfterTelling looks for everybody once more when word is left for all:
// where two come back at the same moment, the one who looks last finds the
// other's word.
func (k *seeker) lookAfterTelling(now time.Time) {
	if !k.fresh {
		return
	}
	for _, t := range k.told {
		if t.here && (t.busy || !t.next.After(now)) {
			return
		}
	}
	k.fresh = false
	for _, g := range k.sought {
		if g.here {
			g.next, g.fails, g.again = now, 0, g.busy
		}
	}
}

// hunt looks for one friend on every shelf, beside run.
func (k *seeker) hunt(ctx context.Context, g *hunt) {
	now := time.Now()
	if !k.budget.AllowN(now, 1) {
		g.next = now.Add(looksEvery + spread(looksEvery))
		return
	}
	var places []lookout
	for _, at := range k.times() {
		places = append(places, g.want.Spot.within(k.host.network()).lookouts(at)...)
	}
	shelves := k.shelves(g.want.Boards, g.want.BoardsOnly)
	g.busy, g.again = true, false
	k.busy++
	spot, prompt := g.want.Spot, g.fails < promptLooks
	found := func(w Whereabouts) { k.search.Found(spot, w) }
	go func() {
		err := read(ctx, shelves, places, prompt, found)
		k.done <- func() { k.hasLooked(g, err) }
	}()
}

// read looks at all places on all shelves, and hands out what is newer than
// what came before. One shelf that answers is enough. prompt says that word may
// be left while the search lasts.
func read(ctx context.Context, shelves []shelf, places []lookout, prompt bool, found func(Whereabouts)) error {
	failed := errNoShelf
	answered := false
	var mu sync.Mutex
	var wg sync.WaitGroup
	var newest time.Time
	for _, p := range places {
		for _, s := range shelves {
			wg.Go(func() {
				err := s.get(ctx, p.place, prompt && !p.aside, func(b []byte) {
					w, err := p.open(b)
					mu.Lock()
					defer mu.Unlock()
					if err == nil && w.At.After(newest) {
						newest = w.At
						found(w)
					}
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					answered = true
				} else {
					failed = errors.Join(failed, err)
				}
			})
		}
	}
	wg.Wait()
	if answered {
		return nil
	}
	return failed
}

func (k *seeker) hasLooked(g *hunt, err error) {
	k.busy--
	g.busy = false
	now := time.Now()
	g.last = now
	k.host.setFinding(func(f *FindStatus) {
		f.Looked, f.LookError = now, ""
		if err != nil {
			f.LookError = err.Error()
		}
		if k.scout != nil {
			f.Peers = k.scout.size()
		}
	})
	if err != nil {
		k.host.log.Debug("not looked", "err", err)
	}
	pause := pauseAfter(g.fails)
	g.next = now.Add(pause + spread(pause/4))
	g.fails++
	if g.again {
		g.next, g.fails, g.again = now, 0, false
	}
	k.askClock()
}

// pauseAfter is how long somebody is not looked for who was not found so many
// times before the last.
func pauseAfter(fails int) time.Duration {
	switch fails {
	case 0:
		return secondLook
	case 1:
		return thirdLook
	case 2:
		return fourthLook
	}
	pause := fifthLook
	for ; fails > 3 && pause < lastLook; fails-- {
		pause *= 3
	}
	return min(pause, lastLook)
}

// network is the secret of the private network, if the host is in one.
func (h *Host) network() string {
	if h.cfg.DHT == nil {
		return ""
	}
	return h.cfg.DHT.Network
}
