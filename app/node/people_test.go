package node_test

import (
	"errors"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
)

func stateOf(p, of *nodetest.Person) store.ContactState {
	c, err := p.Node().Contact(of.ID())
	if err != nil {
		return 0
	}
	return c.State
}

func TestAStrangerWithTheAddressAsksAndIsAccepted(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		address, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.Node().Add(town.Context(), address.String(), "Alice from the harbour", "we met on the quay"); err != nil {
			t.Fatal(err)
		}
		town.Eventually("alice sees the request", func() bool { return stateOf(alice, bob) == store.Request })
		c, err := alice.Node().Contact(bob.ID())
		if err != nil || c.RequestText != "we met on the quay" || c.Shown != "bob" || c.Online {
			t.Errorf("the request is %+v, %v", c, err)
		}
		if _, err := bob.Node().Send(town.Context(), alice.ID(), "too early", chat.Hash{}, chat.Written); !errors.Is(err, node.ErrNotFriend) {
			t.Errorf("writing before the answer: %v", err)
		}
		town.Pass(time.Hour)
		if err := alice.Node().Accept(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Eventually("both are friends and here", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		bob.Send(alice, "thank you")
		alice.WantRow(bob, "thank you")
		if c, err := bob.Node().Contact(alice.ID()); err != nil || c.Shown != "Alice from the harbour" {
			t.Errorf("the local name is %q, %v", c.Shown, err)
		}
	})
}

func TestAOneTimeInviteWorksOnce(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, eve := town.Join("alice"), town.Join("bob"), town.Join("eve")
		once, err := alice.Node().Invite(town.Context(), true, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.Node().Add(town.Context(), once.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Eventually("bob is a friend", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		if _, err := eve.Node().Add(town.Context(), once.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Hour)
		if got := stateOf(alice, eve); got != 0 {
			t.Errorf("the second who used the invite is %v", got)
		}
		if got := stateOf(eve, alice); got != store.Sent {
			t.Errorf("to the second, alice is %v", got)
		}
	})
}

func TestAnExpiredInviteIsRefusedByBothSides(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		once, err := alice.Node().Invite(town.Context(), true, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		town.Pass(3 * time.Hour)
		if _, err := bob.Node().Add(town.Context(), once.String(), "", ""); !errors.Is(err, node.ErrExpired) {
			t.Errorf("adding: %v", err)
		}
		bob.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) } // a clock that is a day slow
		if _, err := bob.Node().Add(town.Context(), once.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Minute)
		if got := stateOf(alice, bob); got != 0 {
			t.Errorf("whoever used the expired invite is %v", got)
		}
	})
}

func TestBothUseEachOthersAddressAtOnce(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		for _, pair := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
			address, err := pair[1].Node().Invite(town.Context(), false, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pair[0].Node().Add(town.Context(), address.String(), "", ""); err != nil {
				t.Fatal(err)
			}
		}
		town.Eventually("both are friends and here", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		town.Pass(10 * time.Minute)
		alice.Send(bob, "that was quick")
		bob.WantRow(alice, "that was quick")
	})
}

func TestABlockedPersonIsCutOffAndComesBackWhenUnblocked(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		if err := alice.Node().Block(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Eventually("alice is away to bob", func() bool { return !bob.Sees(alice) })
		id := bob.Send(alice, "hello?")
		town.Pass(time.Hour)
		if n := len(alice.Rows(bob)); n != 0 {
			t.Errorf("%d rows of a blocked person arrived", n)
		}
		if row, _, err := bob.Node().Message(id); err != nil || row.State != chat.Written {
			t.Errorf("to bob the message is %v, %v", row.State, err)
		}
		if _, err := alice.Node().Send(town.Context(), bob.ID(), "x", chat.Hash{}, chat.Written); !errors.Is(err, node.ErrBlocked) {
			t.Errorf("writing to somebody blocked: %v", err)
		}
		if err := alice.Node().Unblock(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		alice.WantRow(bob, "hello?")
	})
}

func TestARemovedPersonIsAStrangerAgain(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		bob.Send(alice, "a secret")
		alice.WantRow(bob, "a secret")
		if err := alice.Node().Remove(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		bob.Send(alice, "another one")
		town.Pass(time.Hour)
		if got := stateOf(alice, bob); got != 0 {
			t.Errorf("bob is %v", got)
		}
		if hits, err := alice.Node().Search("secret", alice.ID(), 10); err != nil || len(hits) != 0 {
			t.Errorf("the history still has %d hits, %v", len(hits), err)
		}
		town.Befriend(alice, bob)
		alice.WantRow(bob, "another one")
	})
}

func TestWhoIsFoundByNameIdAndPrefix(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, ann, anna := town.Join("alice"), town.Join("Ann"), town.Join("Anna")
		town.Befriend(alice, ann)
		town.Befriend(alice, anna)
		n := alice.Node()
		for who, want := range map[string]*nodetest.Person{"Ann": ann, "ann": ann, "ANNA": anna, " Anna ": anna, ann.ID().String(): ann, anna.ID().String()[:12]: anna} {
			if id, err := n.Resolve(who); err != nil || id != want.ID() {
				t.Errorf("%q is %v, %v", who, id.Short(), err)
			}
		}
		var several *node.AmbiguousError
		if _, err := n.Resolve("an"); !errors.As(err, &several) || len(several.Names) != 2 {
			t.Errorf("“an”: %v", err)
		}
		if _, err := n.Resolve("zoe"); !errors.Is(err, node.ErrNobody) {
			t.Errorf("“zoe”: %v", err)
		}
	})
}

func TestTheRosterIsInTheOrderInWhichThingsCameIn(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, carol := town.Join("alice"), town.Join("bob"), town.Join("carol")
		ahead := bob.Now
		bob.Now = func() time.Time { return ahead().Add(365 * 24 * time.Hour) }
		town.Befriend(bob, alice)
		town.Befriend(carol, alice)
		order := func(want ...*nodetest.Person) {
			t.Helper()
			people, err := alice.Node().Contacts()
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range people {
				if c.ID != want[i].ID() {
					t.Errorf("place %d of %d is %s's, not %s's", i, len(want), c.Shown, want[i].Name)
				}
			}
		}
		order(carol, bob)
		bob.Send(alice, "my clock is a year ahead")
		alice.WantRow(bob, "my clock is a year ahead")
		order(bob, carol)
		carol.Send(alice, "and mine is right")
		alice.WantRow(carol, "and mine is right")
		order(carol, bob)
		dave := town.Join("dave")
		town.Befriend(dave, alice)
		order(dave, carol, bob)
		bob.Send(alice, "still ahead")
		alice.WantRow(bob, "still ahead")
		order(bob, dave, carol)
	})
}
