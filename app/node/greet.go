package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// hello tells a person how we are called and where we are.
func (n *Node) hello(to identity.ID) chat.Hello {
	r := n.known()
	h := chat.Hello{Name: n.ownName(), ListEpoch: r.epoch(n.me.id), Peer: string(n.host.Peer()), Addrs: n.shownTo(to)}
	if r.friend(to) || to == n.me.id {
		h.Rendezvous = n.toldTo(to)
	}
	return h
}

// greet says what the other end should know when a link stands. A friend also
// gets our keys and what we hold, so that both can heal; a person we asked
// gets the request; a stranger gets nothing before we are friends, not even
// our name.
func (n *Node) greet(ctx context.Context, l *link) {
	r := n.known()
	c, asked := r.contacts[l.person], r.asks(l.person)
	if l.guest.Load() && !asked {
		return
	}
	n.introduce(l)
	if asked {
		n.work.run(func() { n.ask(ctx, l, c) })
	}
	if !l.guest.Load() {
		n.sayLend(l)
		n.sayPassOn(l)
		n.openConversations(ctx, l)
	}
}

// introduce tells how we are called and which devices we have.
func (n *Node) introduce(l *link) {
	l.send(n.hello(l.person))
	if b, err := n.ownList().MarshalBinary(); err == nil {
		l.send(chat.DeviceListFrame{List: b})
	}
}

// ask sends a request, with the invite's secret or with work done for it.
func (n *Node) ask(ctx context.Context, l *link, c store.Contact) {
	req := chat.Request{Name: n.ownName(), Text: c.RequestText, Once: c.Once}
	if len(c.Once) > 0 && l.ch.Initiator() && l.ch.UsedPair() == nil {
		n.inviteSpent(c.ID, true) // else they had known its secret
	}
	if len(c.Once) == 0 {
		nonce, err := n.workFor(ctx, c)
		if err != nil {
			return
		}
		req.Nonce = nonce
	}
	l.send(req)
}

// workKey is where the work for a request is kept.
func workKey(id identity.ID) string { return "work/" + id.String() }

// workFor finds the work that a request to a person needs, once.
func (n *Node) workFor(ctx context.Context, c store.Contact) (uint64, error) {
	key := workKey(c.ID)
	work := chat.Work{Requester: n.me.id, Target: c.ID, Text: c.RequestText}
	if b, err := n.store.Value(key); err == nil && len(b) == 8 && work.Check(binary.BigEndian.Uint64(b), requestBits) {
		return binary.BigEndian.Uint64(b), nil
	}
	nonce, err := work.Find(ctx, requestBits)
	if err != nil {
		return 0, err
	}
	return nonce, n.store.Write(ctx, func(tx *store.Tx) error {
		return tx.Set(key, binary.BigEndian.AppendUint64(nil, nonce))
	})
}

// openConversations sends, for each conversation that the other end takes part
// in, the keys that we vouch for, what we hold, and what we know to be read.
func (n *Node) openConversations(ctx context.Context, l *link) {
	for _, conv := range n.sharedWith(l) {
		if err := n.openConversation(ctx, l, conv); err != nil {
			n.log.Warn("open conversation", "conv", conv, "err", err)
		}
	}
}

// sharedWith lists the conversations that the device at the other end reads.
func (n *Node) sharedWith(l *link) []chat.ConvID {
	if !l.own() {
		return []chat.ConvID{chat.Direct(n.me.id, l.person)}
	}
	r := n.known()
	var out []chat.ConvID
	for conv, who := range r.convs {
		if r.friend(who) {
			out = append(out, conv)
		}
	}
	return out
}

func (n *Node) openConversation(ctx context.Context, l *link, conv chat.ConvID) error {
	if err := n.ensureKey(ctx, conv); err != nil {
		return err
	}
	keys, err := n.store.ConvKeys(conv)
	if err != nil {
		return err
	}
	r := n.known()
	for _, k := range keys {
		// We vouch for our own devices; to our own devices for everybody's.
		if l.own() || r.devices[k.Device].Person == n.me.id {
			l.send(chat.KeyFrame{Conv: conv, Device: k.Device, Key: k.Pub})
		}
	}
	tips, err := n.store.Tips(conv)
	if err != nil {
		return err
	}
	l.send(chat.FrontierFrame{Frontier: chat.Frontier{Conv: conv, Tips: tips}})
	receipts, err := n.store.Receipts(conv)
	if err != nil {
		return err
	}
	l.sendReceipts(receipts)
	return n.tellAllRead(l, conv)
}

// sendReceipts sends those that the other end's person may know, in frames of
// the size allowed. What we ourselves have seen goes to a friend only as far as
// the receipts made for them say.
func (l *link) sendReceipts(receipts []chat.Receipt) {
	var out []chat.Receipt
	for _, rc := range receipts {
		if rc.IsSigned() && rc.By != l.device {
			out = append(out, rc)
		}
	}
	for len(out) > 0 {
		k := min(len(out), chat.MaxReceipts)
		l.send(chat.ReceiptsFrame{Receipts: out[:k]})
		out = out[k:]
	}
}

// ensureKey makes this device's signing key of a conversation if there is none.
func (n *Node) ensureKey(ctx context.Context, conv chat.ConvID) error {
	_, err := n.store.ConvKey(conv, n.me.device.ID())
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return n.store.Write(ctx, func(tx *store.Tx) error {
		_, err := n.signingKey(tx, conv)
		return err
	})
}

// heardHello keeps what a person told of themselves and of this device.
func (n *Node) heardHello(ctx context.Context, l *link, h chat.Hello) error {
	if h.Peer != string(l.peer) {
		return fmt.Errorf("hello names another host: %w", errProtocol)
	}
	if l.guest.Load() {
		l.mu.Lock()
		l.named = h
		l.mu.Unlock()
		return nil
	}
	h.Addrs = dialable(h.Addrs, n.host.Path(l.peer).Addr)
	renamed := false
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		d, err := tx.Device(l.device)
		if err != nil {
			return err
		}
		d.Peer, d.Addrs, d.LastSeen = h.Peer, h.Addrs, n.cfg.Now()
		if err := tx.PutDevice(d); err != nil {
			return err
		}
		if l.own() {
			return nil
		}
		c, err := tx.Contact(l.person)
		if err != nil {
			return err
		}
		renamed = c.OwnName != h.Name
		c.OwnName, c.LastSeen = h.Name, n.cfg.Now()
		if h.Rendezvous != ([16]byte{}) {
			c.Rendezvous = h.Rendezvous
		}
		return tx.PutContact(c)
	})
	if err != nil {
		return fmt.Errorf("keep hello: %w", err)
	}
	err = n.reload(ctx)
	if renamed { // whoever hears of it asks for the new name at once
		n.changes.tell(Change{Topic: TopicContact, Who: l.person})
	}
	return err
}

// holdBack is how long events of others wait before we pass them on: their
// author most likely brings them sooner.
const holdBack = time.Second
