package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// A Route is by which paths a person is talked to, and so who may learn where
// this computer is: they, or only whoever passes on between us.
type Route string

// The routes.
const (
	RouteDirect  Route = "direct"  // any path; they learn our address
	RouteThrough Route = "through" // only through friends and relays of our choice
	RouteRelay   Route = "relay"   // only through relays of our choice that are no friend's device
)

// errHidden ends a link whose path may not be used any more.
var errHidden = errors.New("our address is kept from this person now")

// routeKey is where the route to a person is kept.
func routeKey(id identity.ID) string { return "route/" + id.String() }

// readRoutes reads the choices made; whoever has none is talked to directly.
func (n *Node) readRoutes(r *roster) error {
	r.routes = map[identity.ID]Route{}
	return n.readEach(r, routeKey, func(c store.Contact, b []byte) { r.routes[c.ID] = Route(b) })
}

// readEach reads what is kept of each person under a key of theirs, where there
// is anything.
func (n *Node) readEach(r *roster, key func(identity.ID) string, got func(store.Contact, []byte)) error {
	for id, c := range r.contacts {
		b, err := n.store.Value(key(id))
		if errors.Is(err, store.ErrNotFound) || err == nil && len(b) == 0 {
			continue
		}
		if err != nil {
			return fmt.Errorf("read what is kept of a person: %w", err)
		}
		got(c, b)
	}
	return nil
}

// SetRoute chooses how a person is talked to from now on. What they learnt of
// us before, they keep. A call with somebody we begin to hide from ends: its path
// may lead to us, and a call tells the other side each new address.
func (n *Node) SetRoute(ctx context.Context, id identity.ID, route Route) error {
	switch route {
	case RouteDirect, RouteThrough, RouteRelay:
	default:
		return fmt.Errorf("%w: route %q is none of direct, through, relay", ErrSetting, route)
	}
	err := n.changeIn(ctx, id, func(tx *store.Tx, _ *store.Contact) error { return tx.Set(routeKey(id), []byte(route)) })
	if err != nil {
		return err
	}
	if route != RouteDirect {
		n.endCallsWith(id)
		n.giveBack(id)
	}
	for _, l := range n.links.of(id) {
		if p := n.host.Path(l.peer); !n.mayRoute(l.peer, p.Via) {
			l.close(errHidden)
			continue
		}
		l.send(n.hello(id))
	}
	n.host.Reroute()
	n.host.Refresh() // the local network no longer hears the tag that they know
	n.keeper.soon(func(e errand) bool { return e.person == id })
	return nil
}

// routeTo is how a person is talked to.
func (r *roster) routeTo(id identity.ID) Route {
	if route, ok := r.routes[id]; ok {
		return route
	}
	return RouteDirect
}

// hides says whether our addresses are kept from a person.
func (r *roster) hides(id identity.ID) bool { return r.routeTo(id) != RouteDirect }

// hidesFromAnybody says whether our addresses are kept from anybody.
func (r *roster) hidesFromAnybody() bool {
	for id := range r.routes {
		if r.hides(id) {
			return true
		}
	}
	return false
}

// mayRoute says whether a peer may be talked to through a relay, or directly
// where relay is empty. A relay of the other side's choice would learn where we
// are from our calling it.
func (n *Node) mayRoute(p, relay transport.Peer) bool {
	r := n.known()
	return !slices.ContainsFunc(r.at(p), func(d store.Device) bool { return r.hides(d.Person) && !n.mayPass(r, d.Person, relay) })
}

// mayPass says whether a relay may stand between us and a person we hide from.
func (n *Node) mayPass(r *roster, id identity.ID, relay transport.Peer) bool {
	there := r.at(relay)
	switch {
	case relay == "":
		return false
	case !slices.ContainsFunc(there, func(d store.Device) bool { return d.Person != n.me.id }):
		return n.named(relay)
	}
	return r.routeTo(id) == RouteThrough && !slices.ContainsFunc(there, func(d store.Device) bool { return d.Person == id || !r.friend(d.Person) })
}

// named says whether a relay is one of those we chose.
func (n *Node) named(relay transport.Peer) bool {
	return slices.ContainsFunc(n.cfg.Relays, func(a string) bool { return strings.HasSuffix(a, "/p2p/"+string(relay)) })
}

// mayPunch says whether a peer who came through a relay may be told where we
// are seen. A person we hide from may come under a name that nobody knows.
func (n *Node) mayPunch(p transport.Peer) bool {
	r := n.known()
	there := r.at(p)
	if slices.ContainsFunc(there, func(d store.Device) bool { return r.hides(d.Person) }) {
		return false
	}
	strange := len(there) == 0 || slices.ContainsFunc(there, func(d store.Device) bool { return !r.friend(d.Person) && d.Person != n.me.id })
	return !strange || !r.hidesFromAnybody()
}

// waysTo are the addresses at which a person is called: those told, or, for one
// we hide from, none of those. The name of a relay in an address that they tell
// may be right and its place theirs. Our own relays stand where we say, and a
// friend's device where the friend says.
func (n *Node) waysTo(id identity.ID, p transport.Peer, told []string) (out []string) {
	r := n.known()
	if !r.hides(id) {
		return told
	}
	through := func(relay string) { out = append(out, relay+"/p2p-circuit/p2p/"+string(p)) }
	for _, relay := range n.cfg.Relays {
		through(relay)
	}
	for _, a := range told {
		at, _, relayed := strings.Cut(a, "/p2p-circuit")
		_, relay, _ := strings.Cut(at, "/p2p/")
		if !relayed || n.named(transport.Peer(relay)) || !n.mayPass(r, id, transport.Peer(relay)) {
			continue
		}
		for _, d := range r.at(transport.Peer(relay)) {
			for _, place := range d.Addrs {
				if !strings.Contains(place, "/p2p-circuit") {
					through(strings.TrimSuffix(place, "/p2p/"+relay) + "/p2p/" + relay)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shownTo are the addresses that a person may know: all, or those that lead to
// us through relays of our choice.
func (n *Node) shownTo(id identity.ID) []string {
	if n.known().hides(id) {
		return n.relayedAddrs(n.known().routeTo(id))
	}
	return n.shownAddrs()
}

// relayedAddrs are the addresses through relays that a route allows; those of
// strangers, whom we did not choose, are none.
func (n *Node) relayedAddrs(route Route) []string {
	r := n.known()
	return slices.DeleteFunc(n.host.Addrs(), func(a string) bool {
		at, _, relayed := strings.Cut(a, "/p2p-circuit")
		_, relay, _ := strings.Cut(at, "/p2p/")
		friends := len(r.peers[transport.Peer(relay)]) > 0
		return !relayed || friends && route == RouteRelay || !friends && !n.named(transport.Peer(relay))
	})
}

// shownIn are the addresses for a record that whoever holds a secret may ask
// for over a connection. A person we hide from may hold an old secret, and come
// under another name: as long as there is one, what is asked through a relay is
// answered with relays.
func (n *Node) shownIn(by transport.Path) []string {
	if by.Kind == transport.Relay {
		return n.shownInvited()
	}
	return n.shownAddrs()
}

// shownInvited are the addresses for whoever holds a one-time invite, and may be
// anybody.
func (n *Node) shownInvited() []string {
	if n.known().hidesFromAnybody() {
		return n.relayedAddrs(RouteRelay)
	}
	return n.shownAddrs()
}
