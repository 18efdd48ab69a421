package nodetest_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestFriendsWhoBothMovedFindEachOtherThroughStrangers(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		town.Elsewhere(alice, simnet.Public)
		town.Elsewhere(bob, simnet.PortRestricted)
		town.Pass(time.Hour)
		table := town.Strangers(8)
		alice.DHT, bob.DHT = table, table
		alice.Wake()
		town.Pass(10 * time.Second)
		bob.Wake()
		woke := time.Now()
		town.Within(3*time.Second, "they see each other", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		t.Logf("connected after %v", time.Since(woke))
		if f := found(town, bob, "finding"); f.State != "good" {
			t.Errorf("the doctor says %+v", f)
		}
	})
}

func TestWhoTurnsFindingOffIsLeftAlone(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		table := town.Strangers(3)
		alice := town.JoinFar("alice")
		s := alice.Node().Settings()
		s.FindOnline = false
		if err := alice.Node().PutSettings(town.Context(), s); err != nil {
			t.Fatal(err)
		}
		alice.Sleep()
		alice.DHT = table
		alice.Wake()
		if _, err := alice.Node().Invite(town.Context(), true, 0); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Minute)
		if f := found(town, alice, "finding"); f.Code != "finding.off" {
			t.Errorf("off, and the doctor says %+v", f)
		}
		s.FindOnline = true
		if err := alice.Node().PutSettings(town.Context(), s); err != nil {
			t.Fatal(err)
		}
		town.Pass(10 * time.Second)
		if f := found(town, alice, "finding"); f.Code != "finding.told" {
			t.Errorf("on again, and the doctor says %+v", f)
		}
	})
}

func TestDeadBootstrapNodesAreSaidAndTheNeighbourhoodWorks(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		alice.Sleep()
		alice.DHT = town.DeadTable()
		alice.Wake()
		town.Befriend(alice, bob)
		bob.Sleep()
		town.Pass(time.Minute)
		if f := found(town, alice, "finding"); f.Code != "finding.dead" || f.State != "bad" {
			t.Errorf("the doctor says %+v", f)
		}
		bob.Wake()
		town.Within(5*time.Second, "they see each other", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestAnInviteWithOldAddressesStillFindsWhoMadeIt(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		table := town.Strangers(4)
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		i, err := alice.Node().Invite(town.Context(), true, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*nodetest.Person{alice, bob} {
			town.Elsewhere(p, simnet.Public)
			p.DHT = table
			p.Wake()
		}
		if _, err := bob.Node().Add(town.Context(), i.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Within(10*time.Second, "they are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}
