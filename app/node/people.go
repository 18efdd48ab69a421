package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

// people is what the store knows of persons and devices, kept in memory
// because every frame that arrives asks for it. A snapshot is never changed:
// after each write a new one replaces it.
type people struct {
	now  atomic.Pointer[roster]
	asks atomic.Uint64 // reloads asked for

	// turn holds whoever reloads: an older snapshot must not replace a newer one.
	// It is a channel because the database may sleep in between: in virtual time
	// no clock moves while somebody waits for a mutex.
	turn chan struct{}
	done uint64 // the last one that the snapshot answers
}

type roster struct {
	contacts map[identity.ID]store.Contact
	devices  map[identity.DeviceID]store.Device
	convs    map[chat.ConvID]identity.ID            // the other person of each direct conversation
	peers    map[transport.Peer][]identity.DeviceID // several where hosts are claimed twice
	lists    map[identity.ID]*identity.DeviceList
	pairs    []noise.Pair // of devices, and of one-time invites that wait
	routes   map[identity.ID]Route
	again    map[identity.ID]bool // friends who are asked again: they may have forgotten us
}

// invited marks a pair secret that came from a one-time invite.
type invited struct {
	once [16]byte
	ends time.Time
}

// holds says whether the invite may still be used.
func (i invited) holds(now time.Time) bool { return i.ends.IsZero() || now.Before(i.ends) }

// reload reads everybody anew. It is called after each write that touches
// contacts, devices or invites; some milliseconds for a hundred friends.
func (n *Node) reload(ctx context.Context) error {
	p := &n.people
	ask := p.asks.Add(1)
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if p.done >= ask {
		return nil // somebody read everything after what we wrote
	}
	upTo := p.asks.Load()
	r, err := n.readPeople(ctx)
	if err != nil {
		return err
	}
	p.now.Store(r)
	p.done = upTo
	if n.host != nil { // not while the node opens
		n.host.Seek(false)
	}
	return nil
}

func (n *Node) readPeople(ctx context.Context) (*roster, error) {
	r := &roster{
		contacts: map[identity.ID]store.Contact{}, devices: map[identity.DeviceID]store.Device{},
		convs: map[chat.ConvID]identity.ID{}, peers: map[transport.Peer][]identity.DeviceID{}, lists: map[identity.ID]*identity.DeviceList{},
	}
	contacts, err := n.store.Contacts()
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	persons := []identity.ID{n.me.id}
	for _, c := range contacts {
		r.contacts[c.ID] = c
		r.convs[chat.Direct(n.me.id, c.ID)] = c.ID
		persons = append(persons, c.ID)
	}
	for _, p := range persons {
		if err := n.loadPerson(r, p); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(n.readRoutes(r), n.readAgain(r)); err != nil {
		return nil, err
	}
	if err := n.addInvites(r); err != nil {
		return nil, err
	}
	return r, nil
}

func (n *Node) loadPerson(r *roster, p identity.ID) error {
	devices, err := n.store.Devices(p)
	if err != nil {
		return fmt.Errorf("read devices: %w", err)
	}
	for _, d := range devices {
		r.addDevice(d)
	}
	list, err := storedList(n.store, p)
	if err != nil {
		return fmt.Errorf("read device list: %w", err)
	}
	if list != nil {
		r.lists[p] = list
	}
	return nil
}

func (r *roster) addDevice(d store.Device) {
	r.devices[d.ID] = d
	if d.Peer != "" {
		r.peers[transport.Peer(d.Peer)] = append(r.peers[transport.Peer(d.Peer)], d.ID)
	}
	for _, secret := range pairSecrets(d) {
		r.pairs = append(r.pairs, noise.Pair{Secret: secret, Of: d.ID})
	}
}

func (n *Node) addInvites(r *roster) error {
	invites, err := n.store.Invites()
	if err != nil {
		return fmt.Errorf("read invites: %w", err)
	}
	for _, i := range invites {
		if of := (invited{i.Once, i.Expires}); !i.Used && of.holds(n.cfg.Now()) {
			r.pairs = append(r.pairs, noise.Pair{Secret: identity.OncePair(i.Once[:]), Of: of})
		}
	}
	return nil
}

// known is the current snapshot.
func (n *Node) known() *roster { return n.people.now.Load() }

// friend says whether events may flow between us and a person.
func (r *roster) friend(id identity.ID) bool { return r.contacts[id].State == store.Friend }

// at lists the devices that are said to be at a peer. It is one as a rule. But
// somebody may have a second identity on the same host, to be treated like the
// other person, or write another's host into their invite: what is allowed must
// be allowed to all of them.
func (r *roster) at(p transport.Peer) (out []store.Device) {
	for _, d := range r.peers[p] {
		out = append(out, r.devices[d])
	}
	return out
}

// asks says whether we wait for a person to accept us. A friend who may have
// forgotten us is one of them; until they have answered, they hear no more from
// us than who we are.
func (r *roster) asks(id identity.ID) bool { return r.contacts[id].State == store.Sent || r.again[id] }

// of lists the devices on a person's list, in a stable order.
func (r *roster) of(person identity.ID) []store.Device {
	var out []store.Device
	for _, d := range r.devices {
		if d.Person == person && !d.Revoked && r.listed(person, d.ID) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b store.Device) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

// Errors of Resolve.
var (
	// ErrNobody means that no contact fits.
	ErrNobody = errors.New("nobody here by that name or id")
	// ErrAmbiguous is wrapped by *AmbiguousError.
	ErrAmbiguous = errors.New("several people fit")
)

// AmbiguousError lists the people who fit a name or prefix.
type AmbiguousError struct{ Names []string }

// Error names the candidates.
func (e *AmbiguousError) Error() string {
	return ErrAmbiguous.Error() + ": " + strings.Join(e.Names, ", ")
}

// Unwrap gives ErrAmbiguous.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

// Resolve finds the contact that who means: a local name, an id, or a prefix
// of either that fits one person only. A whole name wins over prefixes.
func (n *Node) Resolve(who string) (identity.ID, error) {
	who = strings.TrimSpace(who)
	if who == "" {
		return identity.ID{}, ErrNobody
	}
	r := n.known()
	if id, err := identity.ParseID(who); err == nil {
		if _, ok := r.contacts[id]; ok {
			return id, nil
		}
		return identity.ID{}, ErrNobody
	}
	fits := func(match func(name, id string) bool) []store.Contact {
		var out []store.Contact
		for _, c := range r.contacts {
			if match(strings.ToLower(shownName(c)), c.ID.String()) {
				out = append(out, c)
			}
		}
		return out
	}
	want := strings.ToLower(who)
	found := fits(func(name, _ string) bool { return name == want })
	if len(found) == 0 {
		found = fits(func(name, id string) bool { return strings.HasPrefix(name, want) || strings.HasPrefix(id, want) })
	}
	switch len(found) {
	case 0:
		return identity.ID{}, ErrNobody
	case 1:
		return found[0].ID, nil
	}
	e := &AmbiguousError{}
	for _, c := range found {
		e.Names = append(e.Names, shownName(c)+" ("+c.ID.Short()+")")
	}
	slices.Sort(e.Names)
	return identity.ID{}, e
}

// nameOf is the friend whose device a peer is, else the end of its name.
func (r *roster) nameOf(p transport.Peer) string {
	for _, d := range r.at(p) {
		if c, ok := r.contacts[d.Person]; ok {
			return shownName(c)
		}
	}
	return p.Short()
}

// shownName is what a person is called here.
func shownName(c store.Contact) string {
	switch {
	case c.Name != "":
		return c.Name
	case c.OwnName != "":
		return chat.DisplayName(c.OwnName)
	}
	return c.ID.Short()
}
