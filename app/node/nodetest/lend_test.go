package nodetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestAFriendOnAPublicAddressLendsAHand(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		carol := town.JoinFar("carol")
		if _, err := carol.Node().PutNetwork(town.Context(), node.Network{Lend: node.Lending{On: true, Month: 1 << 10}}); err != nil {
			t.Fatal(err)
		}
		carol.Sleep()
		carol.Wake()
		alice, bob := town.AtHome("alice", simnet.Symmetric, nil), town.AtHome("bob", simnet.Symmetric, nil)
		town.Befriend(carol, alice)
		town.Befriend(carol, bob)
		town.Eventually("both are reachable through carol", func() bool {
			return alice.Node().Reach() == "relay" && bob.Node().Reach() == "relay"
		})
		town.Befriend(alice, bob)
		id := alice.Send(bob, strings.Repeat("through carol ", 1000))
		alice.WantState(id, chat.Delivered)
		if c, err := alice.Node().Contact(bob.ID()); err != nil || c.Path.Kind != transport.Relay || c.Via != "carol" {
			t.Errorf("the path is %v by %q: %v", c.Path, c.Via, err)
		}
		town.Pass(2 * time.Minute)
		l, err := carol.Node().Lent(town.Context())
		if err != nil || l.Week[alice.ID()] < 10_000 || l.Week[bob.ID()] < 10_000 || l.Month < 10_000 || l.Circuits != 1 {
			t.Errorf("carol's books say %+v: %v", l, err)
		}
		carol.Sleep()
		carol.Wake()
		if again, err := carol.Node().Lent(town.Context()); err != nil || again.Month < l.Month {
			t.Errorf("after a restart they say %+v: %v", again, err)
		}
		town.Within(time.Minute, "alice and bob meet again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestAFriendLendsAHandToAHomeWithAFirewallOfIPv6(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		carol := town.JoinAt("carol", town.World().LAN(simnet.Dual))
		if _, err := carol.Node().PutNetwork(town.Context(), node.Network{Lend: node.Lending{On: true}}); err != nil {
			t.Fatal(err)
		}
		carol.Sleep()
		carol.Wake()
		alice := town.JoinAt("alice", town.World().LAN(simnet.IPv6Only))
		town.Befriend(carol, alice)
		town.Eventually("alice is reachable through carol", func() bool { return alice.Node().Reach() == "relay" })
	})
}

func TestWhoHidesLendsNothing(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, carol := town.JoinFar("alice"), town.JoinFar("carol")
		town.Befriend(alice, carol)
		if err := carol.Node().SetRoute(town.Context(), alice.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		if _, err := carol.Node().PutNetwork(town.Context(), node.Network{Lend: node.Lending{On: true}}); err != nil {
			t.Fatal(err)
		}
		carol.Sleep()
		carol.Wake()
		dave := town.AtHome("dave", simnet.Symmetric, nil)
		town.Befriend(carol, dave)
		town.Pass(30 * time.Second)
		if got := dave.Node().Reach(); got == "relay" {
			t.Error("carol lends a hand while she hides")
		}
	})
}

func TestWhoLeavesTheRouterAloneDoesSoAfterARestart(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice := town.Join("alice")
		for _, leave := range []bool{true, false} {
			if _, err := alice.Node().PutNetwork(town.Context(), node.Network{NoMap: leave}); err != nil {
				t.Fatal(err)
			}
			alice.Sleep()
			alice.Wake()
			if alice.Node().Network().NoMap != leave || alice.Node().AsksRouter() == leave {
				t.Errorf("told to leave the router alone (%v): %+v after a restart", leave, alice.Node().Network())
			}
		}
	})
}
