package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

const (
	dialTimeout = 10 * time.Second
	firstRetry  = time.Second
	lastRetry   = 5 * time.Minute
	maxDials    = 16 // under way at once
	// calledBack is how many failures count at most for a friend whose link has
	// just ended, however short it was: the pause is 20 s then, with the jitter.
	calledBack = 4
	sightPause = 2 * time.Second // between two tries that announcements break off
)

// keeper remembers when each device is to be dialled next. Whoever comes back
// dials first, so a long pause between tries costs a friend nothing; what
// happens (a beacon, a new network, a new address) cuts it short.
type keeper struct {
	wake chan struct{}

	mu   sync.Mutex
	todo map[errand]*attempt
	near map[identity.DeviceID][]string // where devices were last seen on this network
}

// errand is a device to reach, or a person whose devices we do not know yet.
type errand struct {
	person identity.ID
	device identity.DeviceID // zero: ask for the person's record first
}

type attempt struct {
	busy   bool
	stop   context.CancelFunc // of the try under way, until it has reached the device
	places []string           // where that looks
	broken time.Time          // when an announcement last broke one off
	anew   bool               // try again at once when it has failed
	renew  bool               // dial although there is a link: its keys are old
	fails  int
	next   time.Time
}

// ring lets the keeper look again.
func (k *keeper) ring() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// sight remembers where a device was seen nearby, until it is reached, and
// makes its errand due. A try under way that looks elsewhere is broken off, for
// old addresses may take long to fail; but seldom, for anybody can replay
// announcements.
func (k *keeper) sight(e errand, addrs []string) {
	k.mu.Lock()
	if k.near == nil {
		k.near = map[identity.DeviceID][]string{}
	}
	k.near[e.device] = addrs
	a := k.todo[e]
	news := a != nil && a.stop != nil && time.Since(a.broken) > sightPause &&
		slices.ContainsFunc(addrs, func(s string) bool { return !slices.Contains(a.places, s) })
	if news {
		a.broken = time.Now()
	}
	k.mu.Unlock()
	if news {
		k.interrupt(e)
		return
	}
	k.soon(func(o errand) bool { return o == e })
}

// soon makes every errand due now that want accepts.
func (k *keeper) soon(want func(errand) bool) {
	k.mu.Lock()
	for e, a := range k.todo {
		if want(e) {
			a.next, a.fails = time.Time{}, 0
		}
	}
	k.mu.Unlock()
	k.ring()
}

// lost plans the next try after a link has ended: at once if it had been a good
// one, with growing pauses if it was short or never led to friendship. Whoever
// refuses us would otherwise be called again and again. A friend who was there
// is not given up for minutes, though: what broke the links may be over. One on
// whose link nothing was heard was not there.
func (k *keeper) lost(d identity.DeviceID, friend, good bool) {
	if friend && good {
		k.soon(func(e errand) bool { return e.device == d })
		return
	}
	k.mu.Lock()
	for e, a := range k.todo {
		if e.device != d {
			continue
		}
		if friend {
			a.fails = min(a.fails, calledBack)
		}
		a.postpone()
	}
	k.mu.Unlock()
	k.ring() // the keeper planned nothing while the link stood
}

// postpone plans the next try after one more failure.
func (a *attempt) postpone() {
	pause := min(firstRetry<<min(a.fails, 16), lastRetry)
	a.fails++
	a.next = time.Now().Add(pause + time.Duration(rand.Int64N(int64(pause)/4+1)))
}

// keep dials whoever is wanted and not here, until ctx ends; links until linked does.
func (n *Node) keep(ctx, linked context.Context) {
	var dials sync.WaitGroup
	defer dials.Wait()
	slots := make(chan struct{}, maxDials)
	for {
		due, next := n.due()
		for _, e := range due {
			dials.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				n.try(ctx, linked, e)
			})
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-n.keeper.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// wanted lists whom this node would like to be linked with.
func (n *Node) wanted() map[errand]bool {
	out := map[errand]bool{}
	r := n.known()
	add := func(person identity.ID) {
		for _, d := range r.of(person) {
			if d.ID != n.me.device.ID() && d.Peer != "" && len(d.Addrs) > 0 {
				out[errand{person, d.ID}] = true
			}
		}
	}
	add(n.me.id)
	for id, c := range r.contacts {
		switch c.State {
		case store.Friend:
			add(id)
		case store.Sent:
			if len(r.of(id)) == 0 {
				out[errand{person: id}] = true
			}
			add(id)
		}
	}
	return out
}

// due marks and lists the errands to run now, and says when to look again.
func (n *Node) due() (now []errand, next time.Time) {
	wanted := n.wanted()
	k := &n.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.todo == nil {
		k.todo = map[errand]*attempt{}
	}
	for e := range k.todo {
		if !wanted[e] && !k.todo[e].busy {
			delete(k.todo, e)
		}
	}
	t := time.Now()
	next = t.Add(time.Hour)
	for e := range wanted {
		a := k.todo[e]
		if a == nil {
			a = &attempt{}
			k.todo[e] = a
		}
		here := !e.device.IsZero() && n.links.to(e.device) != nil
		if a.busy || here && !a.renew {
			continue
		}
		if !a.next.After(t) {
			a.busy = true
			now = append(now, e)
			continue
		}
		if a.next.Before(next) {
			next = a.next
		}
	}
	return now, next
}

// try runs one errand and plans the next try.
func (n *Node) try(ctx, linked context.Context, e errand) {
	dctx, cancel := context.WithTimeout(ctx, dialTimeout)
	err := n.reach(dctx, linked, e)
	cancel()
	if err != nil {
		n.log.Debug("not reached", "peer", e.device, "err", err)
	}
	k := &n.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.todo[e]
	a.busy = false
	switch {
	case err == nil:
		a.renew = false
	case !a.anew:
		a.postpone()
	}
	a.anew = false
	k.ring()
}

// reach opens a live link to a device. ctx bounds the dial, linked the link.
func (n *Node) reach(ctx, linked context.Context, e errand) error {
	if e.device.IsZero() {
		return n.findInvited(ctx, e.person)
	}
	d, ok := n.known().devices[e.device]
	if !ok {
		return errors.New("device is not known any more")
	}
	peer := transport.Peer(d.Peer)
	if err := n.knock(ctx, e, peer, slices.Concat(d.Addrs, ends(n.cfg.Bootstrap)[peer])); err != nil {
		return err
	}
	cert, err := identity.ParseCertificate(d.Cert)
	if err != nil {
		return fmt.Errorf("stored certificate: %w", err)
	}
	l, err := n.dialLive(ctx, peer, d, cert)
	if err != nil {
		return err
	}
	if n.adopt(l) {
		n.work.run(func() { n.carry(linked, l) })
	}
	return nil
}

// dialLive tries the newest pair secret first, then the one before: the last
// meeting may have ended before both had stored the newest.
func (n *Node) dialLive(ctx context.Context, peer transport.Peer, d store.Device, cert identity.Certificate) (*link, error) {
	pairs := n.pairsFor(d)
	for i, pair := range pairs {
		s, err := n.host.Open(ctx, peer, liveProtocol)
		if err != nil {
			return nil, err
		}
		ch, err := noise.Dial(ctx, s, n.channelConfig(peer), cert.Device.Noise, pair)
		if errors.Is(err, noise.ErrAuth) && i+1 < len(pairs) {
			s.Reset()
			continue
		}
		if err != nil {
			s.Reset()
			return nil, fmt.Errorf("handshake: %w", err)
		}
		if err := n.keepPair(ctx, d.ID, ch); err != nil {
			n.log.Warn("keep caller", "peer", d.ID, "err", err) // the secret just used serves again
		}
		return n.newLink(ch, s, cert), nil
	}
	return nil, noise.ErrAuth
}

// channelConfig is this end of a handshake with peer.
func (n *Node) channelConfig(peer transport.Peer) noise.Config {
	own := n.known().devices[n.me.device.ID()]
	return noise.Config{
		Static: n.me.device.Noise, Local: n.host.Peer().Bytes(), Remote: peer.Bytes(),
		Certificate: own.Cert, Epoch: n.known().epoch(n.me.id), Caps: n.boot[:], Now: n.cfg.Now,
	}
}

func (n *Node) newLink(ch *noise.Channel, s *transport.Stream, cert identity.Certificate) *link {
	l := &link{
		n: n, ch: ch, peer: s.Peer(), relayed: s.Path().Kind == transport.Relay, person: cert.Person, device: cert.DeviceID(), boot: string(ch.Caps()),
		out: make(chan chat.Frame, n.roomFor(cert.Person)), wake: make(chan struct{}, 1), parting: make(chan struct{}), gone: make(chan struct{}), doubt: newDoubt(),
	}
	l.since = time.Now()
	l.heard.Store(l.since.UnixNano())
	// A friend's device that is not on the list we hold is one of a newer list,
	// which it has to show, or one that was taken off.
	r := n.known()
	l.guest.Store(!l.own() && (!r.friend(l.person) || r.asks(l.person) || !r.listed(l.person, l.device)))
	return l
}

// renew makes a new handshake with a device whose link has old keys. The new
// link replaces the old one when it stands.
func (n *Node) renew(d identity.DeviceID) {
	n.keeper.soon(func(e errand) bool { return e.device == d })
	n.keeper.mu.Lock()
	for e, a := range n.keeper.todo {
		a.renew = a.renew || e.device == d
	}
	n.keeper.mu.Unlock()
	n.keeper.ring()
}

// followNetwork reacts when this machine's addresses change: friends who are
// away are tried at once, and those here learn where we are now.
func (n *Node) followNetwork(ctx context.Context) {
	events, stop := n.host.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			n.networkEvent(e)
		}
	}
}

func (n *Node) networkEvent(e transport.Event) {
	switch e.Kind {
	case transport.Improved:
		// The link still runs where it was opened. Whoever opened it opens another
		// one on the direct path; the first stays until then.
		for _, d := range n.known().peers[e.Peer] {
			if l := n.links.to(d); l != nil && l.ch.Initiator() {
				n.renew(d)
			}
			n.renewCalls(d)
		}
		n.changes.tell(Change{Topic: TopicNetwork})
	case transport.NetworkChanged:
		n.changes.tell(Change{Topic: TopicNetwork})
		n.keeper.soon(func(errand) bool { return true })
		for _, l := range n.links.of(n.everybody()...) {
			l.send(n.hello(l.person))
		}
		n.gossip.stir()
		n.renewCalls(identity.DeviceID{})
	case transport.Connected, transport.Disconnected:
	}
}

// everybody lists our friends and ourselves.
func (n *Node) everybody() []identity.ID {
	out := []identity.ID{n.me.id}
	for id, c := range n.known().contacts {
		if c.State == store.Friend {
			out = append(out, id)
		}
	}
	return out
}

// maxPlaces is how many addresses of a device are tried.
const maxPlaces = 32

// mergeAddrs puts addresses seen just now before those known.
func mergeAddrs(fresh, known []string) []string {
	out := slices.Clone(fresh[:min(len(fresh), maxPlaces/2)])
	for _, a := range known {
		if !slices.Contains(out, a) && len(out) < maxPlaces {
			out = append(out, a)
		}
	}
	return out
}
