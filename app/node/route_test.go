package node

import (
	"slices"
	"testing"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// hider is a node that hides from bob, knows carol, and has a relay of its own.
// who is where is up to the test.
func hider(route Route, devices ...store.Device) *Node {
	const relay = "/ip4/8.8.8.8/udp/4001/quic-v1/p2p/ours"
	n := &Node{me: &account{id: identity.ID{1}}, cfg: Config{Relays: []string{relay}}}
	r := &roster{
		contacts: map[identity.ID]store.Contact{bob: {ID: bob, State: store.Friend}, carol: {ID: carol, State: store.Friend}, dave: {ID: dave, State: store.Request}},
		devices:  map[identity.DeviceID]store.Device{}, peers: map[transport.Peer][]identity.DeviceID{},
		routes: map[identity.ID]Route{bob: route},
	}
	for _, d := range devices {
		r.addDevice(d)
	}
	n.people.now.Store(r)
	return n
}

var bob, carol, dave = identity.ID{2}, identity.ID{3}, identity.ID{4}

func deviceAt(person identity.ID, number byte, peer string, addrs ...string) store.Device {
	return store.Device{ID: identity.DeviceID{person[0], number}, Person: person, Peer: peer, Addrs: addrs}
}

func TestASecondIdentityOnOneHostUncoversNobody(t *testing.T) {
	for name, second := range map[string]store.Device{"a friend": deviceAt(carol, 1, "host"), "who asks to be one": deviceAt(dave, 1, "host")} {
		hidden := deviceAt(bob, 1, "host")
		for _, order := range [][]store.Device{{hidden, second}, {second, hidden}} {
			n := hider(RouteRelay, order...)
			if n.mayRoute("host", "") || n.mayPunch("host") {
				t.Errorf("%s at bob's host makes it be called directly", name)
			}
			if !n.mayRoute("host", "ours") {
				t.Errorf("%s at bob's host keeps bob away", name)
			}
		}
	}
	n := hider(RouteThrough, deviceAt(bob, 1, "host"), deviceAt(carol, 1, "lender"), deviceAt(bob, 2, "lender"))
	if n.mayRoute("host", "lender") {
		t.Error("bob is reached through a host that is also his")
	}
	n = hider(RouteDirect, deviceAt(carol, 1, "lender"), deviceAt(dave, 1, "lender"))
	if n.isFriends("lender") {
		t.Error("a hand is lent to whoever asks to be a friend, on a friend's host")
	}
}

func TestWhoHidesBelievesNoPlaceThatTheOtherTells(t *testing.T) {
	const (
		ours  = "/ip4/8.8.8.8/udp/4001/quic-v1/p2p/ours/p2p-circuit/p2p/host"
		trap  = "/ip4/6.6.6.6/udp/4001/quic-v1/p2p/ours/p2p-circuit"
		named = "/dns4/trap.example/tcp/1/p2p/ours/p2p-circuit"
		lent  = "/ip4/6.6.6.6/udp/4001/quic-v1/p2p/lender/p2p-circuit"
		real  = "/ip4/9.9.9.9/udp/4001/quic-v1/p2p/lender/p2p-circuit/p2p/host"
	)
	told := []string{trap, named, lent, "/ip4/6.6.6.6/udp/4001/quic-v1"}
	lender := deviceAt(carol, 1, "lender", "/ip4/9.9.9.9/udp/4001/quic-v1", "/ip4/7.7.7.7/udp/1/quic-v1/p2p/ours/p2p-circuit")
	for route, want := range map[Route][]string{RouteRelay: {ours}, RouteThrough: {ours, real}, RouteDirect: told} {
		n := hider(route, deviceAt(bob, 1, "host"), lender)
		if got := n.waysTo(bob, "host", told); !slices.Equal(got, want) {
			t.Errorf("%s: bob is called at %v", route, got)
		}
	}
}
