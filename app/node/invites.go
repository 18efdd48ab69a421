package node

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

const (
	maxInviteHints = 6
	maxRelayHints  = 2 // of them
	onceLife       = 7 * 24 * time.Hour
	requestBits    = 20 // hashcash of a request without an invite, some 0.3 s
)

// Errors of Add.
var (
	// ErrOurself means that the link is our own.
	ErrOurself = errors.New("this link is your own")
	// ErrExpired means that the invite's time is over.
	ErrExpired = errors.New("the invite has expired")
	// ErrBlocked means that we have blocked the person.
	ErrBlocked = errors.New("this person is blocked")
	// ErrNoWay means that an invite names no place where its person can be found.
	ErrNoWay = errors.New("the invite names no address")
)

// Invite makes a link. A one-time invite makes whoever uses it first a friend
// without another question, and ends after life, a week if that is zero.
// Without once it is the permanent address: whoever has it may ask.
func (n *Node) Invite(ctx context.Context, once bool, life time.Duration) (identity.Invite, error) {
	i := identity.Invite{Person: n.me.id, Rendezvous: n.me.address, Hints: n.hints()}
	if !once {
		if life > 0 {
			i.Expires = n.cfg.Now().Add(life)
		}
		return i, nil
	}
	if life <= 0 {
		life = onceLife
	}
	var secret [16]byte
	rand.Read(secret[:])
	i.Once, i.Expires = secret[:], n.cfg.Now().Add(life)
	i.Rendezvous = onceRendezvous(secret[:])
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		return tx.PutInvite(store.Invite{Once: secret, Created: n.cfg.Now(), Expires: i.Expires})
	})
	if err != nil {
		return identity.Invite{}, fmt.Errorf("keep invite: %w", err)
	}
	return i, n.reload(ctx)
}

// onceRendezvous is the rendezvous secret of a one-time invite: it ends with
// the invite, where the permanent address would stay known.
func onceRendezvous(once []byte) [16]byte { return derive16(once, "entrenous/1 once rendezvous") }

// toldTo is the rendezvous secret by which one friend finds us, the same on
// all our devices and different for each friend.
func (n *Node) toldTo(friend identity.ID) [16]byte {
	return derive16(n.me.address[:], "entrenous/1 friend rendezvous"+string(friend[:]))
}

func derive16(secret []byte, info string) [16]byte {
	b, err := hkdf.Key(sha256.New, secret, nil, info, 16)
	if err != nil {
		panic(err) // HKDF refuses lengths above 8,160 bytes only
	}
	return [16]byte(b)
}

// hints are the addresses to put into an invite: the best few, loopback only
// where there is nothing else.
func (n *Node) hints() []identity.Hint {
	var out, loop, relayed []identity.Hint
	for _, a := range n.host.Addrs() {
		h := identity.Hint{Kind: identity.HintAddr, Value: a}
		switch {
		case strings.Contains(a, "/p2p-circuit/"):
			relayed = append(relayed, h)
		case strings.HasPrefix(a, "/ip4/127."), strings.HasPrefix(a, "/ip6/::1/"):
			loop = append(loop, h)
		default:
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		out = loop
	}
	relayed = relayed[:min(len(relayed), maxRelayHints)]
	return append(out[:min(len(out), maxInviteHints-len(relayed))], relayed...)
}

// Add asks the person behind a link to become a friend; with a one-time invite
// both are friends as soon as we have met. note is shown with the request.
func (n *Node) Add(ctx context.Context, link, name, note string) (identity.ID, error) {
	i, err := identity.ParseInvite(link)
	if err != nil {
		return identity.ID{}, err
	}
	switch {
	case i.Person == n.me.id:
		return i.Person, ErrOurself
	case !i.Expires.IsZero() && n.cfg.Now().After(i.Expires):
		return i.Person, ErrExpired
	case len(i.Hints) == 0 && (n.cfg.DHT == nil || len(i.Once) == 0):
		return i.Person, ErrNoWay
	}
	err = n.store.Write(ctx, func(tx *store.Tx) error { return n.putAdded(tx, i, link, name, note) })
	if err != nil {
		return i.Person, err
	}
	if err := n.reload(ctx); err != nil {
		return i.Person, err
	}
	n.spent.set(i.Person, false)
	if n.known().contacts[i.Person].State == store.Request {
		return i.Person, n.Accept(ctx, i.Person)
	}
	n.changes.tell(Change{Topic: TopicContact, Who: i.Person})
	for _, l := range n.links.of(i.Person) {
		n.askHere(l)
	}
	n.keeper.soon(func(e errand) bool { return e.person == i.Person })
	return i.Person, nil
}

// askHere asks a friend on a link that stands, without work done for it: who
// still counts us as one answers so, and who has just removed us ends the link.
// Then the next one begins with the whole request.
func (n *Node) askHere(l *link) {
	c := n.known().contacts[l.person]
	if c.State == store.Friend && !l.guest.Load() {
		l.send(chat.Request{Name: n.ownName(), Text: c.RequestText, Once: c.Once})
	}
}

// putAdded stores a person we want as a friend. Somebody who asked us already
// waits to be accepted; a friend stays one. Both take the new name.
func (n *Node) putAdded(tx *store.Tx, i identity.Invite, link, name, note string) error {
	c, err := tx.Contact(i.Person)
	if errors.Is(err, store.ErrNotFound) {
		c, err = store.Contact{ID: i.Person, State: store.Sent, Since: n.cfg.Now(), RequestText: note}, takePlace(tx, i.Person)
	}
	if err != nil {
		return err
	}
	if c.State == store.Blocked {
		return ErrBlocked
	}
	if err := tx.Set(declinedKey(i.Person), nil); err != nil {
		return err
	}
	if name != "" {
		c.Name = chat.DisplayName(name)
	}
	switch c.State {
	case store.Sent:
		c.Rendezvous, c.Once = i.Rendezvous, i.Once
		if err := tx.Set(addedKey(i.Person), []byte(link)); err != nil {
			return err
		}
	case store.Friend:
		// They may have forgotten us, also in this very moment while they still seem
		// to be here. Asking again does no harm where they have not, and here they
		// stay a friend.
		c.Once, c.RequestText = i.Once, note
		if err := tx.Set(againKey(i.Person), []byte{1}); err != nil {
			return err
		}
	}
	return tx.PutContact(c)
}

// againKey is where it is kept that a friend is asked again.
func againKey(id identity.ID) string { return "again/" + id.String() }

// readAgain reads which friends are asked again.
func (n *Node) readAgain(r *roster) error {
	r.again = map[identity.ID]bool{}
	return n.readEach(r, againKey, func(c store.Contact, _ []byte) { r.again[c.ID] = c.State == store.Friend })
}

// addedKey is where the link is kept by which we asked a person.
func addedKey(id identity.ID) string { return "added/" + id.String() }

// findInvited learns the devices of a person whose link we have, from any of
// its addresses.
func (n *Node) findInvited(ctx context.Context, id identity.ID) error {
	link, err := n.store.Value(addedKey(id))
	if err != nil {
		return err
	}
	i, err := identity.ParseInvite(string(link))
	if err != nil {
		return err
	}
	places := n.addedPlaces(id)
	failed := ErrNoWay
	if w, ok := n.foundInvited(id); ok {
		for _, a := range dialable(w.Addrs, "") {
			places = append(places, a+"/p2p/"+string(w.Peer))
		}
	}
	theirs := ends(places)
	places = append(places, n.cfg.Bootstrap...)
	// All are asked side by side: one that is known by a name that nobody answers
	// for would hold up the others.
	all := ends(places)
	asking, enough := context.WithCancel(ctx)
	n.keeper.dialling(errand{person: id}, enough)
	defer n.keeper.dialling(errand{person: id}, nil)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer enough()
	got := make(chan recordAnswer, len(all))
	for peer, addrs := range all {
		asked.Go(func() {
			rec, err := n.askRecord(asking, peer, n.waysTo(id, peer, addrs), i)
			got <- recordAnswer{rec, err, theirs[peer] != nil}
		})
	}
	for range all {
		a := <-got
		if a.err == nil {
			n.inviteSpent(id, false)
			return n.keepRecord(ctx, a.record)
		}
		if a.theirs && errors.Is(a.err, errNoRecord) {
			n.inviteSpent(id, true)
		}
		failed = errors.Join(failed, a.err)
	}
	return failed
}

// recordAnswer is what one place says about a person.
type recordAnswer struct {
	record *identity.Record
	err    error
	theirs bool // the link says that they are there
}
