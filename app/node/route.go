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
	for id := range r.contacts {
		b, err := n.store.Value(routeKey(id))
		if errors.Is(err, store.ErrNotFound) || err == nil && len(b) == 0 {
			continue
		}
		if err != nil {
			return fmt.Errorf("read route: %w", err)
		}
		r.routes[id] = Route(b)
	}
	return nil
}

// SetRoute chooses how a person is talked to from now on. What they learnt of
// us before, they keep.
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
	d, known := r.devices[r.peers[p]]
	if !known || !r.hides(d.Person) {
		return true
	}
	named := slices.ContainsFunc(n.cfg.Relays, func(a string) bool { return strings.HasSuffix(a, "/p2p/"+string(relay)) })
	friends, isFriends := r.devices[r.peers[relay]]
	switch {
	case relay == "":
		return false
	case !isFriends || friends.Person == n.me.id:
		return named
	}
	return r.routeTo(d.Person) == RouteThrough && friends.Person != d.Person && r.friend(friends.Person)
}

// mayPunch says whether a peer who came through a relay may be told where we
// are seen. A person we hide from may come under a name that nobody knows.
func (n *Node) mayPunch(p transport.Peer) bool {
	r := n.known()
	if d, known := r.devices[r.peers[p]]; known && (r.friend(d.Person) || d.Person == n.me.id) {
		return !r.hides(d.Person)
	}
	return !r.hidesFromAnybody()
}

// throughOurs are the addresses of a peer through relays of our choice, for a
// person we hide from: those that they tell may lead through relays of theirs.
func (n *Node) throughOurs(id identity.ID, p transport.Peer) (out []string) {
	if !n.known().hides(id) {
		return nil
	}
	for _, relay := range n.cfg.Relays {
		out = append(out, relay+"/p2p-circuit/p2p/"+string(p))
	}
	return out
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
		_, friends := r.devices[r.peers[transport.Peer(relay)]]
		named := slices.ContainsFunc(n.cfg.Relays, func(a string) bool { return strings.HasSuffix(a, "/p2p/"+relay) })
		return !relayed || friends && route == RouteRelay || !friends && !named
	})
}

// shownIn are the addresses for a record that whoever holds a secret may ask
// for over a connection. A person we hide from may hold an old secret, and come
// under another name: as long as there is one, what is asked through a relay is
// answered with relays.
func (n *Node) shownIn(by transport.Path) []string {
	if by.Kind == transport.Relay && n.known().hidesFromAnybody() {
		return n.relayedAddrs(RouteRelay)
	}
	return n.shownAddrs()
}
