package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Search is what Find does for its caller. Tell and Look are asked again
// whenever something may be due; they must not block.
type Search struct {
	// Tell lists for whom to leave word where this host is.
	Tell func() []Told
	// Look lists who is looked for.
	Look func() []Sought
	// Strangers says whether this host may be reached through relays of strangers,
	// where friends and Config have none for it; nil is no. It must not block.
	Strangers func() bool
	// Found is called with what was read at a spot: who knows its secret has left
	// it there, at some time of that day. It must not block.
	Found func(Spot, Whereabouts)
	// NoTable leaves the table alone, and uses the boards of relays only.
	NoTable bool
	// Now is the wall clock; nil is time.Now.
	Now func() time.Time
}

// Told is word to leave at a spot.
type Told struct {
	Spot   Spot
	Addrs  []string // where this host is; the first 16 of at most 256 bytes count
	Boards []string // multiaddrs with /p2p/ of relays that keep word too
	// BoardsOnly keeps the word out of the table: who knows the spot could stand
	// where it lies, and see by whose address it is left.
	BoardsOnly bool
}

// Sought is somebody to look for at a spot.
type Sought struct {
	Spot   Spot
	Boards []string // multiaddrs with /p2p/ of relays where word may be too
	// BoardsOnly leaves the table unasked, for the same reason.
	BoardsOnly bool
}

// FindStatus says how finding goes.
type FindStatus struct {
	On        bool // Find runs, and there is a table
	Awake     bool // the table is in use just now
	Serving   bool // others may ask this host
	Bootstrap int  // nodes to begin with
	Answered  int  // of them, when the table was joined last
	Peers     int  // nodes of the table known
	Tried     bool // the table was joined at least once
	Told      time.Time
	TellError string // why word was not left the last time; empty if it was
	Looked    time.Time
	LookError string
	ClockOff  time.Duration // by how much our clock seems to be behind that of others; 0 while it fits
}

const (
	// A word is left again before the nodes that keep it forget it or go away.
	tellAgain, tellSpread = 6 * time.Hour, time.Hour
	tellRetry             = 10 * time.Second
	// Whoever is away is looked for at once, three times more while the scout is
	// there (they may come back at the same moment as we, and have no relay yet that
	// their word could name), and then with long pauses that
	// grow threefold: who comes back looks for us, and what a scout costs, half a
	// megabyte and more, is mostly shaking hands with twenty strangers.
	secondLook, thirdLook = 500 * time.Millisecond, 1500 * time.Millisecond
	fourthLook            = 20 * time.Second
	fifthLook, lastLook   = 15 * time.Minute, 6 * time.Hour
	promptLooks           = 2 // in which known nodes are asked again and again
	// lookPause is how soon a friend who was looked for and came and went is
	// looked for again.
	lookPause = 15 * time.Second
	// Questions to the table, beyond a first round for everybody.
	looksEvery, looksBurst = time.Minute, 200
	// restAfter is how long the scout stays when there is nothing to do.
	restAfter = 30 * time.Second
	// seekers is how many questions are under way at once.
	seekers = 8
	// addrSettle is how long addresses must stay as they are before they are told.
	addrSettle = 300 * time.Millisecond
	// firstPatience is how long somebody who is behind a router waits for a relay
	// before word is left without one, by which nobody far away would get in.
	firstPatience = 5 * time.Second
	// secondRelay is how long the first relay waits for another one to be told with it.
	secondRelay = 100 * time.Millisecond
	// relaysSettle is the same while one of the relays that were told still stands.
	relaysSettle = 5 * time.Second
)

// shelf is where word is left and read: the table, and the boards of relays.
type shelf interface {
	put(ctx context.Context, p place, rec []byte) error
	get(ctx context.Context, p place, prompt bool, found func([]byte)) error
}

// Seek makes Find ask Tell and Look again. again also makes everything due
// that was put off, as after a change of network.
func (h *Host) Seek(again bool) {
	h.mu.Lock()
	h.seekAgain = h.seekAgain || again
	h.mu.Unlock()
	stir(h.seek)
}

// Finding says how finding goes now.
func (h *Host) Finding() FindStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.finding
}

// Find leaves word where this host is and looks for others, through the table
// and the boards of relays, until ctx or the host ends; then it returns nil. It
// is silent while nothing is due, and on a LAN-only host always.
func (h *Host) Find(ctx context.Context, s Search) error {
	if h.cfg.LANOnly {
		<-ctx.Done()
		return nil
	}
	if !h.begin() {
		return fmt.Errorf("find: %w", ErrClosed)
	}
	defer h.wg.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.Now == nil {
		s.Now = time.Now
	}
	events, stop := h.Watch()
	var wg sync.WaitGroup
	changed := make(chan struct{}, 1)
	wg.Go(func() { // ends with the watch, which ends with this call or the host
		for e := range events {
			if e.Kind == NetworkChanged {
				stir(changed)
			}
		}
		cancel()
	})
	defer wg.Wait()
	defer stop()
	k := &seeker{
		host: h, search: s, told: map[Spot]*telling{}, sought: map[Spot]*hunt{},
		done: make(chan func(), seekers+1), budget: rate.NewLimiter(rate.Every(looksEvery), looksBurst),
	}
	h.setFinding(func(f *FindStatus) {
		*f = FindStatus{On: k.dht() != nil}
		if f.On {
			f.Bootstrap = len(h.cfg.DHT.Bootstrap)
		}
	})
	k.run(ctx, changed)
	h.setFinding(func(f *FindStatus) { *f = FindStatus{} })
	return nil
}

func (h *Host) setFinding(f func(*FindStatus)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.finding)
}

var errNoShelf = errors.New("no table and no relay keeps word for us")
