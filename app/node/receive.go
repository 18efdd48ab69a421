package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// errProtocol means that the other end does what no honest one does. The link
// is dropped; nothing else suffers.
var errProtocol = errors.New("protocol violation")

// receive is the one door: everything that another device says comes in here.
// An error drops the link.
func (n *Node) receive(ctx context.Context, l *link, f chat.Frame) error {
	if costly(f) && !l.own() && !l.intro.take(introBurst, introEvery) {
		return fmt.Errorf("too many %T: %w", f, errProtocol)
	}
	switch f := f.(type) {
	case chat.Ping:
		l.heardPing(f)
		return nil
	case chat.Pong:
		l.pong()
		return nil
	case chat.Bye:
		return errors.New("the other end left")
	case chat.Hello:
		return n.heardHello(ctx, l, f)
	case chat.DeviceListFrame:
		return n.heardList(ctx, l, f.List)
	case chat.Request:
		return n.heardRequest(ctx, l, f)
	case chat.Accept:
		return n.heardAccept(ctx, l)
	}
	if l.guest.Load() {
		if n.known().asks(l.person) {
			return nil // we are friends to them already; they say it again when they accept
		}
		return fmt.Errorf("a stranger sent %T: %w", f, errProtocol)
	}
	switch f := f.(type) {
	case chat.KeyFrame:
		return n.heardKey(ctx, l, f)
	case chat.FrontierFrame:
		return n.heardFrontier(l, f.Frontier)
	case chat.EventsFrame:
		return n.heardEvents(ctx, l, f.Events)
	case chat.ReceiptsFrame:
		return n.heardReceipts(ctx, l, f.Receipts)
	case chat.ReadFrame:
		return n.heardRead(ctx, l, f)
	case chat.TypingFrame:
		n.heardTyping(l, f)
	case chat.Lend:
		return n.heardLend(ctx, l, f)
	case chat.PassOn:
		n.heardPassOn(l, f)
	case chat.NotesFrame:
		n.heardNotes(l, f)
	case chat.CallFrame:
		n.heardCall(l, f)
	}
	return nil
}

// heardList takes a device list; a stranger's is only kept with its request.
func (n *Node) heardList(ctx context.Context, l *link, b []byte) error {
	list, err := identity.ParseDeviceList(b)
	if err != nil {
		return err
	}
	if list.Person != l.person {
		return fmt.Errorf("somebody else's device list: %w", errProtocol)
	}
	if _, listed := list.Find(l.device); !listed {
		return errRevoked
	}
	l.mu.Lock()
	l.list = list
	l.mu.Unlock()
	r := n.known()
	if !l.own() && !r.friend(l.person) && !r.asks(l.person) {
		return nil
	}
	if list.Epoch > r.epoch(l.person) && !l.own() && !n.news.take(l.person) {
		return fmt.Errorf("too many device lists: %w", errProtocol)
	}
	if err := n.takeList(ctx, list); err != nil {
		return err
	}
	if !n.known().listed(l.person, l.device) {
		return errRevoked // the list was an old one
	}
	if r.friend(l.person) && !r.asks(l.person) && l.guest.Load() {
		return n.welcome(ctx, l)
	}
	return nil
}

// participant says whether the device at the other end takes part in conv,
// and who the conversation is with.
func (n *Node) participant(l *link, conv chat.ConvID) (identity.ID, bool) {
	who, ok := n.known().convs[conv]
	if !ok {
		return who, false
	}
	friend := n.known().friend(who)
	return who, friend && (l.own() || l.person == who)
}

// heardKey pins the signing key of a device. A device may announce its own,
// a person's devices each other's, and ours everybody's.
func (n *Node) heardKey(ctx context.Context, l *link, f chat.KeyFrame) error {
	if _, ok := n.participant(l, f.Conv); !ok {
		return nil
	}
	d, ok := n.known().devices[f.Device]
	if !ok || f.Device == n.me.device.ID() || d.Person != l.person && !l.own() {
		return nil // of a device we do not know (yet): the next greeting brings it again
	}
	if k, err := n.store.ConvKey(f.Conv, f.Device); err == nil && k.Pub == f.Key {
		return nil
	}
	err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.PutConvKey(f.Conv, f.Device, f.Key, nil) })
	if errors.Is(err, store.ErrKeyChanged) {
		n.log.Error("a device announced a second signing key", "peer", f.Device, "conv", f.Conv)
		return fmt.Errorf("second key of %s: %w", f.Device.Short(), errProtocol)
	}
	return err
}

// arrivals is what one frame of events changed.
type arrivals struct {
	changes []Change
	chains  map[identity.DeviceID]bool // that grew
	gap     bool                       // a chain began beyond what we hold
}

// heardEvents appends a frame of events, all in one transaction, together with
// our receipts for them: what is acknowledged is on disk.
func (n *Node) heardEvents(ctx context.Context, l *link, encoded [][]byte) error {
	byConv, order, err := n.parseEvents(l, encoded)
	if err != nil {
		return err
	}
	for _, conv := range order {
		who, ok := n.participant(l, conv)
		if !ok {
			return fmt.Errorf("events of a conversation that is not ours: %w", errProtocol)
		}
		if err := n.appendAll(ctx, l, who, conv, byConv[conv]); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) appendAll(ctx context.Context, l *link, who identity.ID, conv chat.ConvID, events []*chat.Event) error {
	var got arrivals
	var receipts []chat.Receipt
	err := n.store.Write(ctx, func(tx *store.Tx) (err error) {
		got = arrivals{chains: map[identity.DeviceID]bool{}}
		for _, e := range events {
			if err := n.appendOne(tx, who, e, &got); err != nil {
				return err
			}
		}
		receipts, err = n.acknowledge(tx, conv, got.chains)
		return err
	})
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	n.changes.tell(got.changes...)
	l.holds(conv, events)
	if got.gap && !l.missed.Swap(true) {
		return n.tellFrontier(l, conv) // at once, but then only once a tick
	}
	for _, l := range n.spread(who, receipts) {
		if l.lacksAny(conv, events) {
			l.poke()
		}
	}
	return nil
}

func (n *Node) appendOne(tx *store.Tx, who identity.ID, e *chat.Event, got *arrivals) error {
	d, err := tx.Device(e.Device)
	if err != nil {
		return err
	}
	if d.Person != who && d.Person != n.me.id {
		return fmt.Errorf("an event of somebody who is not here: %w", errProtocol)
	}
	if e.Device == n.me.device.ID() {
		return nil // our own come from nowhere else; after a restore the device is a new one
	}
	added, err := tx.Append(e, d.Person)
	switch {
	case errors.Is(err, chat.ErrGap):
		got.gap = true
		return nil
	case errors.Is(err, chat.ErrFork):
		n.log.Error("two events at one place of a chain", "peer", e.Device, "conv", e.Conv)
		return nil
	case err != nil:
		return err
	case !added:
		return nil
	}
	got.chains[e.Device] = true
	got.changes = append(got.changes, changeOf(who, e))
	return nil
}

// changeOf says what an event makes stale.
func changeOf(who identity.ID, e *chat.Event) Change {
	if target, ok := e.Target(); ok && e.Kind.IsEffect() {
		return Change{Topic: TopicRow, Who: who, ID: target}
	}
	return Change{Topic: TopicMessage, Who: who, ID: e.Hash()}
}

// acknowledge signs that we hold each of the chains up to its tip.
func (n *Node) acknowledge(tx *store.Tx, conv chat.ConvID, chains map[identity.DeviceID]bool) ([]chat.Receipt, error) {
	if len(chains) == 0 {
		return nil, nil
	}
	key, err := n.signingKey(tx, conv)
	if err != nil {
		return nil, err
	}
	due, err := tx.OwnReceipts(conv)
	if err != nil {
		return nil, err
	}
	var out []chat.Receipt
	for _, rc := range due {
		if !chains[rc.Author] {
			continue
		}
		// That something arrived says nothing new about what was seen: it may
		// have been seen while friends were not to know.
		if rc, err = n.sign(tx, key, rc, false); err != nil {
			return nil, err
		}
		out = append(out, rc)
	}
	return out, nil
}

// sign completes a receipt of ours and keeps it. Only with seen does it say
// more than before about what was seen.
func (n *Node) sign(tx *store.Tx, key ed25519.PrivateKey, rc chat.Receipt, seen bool) (chat.Receipt, error) {
	rc.By, rc.Time = n.me.device.ID(), max(n.now(), 0)
	before, err := tx.Receipt(rc.Conv, rc.By, rc.Author)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return rc, err
	}
	if !seen {
		rc.Seen = before.Seen
	}
	rc.Sign(key)
	_, err = tx.PutReceipt(rc)
	return rc, err
}

// spread sends receipts to everybody in the conversation, and gives the links
// to them.
func (n *Node) spread(who identity.ID, receipts []chat.Receipt) []*link {
	to := n.links.of(who, n.me.id)
	to = slices.DeleteFunc(to, func(l *link) bool { return l.guest.Load() })
	for _, l := range to {
		l.sendReceipts(receipts)
	}
	return to
}

// heardReceipts keeps what others hold and have seen, and lets go of whoever
// waits for that.
func (n *Node) heardReceipts(ctx context.Context, l *link, receipts []chat.Receipt) error {
	var news []progress
	r := n.known()
	for _, rc := range receipts {
		who, ok := n.participant(l, rc.Conv)
		d, known := r.devices[rc.By]
		if !ok || !known || d.Person != who && d.Person != n.me.id || rc.By == n.me.device.ID() {
			continue
		}
		if a, known := r.devices[rc.Author]; !known || a.Person != who && a.Person != n.me.id {
			continue // of a device that we do not know (yet): the next greeting brings it again
		}
		key, err := l.keyOf(rc.Conv, rc.By)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !rc.Verify(key) {
			return fmt.Errorf("forged receipt from %s: %w", l.device.Short(), errProtocol)
		}
		news = append(news, progress{who: who, by: d.Person, receipt: rc})
	}
	if len(news) == 0 {
		return nil
	}
	return n.keepReceipts(ctx, l, news)
}
