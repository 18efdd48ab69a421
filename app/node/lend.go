package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// Lending is the hand that this device lends: it passes on, for friends who
// cannot be reached otherwise, what is encrypted between them and theirs.
type Lending struct {
	On bool `json:"on"`
	// ToTheirs lets people who are no friends of ours reach our friends through us.
	ToTheirs bool  `json:"to_theirs"`
	Rate     int64 `json:"kib_per_second"` // of all together, 0 is no limit
	Month    int64 `json:"mib_per_month"`  // 0 is no limit
}

const (
	ledgerKey = "ledger"
	// bookEvery is how often what was passed on is written down.
	bookEvery = time.Minute
)

// lending is what a node that lends counts.
type lending struct {
	meter transport.Meter

	mu     sync.Mutex
	ledger transport.Ledger
	booked int64 // of the meter's bytes
}

// lendConfig is what the host lends, nil for nothing. Whoever hides from anybody
// lends nothing: those who are reached through us are called at our address.
func (n *Node) lendConfig() *transport.Lend {
	w := n.network.Lend
	if !w.On || n.cfg.LANOnly || n.known().hidesFromAnybody() {
		return nil
	}
	out := &transport.Lend{Beside: true, Rate: w.Rate << 10, For: n.isFriends, From: n.isFriends, Meter: &n.lending.meter}
	if w.ToTheirs {
		out.From = nil
	}
	return out
}

// isFriends says whether a peer is a friend's device, or ours.
func (n *Node) isFriends(p transport.Peer) bool {
	r := n.known()
	there := r.at(p)
	return len(there) > 0 && !slices.ContainsFunc(there, func(d store.Device) bool {
		return d.Revoked || !r.friend(d.Person) && d.Person != n.me.id
	})
}

// lends says whether this device passes on for friends.
func (n *Node) lends() bool { return n.lendConfig() != nil }

// keepBooks writes down what is passed on until ctx ends.
func (n *Node) keepBooks(ctx context.Context) {
	if !n.lends() {
		return
	}
	tick := time.NewTicker(bookEvery)
	defer tick.Stop()
	for {
		if err := n.book(context.WithoutCancel(ctx)); err != nil {
			n.log.Warn("write down what was passed on", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err := n.book(context.WithoutCancel(ctx)); err != nil {
				n.log.Warn("write down what was passed on", "err", err)
			}
			return
		}
	}
}

// openBooks reads what was written down before.
func (n *Node) openBooks() error {
	b, err := n.store.Value(ledgerKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	n.lending.mu.Lock()
	defer n.lending.mu.Unlock()
	if err := json.Unmarshal(b, &n.lending.ledger); err != nil {
		return fmt.Errorf("decode ledger: %w", err)
	}
	return nil
}

// book takes what the meter counted, by person, and says how much is left.
func (n *Node) book(ctx context.Context) error {
	l, r, now := &n.lending, n.known(), n.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	each := map[string]int64{}
	for p, bytes := range l.meter.Take() {
		if there := r.at(p); len(there) > 0 {
			each[there[0].Person.String()] += bytes
		}
	}
	total := l.meter.Read().Bytes
	more := total - l.booked
	l.ledger.Add(now, more, each)
	l.meter.Allow(l.ledger.Left(now, n.network.Lend.Month<<20))
	if more == 0 {
		return nil
	}
	l.booked = total
	b, err := json.Marshal(l.ledger)
	if err != nil {
		return fmt.Errorf("encode ledger: %w", err)
	}
	return n.store.Write(ctx, func(tx *store.Tx) error { return tx.Set(ledgerKey, b) })
}

// Lent is what was passed on: this month in all, and this week for each person.
type Lent struct {
	Month    int64
	Week     map[identity.ID]int64
	Circuits int64 // open now
}

// Lent reads the books.
func (n *Node) Lent(ctx context.Context) (Lent, error) {
	out := Lent{Week: map[identity.ID]int64{}}
	if err := n.book(ctx); err != nil {
		return out, err
	}
	l := &n.lending
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Month, out.Circuits = l.ledger.Bytes, l.meter.Read().Circuits
	for who, bytes := range l.ledger.Each {
		if id, err := identity.ParseID(who); err == nil {
			out.Week[id] = bytes
		}
	}
	return out, nil
}

// lenderKey is where it is kept that a device passes on for us.
func lenderKey(d identity.DeviceID) string { return "lender/" + d.String() }

// heardLend takes that a friend's device passes on for us, or no longer.
func (n *Node) heardLend(ctx context.Context, l *link, f chat.Lend) error {
	was, err := n.store.Value(lenderKey(l.device))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read who lends a hand: %w", err)
	}
	if f.On != (len(was) == 1) {
		var v []byte
		if f.On {
			v = []byte{1}
		}
		if err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.Set(lenderKey(l.device), v) }); err != nil {
			return fmt.Errorf("keep who lends a hand: %w", err)
		}
	}
	if !f.On {
		n.host.GiveBack(l.peer)
		return nil
	}
	n.borrow(ctx, l.device)
	return nil
}

// borrowAll becomes reachable through the friends who said that they lend.
func (n *Node) borrowAll(ctx context.Context) {
	for id := range n.known().devices {
		if v, err := n.store.Value(lenderKey(id)); err == nil && len(v) == 1 {
			n.borrow(ctx, id)
		}
	}
}

// giveBack ends that a person's devices pass on for us: they see where we are.
func (n *Node) giveBack(id identity.ID) {
	for _, d := range n.known().devices {
		if d.Person == id {
			n.host.GiveBack(transport.Peer(d.Peer))
		}
	}
}

// borrow becomes reachable through a friend's device, if we need that and the
// friend may know where we are.
func (n *Node) borrow(ctx context.Context, id identity.DeviceID) {
	r := n.known()
	d, known := r.devices[id]
	if !known || d.Revoked || !r.friend(d.Person) || r.hides(d.Person) || slices.ContainsFunc(n.host.Standing().Own, publicFour) {
		return
	}
	var at []string
	for _, a := range d.Addrs {
		ip, ok := ipOf(a)
		if ok && transport.Public(ip) && !strings.Contains(a, "/p2p-circuit") && len(at) < maxRelayAddrs {
			at = append(at, a)
		}
	}
	if err := n.host.Borrow(ctx, at); err != nil {
		n.log.Debug("a friend lends a hand, but", "peer", id, "err", err)
	}
}

// maxRelayAddrs is at how many addresses one friend's device is tried as a relay.
const maxRelayAddrs = 4

// sayLend tells a friend whether we pass on for them.
func (n *Node) sayLend(l *link) {
	if !l.own() {
		l.send(chat.Lend{On: n.lends()})
	}
}
