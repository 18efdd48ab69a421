package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// Friends in common help two who both moved to meet again. Each leaves sealed
// notes of where they are with friends who are here, under the places that the
// table and boards use too; who keeps notes hands all of them to all of their
// friends who take part, and everybody reads those that are for them. So whoever
// passes on learns neither what a note says nor who reads it, and nobody hears of
// a friendship who is not in it: all that shows is how many notes a person leaves.
// Only notes that their author's own device left here are passed on, once. Who
// takes part said so in the settings; both ends of a link must have.

const (
	// keptNotes is how many notes of one person are kept, for as long as their
	// places are looked at.
	keptNotes, noteLife = 128, 48 * time.Hour
	// gossipSettle is how long news is gathered before it is passed on, and
	// gossipEvery how often notes are looked through for another day.
	gossipSettle, gossipEvery = 200 * time.Millisecond, time.Hour
	// noteBurst frames of notes are read from a link at once, and then one each
	// noteEvery.
	noteBurst, noteEvery = 32, 10 * time.Second
)

// gossip is what is kept of others.
type gossip struct {
	wake chan struct{} // a token: there may be something to leave or to pass on

	mu   sync.Mutex
	kept map[transport.NoteName]keptNote
	last int // of the numbers of kept notes
}

type keptNote struct {
	of       identity.ID
	note     []byte
	sequence uint64
	number   int // grows with each note that comes
	until    time.Time
}

// gossiping is how far gossip with a link has come.
type gossiping struct {
	on    atomic.Bool // the other end takes part
	spent allowance   // of the reader's

	mu     sync.Mutex
	told   map[transport.Spot]string // of the other end: the note left last, by what made it
	passed int                       // the number of the newest note passed on
}

// passesOn says whether we take part.
func (n *Node) passesOn() bool { return n.settings().PassOn && !n.cfg.LANOnly }

// gossips says whether a link takes part.
func (n *Node) gossips(l *link) bool { return n.passesOn() && l.gossip.on.Load() && !l.guest.Load() }

// sayPassOn tells the other end whether we take part.
func (n *Node) sayPassOn(l *link) {
	if n.passesOn() {
		l.send(chat.PassOn{On: true})
	}
}

// passOnChanged tells everybody who is here that we take part now, or no more.
func (n *Node) passOnChanged() {
	for _, l := range n.links.of(n.everybody()...) {
		l.send(chat.PassOn{On: n.passesOn()})
	}
	if !n.passesOn() {
		n.gossip.forget(func(keptNote) bool { return true })
	}
	n.gossip.stir()
}

func (g *gossip) stir() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// heardPassOn takes that the other end takes part, or no more: then what that
// person left here is forgotten.
func (n *Node) heardPassOn(l *link, f chat.PassOn) {
	l.gossip.on.Store(f.On)
	if !f.On {
		n.gossip.forget(func(k keptNote) bool { return k.of == l.person })
	}
	n.gossip.stir()
}

// heardNotes keeps notes that are left here, and reads those that others left
// with the other end.
func (n *Node) heardNotes(l *link, f chat.NotesFrame) {
	if !n.gossips(l) || !l.gossip.spent.take(noteBurst, noteEvery) {
		return
	}
	if f.Passed {
		n.readNotes(f.Notes)
		return
	}
	for _, b := range f.Notes {
		name, sequence, err := transport.CheckNote(b)
		if err != nil {
			n.log.Debug("a note is none", "peer", l.device, "err", err)
			return
		}
		n.gossip.keep(name, keptNote{of: l.person, note: b, sequence: sequence, until: time.Now().Add(noteLife)})
	}
	n.gossip.stir()
}

// keep takes a note, unless there is a newer one, or too many of its person.
func (g *gossip) keep(name transport.NoteName, k keptNote) {
	g.mu.Lock()
	defer g.mu.Unlock()
	of := 0
	for other, had := range g.kept {
		switch {
		case time.Now().After(had.until):
			delete(g.kept, other)
		case had.of == k.of && other != name:
			of++
		}
	}
	if old, there := g.kept[name]; of >= keptNotes || there && old.sequence >= k.sequence {
		return
	}
	if g.kept == nil {
		g.kept = map[transport.NoteName]keptNote{}
	}
	g.last++
	k.number = g.last
	g.kept[name] = k
}

func (g *gossip) forget(which func(keptNote) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, k := range g.kept {
		if which(k) {
			delete(g.kept, name)
		}
	}
}

// after lists notes that came after a number and are not of a person, the oldest
// first, and the number of the last one.
func (g *gossip) after(number int, but identity.ID) (notes [][]byte, last int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var news []keptNote
	for _, k := range g.kept {
		if k.number > number && k.of != but && time.Now().Before(k.until) {
			news = append(news, k)
		}
	}
	slices.SortFunc(news, func(a, b keptNote) int { return a.number - b.number })
	for _, k := range news {
		notes = append(notes, k.note)
	}
	return notes, g.last
}

// readNotes takes those notes that are for us: of devices that we look for.
func (n *Node) readNotes(notes [][]byte) {
	places := n.noteplaces()
	for _, b := range notes {
		name, _, err := transport.CheckNote(b)
		if err != nil {
			continue
		}
		at, ours := places[name]
		if !ours {
			continue
		}
		if w, err := at.spot.ReadNote(n.privateNetwork(), n.cfg.Now(), b); err == nil {
			n.foundAt(at.errand, w)
		}
	}
}

// noteplace is where somebody leaves notes for us.
type noteplace struct {
	spot   transport.Spot
	errand errand
}

// noteplaces are those of everybody whom we look for when they are away. Who is
// still linked may have moved already.
func (n *Node) noteplaces() map[transport.NoteName]noteplace {
	out := map[transport.NoteName]noteplace{}
	add := func(s transport.Spot, e errand) {
		for _, name := range s.NoteNames(n.privateNetwork(), n.cfg.Now()) {
			out[name] = noteplace{s, e}
		}
	}
	r := n.known()
	for d, secret := range n.findable() {
		who := r.devices[d].Person
		add(spot([16]byte(secret[:16]), who, d), errand{who, d})
	}
	for id, c := range r.contacts {
		if c.State == store.Sent && len(r.of(id)) == 0 && len(c.Once) > 0 {
			add(spot(c.Rendezvous, id, identity.DeviceID{}), errand{person: id})
		}
	}
	return out
}

func (n *Node) privateNetwork() string {
	if n.cfg.DHT == nil {
		return ""
	}
	return n.cfg.DHT.Network
}

// passOn leaves our notes with friends who are here, and passes on those of
// others, until ctx ends.
func (n *Node) passOn(ctx context.Context) {
	tick := time.NewTicker(gossipEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.gossip.wake:
			select {
			case <-time.After(gossipSettle):
			case <-ctx.Done():
				return
			}
		}
		if !n.passesOn() {
			continue
		}
		for _, l := range n.links.of(n.everybody()...) {
			if n.gossips(l) {
				n.leaveNotes(l)
				n.passNotes(l)
			}
		}
	}
}

// leaveNotes gives the other end what it does not have yet of where we are.
func (n *Node) leaveNotes(l *link) {
	now := n.cfg.Now()
	var notes [][]byte
	l.gossip.mu.Lock()
	defer l.gossip.mu.Unlock()
	told := map[transport.Spot]string{}
	for _, t := range n.toTell() {
		made := fmt.Sprint(t.Addrs, t.Spot.NoteNames(n.privateNetwork(), now))
		told[t.Spot] = made
		if l.gossip.told[t.Spot] == made || len(t.Addrs) == 0 {
			continue
		}
		sealed, err := t.Spot.Notes(n.privateNetwork(), now, transport.Whereabouts{Peer: n.host.Peer(), Addrs: t.Addrs, At: now})
		if err != nil {
			n.log.Warn("leave a note", "err", err)
			continue
		}
		notes = append(notes, sealed...)
	}
	l.gossip.told = told
	l.sendNotes(false, notes)
}

// passNotes gives the other end what others left here.
func (n *Node) passNotes(l *link) {
	l.gossip.mu.Lock()
	defer l.gossip.mu.Unlock()
	notes, last := n.gossip.after(l.gossip.passed, l.person)
	l.gossip.passed = last
	l.sendNotes(true, notes)
}

func (l *link) sendNotes(passed bool, notes [][]byte) {
	for part := range slices.Chunk(notes, chat.MaxNotes) {
		l.send(chat.NotesFrame{Passed: passed, Notes: part})
	}
}
