package nodetest_test

import (
	"os"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// beeps lists when something began to be heard in a recording that is silent else.
func beeps(t *testing.T, path string) (at []time.Duration) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sound, err := device.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	quiet := 50 // ticks
	for i := 0; i+media.Tick <= len(sound); i += media.Tick {
		level := media.Level(sound[i : i+media.Tick])
		if level > -20 {
			t.Errorf("at %v it is as loud as %.0f dBFS", media.Duration(i), level)
		}
		if level < -45 {
			quiet++
			continue
		}
		if quiet >= 50 {
			at = append(at, media.Duration(i))
		}
		quiet = 0
	}
	return at
}

func TestACallThatWaitsBeepsSoftlyInTheOneThatGoesOn(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, carol := town.Join("alice"), town.Join("bob"), town.Join("carol")
		town.Befriend(alice, bob)
		town.Befriend(alice, carol)
		alice.Phone.Audio, bob.Phone.Audio = "file:,"+alice.Recording(), "file:,"+bob.Recording()
		id := bob.Call(alice)
		alice.Answer(alice.Rings(bob))
		alice.WantCall(id, call.Active)
		town.Pass(5 * time.Second)
		waits := carol.Call(alice)
		alice.Rings(carol)
		town.Pass(12 * time.Second)
		carol.HangUp(waits)
		alice.WantCall(waits, call.Ended)
		town.Pass(8 * time.Second)
		alice.HangUp(id)
		bob.WantCall(id, call.Ended)
		town.Pass(time.Second)
		if at := beeps(t, alice.Recording()); len(at) != 3 || at[2]-at[0] < 9*time.Second || at[2]-at[0] > 11*time.Second {
			t.Errorf("alice hears beeps at %v, want three, 5 s apart", at)
		}
		if at := beeps(t, bob.Recording()); len(at) != 0 {
			t.Errorf("bob hears it too, at %v", at)
		}
	})
}

func TestWhoeverCallsAThirdWhoDeclinesIsHeardAgainWhereTheyWere(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, carol := town.Join("alice"), town.Join("bob"), town.Join("carol")
		town.Befriend(alice, bob)
		town.Befriend(alice, carol)
		first := alice.Call(bob)
		bob.Answer(bob.Rings(alice))
		bob.WantSound(first)
		second := alice.Call(carol)
		carol.Rings(alice)
		town.Eventually("bob sees that he is held", func() bool { return bob.WantCall(first, call.Active).HeldThere })
		carol.HangUp(second)
		alice.WantEnded(second, call.Declined)
		town.Eventually("the first call goes on", func() bool {
			return !alice.WantCall(first, call.Active).Held && !bob.WantCall(first, call.Active).HeldThere
		})
		bob.WantSound(first)
		if c := bob.WantCall(first, call.Active); c.Theirs < -40 {
			t.Errorf("bob hears nothing: %.0f dBFS", c.Theirs)
		}
	})
}
