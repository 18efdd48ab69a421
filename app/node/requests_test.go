package node_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/transport/simnet"
)

// asks lets a person ask another one by their permanent address.
func asks(t *testing.T, town *nodetest.Town, who, whom *nodetest.Person) {
	t.Helper()
	address, err := whom.Node().Invite(town.Context(), false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := who.Node().Add(town.Context(), address.String(), "", "do you know me?"); err != nil {
		t.Fatal(err)
	}
}

// knocks asks and waits until the request is seen.
func knocks(t *testing.T, town *nodetest.Town, who, whom *nodetest.Person) {
	t.Helper()
	asks(t, town, who, whom)
	town.Eventually(whom.Name+" sees the request", func() bool { return stateOf(whom, who) == store.Request })
}

func removes(t *testing.T, town *nodetest.Town, who, whom *nodetest.Person) {
	t.Helper()
	if err := who.Node().Remove(town.Context(), whom.ID()); err != nil {
		t.Fatal(err)
	}
}

func TestADeclinedRequestDoesNotComeBack(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		knocks(t, town, bob, alice)
		removes(t, town, alice, bob)
		for _, p := range []*nodetest.Person{alice, bob} {
			p.Sleep()
			p.Wake()
		}
		changes := alice.Node().Watch()
		defer changes.Close()
		town.Pass(time.Hour)
		if got := stateOf(alice, bob); got != 0 {
			t.Errorf("who was declined is %v again", got)
		}
		soon, cancel := context.WithTimeout(town.Context(), time.Second)
		defer cancel()
		for c, err := changes.Next(soon); err == nil; c, err = changes.Next(soon) {
			if c.Topic == node.TopicContact {
				t.Errorf("alice is told of %+v", c)
			}
		}
		if got := stateOf(bob, alice); got != store.Sent {
			t.Errorf("to bob, who is not told, alice is %v", got)
		}
	})
}

func TestWhoWasDeclinedIsAFriendWhenWeAddThemOrInviteThem(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, carol := town.Join("alice"), town.Join("bob"), town.Join("carol")
		for _, p := range []*nodetest.Person{bob, carol} {
			knocks(t, town, p, alice)
			removes(t, town, alice, p)
		}
		town.Pass(time.Hour)
		town.Befriend(alice, carol)
		asks(t, town, alice, bob)
		town.Within(10*time.Minute, "both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		removes(t, town, alice, bob)
		removes(t, town, bob, alice)
		knocks(t, town, bob, alice) // what was declined once is no longer held against him
	})
}

func TestTheLinkOfAFriendWhoIsAwayLeavesThemAFriend(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		address, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		alice.Sleep()
		town.Eventually("alice is shown away", func() bool { return !bob.Sees(alice) })
		if _, err := bob.Node().Add(town.Context(), address.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		if got := stateOf(bob, alice); got != store.Friend {
			t.Errorf("alice, whose link was pasted, is %v", got)
		}
		id := bob.Send(alice, "are you there?")
		town.Pass(time.Hour)
		alice.Wake()
		alice.WantRow(bob, "are you there?")
		bob.WantState(id, chat.Delivered)
		town.Eventually("both are here", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		alice.Send(bob, "I was asleep")
		bob.WantRow(alice, "I was asleep")
	})
}

func TestWhoHasForgottenAFriendIsAskedAgain(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		address, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		removes(t, town, alice, bob)
		town.Eventually("alice is shown away", func() bool { return !bob.Sees(alice) })
		if _, err := bob.Node().Add(town.Context(), address.String(), "", "we were friends"); err != nil {
			t.Fatal(err)
		}
		id := bob.Send(alice, "do you remember?")
		town.Within(10*time.Minute, "alice is asked", func() bool { return stateOf(alice, bob) == store.Request })
		if got := stateOf(bob, alice); got != store.Friend {
			t.Errorf("to bob alice is %v", got)
		}
		town.Pass(time.Hour)
		if bob.Sees(alice) {
			t.Error("who has not answered is shown as here")
		}
		if err := alice.Node().Accept(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Within(10*time.Minute, "both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		alice.WantRow(bob, "do you remember?")
		bob.WantState(id, chat.Delivered)
	})
}

func TestALinkAddedWhileItsPersonRemovesUsIsARequestToThem(t *testing.T) {
	for name, pause := range map[string]time.Duration{
		"before we hear of it": time.Millisecond, "as the goodbye is on its way": 19 * time.Millisecond, "as it arrives": 20 * time.Millisecond,
		"while we part": 60 * time.Millisecond,
	} {
		for _, once := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", once ", once), func(t *testing.T) {
				nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
					alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
					town.Befriend(alice, bob)
					town.Pass(time.Minute)
					link, err := alice.Node().Invite(town.Context(), once, 0)
					if err != nil {
						t.Fatal(err)
					}
					removes(t, town, alice, bob)
					time.Sleep(pause)
					if _, err := bob.Node().Add(town.Context(), link.String(), "", "was it something I said?"); err != nil {
						t.Fatal(err)
					}
					if !once {
						town.Eventually("alice is asked", func() bool { return stateOf(alice, bob) == store.Request })
						if c, err := alice.Node().Contact(bob.ID()); err != nil || c.RequestText != "was it something I said?" {
							t.Errorf("alice reads %q, %v", c.RequestText, err)
						}
						if err := alice.Node().Accept(town.Context(), bob.ID()); err != nil {
							t.Fatal(err)
						}
					}
					town.Eventually("both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
					id := bob.Send(alice, "no?")
					alice.WantRow(bob, "no?")
					bob.WantState(id, chat.Delivered)
				})
			})
		}
	}
}

func TestALinkAddedJustBeforeItsPersonRemovesUsIsARequestToThem(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		asks(t, town, bob, alice)
		time.Sleep(10 * time.Millisecond)
		removes(t, town, alice, bob)
		town.Eventually("alice is asked", func() bool { return stateOf(alice, bob) == store.Request })
	})
}

func TestTheLinkOfAFriendWhoIsHereChangesNothing(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		town.Pass(time.Minute)
		for _, once := range []bool{false, true} {
			link, err := alice.Node().Invite(town.Context(), once, 0)
			if err != nil {
				t.Fatal(err)
			}
			seen := bob.Node().Watch()
			if _, err := bob.Node().Add(town.Context(), link.String(), "", "again"); err != nil {
				t.Fatal(err)
			}
			town.Pass(time.Minute)
			for _, c := range changes(town, seen) {
				if c.Topic == node.TopicPresence || c.State != "" {
					t.Errorf("with a link to be used once (%v) bob is told %+v", once, c)
				}
			}
			seen.Close()
			bob.Send(alice, fmt.Sprint("still here ", once))
			alice.WantRow(bob, fmt.Sprint("still here ", once))
		}
		alice.Sleep()
		town.Eventually("alice is shown away", func() bool { return !bob.Sees(alice) })
		alice.Wake()
		town.Within(time.Second, "both are here", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestAddingWhoHasJustAskedIsAnAcceptance(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		knocks(t, town, bob, alice)
		asks(t, town, alice, bob)
		town.Within(time.Second, "both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestWhoWasRemovedIsAddedAgainByTheirPermanentAddress(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		bob.Send(alice, "before")
		alice.WantRow(bob, "before")
		removes(t, town, alice, bob)
		town.Pass(time.Hour)
		alice.Sleep()
		thief := alice.Raw() // who stole the key of alice's device, and not what it shares with bob's
		if ch, err := thief.Live(town.Context(), bob, nil); err == nil {
			if _, ended := nodetest.Heard(ch); !ended {
				t.Error("bob, who shares a secret with alice, answers a caller without it")
			}
		}
		thief.Hangup(bob)
		town.Pass(time.Minute)
		alice.Wake()
		asks(t, town, alice, bob)
		town.Within(10*time.Minute, "both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		id := alice.Send(bob, "after")
		bob.WantRow(alice, "after")
		alice.WantState(id, chat.Delivered)
	})
}

func TestWhoCallsWithAnInviteThatIsOverIsToldSo(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, eve := town.Join("alice"), town.Join("bob"), town.Join("eve")
		once, err := alice.Node().Invite(town.Context(), true, 0)
		if err != nil {
			t.Fatal(err)
		}
		spent := func(p *nodetest.Person) bool {
			c, err := p.Node().Contact(alice.ID())
			return err == nil && c.State == store.Sent && c.Spent
		}
		add := func(p *nodetest.Person, link string) {
			if _, err := p.Node().Add(town.Context(), link, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		alice.Sleep()
		add(bob, once.String())
		add(eve, once.String())
		town.Pass(time.Minute)
		if spent(bob) || spent(eve) {
			t.Error("it is said of an invite whose maker is away")
		}
		alice.Wake()
		town.Within(10*time.Minute, "one of them is a friend, the other is told", func() bool {
			return alice.Sees(bob) && spent(eve) || alice.Sees(eve) && spent(bob)
		})
		late := bob
		if alice.Sees(bob) {
			late = eve
		}
		again, err := alice.Node().Invite(town.Context(), true, 0)
		if err != nil {
			t.Fatal(err)
		}
		add(late, again.String())
		if spent(late) {
			t.Error("the new invite is taken for the old one")
		}
		town.Within(10*time.Minute, "both are friends of alice", func() bool { return alice.Sees(bob) && alice.Sees(eve) })
	})
}
