package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// presence is who is shown online: whoever has a link, and for a moment longer
// whoever had one, because links are replaced now and then.
type presence struct {
	mu   sync.Mutex
	here map[identity.ID]bool
}

func (p *presence) is(id identity.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.here[id]
}

// come calls tell for whoever was away.
func (p *presence) come(id identity.ID, tell func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here[id] {
		return
	}
	if p.here == nil {
		p.here = map[identity.ID]bool{}
	}
	p.here[id] = true
	tell()
}

// leave calls tell for whoever was here, unless they are here still. Both are
// told under one lock, so that the last word is the true one.
func (p *presence) leave(id identity.ID, still func(identity.ID) bool, tell func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.here[id] || still(id) {
		return
	}
	delete(p.here, id)
	tell()
}

// linkedTo says whether a link to any device of a person stands; those of
// guests do not count.
func (n *Node) linkedTo(id identity.ID) bool {
	for _, l := range n.links.of(id) {
		if !l.guest.Load() {
			return true
		}
	}
	return false
}

// meetOnce is told of every frame of a link; the first makes a friend be here.
// A channel alone says little: whoever calls does not hear of a refusal before
// it stands, and would meet a device that no longer counts us in at every try.
func (n *Node) meetOnce(l *link) {
	if !l.met.Swap(true) && !l.guest.Load() {
		n.arrived(l)
	}
}

// arrived tells viewers that a friend is here.
func (n *Node) arrived(l *link) {
	l.ping() // both ends want to know how far they are apart, not only who dialled
	n.host.Protect(l.peer, true)
	n.host.Seek(false)
	n.presence.come(l.person, func() { n.changes.tell(Change{Topic: TopicPresence, Who: l.person, State: presenceOnline}) })
	n.log.Info("friend is here", "peer", l.device, "path", n.host.Path(l.peer).Kind)
}

// left waits for a replacement and then tells viewers that a friend is away.
func (n *Node) left(ctx context.Context, l *link) {
	n.keeper.lost(l.device, !l.guest.Load() && l.met.Load(), time.Since(l.since) > goodLink)
	n.unlinkedCalls(l)
	select {
	case <-time.After(grace):
	case <-ctx.Done():
	}
	if n.links.to(l.device) == nil {
		n.work.run(func() { n.host.Suspect(ctx, l.peer) }) // a dead connection must not be dialled over
	}
	if l.guest.Load() || n.linkedTo(l.person) || !n.presence.is(l.person) {
		return
	}
	seen := n.cfg.Now().Add(-time.Since(time.Unix(0, l.heard.Load())))
	err := n.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		c, err := tx.Contact(l.person)
		if err != nil {
			return err
		}
		c.LastSeen = seen
		return tx.PutContact(c)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		n.log.Warn("keep last seen", "err", err)
	}
	_ = n.reload(context.WithoutCancel(ctx))
	n.gossip.stir() // a note for whoever is away now
	n.presence.leave(l.person, n.linkedTo, func() { n.changes.tell(Change{Topic: TopicPresence, Who: l.person, State: presenceAway}) })
	n.log.Info("friend is away", "peer", l.device)
}
