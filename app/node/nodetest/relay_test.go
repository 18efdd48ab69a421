package nodetest_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestFriendsBehindRoutersMeetThroughARelayAndThenDirectly(t *testing.T) {
	for name, kinds := range map[string]struct {
		alice, bob simnet.NAT
		want       transport.Kind
	}{
		"two that can be punched": {simnet.PortRestricted, simnet.PortRestricted, transport.Direct},
		"one that cannot":         {simnet.Symmetric, simnet.PortRestricted, transport.Relay},
	} {
		t.Run(name, func(t *testing.T) {
			nodetest.Run(t, func(town *nodetest.Town) {
				relay, _ := town.Relay()
				alice, bob := town.AtHome("alice", kinds.alice, relay), town.AtHome("bob", kinds.bob, relay)
				town.Pass(5 * time.Second) // to make their reservations
				town.Befriend(alice, bob)
				id := bob.Send(alice, "through whatever is between us")
				alice.WantRow(bob, "through whatever is between us")
				bob.WantState(id, chat.Delivered)
				town.Eventually("the path is "+string(kinds.want), func() bool {
					c, err := alice.Node().Contact(bob.ID())
					return err == nil && c.Path.Kind == kinds.want
				})
				town.Pass(time.Minute)
				if !alice.Sees(bob) || !bob.Sees(alice) {
					t.Error("they lost each other")
				}
				alice.Send(bob, "and now?")
				bob.WantRow(alice, "and now?")
			})
		})
	}
}

func TestFriendsBehindRoutersFindEachOtherAgainThroughTheRelay(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		relay, _ := town.Relay()
		alice, bob := town.AtHome("alice", simnet.Symmetric, relay), town.AtHome("bob", simnet.PortRestricted, relay)
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		bob.Sleep()
		town.Pass(time.Hour)
		alice.Send(bob, "when you are back")
		bob.Wake()
		town.Within(5*time.Second, "they see each other again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		bob.WantRow(alice, "when you are back")
	})
}
