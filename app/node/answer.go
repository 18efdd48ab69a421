package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

const (
	// maxGuests is how many strangers may be connected at once, and besides them
	// how many who hold an invite or say that they are a friend's new device.
	maxGuests = 8
	// maxRequests is how many requests may wait for an answer.
	maxRequests = 20
	// guestTime is how long a stranger may stay.
	guestTime = 30 * time.Second
)

var (
	errRefused = errors.New("refused")
	errRevoked = errors.New("the device was taken off its person's list")
)

// guests are the strangers that are connected, and whether they were expected.
type guests struct {
	mu  sync.Mutex
	all map[*link]bool
}

func (g *guests) enter(l *link, expected bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, e := range g.all {
		if e == expected {
			n++
		}
	}
	if n >= maxGuests {
		return false
	}
	if g.all == nil {
		g.all = map[*link]bool{}
	}
	g.all[l] = expected
	return true
}

// leave makes room, also when a guest has become a friend.
func (g *guests) leave(l *link) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, l)
}

// allowPeer is asked for each connection: a blocked person's devices get none,
// unless somebody else is said to be there too, who is told apart by admit.
func (n *Node) allowPeer(p transport.Peer) bool {
	r := n.known()
	there := r.at(p)
	return len(there) == 0 || slices.ContainsFunc(there, func(d store.Device) bool { return r.contacts[d.Person].State != store.Blocked })
}

// answer runs the other side of dialLive for a stream that came in, and then
// the link: the stream lives as long as its handler. ctx bounds the handshake,
// linked the link.
func (n *Node) answer(ctx, linked context.Context, s *transport.Stream) {
	hctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	ch, err := noise.Accept(hctx, s, n.channelConfig(s.Peer()), noise.Accepting{
		Pairs: func() []noise.Pair { return n.known().pairs },
		Admit: n.admit,
	})
	if err != nil {
		n.log.Debug("caller refused", "peer", s.Peer(), "err", err)
		s.Reset()
		return
	}
	cert, _ := ch.Peer()
	l := n.newLink(ch, s, cert)
	if l.guest.Load() {
		n.entertain(linked, l, cert)
		return
	}
	if err := n.learnCaller(hctx, l, cert); err != nil {
		// A full disk keeps nobody away: what was stored before serves again.
		n.log.Warn("keep caller", "peer", l.device, "err", err)
	}
	if n.adopt(l) {
		n.carry(linked, l)
	}
}

// admit decides about a caller whose certificate is genuine.
func (n *Node) admit(cert identity.Certificate, used *noise.Pair) error {
	r := n.known()
	id, dev := cert.Person, cert.DeviceID()
	if dev == n.me.device.ID() {
		return fmt.Errorf("%w: our own device", errRefused)
	}
	known, isKnown := r.devices[dev]
	if isKnown && known.Revoked {
		return errRevoked
	}
	if isKnown && known.Person != id {
		return fmt.Errorf("%w: the device is another person's", errRefused)
	}
	if used != nil {
		switch of := used.Of.(type) {
		case identity.DeviceID:
			if of != dev {
				return noise.ErrAuth // somebody else's secret
			}
		case invited: // any device may use an invite
			if !of.holds(n.cfg.Now()) {
				return fmt.Errorf("%w: the invite has expired", errRefused)
			}
		}
	}
	if used == nil && len(known.PairNew) > 0 {
		return noise.ErrDowngrade
	}
	if id == n.me.id && !r.listed(id, dev) {
		return fmt.Errorf("%w: not on our own device list", errRefused)
	}
	if r.contacts[id].State == store.Blocked {
		return fmt.Errorf("%w: blocked", errRefused)
	}
	return n.countNew(r, id, isKnown)
}

// countNew decides about one more device of a friend that is on no list that we
// hold, before either end keeps a secret of it.
func (n *Node) countNew(r *roster, id identity.ID, isKnown bool) error {
	if !isKnown && r.friend(id) && !n.news.take(id) {
		return fmt.Errorf("%w: too many new devices", errRefused)
	}
	return nil
}

// learnCaller keeps the certificate and pair secret of a caller we know.
func (n *Node) learnCaller(ctx context.Context, l *link, cert identity.Certificate) error {
	if err := n.keepDevice(ctx, l.peer, cert); err != nil {
		return err
	}
	return n.keepPair(ctx, l.device, l.ch)
}

// keepDevice stores a device, or its new peer id. Of devices that are on no list
// of their person's only some are kept.
func (n *Node) keepDevice(ctx context.Context, peer transport.Peer, cert identity.Certificate) error {
	b, err := cert.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode certificate: %w", err)
	}
	return n.store.Write(ctx, func(tx *store.Tx) error {
		d, err := tx.Device(cert.DeviceID())
		if errors.Is(err, store.ErrNotFound) {
			d, err = newDevice(tx, cert.DeviceID(), cert.Person)
			d.LastSeen = n.cfg.Now()
		}
		if err != nil {
			return err
		}
		d.Cert, d.Peer = b, string(peer)
		if err := tx.PutDevice(d); err != nil {
			return err
		}
		return n.forgetUnlisted(tx, d)
	})
}

// entertain lets a stranger introduce itself, for a short while.
func (n *Node) entertain(ctx context.Context, l *link, cert identity.Certificate) {
	if used := l.ch.UsedPair(); used != nil {
		if of, ok := used.Of.(invited); ok {
			l.once = &of.once
		}
	}
	friend := n.known().friend(l.person)
	if friend {
		// A new device of a friend, which keeps the pair secret whether or not it
		// comes as far as showing its list: without it it would be refused later.
		if err := n.learnCaller(ctx, l, cert); err != nil {
			n.log.Warn("keep caller", "peer", l.device, "err", err)
		}
	}
	if !n.guests.enter(l, l.once != nil || friend) {
		l.close(errors.New("too many strangers"))
		return
	}
	defer n.guests.leave(l)
	out := time.AfterFunc(guestTime, func() {
		if l.guest.Load() {
			l.close(errors.New("stayed too long"))
		}
	})
	defer out.Stop()
	if n.adopt(l) {
		n.carry(ctx, l)
	}
}
