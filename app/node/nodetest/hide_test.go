package nodetest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestWhoBeginsToHideEndsTheCallAndLeavesTheFriendsRelay(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		carol, alice := lenderAndBorrower(t, town)
		id := carol.Call(alice)
		alice.Rings(carol)
		alice.Answer(id)
		carol.WantCallWithin(10*time.Second, id, call.Active)
		if err := alice.Node().SetRoute(town.Context(), carol.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		town.Eventually("the call is over", func() bool {
			c, err := alice.Node().CallInfo(id)
			return err != nil || c.State == call.Ended
		})
		town.Pass(time.Minute)
		if through(alice, carol) {
			t.Error("alice stays at the relay of the friend from whom she hides")
		}
	})
}

func TestARemovedFriendsRelayIsLeft(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		carol, alice := lenderAndBorrower(t, town)
		if err := alice.Node().Remove(town.Context(), carol.ID()); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Minute)
		if through(alice, carol) {
			t.Error("alice is reachable through somebody whom she removed")
		}
	})
}

// lenderAndBorrower are carol, who lends a hand, and alice, who is reachable
// through her.
func lenderAndBorrower(t *testing.T, town *nodetest.Town) (carol, alice *nodetest.Person) {
	t.Helper()
	carol = town.JoinFar("carol")
	if _, err := carol.Node().PutNetwork(town.Context(), node.Network{Lend: node.Lending{On: true}}); err != nil {
		t.Fatal(err)
	}
	carol.Sleep()
	carol.Wake()
	alice = town.AtHome("alice", simnet.Symmetric, nil)
	town.Befriend(carol, alice)
	town.Eventually("alice is reachable through carol", func() bool { return through(alice, carol) })
	return carol, alice
}

// through says whether somebody is reachable through a friend.
func through(who, friend *nodetest.Person) bool {
	return slices.ContainsFunc(who.Node().Addrs(), func(a string) bool { return strings.Contains(a, string(friend.Peer())+"/p2p-circuit") })
}
