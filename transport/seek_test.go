package transport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// strangers are nodes of a table that know nothing of who uses it.
// All live at one provider, which a table that is open to the world would mind.
func strangers(t *testing.T, w *simnet.World, n int) (bootstrap []string) {
	t.Helper()
	lan := w.LAN(simnet.Public)
	for range n {
		h := on(t, lan.Host(), transport.Config{DHT: &transport.DHT{Bootstrap: bootstrap, AnyAddr: true, Serve: true}})
		if len(bootstrap) == 0 {
			bootstrap = h.Addrs()
		}
	}
	time.Sleep(2 * time.Second) // to get to know each other
	return bootstrap
}

// friend is a host that leaves word at one spot and looks at another.
type friend struct {
	t    *testing.T
	host *transport.Host
	stop context.CancelFunc

	mu    sync.Mutex
	found []transport.Whereabouts
}

type meeting struct {
	mine, theirs transport.Spot
	boards       []string
	now          func() time.Time
}

func (f *friend) find(m meeting) {
	ctx, cancel := context.WithCancel(f.t.Context())
	f.stop = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.host.Find(ctx, transport.Search{
			Tell: func() []transport.Told {
				return []transport.Told{{Spot: m.mine, Addrs: f.host.Addrs(), Boards: m.boards}}
			},
			Look: func() []transport.Sought { return []transport.Sought{{Spot: m.theirs, Boards: m.boards}} },
			Found: func(s transport.Spot, w transport.Whereabouts) {
				f.mu.Lock()
				defer f.mu.Unlock()
				if s == m.theirs {
					f.found = append(f.found, w)
				}
			},
			Now: m.now,
		})
	}()
	f.t.Cleanup(func() { cancel(); <-done })
}

// wants waits until the whereabouts of o were found, and says how long it took.
func (f *friend) wants(o *friend, limit time.Duration) time.Duration {
	f.t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		f.mu.Lock()
		for _, w := range f.found {
			if w.Peer == o.host.Peer() && fmt.Sprint(w.Addrs) == fmt.Sprint(o.host.Addrs()) {
				f.mu.Unlock()
				return time.Since(began)
			}
		}
		f.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatalf("not found within %v; finding is %+v", limit, f.host.Finding())
	return 0
}

func spots() (a, b transport.Spot) {
	return transport.NewSpot([16]byte{1}, [32]byte{1}, [32]byte{1}), transport.NewSpot([16]byte{2}, [32]byte{2}, [32]byte{2})
}

func TestTwoFriendsWithNothingButATableFindEachOther(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		dht := &transport.DHT{Bootstrap: strangers(t, w, 16), AnyAddr: true}
		ana := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
		bo := &friend{t: t, host: on(t, w.LAN(simnet.Symmetric).Host(), transport.Config{DHT: dht})}
		a, b := spots()
		ana.find(meeting{mine: a, theirs: b})
		bo.find(meeting{mine: b, theirs: a})
		took := max(ana.wants(bo, 3*time.Second), bo.wants(ana, 3*time.Second))
		t.Logf("found after %v; %+v", took, ana.host.Finding())
	})
}

func TestWhoAnsweredASearchIsAskedAgainInsteadOfSearchingOnceMore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		here := w.LAN(simnet.PortRestricted).Host()
		ana := &friend{t: t, host: on(t, here, transport.Config{DHT: &transport.DHT{Bootstrap: strangers(t, w, 16), AnyAddr: true}})}
		a, b := spots()
		ana.find(meeting{mine: a, theirs: b})
		time.Sleep(12 * time.Second) // after two looks
		first, looked := here.Traffic(), ana.host.Finding().Looked
		time.Sleep(28 * time.Second) // one more
		again := here.Traffic() - first
		t.Logf("the first searches and telling took %d bytes, the third look %d", first, again)
		if !ana.host.Finding().Looked.After(looked) {
			t.Error("nobody looked again")
		}
		if again > 22_000 { // six answers, of less than 2 kB each
			t.Errorf("to look once more took %d bytes, before %d", again, first)
		}
	})
}

// liar is a relay that keeps no word, and whose clock is ten years fast in one
// answer and ten years slow in the next. It counts the questions.
func liar(t *testing.T, w *simnet.World) (addrs []string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	h := on(t, w.LAN(simnet.Public).Host(), transport.Config{})
	h.Handle("/entrenous/board/1", func(s *transport.Stream) {
		if _, err := s.ReadMessage(1 << 14); err == nil {
			years := []int{10, -10}[asked.Add(1)%2]
			_ = s.WriteMessage(binary.BigEndian.AppendUint64([]byte{1}, uint64(time.Now().AddDate(years, 0, 0).Unix())))
		}
	})
	return h.Addrs(), asked
}

func TestARelayWhoseClockLiesMakesNobodyAskWithoutPause(t *testing.T) {
	for name, ours := range map[string]bool{"of ours": true, "of a friend": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *simnet.World) {
				addrs, asked := liar(t, w)
				cfg := transport.Config{}
				if ours {
					cfg.Relays = addrs
				}
				ana := &friend{t: t, host: on(t, w.LAN(simnet.Public).Host(), cfg)}
				a, b := spots()
				ana.find(meeting{mine: a, theirs: b, boards: addrs})
				time.Sleep(10 * time.Minute)
				t.Logf("%d questions", asked.Load())
				if n := asked.Load(); n == 0 || n > 60 {
					t.Errorf("a relay was asked %d times in ten minutes", n)
				}
				if off := ana.host.Finding().ClockOff; (off != 0) != ours {
					t.Errorf("our clock is said to be off by %v", off)
				}
			})
		})
	}
}

func (f *friend) all() []transport.Whereabouts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]transport.Whereabouts(nil), f.found...)
}

func TestWhoHasAPublicAddressServesTheTableAndARelayIsEnoughToBeginWith(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		relay := on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}, DHT: &transport.DHT{AnyAddr: true, Serve: true}})
		dht := &transport.DHT{Bootstrap: relay.Addrs(), AnyAddr: true}
		ana := &friend{t: t, host: on(t, w.LAN(simnet.Public).Host(), transport.Config{DHT: dht})}
		bo := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
		a, b := spots()
		ana.find(meeting{mine: a, theirs: b})
		bo.find(meeting{mine: b, theirs: a})
		ana.wants(bo, 3*time.Second)
		bo.wants(ana, 3*time.Second)
		time.Sleep(10 * time.Minute)
		if f := ana.host.Finding(); !f.Serving || !f.Awake {
			t.Errorf("at a public address: %+v", f)
		}
		if f := bo.host.Finding(); f.Serving || f.Awake {
			t.Errorf("behind a router: %+v", f)
		}
	})
}
