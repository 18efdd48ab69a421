package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

func TestBlockingOrRemovingSomebodyEndsTheCallWithThemAtOnce(t *testing.T) {
	for name, part := range map[string]func(*node.Node, context.Context, identity.ID) error{
		"blocking": (*node.Node).Block, "removing": (*node.Node).Remove,
	} {
		t.Run(name, func(t *testing.T) {
			nodetest.Run(t, func(town *nodetest.Town) {
				alice, bob := town.Join("alice"), town.Join("bob")
				town.Befriend(alice, bob)
				id := bob.Call(alice)
				alice.Rings(bob)
				alice.Answer(id)
				bob.WantSound(id)
				if err := part(alice.Node(), town.Context(), bob.ID()); err != nil {
					t.Fatal(err)
				}
				alice.WantCallWithin(100*time.Millisecond, id, call.Ended)
				bob.WantCallWithin(2*time.Second, id, call.Ended)
				town.Pass(time.Minute)
				if rows := len(alice.Rows(bob)); name == "removing" && rows != 0 {
					t.Errorf("of somebody removed %d rows are kept", rows)
				}
			})
		})
	}
}

func TestNobodyIsHereWithoutAPathAfterABlockIsTakenBack(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		for _, verb := range []func(*node.Node, context.Context, identity.ID) error{(*node.Node).Block, (*node.Node).Unblock} {
			if err := verb(alice.Node(), town.Context(), bob.ID()); err != nil {
				t.Fatal(err)
			}
		}
		if c, err := alice.Node().Contact(bob.ID()); err != nil || c.Online && c.Path.Kind == transport.None {
			t.Errorf("bob is here: %v, by the path %q, %v", c.Online, c.Path.Kind, err)
		}
		town.Eventually("they meet again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestWhoIsAddedAgainIsTalkedToAsAnybody(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		if err := alice.Node().Remove(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Eventually("alice is away to bob", func() bool { return !bob.Sees(alice) })
		town.Befriend(alice, bob)
		if c, err := alice.Node().Contact(bob.ID()); err != nil || c.Route != node.RouteDirect || c.Asked {
			t.Errorf("the route is %q, chosen: %v, %v", c.Route, c.Asked, err)
		}
	})
}

func TestDeletingTwiceIsOneEvent(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		id := alice.Send(bob, "a slip")
		for range 2 {
			if err := alice.Node().Delete(town.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		alice.Sleep()
		alice.Disk(func(s *store.Store) error {
			tips, err := s.Tips(chat.Direct(alice.ID(), bob.ID()))
			if err == nil && (len(tips) != 1 || tips[0].Seq != 2) {
				t.Errorf("the log has %v, want the message and one deletion", tips)
			}
			return err
		})
	})
}

func TestADeviceThatWasTakenOffTheListMeetsNobody(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		_, _, second := cutOff(town)
		town.Pass(time.Minute)
		watch := second.Node().Watch()
		defer watch.Close()
		hour, cancel := context.WithTimeout(town.Context(), time.Hour)
		defer cancel()
		began := second.Host.Traffic()
		met := 0
		for c, err := watch.Next(hour); err == nil; c, err = watch.Next(hour) {
			if c.Topic == node.TopicPresence && c.State == "online" {
				met++
			}
		}
		if met > 0 {
			t.Errorf("in an hour it met somebody %d times", met)
		}
		if sent := second.Host.Traffic() - began; sent > 500_000 {
			t.Errorf("in an hour it sent %d bytes to those who refuse it", sent)
		}
	})
}
