package node_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// far is an internet where a packet takes 20 ms from anywhere to anywhere.
func far() simnet.Config { return simnet.Config{Delay: 20 * time.Millisecond, Seed: 1} }

// atHome are two friends behind routers who can be reached through a relay.
func atHome(town *nodetest.Town, a, b simnet.NAT) (alice, bob *nodetest.Person) {
	relay, _ := town.Relay()
	alice, bob = town.AtHome("alice", a, relay), town.AtHome("bob", b, relay)
	bob.Sleep()
	bob.Phone.Auto = true
	bob.Wake()
	town.Pass(5 * time.Second)
	town.Befriend(alice, bob)
	return alice, bob
}

func TestCallsWorkThroughEveryPairOfRouters(t *testing.T) {
	for _, c := range []struct {
		name       string
		alice, bob simnet.NAT
		want       transport.Kind
	}{
		{"both can be punched", simnet.PortRestricted, simnet.PortRestricted, transport.Direct},
		{"one filters by address only", simnet.Symmetric, simnet.AddressRestricted, transport.Direct},
		{"one cannot be punched", simnet.Symmetric, simnet.PortRestricted, transport.Relay},
		{"neither can be punched", simnet.Symmetric, simnet.Symmetric, transport.Relay},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodetest.RunFar(t, far(), func(town *nodetest.Town) {
				alice, bob := atHome(town, c.alice, c.bob)
				for _, pair := range [][2]*nodetest.Person{{alice, bob}} {
					began := time.Now()
					id := pair[0].Call(pair[1])
					pair[0].WantCallWithin(3*time.Second, id, call.Active)
					pair[1].WantCallWithin(3*time.Second, id, call.Active)
					took := time.Since(began)
					pair[0].WantSound(id)
					pair[1].WantSound(id)
					town.Within(3*time.Second, "the path is "+string(c.want), func() bool {
						return pair[0].WantCall(id, call.Active).Path == c.want && pair[1].WantCall(id, call.Active).Path == c.want
					})
					town.Pass(10 * time.Second)
					got := pair[0].WantCall(id, call.Active)
					if got.Path != c.want || got.Net.PacketsLost > 0 {
						t.Errorf("the path is %s (%s), %d packets are lost", got.Path, got.Addr, got.Net.PacketsLost)
					}
					t.Logf("active after %v", took)
				}
			})
		})
	}
}
