package nodetest_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

// found gives what the doctor says of one thing.
func found(town *nodetest.Town, p *nodetest.Person, what string) node.Finding {
	for _, f := range p.Node().Doctor(town.Context()) {
		if f.What == what {
			return f
		}
	}
	return node.Finding{}
}

// today is a clock that is right: the town's own time begins in 2000.
func today() time.Time { return time.Now().Add(30 * 365 * 24 * time.Hour) }

func TestTheDoctorSaysHowEachFriendIsReached(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		relay, _ := town.Relay()
		alice, bob := town.AtHome("alice", simnet.Symmetric, relay), town.AtHome("bob", simnet.PortRestricted, relay)
		alice.Now, bob.Now = today, today
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		town.Pass(time.Second)
		if f := found(town, alice, "friend:bob"); f.Code != "friend.relay.timed" || f.State != "warn" || len(f.Args) != 3 {
			t.Errorf("of bob: %+v", f)
		}
		if f := found(town, bob, "network"); f.Code != "network.relay" || f.State != "good" {
			t.Errorf("of the network: %+v", f)
		}
		if f := found(town, bob, "router"); f.Code != "router.unknown" {
			t.Errorf("of a router that one relay has seen: %+v", f)
		}
		if f := found(town, bob, "clock"); f.Code != "clock.agrees" {
			t.Errorf("of the clock: %+v", f)
		}
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		if f := found(town, alice, "friend:bob"); f.Code != "friend.away" || len(f.Args) != 2 {
			t.Errorf("of bob who sleeps: %+v", f)
		}
	})
}

func TestTheDoctorSeesAClockThatIsOff(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		bob.Now = today
		alice.Now = func() time.Time { return today().Add(-time.Hour) }
		town.Befriend(alice, bob)
		town.Pass(10 * time.Second)
		if f := found(town, alice, "clock"); f.Code != "clock.behind" || f.Args[0] != "60" {
			t.Errorf("alice's: %+v", f)
		}
		if f := found(town, bob, "clock"); f.Code != "clock.ahead" || f.Args[0] != "60" {
			t.Errorf("bob's: %+v", f)
		}
	})
}

func TestTheDoctorSeesARelayThatIsSilent(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		relay, stop := town.Relay()
		stop()
		alice := town.AtHome("alice", simnet.PortRestricted, relay)
		town.Pass(30 * time.Second)
		var silent node.Finding
		for _, f := range alice.Node().Doctor(town.Context()) {
			if f.Code == "relay.silent" {
				silent = f
			}
		}
		if silent.State != "bad" {
			t.Errorf("it finds %+v", alice.Node().Doctor(town.Context()))
		}
	})
}

func TestTheDoctorSeesAPortalThatWantsOneToLogIn(t *testing.T) {
	nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
		relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
		cafe := town.World().LAN(simnet.Captive)
		alice, bob := town.JoinAt("alice", cafe, relay...), town.JoinAt("bob", cafe, relay...)
		town.Pass(20 * time.Second)
		if f := found(town, alice, "network"); f.Code != "network.portal" || f.State != "bad" {
			t.Errorf("in a café: %+v", f)
		}
		town.Befriend(alice, bob)
		wantTalk(alice, bob)
		alice.Host.Move(town.World().LAN(simnet.PortRestricted))
		town.Pass(20 * time.Second)
		if f := found(town, alice, "network"); f.Code != "network.relay" {
			t.Errorf("at home: %+v", f)
		}
	})
}

func TestTheDoctorTellsARouterThatCanBePunchedFromOneThatCannot(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		var relays []string
		for range 2 {
			addrs, _ := town.RelayOn(town.World().LAN(simnet.Public).Host())
			relays = append(relays, addrs...)
		}
		who := map[*nodetest.Person]string{
			town.AtHome("alice", simnet.Symmetric, relays):        "router.symmetric",
			town.AtHome("bob", simnet.PortRestricted, relays):     "router.predictive",
			town.JoinAt("carol", town.World().LAN(simnet.Public)): "router.none",
		}
		town.Pass(5 * time.Second)
		for p, want := range who {
			if f := found(town, p, "router"); f.Code != want {
				t.Errorf("%s is told %+v, want %s", p.Name, f, want)
			}
		}
	})
}
