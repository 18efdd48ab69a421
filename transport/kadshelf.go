package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	kb "github.com/libp2p/go-libp2p-kbucket"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// tableTimeout bounds one question to the table or one word left in it.
	tableTimeout = 30 * time.Second
	// nearFirst is with how many known nodes word is left while nearer ones are
	// looked for, and nearTimeout how long that may take.
	nearFirst   = 4
	nearTimeout = 5 * time.Second
	// nearAnswer is how long a known node may take to answer a question that is
	// asked again while a search lasts.
	nearAnswer = time.Second
	// nearRepeat is how many are asked again and again once the nearest are known:
	// word lies with each of them.
	nearRepeat = 2
	// maxAnswers is how many different records of one place are looked at.
	maxAnswers = 16
	// walkFresh is for how long whoever answered a search is asked again instead of
	// searching once more, nearAgain how many of them, and
	// nearEnough how many must answer.
	walkFresh             = time.Minute
	nearAgain, nearEnough = 6, 3
	nearMost              = 20 // with how many word is left: Kademlia's k
	// maxWalks is how many searches are remembered, and maxWalkers of each how many
	// who answered.
	maxWalks, maxWalkers = 256, 64
)

var errNobody = errors.New("no node of the table answers")

// table is where word can be left with nodes that nobody here runs.
type table struct {
	dht *dht.IpfsDHT

	mu    sync.Mutex
	walks map[string]walk
}

// walk is what a search for the nodes near a place left behind.
type walk struct {
	began time.Time
	whole bool      // it came to its end
	by    []peer.ID // who answered
}

var _ shelf = (*table)(nil)

// put leaves a record with the nodes nearest to the place: at once with those
// that are known already, for the search for the nearest of all waits for nodes
// that do not answer, seconds in which a friend may come by. In a small table
// these are the same nodes, and they are not told twice.
func (t *table) put(ctx context.Context, p place, rec []byte) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	if t.dht.RoutingTable().Size() == 0 {
		return errNobody
	}
	send, err := pb.NewProtocolMessenger(t.dht.MessageSender())
	if err != nil {
		return fmt.Errorf("leave word in the table: %w", err)
	}
	var kept atomic.Int32
	var all sync.WaitGroup
	defer all.Wait()
	leave := func(with []peer.ID, limit time.Duration) {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			var each sync.WaitGroup
			for _, id := range with {
				each.Go(func() {
					if send.PutValue(ctx, id, record.MakePutRecord(p.tableKey(), rec)) == nil {
						kept.Add(1)
					}
				})
			}
			each.Wait()
		})
	}
	closest := t.walked(p, time.Now(), nearMost)
	var first []peer.ID
	if len(closest) == 0 {
		first = t.nearest(p, nearFirst)
		leave(first, nearTimeout)
		t.begins(p, time.Now())
		if closest, err = t.dht.GetClosestPeers(ctx, p.tableKey()); err != nil {
			return fmt.Errorf("leave word in the table: %w", err)
		}
		t.ends(p, closest)
	}
	leave(slices.DeleteFunc(closest, func(id peer.ID) bool { return slices.Contains(first, id) }), tableTimeout)
	all.Wait()
	if kept.Load() == 0 {
		return fmt.Errorf("leave word in the table: %w", errNobody)
	}
	return nil
}

// nearest are the n known nodes that are nearest to a place.
func (t *table) nearest(p place, n int) []peer.ID {
	return t.dht.RoutingTable().NearestPeers(kb.ConvertKey(p.tableKey()), n)
}

// get asks the nodes nearest to the place, and hands out each record that is
// better than the one before. found may be called from several goroutines. Where
// they were searched for a moment ago, those who answered are asked again.
func (t *table) get(ctx context.Context, p place, prompt bool, found func([]byte)) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	if t.dht.RoutingTable().Size() == 0 {
		return errNobody
	}
	ask, err := pb.NewProtocolMessenger(t.dht.MessageSender())
	if err != nil {
		return fmt.Errorf("ask the table: %w", err)
	}
	if again := some(t.walked(p, time.Now(), nearMost)); len(again) >= nearEnough && t.ask(ctx, p, ask, again, found) >= nearEnough {
		if prompt {
			t.repeat(ctx, p, ask, func() []peer.ID { return again[:min(len(again), nearRepeat)] }, found)
		}
		return nil
	}
	return t.search(ctx, p, prompt, ask, found)
}

// some are nearAgain of the nodes near a place: half of them the nearest, the
// others any, for liars may have crowded round the place.
func some(near []peer.ID) []peer.ID {
	if len(near) <= nearAgain {
		return near
	}
	rest := near[nearAgain/2:]
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return near[:nearAgain]
}

// search is get with nobody known to be near. Those who do not answer hold it up
// for seconds; meanwhile the nearest of those known are asked.
func (t *table) search(ctx context.Context, p place, prompt bool, ask *pb.ProtocolMessenger, found func([]byte)) error {
	near, done := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer done()
	if prompt {
		beside.Go(func() {
			t.ask(near, p, ask, t.nearest(p, nearFirst), found)
			t.repeat(near, p, ask, func() []peer.ID { return t.nearest(p, nearFirst) }, found)
		})
	}
	t.begins(p, time.Now())
	answers, err := t.dht.SearchValue(ctx, p.tableKey())
	if err != nil {
		return fmt.Errorf("ask the table: %w", err)
	}
	n := 0
	for b := range answers {
		if n++; n <= maxAnswers {
			found(b)
		}
	}
	if ctx.Err() == nil {
		t.ends(p, nil)
	}
	return nil
}

// repeat asks some nodes again and again for a while, in which a friend may leave
// word.
func (t *table) repeat(ctx context.Context, p place, ask *pb.ProtocolMessenger, nodes func() []peer.ID, found func([]byte)) {
	for _, pause := range []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		t.ask(ctx, p, ask, nodes(), found)
	}
}

// ask asks some nodes for the record of a place, and says how many answered.
func (t *table) ask(ctx context.Context, p place, ask *pb.ProtocolMessenger, nodes []peer.ID, found func([]byte)) int {
	ctx, cancel := context.WithTimeout(ctx, nearAnswer)
	defer cancel()
	var answered atomic.Int32
	var all sync.WaitGroup
	for _, id := range nodes {
		all.Go(func() {
			rec, _, err := ask.GetValue(ctx, id, p.tableKey())
			if err != nil {
				return
			}
			answered.Add(1)
			if rec != nil {
				found(rec.GetValue())
			}
		})
	}
	all.Wait()
	return int(answered.Load())
}

// begins notes that a place is searched for.
func (t *table) begins(p place, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, w := range t.walks {
		if now.Sub(w.began) > walkFresh || len(t.walks) >= maxWalks {
			delete(t.walks, key)
		}
	}
	t.walks[p.tableKey()] = walk{began: now}
}

// heard notes who answers a search.
func (t *table) heard(ask *pb.Message, by peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, ok := t.walks[string(ask.GetKey())]
	if !ok || w.whole || ask.GetType() != pb.Message_GET_VALUE || len(w.by) >= maxWalkers || slices.Contains(w.by, by) {
		return
	}
	w.by = append(w.by, by)
	t.walks[string(ask.GetKey())] = w
}

// ends notes that all who are near a place have been asked, and who else is known
// to have answered.
func (t *table) ends(p place, others []peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walks[p.tableKey()]
	w.whole, w.by = true, append(w.by, others...)
	t.walks[p.tableKey()] = w
}

// walked are the most nearest who answered when a place was searched for a moment ago.
func (t *table) walked(p place, now time.Time, most int) []peer.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walks[p.tableKey()]
	if !w.whole || now.Sub(w.began) > walkFresh {
		return nil
	}
	near := kb.SortClosestPeers(w.by, kb.ConvertKey(p.tableKey()))
	return near[:min(len(near), most)]
}
