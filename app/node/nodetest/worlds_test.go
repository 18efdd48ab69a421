package nodetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// abroad is an internet as it is: 20 ms, TCP, and homes that all use one range
// of addresses.
var abroad = simnet.Config{Delay: 20 * time.Millisecond, Seed: 1, TCP: true, SameHomes: true}

// wantTalk lets two friends write to each other.
func wantTalk(a, b *nodetest.Person) {
	for _, p := range [][2]*nodetest.Person{{a, b}, {b, a}} {
		text := "from " + p[0].Name
		id := p[0].Send(p[1], text)
		p[1].WantRow(p[0], text)
		p[0].WantState(id, chat.Delivered)
	}
}

func wantPath(t *testing.T, town *nodetest.Town, a, b *nodetest.Person, want transport.Kind) {
	t.Helper()
	town.Within(15*time.Second, "the path is "+string(want), func() bool {
		c, err := a.Node().Contact(b.ID())
		return err == nil && c.Path.Kind == want
	})
}

func TestFriendsWithOnePublicAddressMeet(t *testing.T) {
	for name, row := range map[string]struct {
		homes func(w *simnet.World) (a, b *simnet.LAN)
		want  transport.Kind
	}{
		"in one home": {func(w *simnet.World) (*simnet.LAN, *simnet.LAN) {
			l := w.LAN(simnet.Symmetric)
			l.NoHairpin()
			return l, l
		}, transport.LAN},
		"neighbours of a carrier that turns packets back": {func(w *simnet.World) (*simnet.LAN, *simnet.LAN) {
			c := w.Carrier()
			return c.LAN(simnet.PortRestricted), c.LAN(simnet.PortRestricted)
		}, transport.Direct},
		"neighbours of a carrier that does not": {func(w *simnet.World) (*simnet.LAN, *simnet.LAN) {
			c := w.Carrier()
			c.NoHairpin()
			return c.LAN(simnet.PortRestricted), c.LAN(simnet.PortRestricted)
		}, transport.Relay},
	} {
		t.Run(name, func(t *testing.T) {
			nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
				relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
				la, lb := row.homes(town.World())
				alice, bob := town.JoinAt("alice", la, relay...), town.JoinAt("bob", lb, relay...)
				town.Pass(5 * time.Second)
				town.Befriend(alice, bob)
				wantPath(t, town, alice, bob, row.want)
				wantTalk(alice, bob)
			})
		})
	}
}

func TestFriendsMeetOnABadInternet(t *testing.T) {
	for name, row := range map[string]struct {
		loss   float64
		mtu    int
		within time.Duration
		want   transport.Kind
	}{
		// Who answers begins with 1,308 bytes over IPv4 on this internet, where
		// libp2p opens the sockets, and never learns that nobody gets them: TCP to the
		// relay remains. Real sockets begin with less (make natlab).
		"packets of 1,280 bytes at most": {0, 1280, 3 * time.Second, transport.Relay},
		"5 % lost":                       {0.05, 0, 3 * time.Second, transport.Direct},
		"30 % lost":                      {0.30, 0, 15 * time.Second, transport.Direct},
	} {
		t.Run(name, func(t *testing.T) {
			nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
				town.World().SetLoss(row.loss)
				town.World().SetMTU(row.mtu)
				relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
				alice, bob := town.AtHome("alice", simnet.PortRestricted, relay), town.AtHome("bob", simnet.PortRestricted, relay)
				bob.Sleep()
				bob.Phone.Auto = true
				bob.Wake()
				town.Pass(10 * time.Second)
				began := time.Now()
				town.Befriend(alice, bob)
				if took := time.Since(began); took > row.within {
					t.Errorf("friends after %v", took)
				}
				wantPath(t, town, alice, bob, row.want)
				wantTalk(alice, bob)
				wantCall(t, town, alice, bob, 1-row.loss)
			})
		})
	}
}

// wantCall calls for ten seconds, in which each has to hear about the share of the
// other's packets that the internet lets through.
func wantCall(t *testing.T, town *nodetest.Town, a, b *nodetest.Person, share float64) {
	t.Helper()
	id := a.Call(b)
	a.WantSound(id)
	b.WantSound(id)
	const length = 10 * time.Second
	there, here := b.Hears(id), a.Hears(id)
	town.Pass(length)
	want := 0.9 * share * float64(length/(20*time.Millisecond))
	if there, here = b.Hears(id)-there, a.Hears(id)-here; float64(min(there, here)) < want {
		t.Errorf("in %v %s heard %d packets and %s %d, want %.0f", length, b.Name, there, a.Name, here, want)
	}
	a.WantCall(id, call.Active)
}

func TestAnotherRelayTakesOverFromOneThatDies(t *testing.T) {
	nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
		var relays []string
		var stop [2]func()
		for i := range stop {
			addrs, s := town.RelayOn(town.World().LAN(simnet.Dual).Host())
			relays, stop[i] = append(relays, addrs...), s
		}
		alice, bob := town.AtHome("alice", simnet.Symmetric, relays), town.AtHome("bob", simnet.Symmetric, relays)
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		wantTalk(alice, bob)
		c, err := alice.Node().Contact(bob.ID())
		if err != nil || c.Path.Kind != transport.Relay {
			t.Fatalf("the path is %v, %v", c.Path, err)
		}
		town.Pass(time.Minute)
		stop[0]()
		id := alice.Send(bob, "is one of them gone?")
		town.Within(3*time.Second, "the message is there by the other", func() bool {
			row, _, err := alice.Node().Message(id)
			return err == nil && row.State >= chat.Delivered
		})
		stop[1]()
		town.Eventually("they see that nothing is left", func() bool { return !alice.Sees(bob) && !bob.Sees(alice) })
	})
}

func TestFriendsMeetWhoseClocksAreAYearApart(t *testing.T) {
	for _, off := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour} {
		t.Run(fmt.Sprint(off), func(t *testing.T) {
			nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
				relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
				alice, bob := town.AtHome("alice", simnet.Symmetric, relay), town.AtHome("bob", simnet.PortRestricted, relay)
				alice.Now, bob.Now = today, today
				town.Pass(5 * time.Second)
				town.Befriend(alice, bob)
				bob.Sleep()
				bob.Now = func() time.Time { return today().Add(off) }
				bob.Wake()
				town.Within(5*time.Second, "they meet again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
				wantTalk(alice, bob)
			})
		})
	}
}

func TestNeighboursMeetWhereEverythingFartherIsDead(t *testing.T) {
	nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
		dead, stop := town.RelayOn(town.World().LAN(simnet.Dual).Host())
		stop()
		for _, kind := range []simnet.NAT{simnet.NoUDP, simnet.Captive} {
			lan := town.World().LAN(kind)
			lan.Cut()
			alice, bob := town.JoinAt(fmt.Sprint("alice, ", kind), lan, dead...), town.JoinAt(fmt.Sprint("bob, ", kind), lan, dead...)
			began := time.Now()
			town.Befriend(alice, bob)
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("friends after %v", took)
			}
			wantPath(t, town, alice, bob, transport.LAN)
			wantTalk(alice, bob)
		}
	})
}
