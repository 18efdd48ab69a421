package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/media/voice"
)

func TestARecordingThatBreaksOffIsOverAtBothEnds(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		id := alice.Call(bob)
		bob.Rings(alice)
		bob.Answer(id)
		alice.WantCall(id, call.Active)
		on := true
		record := func() {
			if err := alice.Node().EditCall(t.Context(), id, node.CallEdit{Recording: &on}); err != nil {
				t.Fatal(err)
			}
			town.Within(5*time.Second, "bob sees that alice records", func() bool { return bob.WantCall(id, call.Active).RecordingThere })
		}
		record()
		if err := alice.Node().TearTape(id); err != nil {
			t.Fatal(err)
		}
		town.Within(5*time.Second, "bob sees that nobody records", func() bool { return !bob.WantCall(id, call.Active).RecordingThere })
		c := alice.WantCall(id, call.Active)
		if c.Recording || !slices.ContainsFunc(c.Notices, func(n node.Notice) bool { return n.Kind == voice.RecordingEnded }) {
			t.Errorf("alice records: %v, and is told %v", c.Recording, c.Notices)
		}
		town.Pass(2 * time.Second)
		record() // the disk has room again
		town.Pass(2 * time.Second)
		if !alice.WantCall(id, call.Active).Recording {
			t.Error("the second recording does not run")
		}
		alice.HangUp(id)
		bob.WantEnded(id, call.Completed)
	})
}
