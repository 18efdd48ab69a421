package nodetest_test

import (
	"os"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestAFriendWhoLeavesIsLookedForWithinAThousandBytesASecond(t *testing.T) {
	if os.Getenv("ENTRENOUS_SCALE") == "" {
		t.Skip("a quarter of an hour of 30 nodes: make bench")
	}
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		table := town.Strangers(1)
		for range 23 {
			town.PublicRelay(table)
		}
		// Several, for it takes more near the change of a place's day.
		before := map[*nodetest.Person]int64{}
		for _, name := range []string{"alice", "carol", "eve"} {
			at, friend := town.AtHome(name, simnet.PortRestricted, nil), town.JoinFar("friend of "+name)
			at.Sleep()
			at.DHT = table
			at.Wake()
			town.Befriend(friend, at)
			friend.Sleep()
			before[at] = at.Host.Traffic()
		}
		const quarter = 15 * time.Minute
		town.Pass(quarter)
		var all int64
		for p, had := range before {
			took := p.Host.Traffic() - had
			t.Logf("%s: %.0f bytes a second over the first quarter of an hour", p.Name, float64(took)/quarter.Seconds())
			all += took
		}
		if each := float64(all) / float64(len(before)) / quarter.Seconds(); each > 1000 {
			t.Errorf("looking for a friend who left took %.0f bytes a second", each)
		}
	})
}
