package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// heardRequest decides about somebody who wants to be a friend.
func (n *Node) heardRequest(ctx context.Context, l *link, req chat.Request) error {
	if l.own() {
		return errProtocol
	}
	r := n.known()
	c, known := r.contacts[l.person]
	if r.friend(l.person) && !r.asks(l.person) {
		if c, err := n.store.Contact(l.person); err != nil || c.State != store.Friend {
			return fmt.Errorf("%w: removed or blocked in this moment", errRefused)
		}
		l.send(chat.Accept{}) // our answer was lost on its way, or they have forgotten us
		if !l.guest.Load() {
			n.openConversations(ctx, l) // while they asked, they did not listen
		}
		return nil
	}
	invited := l.once != nil && len(req.Once) == 16 && [16]byte(req.Once) == *l.once
	switch {
	case invited, r.asks(l.person): // both want it
		return n.befriend(ctx, l, req, invited)
	case known && c.State == store.Request:
		return nil // waits already
	case n.declined(l.person):
		return nil // as if it still waited
	case len(r.requests()) >= maxRequests:
		return fmt.Errorf("%w: too many requests wait", errRefused)
	}
	work := chat.Work{Requester: l.person, Target: n.me.id, Text: req.Text}
	if !work.Check(req.Nonce, requestBits) {
		return fmt.Errorf("%w: a request without an invite or work", errRefused)
	}
	return n.keepRequest(ctx, l, req)
}

// declined says whether we do not want to be asked by a person again.
func (n *Node) declined(id identity.ID) bool {
	_, err := n.store.Value(declinedKey(id))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		n.log.Warn("read who was declined", "err", err)
	}
	return err == nil
}

// requests lists who waits for an answer.
func (r *roster) requests() (out []identity.ID) {
	for id, c := range r.contacts {
		if c.State == store.Request {
			out = append(out, id)
		}
	}
	return out
}

// keepRequest stores a stranger's request and what is needed to answer it later.
func (n *Node) keepRequest(ctx context.Context, l *link, req chat.Request) error {
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		c := store.Contact{ID: l.person, OwnName: req.Name, State: store.Request, Since: n.cfg.Now(), LastSeen: n.cfg.Now(), RequestText: req.Text}
		if err := errors.Join(tx.PutContact(c), takePlace(tx, l.person)); err != nil {
			return err
		}
		return n.putGuestDevice(tx, l)
	})
	if err != nil {
		return fmt.Errorf("keep request: %w", err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	n.changes.tell(Change{Topic: TopicContact, Who: l.person, State: "request"})
	return nil
}

// putGuestDevice stores the device list a guest brought, and how its device is
// reached.
func (n *Node) putGuestDevice(tx *store.Tx, l *link) error {
	l.mu.Lock()
	named, list := l.named, l.list
	l.mu.Unlock()
	if list == nil {
		return fmt.Errorf("a request before the device list: %w", errProtocol)
	}
	if err := putList(tx, list); err != nil {
		return err
	}
	d, err := tx.Device(l.device)
	if err != nil {
		return err
	}
	rotatePair(&d, l.ch.UsedPair(), l.ch.NextPair())
	d.Peer, d.Addrs, d.LastSeen = string(l.peer), dialable(named.Addrs, n.host.Path(l.peer).Addr), n.cfg.Now()
	return tx.PutDevice(d)
}

// befriend makes the person at the other end a friend, at once.
func (n *Node) befriend(ctx context.Context, l *link, req chat.Request, invited bool) error {
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		if invited {
			if err := errors.Join(tx.UseInvite(*l.once, n.cfg.Now()), tx.Set(declinedKey(l.person), nil)); err != nil {
				return err
			}
		}
		c, err := tx.Contact(l.person)
		if errors.Is(err, store.ErrNotFound) {
			c, err = store.Contact{ID: l.person, Since: n.cfg.Now()}, takePlace(tx, l.person)
		}
		if err != nil {
			return err
		}
		c.State, c.OwnName, c.LastSeen, c.Once = store.Friend, req.Name, n.cfg.Now(), nil
		if err := tx.PutContact(c); err != nil {
			return err
		}
		if _, err := n.signingKey(tx, chat.Direct(n.me.id, l.person)); err != nil {
			return err
		}
		if err := n.answered(tx, l.person); err != nil {
			return err
		}
		return n.putGuestDevice(tx, l)
	})
	if err != nil {
		return fmt.Errorf("befriend: %w", err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	l.send(chat.Accept{})
	n.becameFriends(ctx, l)
	return nil
}

// becameFriends opens a link that had been a guest's.
func (n *Node) becameFriends(ctx context.Context, l *link) {
	n.changes.tell(Change{Topic: TopicContact, Who: l.person, State: "friend"})
	n.trust(ctx, l)
}

// trust makes a guest's link a friend's.
func (n *Node) trust(ctx context.Context, l *link) {
	if l.guest.CompareAndSwap(true, false) {
		n.guests.leave(l)
		n.arrived(l)
		n.linkedCalls(l)
	}
	n.introduce(l)
	n.sayLend(l)
	n.sayPassOn(l)
	n.openConversations(ctx, l)
	l.poke()
}

// welcome lets in a new device of a friend, whose list we hold by now.
func (n *Node) welcome(ctx context.Context, l *link) error {
	err := n.store.Write(ctx, func(tx *store.Tx) error { return n.putGuestDevice(tx, l) })
	if err != nil {
		return fmt.Errorf("keep new device: %w", err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	n.changes.tell(Change{Topic: TopicContact, Who: l.person})
	n.trust(ctx, l)
	return nil
}

// heardAccept is the answer to a request of ours.
func (n *Node) heardAccept(ctx context.Context, l *link) error {
	r := n.known()
	if !r.asks(l.person) {
		return nil // said twice
	}
	if !r.listed(l.person, l.device) {
		return fmt.Errorf("accepted by a device that is on no list: %w", errProtocol)
	}
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(l.person)
		if err != nil {
			return err
		}
		c.State, c.Once, c.LastSeen = store.Friend, nil, n.cfg.Now()
		l.mu.Lock()
		if l.named.Name != "" {
			c.OwnName = l.named.Name
		}
		l.mu.Unlock()
		if err := n.answered(tx, l.person); err != nil {
			return err
		}
		return tx.PutContact(c)
	})
	if err != nil {
		return fmt.Errorf("keep acceptance: %w", err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	if r.friend(l.person) && !l.guest.Load() {
		return nil // a friend all the time
	}
	n.becameFriends(ctx, l)
	return nil
}

// answered forgets what was needed to ask a person.
func (n *Node) answered(tx *store.Tx, id identity.ID) error {
	for _, key := range []string{addedKey(id), workKey(id), againKey(id)} {
		if err := tx.Set(key, nil); err != nil {
			return err
		}
	}
	return nil
}
