package node

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

const (
	visibleTime    = 5 * time.Minute
	maxVisibleTime = time.Hour
	// askableFor is how long a card is answered after it was taken back, and how
	// long one heard is believed: whoever read it late still gets through.
	askableFor = 5 * time.Minute
	maxAround  = 32
	// askEvery bounds how often the network is asked who is there.
	askEvery = 3 * time.Second
)

// ErrNotAround means that nobody of that id shows themselves on this network.
var ErrNotAround = errors.New("nobody of that id is visible on this network")

// Neighbour is somebody on this network who shows themselves to everybody.
type Neighbour struct {
	ID    identity.ID
	Name  string // what they call themselves; anybody may use any name
	Heard time.Time

	invite identity.Invite
}

// around is who shows themselves on this network, and whether we do. While we
// do, a card is announced: our name, and an invite that ends soon and lets its
// reader ask, not more.
type around struct {
	mu     sync.Mutex
	until  time.Time // we are visible until then
	secret [16]byte  // of the card
	end    *time.Timer
	seen   map[identity.ID]Neighbour
	asked  time.Time
}

// secrets are the rendezvous secrets of a card that may still be used.
func (a *around) secrets(now time.Time) [][16]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.until.IsZero() || now.After(a.until.Add(askableFor)) {
		return nil
	}
	return [][16]byte{a.secret}
}

// hide takes the card back.
func (a *around) hide() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.end != nil {
		a.end.Stop()
		a.end = nil
	}
}

// Show makes us visible to everybody on this network for a while, five minutes
// where d is zero; a negative d hides us. It returns until when.
func (n *Node) Show(d time.Duration) time.Time {
	if d == 0 {
		d = visibleTime
	}
	d = min(d, maxVisibleTime)
	a := &n.around
	a.hide()
	a.mu.Lock()
	now := n.cfg.Now()
	if d < 0 {
		if now.Before(a.until) {
			a.until = now
		}
	} else {
		rand.Read(a.secret[:])
		a.until = now.Add(d)
		a.end = time.AfterFunc(d, n.refreshAround)
	}
	until := a.until
	a.mu.Unlock()
	n.refreshAround()
	return until
}

// refreshAround announces anew and tells viewers.
func (n *Node) refreshAround() {
	n.host.Refresh()
	n.changes.tell(Change{Topic: TopicNetwork, State: "nearby"})
}

// VisibleUntil is when we stop being visible, zero when we are not.
func (n *Node) VisibleUntil() time.Time {
	n.around.mu.Lock()
	defer n.around.mu.Unlock()
	if !n.cfg.Now().Before(n.around.until) {
		return time.Time{}
	}
	return n.around.until
}

// card is what everybody on this network may know now.
func (n *Node) card() string {
	until := n.VisibleUntil()
	if until.IsZero() {
		return ""
	}
	n.around.mu.Lock()
	secret := n.around.secret
	n.around.mu.Unlock()
	i := identity.Invite{Person: n.me.id, Rendezvous: secret, Expires: until, Hints: n.lanHints()}
	return i.String() + "\n" + n.ownName()
}

// lanHints is one address of ours, for the sake of the peer id in it: the
// announcement says where we listen.
func (n *Node) lanHints() []identity.Hint {
	h := slices.DeleteFunc(n.hints(), func(h identity.Hint) bool { return strings.Contains(h.Value, "/p2p-circuit") })
	return h[:min(len(h), 1)]
}

// met takes a card that somebody on this network announced.
func (n *Node) met(addrs []string, card string) {
	link, name, _ := strings.Cut(card, "\n")
	i, err := identity.ParseInvite(link)
	if err != nil || len(i.Once) != 0 || len(i.Hints) == 0 || i.Person == n.me.id {
		return
	}
	_, peer, ok := strings.Cut(i.Hints[0].Value, "/p2p/")
	if p, err := transport.ParsePeer(peer); !ok || err != nil || string(p) != peer {
		return
	}
	i.Hints = nil
	for _, a := range dialable(addrs, "")[:min(len(addrs), maxInviteHints)] {
		i.Hints = append(i.Hints, identity.Hint{Kind: identity.HintAddr, Value: a + "/p2p/" + peer})
	}
	if name = chat.DisplayName(name); name == "" || len(i.Hints) == 0 {
		return
	}
	if n.around.note(Neighbour{ID: i.Person, Name: name, Heard: n.cfg.Now(), invite: i}) {
		n.changes.tell(Change{Topic: TopicNetwork, State: "nearby"})
	}
}

// note keeps a neighbour, and says whether viewers have not heard of them.
func (a *around) note(who Neighbour) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgetLocked(who.Heard)
	was, known := a.seen[who.ID]
	if !known && len(a.seen) >= maxAround {
		return false
	}
	if a.seen == nil {
		a.seen = map[identity.ID]Neighbour{}
	}
	a.seen[who.ID] = who
	return !known || was.Name != who.Name
}

// forgetLocked drops those whose card has ended.
func (a *around) forgetLocked(now time.Time) {
	for id, who := range a.seen {
		if now.After(who.Heard.Add(maxVisibleTime)) || now.After(who.invite.Expires) {
			delete(a.seen, id)
		}
	}
}

// Nearby lists who shows themselves on this network, and asks around for more.
func (n *Node) Nearby() []Neighbour {
	a := &n.around
	now := n.cfg.Now()
	a.mu.Lock()
	a.forgetLocked(now)
	out := make([]Neighbour, 0, len(a.seen))
	for _, who := range a.seen {
		out = append(out, who)
	}
	ask := now.Sub(a.asked) > askEvery
	if ask {
		a.asked = now
	}
	a.mu.Unlock()
	if ask {
		n.host.Refresh()
	}
	slices.SortFunc(out, func(x, y Neighbour) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return slices.Compare(x.ID[:], y.ID[:])
	})
	return out
}

// AddNearby asks somebody on this network to become a friend.
func (n *Node) AddNearby(ctx context.Context, id identity.ID, note string) error {
	n.around.mu.Lock()
	who, ok := n.around.seen[id]
	n.around.mu.Unlock()
	if !ok {
		return ErrNotAround
	}
	_, err := n.Add(ctx, who.invite.String(), "", note)
	return err
}
