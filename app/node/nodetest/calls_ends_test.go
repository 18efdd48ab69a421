package nodetest_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// apart are the ways in which two people may be joined.
var apart = map[string]struct {
	alice, bob simnet.NAT
	home       bool   // one network for both
	cut        string // who is cut off for a while
	both       bool   // let both of them be killed in turn
	want       transport.Kind
}{
	"in one home":            {simnet.PortRestricted, simnet.PortRestricted, true, "", false, transport.LAN},
	"directly":               {simnet.PortRestricted, simnet.PortRestricted, false, "bob", false, transport.Direct},
	"through a relay by UDP": {simnet.Symmetric, simnet.Symmetric, false, "bob", true, transport.Relay},
	"through a relay by TCP": {simnet.NoUDP, simnet.NoUDP, false, "alice", true, transport.Relay},
}

func TestAKilledFriendIsLostWithinFiveSecondsAndACutNetworkIsWaitedFor(t *testing.T) {
	for name, row := range apart {
		t.Run(name, func(t *testing.T) {
			cfg := far()
			cfg.TCP = true
			nodetest.RunFar(t, cfg, func(town *nodetest.Town) {
				relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
				la, lb := town.World().LAN(row.alice), town.World().LAN(row.bob)
				if row.home {
					lb = la
				}
				alice, bob := town.JoinAt("alice", la, relay...), town.JoinAt("bob", lb, relay...)
				for _, p := range []*nodetest.Person{alice, bob} {
					p.Sleep()
					p.Phone.Auto = true
					p.Wake()
				}
				town.Pass(5 * time.Second)
				town.Befriend(alice, bob)
				wantPath(t, town, alice, bob, row.want)
				turns := [][2]*nodetest.Person{{alice, bob}, {bob, alice}}
				if !row.both {
					turns = turns[:1]
				}
				for i, pair := range turns {
					stays, goes := pair[0], pair[1]
					id := alice.Call(bob)
					alice.WantSound(id)
					bob.WantSound(id)
					town.Pass(time.Second)
					if c := stays.WantCall(id, call.Active); c.Path != row.want {
						t.Errorf("the call goes by %s", c.Path)
					}
					if goes.Name == row.cut {
						cutForTenSeconds(t, town, id, stays, goes)
						town.Pass(3 * time.Second)
					}
					goes.Kill()
					began := time.Now()
					if c := stays.WantCallWithin(5*time.Second, id, call.Ended); c.Reason != call.Lost {
						t.Errorf("the call ended because %q", c.Reason)
					}
					t.Logf("%s was killed, ended after %v", goes.Name, time.Since(began))
					if row := stays.CallRow(goes, id); row.Reason != "lost" {
						t.Errorf("the log tells %+v", row)
					}
					if i == len(turns)-1 {
						return
					}
					goes.Wake()
					town.Eventually("they meet again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
					wantPath(t, town, alice, bob, row.want)
				}
			})
		})
	}
}

// cutForTenSeconds takes somebody's network away in a call and gives it back.
func cutForTenSeconds(t *testing.T, town *nodetest.Town, id call.ID, stays, goes *nodetest.Person) {
	t.Helper()
	goes.Host.Cut()
	stays.WantCallWithin(4*time.Second, id, call.Reconnecting)
	town.Pass(8 * time.Second)
	goes.Host.Mend()
	mended := time.Now()
	stays.WantCallWithin(10*time.Second, id, call.Active)
	goes.WantCallWithin(10*time.Second, id, call.Active)
	t.Logf("cut for ten seconds, back after %v", time.Since(mended))
	stays.WantSound(id)
	goes.WantSound(id)
}
