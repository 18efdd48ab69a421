package node

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// Words of presence.
const (
	presenceOnline = "online"
	presenceAway   = "away"
)

// Errors of the verbs on people.
var (
	// ErrNotFriend means that the verb needs a friend, and the person is none (yet).
	ErrNotFriend = errors.New("you are not friends yet")
	// ErrNoRequest means that the person does not ask to be accepted.
	ErrNoRequest = errors.New("there is no request")
	// ErrNotBlocked means that the person is not blocked.
	ErrNotBlocked = errors.New("not blocked")
)

// Contact is a person as a roster shows them.
type Contact struct {
	store.Contact
	Conv     chat.ConvID
	Shown    string // the local name, else what they call themselves
	Online   bool
	Path     transport.Path
	RTT      time.Duration // zero when not known
	Via      string        // who relays, where somebody does
	Route    Route         // by which paths this person is talked to
	Asked    bool          // the person here chose the route
	Called   bool          // a call has told them where this computer is
	Spent    bool          // the invite by which we ask them was used or has expired
	Devices  int
	Unread   int
	Typing   bool
	Draft    string
	Terms    Terms
	Activity int64          // grows with what comes in, whatever clocks say: the order of a roster; see store.Conversation
	Last     *store.RowView // nil: nothing was said
}

// Contacts lists everybody, the last active first; of those among whom nothing
// has come in since, the one known last.
func (n *Node) Contacts() ([]Contact, error) {
	r := n.known()
	out := make([]Contact, 0, len(r.contacts))
	for _, c := range r.contacts {
		full, err := n.describe(r, c)
		if err != nil {
			return nil, err
		}
		out = append(out, full)
	}
	slices.SortFunc(out, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(b.Activity, a.Activity), b.Since.Compare(a.Since), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}

// Contact describes one person.
func (n *Node) Contact(id identity.ID) (Contact, error) {
	r := n.known()
	c, ok := r.contacts[id]
	if !ok {
		return Contact{}, ErrNobody
	}
	return n.describe(r, c)
}

func (n *Node) describe(r *roster, c store.Contact) (Contact, error) {
	out := Contact{Contact: c, Conv: chat.Direct(n.me.id, c.ID), Shown: shownName(c), Devices: len(r.of(c.ID)), Typing: n.typing.is(c.ID)}
	out.Path.Kind = transport.None
	out.Route = r.routeTo(c.ID)
	_, out.Asked = r.routes[c.ID]
	out.Spent = c.State == store.Sent && n.spent.is(c.ID)
	for _, l := range n.links.of(c.ID) {
		if p := n.host.Path(l.peer); better(p, out.Path) {
			out.Path, out.RTT = p, time.Duration(l.rtt.Load())
			if out.RTT == 0 {
				out.RTT = p.RTT
			}
		}
	}
	out.Online = c.State == store.Friend && n.presence.is(c.ID)
	out.Via = r.nameOf(out.Path.Via)
	err := n.store.Read(func(v *store.View) error { return summarize(v, &out) })
	if err != nil {
		return out, fmt.Errorf("summary of %s: %w", c.ID.Short(), err)
	}
	return out, nil
}

// summarize fills in what the store knows of the conversation.
func summarize(v *store.View, c *Contact) error {
	conv, err := v.Summary(c.Conv)
	if err != nil {
		return err
	}
	c.Last, c.Unread, c.Activity = conv.Last, conv.Unread, conv.Activity
	place, err := v.Value(placeKey(c.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if len(place) == 8 {
		c.Activity = max(c.Activity, int64(binary.BigEndian.Uint64(place)))
	}
	draft, err := v.Draft(c.Conv)
	if err != nil {
		return err
	}
	c.Draft = draft.Text
	if c.Called, err = hasCalled(v, c.ID); err != nil {
		return err
	}
	c.Terms, err = readTerms(v, c.ID)
	return err
}

// placeKey is where it is kept what had come in when a person became known: that
// is their place in the roster until something is said.
func placeKey(id identity.ID) string { return "place/" + id.String() }

// takePlace puts a person who is new before everybody who was active earlier.
func takePlace(tx *store.Tx, id identity.ID) error {
	all, err := tx.Arrived()
	if err != nil {
		return err
	}
	return tx.Set(placeKey(id), binary.BigEndian.AppendUint64(nil, uint64(all)))
}

// PathName is the path in one word: "lan", "direct", "none", or "relay:" and who
// relays.
func (c Contact) PathName() string {
	if c.Path.Kind == transport.Relay {
		return string(c.Path.Kind) + ":" + c.Via
	}
	return string(c.Path.Kind)
}

// better prefers the path that costs others least.
func better(a, b transport.Path) bool {
	rank := map[transport.Kind]int{transport.LAN: 3, transport.Direct: 2, transport.Relay: 1}
	return rank[a.Kind] > rank[b.Kind]
}

// change edits a contact and tells viewers.
func (n *Node) change(ctx context.Context, id identity.ID, f func(c *store.Contact) error) error {
	return n.changeIn(ctx, id, func(_ *store.Tx, c *store.Contact) error { return f(c) })
}

// changeIn is change with a hand on what else is stored.
func (n *Node) changeIn(ctx context.Context, id identity.ID, f func(tx *store.Tx, c *store.Contact) error) error {
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(id)
		if errors.Is(err, store.ErrNotFound) {
			return ErrNobody
		}
		if err != nil {
			return err
		}
		if err := f(tx, &c); err != nil {
			return err
		}
		return tx.PutContact(c)
	})
	if err != nil {
		return err
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	n.changes.tell(Change{Topic: TopicContact, Who: id})
	return nil
}

// Accept makes a person who asked a friend.
func (n *Node) Accept(ctx context.Context, id identity.ID) error {
	err := n.change(ctx, id, func(c *store.Contact) error {
		if c.State != store.Request {
			return fmt.Errorf("accept %s: %w", c.ID.Short(), ErrNoRequest)
		}
		c.State, c.Since = store.Friend, n.cfg.Now()
		return nil
	})
	if err != nil {
		return err
	}
	if err := n.ensureKey(ctx, chat.Direct(n.me.id, id)); err != nil {
		return err
	}
	for _, l := range n.links.of(id) {
		l.send(chat.Accept{})
		n.becameFriends(ctx, l)
	}
	n.keeper.ring()
	return nil
}

// Rename gives a person a local name; an empty one shows what they call
// themselves.
func (n *Node) Rename(ctx context.Context, id identity.ID, name string) error {
	return n.change(ctx, id, func(c *store.Contact) error {
		c.Name = chat.DisplayName(name)
		return nil
	})
}

// Mute keeps a person's messages from making noise.
func (n *Node) Mute(ctx context.Context, id identity.ID, on bool) error {
	return n.change(ctx, id, func(c *store.Contact) error {
		c.Muted = on
		return nil
	})
}

// Verify marks the safety number as compared, or takes the mark back.
func (n *Node) Verify(ctx context.Context, id identity.ID, ok bool) error {
	return n.change(ctx, id, func(c *store.Contact) error {
		c.Verified = ok
		return nil
	})
}

// unfriendedKey is where it is kept what somebody was who was blocked without
// having been a friend.
func unfriendedKey(id identity.ID) string { return "blocked/" + id.String() }

// Block ends all contact with a person and refuses what they try later. What
// was said stays here.
func (n *Node) Block(ctx context.Context, id identity.ID) error {
	n.endCallsWith(id)
	err := n.changeIn(ctx, id, func(tx *store.Tx, c *store.Contact) error {
		was := c.State
		c.State = store.Blocked
		if err := putTerms(tx, id, func(t *Terms) { t.Echo = false }); err != nil {
			return err
		}
		if was == store.Request || was == store.Sent {
			return tx.Set(unfriendedKey(id), []byte{byte(was)})
		}
		return nil
	})
	n.giveBack(id)
	n.hangUp(id, "blocked")
	return err
}

// Unblock makes a person what they were before: a friend, or somebody whose
// request waits.
func (n *Node) Unblock(ctx context.Context, id identity.ID) error {
	err := n.changeIn(ctx, id, func(tx *store.Tx, c *store.Contact) error {
		if c.State != store.Blocked {
			return fmt.Errorf("unblock %s: %w", c.ID.Short(), ErrNotBlocked)
		}
		c.State = store.Friend
		was, err := tx.Value(unfriendedKey(id))
		if errors.Is(err, store.ErrNotFound) || err == nil && len(was) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		c.State = store.ContactState(was[0])
		return tx.Set(unfriendedKey(id), nil)
	})
	n.keeper.ring()
	return err
}

// declinedKey is where it is kept that somebody's request was declined.
func declinedKey(id identity.ID) string { return "declined/" + id.String() }

// Remove forgets a person and everything that was said with them. Whose request
// waits is declined: what they ask later is not shown, until we add them or they
// come with a one-time invite of ours; they are told neither. Of what this
// device wrote, the signatures stay without the words, shown nowhere, so that
// its chain can go on if the two become friends again; the secrets shared with
// their devices stay too, for they answer nobody who comes without. Then what the friend
// still has of their own comes back from them; what of ours had not reached
// them arrives there as deleted.
func (n *Node) Remove(ctx context.Context, id identity.ID) error {
	n.endCallsWith(id)
	n.giveBack(id)
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(id)
		if errors.Is(err, store.ErrNotFound) {
			return ErrNobody
		}
		if err != nil {
			return err
		}
		if c.State == store.Request {
			if err := tx.Set(declinedKey(id), []byte{1}); err != nil {
				return err
			}
		}
		for _, key := range []string{addedKey(id), workKey(id), againKey(id), unfriendedKey(id), termsKey(id), placeKey(id), routeKey(id), calledKey(id)} {
			if err := tx.Set(key, nil); err != nil {
				return err
			}
		}
		if err := setPairsAside(tx, id); err != nil {
			return err
		}
		return tx.DeleteContact(id)
	})
	if err != nil {
		return fmt.Errorf("remove %s: %w", id.Short(), err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	n.hangUp(id, "removed")
	n.spent.set(id, false)
	n.waits.forget(chat.Direct(n.me.id, id))
	n.changes.tell(Change{Topic: TopicContact, Who: id})
	return nil
}

// hangUp ends the links to a person's devices. They are away at once: no link
// is to take the place of these.
func (n *Node) hangUp(id identity.ID, why string) {
	never := func(identity.ID) bool { return false }
	n.presence.leave(id, never, func() { n.changes.tell(Change{Topic: TopicPresence, Who: id, State: presenceAway}) })
	for _, l := range n.links.of(id) {
		n.host.Protect(l.peer, false)
		l.close(errors.New(why))
	}
}

// Devices lists our own devices.
func (n *Node) Devices() []store.Device { return n.known().of(n.me.id) }

// DeviceName is how this device is called in its certificate, which friends
// see. It stays what it was when the device was made: two of a person's devices
// that signed a new list at once would fork it.
func (n *Node) DeviceName() string {
	c, err := identity.ParseCertificate(n.known().devices[n.me.device.ID()].Cert)
	if err != nil {
		return ""
	}
	return c.Name
}

// DeviceOnline says whether a live link to a device stands.
func (n *Node) DeviceOnline(d identity.DeviceID) bool {
	return d == n.me.device.ID() || n.links.to(d) != nil
}
