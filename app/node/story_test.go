package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

func TestTwoFriendsChat(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		id := alice.Send(bob, "are you there?")
		bob.WantRow(alice, "are you there?")
		alice.WantState(id, chat.Delivered)
		bob.Send(alice, "always")
		alice.WantRow(bob, "always")
		if got, want := alice.Texts(bob), []string{"are you there?", "always"}; !slices.Equal(got, want) {
			t.Errorf("alice reads %q, want %q", got, want)
		}
	})
}

func TestMessagesWaitForWhoIsAway(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		id := alice.Send(bob, "read this when you are back")
		town.Pass(24 * time.Hour)
		bob.Wake()
		bob.WantRow(alice, "read this when you are back")
		alice.WantState(id, chat.Delivered)
	})
}

func TestADeadFriendIsAwayWithinTenSecondsAndBackWithinTwo(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		town.Pass(time.Minute)
		if !alice.Sees(bob) {
			t.Fatal("bob, who is here, is shown away")
		}
		bob.Vanish()
		town.Within(10*time.Second, "bob is shown away", func() bool { return !alice.Sees(bob) })
		town.Pass(time.Hour)
		bob.Host.Mend()
		bob.Wake()
		town.Within(2*time.Second, "bob is shown back", func() bool { return alice.Sees(bob) })
	})
}
