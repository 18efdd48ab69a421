package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

func TestADeletedMessageIsNoLongerOnTheDiskOfAFriendWhoWasAway(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		id := alice.Send(bob, "the password is swordfish")
		bob.WantRow(alice, "the password is swordfish")
		if err := alice.Node().Edit(town.Context(), id, "the password was swordfish"); err != nil {
			t.Fatal(err)
		}
		bob.WantRow(alice, "the password was swordfish")
		bob.Sleep()
		if !bob.Keeps(alice, "swordfish") {
			t.Error("the test does not see what is on bob's disk")
		}
		town.Pass(time.Hour)
		if err := alice.Node().Delete(town.Context(), id); err != nil {
			t.Fatal(err)
		}
		town.Pass(24 * time.Hour)
		bob.Wake()
		town.Eventually("bob sees that it was deleted", func() bool {
			rows := bob.Rows(alice)
			return len(rows) == 1 && rows[0].Deleted && rows[0].Text == ""
		})
		after := alice.Send(bob, "forget it")
		alice.WantState(after, chat.Delivered)
		alice.Sleep()
		bob.Sleep()
		for _, pair := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
			if pair[0].Keeps(pair[1], "swordfish") || !pair[0].Keeps(pair[1], "forget it") {
				t.Errorf("%s keeps the wrong things", pair[0].Name)
			}
		}
	})
}

func TestRemovedWithAMessageOnItsWayAndFriendsAgain(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		alice.Send(bob, "before")
		bob.WantRow(alice, "before")
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		alice.Send(bob, "I do not want to see you again")
		if err := alice.Node().Remove(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Hour)
		bob.Wake()
		town.Pass(time.Hour)
		town.Befriend(alice, bob)
		id := alice.Send(bob, "I did not mean it")
		bob.WantRow(alice, "I did not mean it")
		alice.WantState(id, chat.Delivered)
		bob.Send(alice, "mean what?")
		alice.WantRow(bob, "mean what?")
		if got, want := bob.Texts(alice), []string{"before", "", "I did not mean it", "mean what?"}; !slices.Equal(got, want) {
			t.Errorf("bob reads %q, want %q", got, want)
		}
		if !bob.Rows(alice)[1].Deleted {
			t.Error("what alice took back is not shown as deleted")
		}
		if got, want := alice.Texts(bob), []string{"I did not mean it", "mean what?"}; !slices.Equal(got, want) {
			t.Errorf("alice reads %q, want %q", got, want)
		}
	})
}

func TestBothRemoveEachOtherAndAreFriendsAgain(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		for range 3 {
			alice.Send(bob, "an old story")
			bob.Send(alice, "another old story")
		}
		alice.WantRow(bob, "another old story")
		bob.WantRow(alice, "an old story")
		town.Pass(time.Minute)
		for _, pair := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
			if err := pair[0].Node().Remove(town.Context(), pair[1].ID()); err != nil {
				t.Fatal(err)
			}
		}
		town.Pass(time.Hour)
		town.Befriend(bob, alice)
		id := alice.Send(bob, "hello again")
		bob.WantRow(alice, "hello again")
		alice.WantState(id, chat.Delivered)
		bob.Send(alice, "and again")
		alice.WantRow(bob, "and again")
		for _, pair := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
			for _, text := range pair[0].Texts(pair[1]) {
				if text == "an old story" || text == "another old story" {
					t.Errorf("%s still reads %q", pair[0].Name, text)
				}
			}
		}
		alice.Sleep()
		bob.Sleep()
		if alice.Keeps(bob, "old story") || bob.Keeps(alice, "old story") {
			t.Error("the old stories are still on a disk")
		}
	})
}
