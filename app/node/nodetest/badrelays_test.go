package nodetest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestABadRelayLosesAndForgesNothingAndTheCallGoesOn(t *testing.T) {
	for evil, name := range map[nodetest.Evil]string{nodetest.Drops: "drops", nodetest.Delays: "delays", nodetest.Swaps: "swaps"} {
		t.Run(name, func(t *testing.T) {
			nodetest.RunFar(t, far(), func(town *nodetest.Town) {
				var relays []string
				turns := map[string]func(nodetest.Evil){}
				for range 2 {
					addrs, turn := town.BadRelayOn(town.World().LAN(simnet.Public).Host())
					relays = append(relays, addrs...)
					turns[addrs[0]] = turn
				}
				alice, bob := atHomeThrough(town, simnet.Symmetric, simnet.Symmetric, relays)
				id := alice.Call(bob)
				alice.WantSound(id)
				bob.WantSound(id)
				via := func() string {
					c, err := alice.Node().Contact(bob.ID())
					if err != nil {
						t.Fatal(err)
					}
					return string(c.Path.Via)
				}
				bad := via()
				for addr, turn := range turns {
					if strings.HasSuffix(addr, bad) {
						turn(evil)
					}
				}
				var said []string
				var ids []chat.Hash
				for i := range 20 {
					text := fmt.Sprintf("message %d", i)
					said, ids = append(said, text), append(ids, alice.Send(bob, text))
					town.Pass(100 * time.Millisecond)
				}
				limit := 5 * time.Second
				if evil == nodetest.Delays {
					limit = 15 * time.Second
				}
				town.Within(limit, "they hear each other", func() bool {
					a, b := alice.Hears(id), bob.Hears(id)
					town.Pass(time.Second)
					return alice.Hears(id) > a+20 && bob.Hears(id) > b+20
				})
				if evil != nodetest.Delays && via() == bad {
					t.Error("the call still goes through the bad relay")
				}
				if c := alice.WantCall(id, call.Active); c.ID != id {
					t.Errorf("another call: %+v", c)
				}
				for _, m := range ids {
					alice.WantState(m, chat.Delivered)
				}
				got := slices.DeleteFunc(bob.Texts(alice), func(s string) bool { return s == "" })
				if !slices.Equal(got, said) {
					t.Errorf("bob reads %q", got)
				}
			})
		})
	}
}
