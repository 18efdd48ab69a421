package nodetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

// far is an internet where a packet takes 20 ms from anywhere to anywhere.
func far() simnet.Config { return simnet.Config{Delay: 20 * time.Millisecond, Seed: 1} }

// atHome are two friends behind routers who can be reached through a relay.
func atHome(town *nodetest.Town, a, b simnet.NAT) (alice, bob *nodetest.Person) {
	relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
	return atHomeThrough(town, a, b, relay)
}

// atHomeThrough are the same, with relays of the test's choice.
func atHomeThrough(town *nodetest.Town, a, b simnet.NAT, relays []string) (alice, bob *nodetest.Person) {
	alice, bob = town.AtHome("alice", a, relays), town.AtHome("bob", b, relays)
	bob.Sleep()
	bob.Phone.Auto = true
	bob.Wake()
	town.Pass(5 * time.Second)
	town.Befriend(alice, bob)
	return alice, bob
}

// silence is the longest time, within d, in which one of two people heard
// nothing of the other.
func silence(d time.Duration, a, b *nodetest.Person, id call.ID) (longest time.Duration) {
	people := []*nodetest.Person{a, b}
	counts, since := make([]uint64, 2), []time.Time{time.Now(), time.Now()}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for i, p := range people {
			if n := p.Hears(id); n != counts[i] {
				counts[i], since[i] = n, time.Now()
			}
			longest = max(longest, time.Since(since[i]))
		}
	}
	return longest
}

// talks waits until a message has come across, and says how long that took.
func talks(from, to *nodetest.Person, text string) time.Duration {
	began := time.Now()
	from.Send(to, text)
	to.WantRow(from, text)
	return time.Since(began)
}

func TestCallAndChatFollowAMachineToAnotherNetwork(t *testing.T) {
	for _, c := range []struct {
		name        string
		kind, after simnet.NAT // of the networks before and after
		limit       time.Duration
	}{
		{"with an address of its own", simnet.Public, simnet.Public, time.Second},
		{"behind routers that can be punched", simnet.PortRestricted, simnet.PortRestricted, 3 * time.Second},
		{"behind routers that cannot any more", simnet.PortRestricted, simnet.Symmetric, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodetest.RunFar(t, far(), func(town *nodetest.Town) {
				alice, bob := atHome(town, c.kind, c.kind)
				id := alice.Call(bob)
				alice.WantSound(id)
				bob.WantSound(id)
				town.Pass(3 * time.Second)
				for _, who := range []*nodetest.Person{alice, bob} {
					who.Host.Move(town.World().LAN(c.after))
					gap := make(chan time.Duration, 1)
					go func() { gap <- silence(4*time.Second, alice, bob, id) }()
					there, back := talks(alice, bob, "after the move of "+who.Name), talks(bob, alice, "and back, "+who.Name)
					heard := <-gap
					if heard > c.limit || there > 2*time.Second || back > 2*time.Second {
						t.Errorf("%s moved: silence of %v, messages after %v and %v", who.Name, heard, there, back)
					}
					t.Logf("%s moved: silence of %v, messages after %v and %v, path %s", who.Name, heard, there, back, alice.WantCall(id, call.Active).Path)
				}
			})
		})
	}
}

func TestAnotherRelayTakesOverWhenOneDiesInACall(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		var relays []string
		deaths := map[string]func(){}
		for range 2 {
			m := town.World().LAN(simnet.Public).Host()
			addrs, _ := town.RelayOn(m)
			relays = append(relays, addrs...)
			deaths[addrs[0]] = m.Cut
		}
		alice, bob := atHomeThrough(town, simnet.Symmetric, simnet.Symmetric, relays)
		id := alice.Call(bob)
		alice.WantSound(id)
		town.Pass(3 * time.Second)
		c, err := alice.Node().Contact(bob.ID())
		if err != nil {
			t.Fatal(err)
		}
		for addr, dies := range deaths {
			if strings.HasSuffix(addr, string(c.Path.Via)) {
				dies()
			}
		}
		gap := make(chan time.Duration, 1)
		go func() { gap <- silence(4*time.Second, alice, bob, id) }()
		took := talks(alice, bob, "is it still you?")
		heard := <-gap
		if heard > 3*time.Second || took > 3*time.Second {
			t.Errorf("nothing was heard for %v, a message took %v", heard, took)
		}
		t.Logf("nothing was heard for %v, a message took %v", heard, took)
		if now, err := alice.Node().Contact(bob.ID()); err != nil || now.Path.Via == c.Path.Via {
			t.Errorf("the path is %v, %v", now.Path, err)
		}
	})
}
