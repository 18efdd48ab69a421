package transport_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"testing"
	"time"

	kb "github.com/libp2p/go-libp2p-kbucket"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore"
)

// A large table, message by message: nodes come and go as in the public one,
// their routing tables are the real ones (go-libp2p-kbucket), as they are with a
// refresh every ten minutes, so that they name nodes which have left since. A
// question takes a round trip and a handshake; one to a node that has left, five
// seconds. A thousand whole hosts would take some gigabytes and hours.

const (
	bigBucket, bigAlpha, bigBeta = 20, 10, 3
	bigSession                   = 3 * time.Hour // mean; most are shorter
	bigRefresh                   = 10 * time.Minute
	bigGone                      = 5 * time.Second
	bigDay                       = 24 * time.Hour
)

// bigNode is a server of the table, there for a while.
type bigNode struct {
	id         peer.ID
	key        kb.ID
	come, gone time.Duration
	keeps      map[string]bool
	table      *kb.RoutingTable
	built      time.Duration
}

func (n *bigNode) there(t time.Duration) bool { return n.come <= t && t < n.gone }

// bigTable is all nodes there ever are, in the order of their keys.
type bigTable struct {
	rng   *rand.Rand
	nodes []*bigNode
	of    map[peer.ID]*bigNode
	sent  int // messages
	dead  int // of them, to nodes that had left
}

// newBigTable makes a table in which n nodes are there at any time of a day.
func newBigTable(n int) *bigTable {
	b := &bigTable{rng: rand.New(rand.NewPCG(1, uint64(n))), of: map[peer.ID]*bigNode{}}
	add := func(come time.Duration) time.Duration {
		raw := make([]byte, 34)
		raw[0], raw[1] = 0x12, 0x20
		for i := 2; i < len(raw); i++ {
			raw[i] = byte(b.rng.Uint32())
		}
		id := peer.ID(raw)
		stay := time.Duration(b.rng.ExpFloat64() * float64(bigSession))
		node := &bigNode{id: id, key: kb.ConvertPeerID(id), come: come, gone: come + stay, keeps: map[string]bool{}}
		b.nodes = append(b.nodes, node)
		b.of[id] = node
		return stay
	}
	for range n { // a place that is never empty: who leaves is followed by another
		for t := time.Duration(0); t < bigDay; t += add(t) {
		}
	}
	slices.SortFunc(b.nodes, func(x, y *bigNode) int { return cmp.Compare(string(x.key), string(y.key)) })
	return b
}

// tableOf is the routing table of a node at t: of each part of the key space as
// many as a bucket holds, of those who were there at the last refresh.
func (b *bigTable) tableOf(n *bigNode, t time.Duration) *kb.RoutingTable {
	if n.table != nil && t-n.built < bigRefresh && n.built <= t {
		return n.table
	}
	rt, err := kb.NewRoutingTable(bigBucket, n.key, time.Minute, peerstore.NewMetrics(), time.Hour, nil)
	if err != nil {
		panic(err)
	}
	n.table, n.built = rt, t-time.Duration(b.rng.Int64N(int64(bigRefresh)))
	lo, hi := 0, len(b.nodes)
	for bit := 0; hi-lo > 1 && bit < 256; bit++ {
		mid := lo + sort.Search(hi-lo, func(i int) bool { return b.nodes[lo+i].key[bit/8]&(0x80>>(bit%8)) != 0 })
		farLo, farHi := mid, hi
		if n.key[bit/8]&(0x80>>(bit%8)) != 0 {
			farLo, farHi, lo = lo, mid, mid
		} else {
			hi = mid
		}
		for _, i := range b.sample(farLo, farHi, n.built) {
			_, _ = rt.TryAddPeer(b.nodes[i].id, true, false)
		}
	}
	return rt
}

// sample picks up to a bucket of the nodes of a range that are there at t.
func (b *bigTable) sample(lo, hi int, t time.Duration) (out []int) {
	if hi-lo < 64*bigBucket {
		for i := lo; i < hi; i++ {
			if b.nodes[i].there(t) {
				out = append(out, i)
			}
		}
		b.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out[:min(len(out), bigBucket)]
	}
	for tries := 0; len(out) < bigBucket && tries < 100*bigBucket; tries++ {
		if i := lo + b.rng.IntN(hi-lo); b.nodes[i].there(t) && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

func (b *bigTable) rtt() time.Duration {
	return 30*time.Millisecond + time.Duration(b.rng.Int64N(int64(220*time.Millisecond)))
}

type asked struct {
	node  *bigNode
	far   uint64 // from the key
	state int    // 0 heard of, 1 under way, 2 answered, 3 silent
	until time.Duration
}

// walk asks for what is nearest to key, ten at a time, until the three nearest
// have answered; then the rest of the twenty nearest are asked. It gives those,
// how long it took, and when somebody had the record; 0 is never.
func (b *bigTable) walk(key string, begin []peer.ID, at time.Duration) (near []*bigNode, took, found time.Duration) {
	target := kb.ConvertKey(key)
	known := map[peer.ID]*asked{}
	var list []*asked
	hear := func(id peer.ID) {
		if known[id] == nil {
			known[id] = &asked{node: b.of[id], far: far(b.of[id].key, target)}
			list = append(list, known[id])
		}
	}
	for _, id := range begin {
		hear(id)
	}
	now, flying := time.Duration(0), 0
	for {
		slices.SortFunc(list, func(x, y *asked) int { return cmp.Compare(x.far, y.far) })
		follow := done(list, bigBeta)
		if follow && done(list, bigBucket) {
			break
		}
		limit := len(list)
		if follow {
			limit = nearest(list, bigBucket)
		}
		for _, a := range list[:limit] {
			if a.state == 0 && (flying < bigAlpha || follow) {
				a.state, a.until = 1, now+2*b.rtt()
				if !a.node.there(at + now) {
					a.until = now + bigGone
					b.dead++
				}
				b.sent++
				flying++
			}
		}
		if flying == 0 {
			break
		}
		next := soonest(list)
		now = next.until
		flying--
		if !next.node.there(at + now) {
			next.state = 3
			continue
		}
		next.state = 2
		if found == 0 && next.node.keeps[key] {
			found = now
		}
		for _, id := range b.tableOf(next.node, at).NearestPeers(target, bigBucket) {
			hear(id)
		}
	}
	for _, a := range list {
		if a.state == 2 && len(near) < bigBucket {
			near = append(near, a.node)
		}
	}
	return near, now, found
}

// far is the distance of two keys, as far as it matters among some thousands.
func far(a, b kb.ID) uint64 { return binary.BigEndian.Uint64(a) ^ binary.BigEndian.Uint64(b) }

// done says whether the n nearest that are not silent have answered.
func done(list []*asked, n int) bool {
	for _, a := range list {
		if n == 0 {
			return true
		}
		switch a.state {
		case 2:
			n--
		case 3:
		default:
			return false
		}
	}
	return true
}

// nearest is how far down the list the n nearest that are not silent reach.
func nearest(list []*asked, n int) int {
	for i, a := range list {
		if a.state != 3 {
			n--
		}
		if n == 0 {
			return i + 1
		}
	}
	return len(list)
}

func soonest(list []*asked) (next *asked) {
	for _, a := range list {
		if a.state == 1 && (next == nil || a.until < next.until) {
			next = a
		}
	}
	return next
}

// bigFigures are what some pairs of friends found out.
type bigFigures struct {
	nodes, pairs, met    int
	found, told          []time.Duration
	perLook, perTell     float64
	late                 float64 // share of messages to nodes that had left
	perNodeHour, perHour float64
}

// meetIn lets pairs of friends find each other: one leaves word, the other
// looks at some time until it is left again.
func meetIn(n, pairs int) bigFigures {
	b := newBigTable(n)
	f := bigFigures{nodes: n, pairs: pairs}
	begin := func(t time.Duration) (out []peer.ID) {
		for len(out) < 5 {
			if x := b.nodes[b.rng.IntN(len(b.nodes))]; x.there(t) {
				out = append(out, x.id)
			}
		}
		return out
	}
	var looks, tells int
	for i := range pairs {
		key := fmt.Sprintf("/ipns/%d", i)
		at := time.Duration(b.rng.Int64N(int64(bigDay - 7*time.Hour)))
		before := b.sent
		near, took, _ := b.walk(key, begin(at), at)
		for _, x := range near {
			x.keeps[key] = true
		}
		f.told = append(f.told, took+2*b.rtt())
		tells += b.sent - before + len(near)
		b.sent += len(near)

		at += time.Duration(b.rng.Int64N(int64(6 * time.Hour)))
		before = b.sent
		_, _, found := b.walk(key, begin(at), at)
		looks += b.sent - before
		if found > 0 {
			f.met++
			f.found = append(f.found, found)
		}
	}
	f.perLook, f.perTell = float64(looks)/float64(pairs), float64(tells)/float64(pairs)
	f.late = float64(b.dead) / float64(b.sent)
	// A person with twenty friends away looks and tells four times a day for each.
	f.perHour = 20 * 4 * (f.perLook + f.perTell) / 24
	f.perNodeHour = f.perHour // as many people as nodes: what one sends another gets
	return f
}

func (f bigFigures) quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))].Round(10 * time.Millisecond)
}

func TestNearlyEverybodyIsFoundAmongAThousandNodesThatComeAndGo(t *testing.T) {
	f := meetIn(1000, 24)
	if share := float64(f.met) / float64(f.pairs); share < 0.98 {
		t.Errorf("%d of %d pairs met", f.met, f.pairs)
	}
	t.Logf("%d of %d pairs met; found after %v in half of all cases, %v in 95 %%; %.0f messages a look, %.0f a telling",
		f.met, f.pairs, f.quantile(f.found, 0.5), f.quantile(f.found, 0.95), f.perLook, f.perTell)
}

// TestScale prints how finding grows with the table; make scale runs it.
func TestScale(t *testing.T) {
	if os.Getenv("ENTRENOUS_SCALE") == "" {
		t.Skip("run by make scale")
	}
	t.Logf("%9s %7s %10s %10s %10s %9s %9s %7s %12s", "nodes", "found", "find p50", "find p95", "tell p50", "msgs/look", "msgs/tell", "gone", "msgs/node/h")
	for _, n := range []int{1000, 10_000, 100_000} {
		f := meetIn(n, 400)
		t.Logf("%9d %6.1f%% %10v %10v %10v %9.1f %9.1f %6.1f%% %12.0f", f.nodes, 100*float64(f.met)/float64(f.pairs),
			f.quantile(f.found, 0.5), f.quantile(f.found, 0.95), f.quantile(f.told, 0.5), f.perLook, f.perTell, 100*f.late, f.perNodeHour)
	}
}
