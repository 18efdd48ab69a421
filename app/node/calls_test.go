package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

func TestAFriendIsCalledAndBothHear(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		id := alice.Call(bob)
		if bob.Rings(alice) != id {
			t.Error("another call rings")
		}
		alice.WantCall(id, call.Ringing)
		town.Pass(2 * time.Second)
		bob.Answer(id)
		alice.WantCallWithin(time.Second, id, call.Active)
		bob.WantCallWithin(time.Second, id, call.Active)
		alice.WantSound(id)
		bob.WantSound(id)
		town.Pass(10 * time.Second)
		c := alice.WantCall(id, call.Active)
		if c.Voice.FirstAudio.IsZero() || c.Theirs < -40 || c.Net.PacketsLost > 5 || c.Path == "none" {
			t.Errorf("alice's call is %+v", c)
		}
		bob.HangUp(id)
		alice.WantEnded(id, call.Completed)
		bob.WantEnded(id, call.Completed)
		for _, p := range []*nodetest.Person{alice, bob} {
			other := map[*nodetest.Person]*nodetest.Person{alice: bob, bob: alice}[p]
			row := p.CallRow(other, id)
			if row.Reason != "ended" || row.Seconds < 9 || row.Seconds > 13 || !strings.Contains(row.Report, `"caller":{`) || !strings.Contains(row.Report, `"callee":{`) {
				t.Errorf("%s's log tells %+v", p.Name, row)
			}
		}
	})
}

func TestTheCallerHangsUpAndTheLogHasBothReports(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		bob.Sleep()
		bob.Phone.Auto = true
		bob.Wake()
		town.Befriend(alice, bob)
		id := alice.Call(bob)
		alice.WantCall(id, call.Active)
		town.Pass(3 * time.Second)
		alice.HangUp(id)
		bob.WantEnded(id, call.Completed)
		if row := bob.CallRow(alice, id); !strings.Contains(row.Report, `"callee":{`) || row.Mine {
			t.Errorf("the log tells %+v", row)
		}
	})
}
