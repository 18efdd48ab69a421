package transport

import (
	"context"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"
)

// seeker plans and runs what Find does. Its fields belong to the goroutine of
// run; what works beside it reports through done.
type seeker struct {
	host   *Host
	search Search
	budget *rate.Limiter

	relays relaySearch
	told   map[Spot]*telling
	sought map[Spot]*hunt
	done   chan func()

	scout   *scout
	waking  bool
	wakeAt  time.Time // not before
	fails   int       // to wake
	busy    int       // tellings and hunts under way
	idle    time.Time // since when nothing is due
	fresh   bool      // word was left since everybody was looked for
	known   []peer.AddrInfo
	clocked bool          // strangers have told the time to this scout
	skewed  time.Duration // what to add to our clock, once others have told
	boarded time.Time     // when a relay's clock changed that last
	settled time.Time     // addresses are told from then on
}

// telling is how far word for one friend has been left.
type telling struct {
	want  Told
	since time.Time
	here  bool // still to be told
	busy  bool
	dirty bool     // the addresses changed while busy
	addrs []string // as told last
	next  time.Time
	fails int
}

// hunt is how far the search for one friend has come.
type hunt struct {
	want  Sought
	here  bool // still sought
	was   bool // before the last refresh
	busy  bool
	again bool // due again when no more busy
	next  time.Time
	last  time.Time // when it was looked at
	fails int
}

// run works until ctx ends.
func (k *seeker) run(ctx context.Context, changed <-chan struct{}) {
	defer k.end()
	moves := k.host.movesNow()
	k.refresh(true)
	for {
		timer := time.NewTimer(time.Until(k.dispatch(ctx)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case f := <-k.done:
			f()
		case <-k.host.seek:
			k.refresh(k.host.takeSeekAgain())
		case <-changed:
			before := moves
			if moves = k.host.movesNow(); moves == before { // others lead to where we were
				k.refresh(false)
				break
			}
			k.settled = time.Now().Add(addrSettle)
			k.retire()
			k.refresh(true)
		case <-timer.C:
			k.refresh(false)
		}
		timer.Stop()
	}
}

func (h *Host) takeSeekAgain() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	again := h.seekAgain
	h.seekAgain = false
	return again
}

// end waits for what is under way, and sends the scout home.
func (k *seeker) end() {
	for k.busy > 0 || k.waking {
		(<-k.done)()
	}
	k.retire()
}

// retire sends the scout home; the next thing due brings another one.
func (k *seeker) retire() {
	if k.scout == nil {
		return
	}
	if known := k.scout.peers(); len(known) > 0 {
		k.known = known
	}
	if err := k.scout.close(); err != nil {
		k.host.log.Debug("send scout home", "err", err)
	}
	k.scout, k.clocked = nil, false
	k.host.setFinding(func(f *FindStatus) { f.Awake, f.Serving = false, false })
}

// refresh takes up what Tell and Look say now. again makes all of it due.
func (k *seeker) refresh(again bool) {
	now := time.Now()
	for _, t := range k.told {
		t.here = false
	}
	for _, w := range k.search.Tell() {
		k.tellFor(w, now, again)
	}
	for _, g := range k.sought {
		g.was, g.here = g.here, false
	}
	for _, w := range k.search.Look() {
		k.huntFor(w, now, again)
	}
	k.lookForRelays(now, again)
}

func (k *seeker) tellFor(w Told, now time.Time, again bool) {
	w.Addrs = slices.DeleteFunc(slices.Clone(w.Addrs), func(a string) bool { return len(a) > maxWordAddr })
	w.Addrs = w.Addrs[:min(len(w.Addrs), maxWordAddrs)]
	t := k.told[w.Spot]
	if t == nil {
		t = &telling{next: now, since: now}
		k.told[w.Spot] = t
	}
	moved := !slices.Equal(t.want.Addrs, w.Addrs)
	t.want, t.here = w, true
	switch {
	case t.busy:
		t.dirty = t.dirty || moved
	case t.fails == 0 && !slices.Equal(t.addrs, w.Addrs):
		t.next = earlier(t.next, now.Add(t.patience()))
	case again && t.fails > 0:
		t.next, t.fails = now, 0
	}
}

// patience is how long changed addresses wait to be told: who can still be
// reached through a relay that was told before lets the others settle.
func (t *telling) patience() time.Duration {
	holds := func(a string) bool { return throughRelay([]string{a}) && slices.Contains(t.want.Addrs, a) }
	if slices.ContainsFunc(t.addrs, holds) {
		return relaysSettle
	}
	return 0
}

func (k *seeker) huntFor(w Sought, now time.Time, again bool) {
	g := k.sought[w.Spot]
	if g == nil {
		g = &hunt{next: now}
		k.sought[w.Spot] = g
	}
	if !g.was { // was here meanwhile
		g.fails = 0
		g.next = later(now, g.last.Add(lookPause))
	}
	g.want, g.here, g.was = w, true, true
	if again {
		g.next, g.fails, g.again = now, 0, g.busy
	}
}

// dispatch starts what is due and says when to look again.
func (k *seeker) dispatch(ctx context.Context) time.Time {
	now := time.Now()
	next, due := k.dispatchRelays(ctx, now)
	tell := now
	if k.settled.After(now) {
		tell = k.settled
	}
	for _, t := range k.told {
		at := later(later(t.next, tell), k.hold(t))
		if !t.here || t.busy || len(t.want.Addrs) == 0 || !k.kept(t.want.Boards, t.want.BoardsOnly) {
			continue
		}
		due = due || !at.After(now)
		if !at.After(now) && k.ready() {
			k.tell(ctx, t)
			continue
		}
		next = sooner(next, at, now)
	}
	for _, g := range k.sought {
		if !g.here || g.busy || !k.kept(g.want.Boards, g.want.BoardsOnly) {
			continue
		}
		due = due || !g.next.After(now)
		if !g.next.After(now) && k.ready() {
			k.hunt(ctx, g)
			continue
		}
		next = sooner(next, g.next, now)
	}
	return k.rouse(ctx, now, next, due)
}

// kept says whether anybody keeps word at all.
func (k *seeker) kept(boards []string, only bool) bool {
	return k.dht() != nil && !only || len(boards) > 0
}

// dht is the table to use, nil for none.
func (k *seeker) dht() *DHT {
	if k.search.NoTable {
		return nil
	}
	return k.host.cfg.DHT
}

// ready says whether something may be started.
func (k *seeker) ready() bool { return k.scout != nil && k.busy < seekers }

// rouse wakes a scout if something is due, and sends it home when nothing was
// for a while. It says when to look again.
func (k *seeker) rouse(ctx context.Context, now, next time.Time, due bool) time.Time {
	switch {
	case due && k.scout == nil && !k.waking:
		if k.wakeAt.After(now) {
			return k.wakeAt
		}
		k.wake(ctx)
	case due || k.busy > 0 || k.waking:
		k.idle = time.Time{}
	case k.scout != nil && !k.scout.serves:
		if k.idle.IsZero() {
			k.idle = now
		}
		if home := k.idle.Add(restAfter); home.After(now) {
			return earlier(next, home)
		}
		k.retire()
	}
	return next
}

// wake brings a scout, beside run.
func (k *seeker) wake(ctx context.Context) {
	k.waking = true
	known := k.known
	go func() {
		s, err := k.host.openScout(ctx, k.dht(), known)
		k.done <- func() { k.woken(s, err) }
	}()
}

func (k *seeker) woken(s *scout, err error) {
	k.waking = false
	if err != nil {
		k.host.log.Warn("nobody can be looked for", "err", err)
		k.wakeAt = time.Now().Add(min(tellRetry<<min(k.fails, 10), lastLook))
		k.fails++
		k.host.setFinding(func(f *FindStatus) { f.Tried, f.TellError = true, err.Error() })
		return
	}
	k.scout, k.fails, k.idle = s, 0, time.Time{}
	k.host.setFinding(func(f *FindStatus) {
		f.Awake, f.Tried, f.Serving = true, true, s.serves
		f.Answered, f.Peers = int(s.answered.Load()), s.size()
	})
	k.askClock()
}

// askClock looks what strangers think of the time, once enough of them are known.
func (k *seeker) askClock() {
	if k.clocked || k.scout == nil {
		return
	}
	if t := k.scout.clock(); !t.IsZero() {
		k.clocked = true
		k.hearClock(t)
	}
}

// hearClock compares our clock with somebody else's. If they turn out to differ,
// all is told and looked for once more, on their day too.
func (k *seeker) hearClock(theirs time.Time) (changed bool) {
	off := theirs.Sub(k.search.Now())
	if off.Abs() < clockOff {
		off = 0
	}
	if (off - k.skewed).Abs() < clockOff {
		return false
	}
	k.skewed = off
	k.host.setFinding(func(f *FindStatus) { f.ClockOff = off })
	now := time.Now()
	for _, t := range k.told {
		t.next, t.dirty = now, t.busy
	}
	k.refresh(true)
	return true
}

// hearBoard takes the time that a relay which we named says it is. Others are not
// heard: friends name them, and one that lies would tell another time with each
// answer, which makes all due each time.
func (k *seeker) hearBoard(theirs time.Time) {
	now := time.Now()
	if (k.boarded.IsZero() || now.Sub(k.boarded) >= boardClockPause) && k.hearClock(theirs) {
		k.boarded = now
	}
}

// times are what time it may be: by our clock, and by that of others if they
// think otherwise. Word is left and looked for at both.
func (k *seeker) times() []time.Time {
	now := k.search.Now()
	if k.skewed == 0 {
		return []time.Time{now}
	}
	return []time.Time{now, now.Add(k.skewed)}
}

// shelves are where word for one spot is left and read.
func (k *seeker) shelves(boards []string, only bool) []shelf {
	var out []shelf
	if k.scout.table != nil && !only {
		out = append(out, k.scout.table)
	}
	relays, err := relaysOf(boards)
	if err != nil {
		k.host.log.Debug("read boards", "err", err)
	}
	for _, r := range relays {
		ours := k.host.isNamed(r.ID)
		out = append(out, &boardAt{scout: k.scout, relay: r, clock: func(t time.Time) {
			if !ours {
				return
			}
			select {
			case k.done <- func() { k.hearBoard(t) }:
			default: // the next answer tells it too
			}
		}})
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sooner is the earlier of next and at, where at is still to come.
func sooner(next, at, now time.Time) time.Time {
	if at.After(now) {
		return earlier(next, at)
	}
	return next
}

func spread(d time.Duration) time.Duration { return mathrand.N(d) }
