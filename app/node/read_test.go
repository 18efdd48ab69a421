package node_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

func unread(t *testing.T, p, from *nodetest.Person) int {
	t.Helper()
	c, err := p.Node().Contact(from.ID())
	if err != nil {
		t.Fatal(err)
	}
	return c.Unread
}

func TestWithoutReceiptsOurOtherDeviceLearnsWhatWasReadAndFriendsDoNot(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		second := alice.Second()
		town.Eventually("all have met", func() bool { return second.Sees(bob) && alice.Sees(bob) })
		sendReceipts(t, town, alice, false)
		one := bob.Send(alice, "one")
		alice.WantRow(bob, "one")
		second.WantRow(bob, "one")
		markRead(t, town, alice, bob, one)
		town.Eventually("it is read on the second device too", func() bool { return unread(t, second, bob) == 0 })

		second.Sleep()
		two := bob.Send(alice, "two")
		alice.WantRow(bob, "two")
		markRead(t, town, alice, bob, two)
		second.Wake()
		second.WantRow(bob, "two")
		town.Eventually("what was read while it was away is read there", func() bool { return unread(t, second, bob) == 0 })

		bob.Sleep() // greeted anew, by both, with all that they may tell
		bob.Wake()
		town.Eventually("all are back", func() bool { return second.Sees(bob) && alice.Sees(bob) })
		three := bob.Send(alice, "three")
		bob.WantState(three, chat.Delivered)
		town.Pass(time.Minute)
		for _, id := range []chat.Hash{one, two, three} {
			if s := stateIn(t, bob, id); s != chat.Delivered {
				t.Errorf("to bob it is %v", s)
			}
		}
		if n := unread(t, second, bob); n != 1 {
			t.Errorf("%d are unread on the second device, and one is new", n)
		}
	})
}
