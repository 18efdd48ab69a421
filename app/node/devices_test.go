package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
)

func TestTwoDevicesOfOnePersonAreOneConversation(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		alice.Send(bob, "from my first")
		bob.WantRow(alice, "from my first")
		second := alice.Second()
		town.Eventually("bob and the second device meet", func() bool { return second.Sees(bob) })
		second.WantRow(alice, "from my first") // healed from the first device, or from bob
		second.Send(bob, "from my second")
		bob.WantRow(alice, "from my second")
		alice.WantRow(second, "from my second")
		id := bob.Send(alice, "to both of you")
		alice.WantRow(bob, "to both of you")
		second.WantRow(bob, "to both of you")
		bob.WantState(id, chat.Delivered)
		want := []string{"from my first", "from my second", "to both of you"}
		for _, p := range []*nodetest.Person{alice, second, bob} {
			with := bob
			if p == bob {
				with = alice
			}
			var got []string
			for _, r := range p.Rows(with) {
				if r.Kind != chat.KindDevice {
					got = append(got, r.Text)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s reads %q, want %q", p.Name, got, want)
			}
		}
	})
}

func TestAMessageSentFromOneDeviceIsPassedOnByTheOther(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		second := alice.Second()
		town.Eventually("all have met", func() bool { return second.Sees(bob) && alice.Sees(bob) })
		bob.Sleep()
		town.Pass(time.Minute)
		second.Send(bob, "I will be gone when you are back")
		alice.WantRow(second, "I will be gone when you are back")
		second.Sleep()
		bob.Wake()
		bob.WantRow(alice, "I will be gone when you are back")
	})
}

func TestANewDeviceIsARowOfTheConversation(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		alice.Second()
		town.Eventually("bob sees that alice has a new device", func() bool {
			return slices.ContainsFunc(bob.Rows(alice), func(r store.RowView) bool {
				return r.Change != nil && r.Change.Act == chat.DeviceAdded && r.Change.Person == alice.ID()
			})
		})
	})
}
