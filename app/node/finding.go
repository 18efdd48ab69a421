package node

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

// maxFriendBoards is how many relays that a friend named are asked for word.
const maxFriendBoards = 3

// finding remembers whose word is left where, and what was read of people whose
// devices we do not know yet.
type finding struct {
	mu      sync.Mutex
	restart context.CancelFunc
	whose   map[transport.Spot]errand
	invited map[identity.ID]transport.Whereabouts
	places  map[identity.DeviceID][]string // where devices said to be, as read last
}

// findFar leaves word where we are for friends who are away, and looks for theirs,
// until ctx ends. Whether the table of strangers is used is a setting; the
// relays we named keep word for us in any case.
func (n *Node) findFar(ctx context.Context) {
	for ctx.Err() == nil {
		run, stop := context.WithCancel(ctx)
		n.finding.mu.Lock()
		n.finding.restart = stop
		n.finding.mu.Unlock()
		err := n.host.Find(run, transport.Search{
			Tell: n.toTell, Look: n.toLook, Strangers: n.takesStrangers, Found: n.foundFar, Now: n.cfg.Now, NoTable: !n.settings().FindOnline,
		})
		stop()
		if err != nil {
			return
		}
	}
}

// findAnew lets a changed setting count.
func (n *Node) findAnew() {
	n.finding.mu.Lock()
	defer n.finding.mu.Unlock()
	if n.finding.restart != nil {
		n.finding.restart()
	}
}

// spot is where a device leaves word for who holds secret. An invite names no
// device.
func spot(secret [16]byte, person identity.ID, device identity.DeviceID) transport.Spot {
	return transport.NewSpot(secret, person, device)
}

// toTell lists for whom to leave word: friends and own devices that are away,
// and whoever holds a one-time invite. Those who have our permanent address are
// strangers; they learn nothing. Nor does anybody from whom our address is kept
// learn it from who leaves the word.
func (n *Node) toTell() []transport.Told {
	var out []transport.Told
	tell := func(s transport.Spot, addrs []string, hidden bool) {
		out = append(out, transport.Told{Spot: s, Addrs: addrs, Boards: n.cfg.Relays, BoardsOnly: hidden})
	}
	r := n.known()
	for _, who := range n.everybody() {
		if n.someoneAway(r, who) {
			tell(spot(n.toldTo(who), n.me.id, n.me.device.ID()), n.shownTo(who), r.hides(who))
		}
	}
	for _, p := range r.pairs {
		if of, ok := p.Of.(invited); ok && of.holds(n.cfg.Now()) {
			tell(spot(onceRendezvous(of.once[:]), n.me.id, identity.DeviceID{}), n.shownInvited(), r.hidesFromAnybody())
		}
	}
	return out
}

// takesStrangers says whether strangers may pass on for us: there is somebody to
// be reached by, and nobody from whom we hide. Whoever offers a relay to
// everybody learns our address, and may be just that person.
func (n *Node) takesStrangers() bool {
	r := n.known()
	waits := slices.ContainsFunc(r.pairs, func(p noise.Pair) bool { _, invite := p.Of.(invited); return invite })
	for _, c := range r.contacts {
		waits = waits || c.State == store.Friend || c.State == store.Sent
	}
	return waits && !r.hidesFromAnybody()
}

// someoneAway says whether a device of a person is not linked.
func (n *Node) someoneAway(r *roster, who identity.ID) bool {
	return slices.ContainsFunc(r.of(who), func(d store.Device) bool {
		return d.ID != n.me.device.ID() && n.links.to(d.ID) == nil
	})
}

// toLook lists whom to look for.
func (n *Node) toLook() []transport.Sought {
	r := n.known()
	whose := map[transport.Spot]errand{}
	var out []transport.Sought
	look := func(s transport.Spot, e errand, addrs []string) {
		whose[s] = e
		hidden := r.hides(e.person)
		if hidden {
			addrs = nil // a relay of theirs would see who asks
		}
		out = append(out, transport.Sought{Spot: s, Boards: n.boards(addrs), BoardsOnly: hidden})
	}
	for d, secret := range n.findable() {
		if n.links.to(d) == nil {
			dev := r.devices[d]
			look(spot([16]byte(secret[:16]), dev.Person, d), errand{dev.Person, d}, dev.Addrs)
		}
	}
	for id, c := range r.contacts {
		if c.State == store.Sent && len(r.of(id)) == 0 && len(c.Once) > 0 {
			look(spot(c.Rendezvous, id, identity.DeviceID{}), errand{person: id}, n.addedPlaces(id))
		}
	}
	n.finding.mu.Lock()
	defer n.finding.mu.Unlock()
	n.finding.whose = whose
	return out
}

// addedPlaces are the addresses in the link by which we asked a person.
func (n *Node) addedPlaces(id identity.ID) (out []string) {
	link, err := n.store.Value(addedKey(id))
	if err != nil {
		return nil
	}
	i, err := identity.ParseInvite(string(link))
	if err != nil {
		return nil
	}
	for _, h := range i.Hints {
		if h.Kind == identity.HintAddr {
			out = append(out, h.Value)
		}
	}
	return out
}

// boards are our own relays and those through which addresses lead.
func (n *Node) boards(addrs []string) []string {
	out := slices.Clone(n.cfg.Relays)
	theirs := 0
	for _, a := range addrs {
		relay, _, through := strings.Cut(a, "/p2p-circuit")
		if through && theirs < maxFriendBoards && !slices.Contains(out, relay) {
			out = append(out, relay)
			theirs++
		}
	}
	return out
}

// foundFar takes what was read at a spot. It is only where to knock: who opens
// must prove who they are.
func (n *Node) foundFar(s transport.Spot, w transport.Whereabouts) {
	n.finding.mu.Lock()
	e, ok := n.finding.whose[s]
	n.finding.mu.Unlock()
	if ok {
		n.foundAt(e, w)
	}
}

// foundAt lets somebody be tried where they say that they are.
func (n *Node) foundAt(e errand, w transport.Whereabouts) {
	if !e.device.IsZero() {
		if n.known().devices[e.device].Peer != string(w.Peer) {
			return // left by a device whose network key is another one now
		}
		if n.newPlace(e.device, dialable(w.Addrs, "")) {
			n.keeper.interrupt(e)
		}
		return
	}
	f := &n.finding
	f.mu.Lock()
	if f.invited == nil {
		f.invited = map[identity.ID]transport.Whereabouts{}
	}
	known := f.invited[e.person].Addrs
	f.invited[e.person] = w
	f.mu.Unlock()
	if slices.ContainsFunc(w.Addrs, func(a string) bool { return !slices.Contains(known, a) }) {
		n.keeper.interrupt(e) // the places in their link may take long to fail
		return
	}
	n.keeper.soon(func(o errand) bool { return o == e })
}

// newPlace remembers where a device said to be, and says whether that is news:
// what is known already is being tried.
func (n *Node) newPlace(d identity.DeviceID, addrs []string) bool {
	known := n.known().devices[d].Addrs
	f := &n.finding
	f.mu.Lock()
	defer f.mu.Unlock()
	known = slices.Concat(known, f.places[d])
	if f.places == nil {
		f.places = map[identity.DeviceID][]string{}
	}
	f.places[d] = addrs
	return slices.ContainsFunc(addrs, func(a string) bool { return !slices.Contains(known, a) })
}

// knock dials a device where it was seen or read to be, and at places known
// before; news of it interrupts that.
func (n *Node) knock(ctx context.Context, e errand, peer transport.Peer, known []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	n.keeper.dialling(e, stop)
	defer n.keeper.dialling(e, nil)
	n.finding.mu.Lock()
	read := n.finding.places[e.device]
	n.finding.mu.Unlock()
	return n.host.Dial(ctx, peer, n.friendsFirst(n.waysTo(e.person, peer, n.keeper.places(e, slices.Concat(read, known)))))
}

// friendsFirst puts addresses through relays into the order in which they are
// tried: those of friends, those we named, others.
func (n *Node) friendsFirst(addrs []string) []string {
	r := n.known()
	rank := func(a string) int {
		at, _, relayed := strings.Cut(a, "/p2p-circuit")
		_, relay, _ := strings.Cut(at, "/p2p/")
		switch {
		case !relayed:
			return 0
		case len(r.peers[transport.Peer(relay)]) > 0:
			return 1
		case slices.Contains(n.cfg.Relays, at):
			return 2
		}
		return 3
	}
	addrs = slices.Clone(addrs)
	slices.SortStableFunc(addrs, func(a, b string) int { return rank(a) - rank(b) })
	return addrs
}

// interrupt makes an errand due now, although it is being run: old addresses
// may take long to fail.
func (k *keeper) interrupt(e errand) {
	k.mu.Lock()
	if a := k.todo[e]; a != nil {
		a.next, a.fails = time.Time{}, 0
		if a.stop != nil {
			a.anew = true
			a.stop()
		}
	}
	k.mu.Unlock()
	k.ring()
}

// dialling remembers how to interrupt an errand; nil is not any more.
func (k *keeper) dialling(e errand, stop context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.todo[e]; a != nil {
		a.stop, a.places = stop, nil
	}
}

// places lists where to look for a device: first where it was seen nearby,
// then at those known.
func (k *keeper) places(e errand, known []string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := mergeAddrs(k.near[e.device], known)
	delete(k.near, e.device)
	if a := k.todo[e]; a != nil {
		a.places = all
	}
	return all
}

// foundInvited is where a person whose invite we hold said to be, if we read it.
func (n *Node) foundInvited(id identity.ID) (transport.Whereabouts, bool) {
	n.finding.mu.Lock()
	defer n.finding.mu.Unlock()
	w, ok := n.finding.invited[id]
	return w, ok
}

// lookAtFinding says how friends who moved are found.
func (n *Node) lookAtFinding() []Finding {
	const what = "finding"
	s := n.host.Finding()
	switch {
	case n.cfg.LANOnly:
		return nil
	case n.cfg.DHT == nil || !n.settings().FindOnline:
		return []Finding{good(what, "finding.off")}
	case !s.Tried:
		return []Finding{good(what, "finding.idle")}
	case s.Peers == 0:
		return []Finding{bad(what, "finding.dead")}
	case s.TellError != "":
		return []Finding{warn(what, "finding.untold")}
	case s.ClockOff != 0:
		return []Finding{warn(what, "finding.clock")}
	case s.Told.IsZero():
		return []Finding{good(what, "finding.ready")}
	}
	return []Finding{good(what, "finding.told", s.Told.UTC().Format(time.RFC3339))}
}
