package nodetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/media/voice"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// testWith runs an echo test over a friend's machine.
func testWith(town *nodetest.Town, p, o *nodetest.Person) (node.FarReport, []voice.EchoStep, error) {
	ctx, cancel := context.WithTimeout(town.Context(), time.Minute)
	defer cancel()
	var steps []voice.EchoStep
	r, err := p.Node().TestWith(ctx, o.ID(), func(s voice.EchoStep) { steps = append(steps, s) })
	return r, steps, err
}

func TestAFriendsMachineReturnsWhatItHearsOnceItsOwnerAllowsIt(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		if _, _, err := testWith(town, alice, bob); !errors.Is(err, node.ErrNoEcho) {
			t.Errorf("without consent: %v", err)
		}
		allow := func(on bool) {
			t.Helper()
			if err := bob.Node().AllowEcho(town.Context(), alice.ID(), on); err != nil {
				t.Fatal(err)
			}
		}
		allow(true)
		r, steps, err := testWith(town, alice, bob)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(steps, []voice.EchoStep{voice.EchoListens, voice.EchoRecords, voice.EchoPlayback}) {
			t.Errorf("steps %v", steps)
		}
		if r.Return <= 0 || r.Return > 300*time.Millisecond || r.Path != "direct" || r.Loss > 0.02 || r.LossThere > 0.02 || r.Concealed > 0.1 {
			t.Errorf("measured %+v", r)
		}
		if bob.Phone.Opened != 0 || alice.Phone.Opened != 1 {
			t.Errorf("bob's devices were opened %d times, alice's %d times", bob.Phone.Opened, alice.Phone.Opened)
		}
		if a, b := alice.Node().Calls(), bob.Node().Calls(); len(a)+len(b) != 0 {
			t.Errorf("the test is taken for a call: %v, %v", a, b)
		}
		if _, _, err := testWith(town, alice, bob); !errors.Is(err, node.ErrEchoBusy) {
			t.Errorf("at once again: %v", err)
		}
		town.Pass(call.TestPause)
		allow(false)
		if _, _, err := testWith(town, alice, bob); !errors.Is(err, node.ErrNoEcho) {
			t.Errorf("after the consent was taken back: %v", err)
		}
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		if _, _, err := testWith(town, alice, bob); !errors.Is(err, node.ErrNotHere) {
			t.Errorf("while bob is away: %v", err)
		}
	})
}

func TestATestEndsWhenItsConsentIsTakenBack(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		if err := bob.Node().AllowEcho(town.Context(), alice.ID(), true); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(town.Context(), time.Minute)
		defer cancel()
		r, err := alice.Node().TestWith(ctx, bob.ID(), func(voice.EchoStep) {
			if err := bob.Node().AllowEcho(town.Context(), alice.ID(), false); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Return != 0 || r.FarFindings()[2] != voice.ReturnNone {
			t.Errorf("sound came back after %v", r.Return)
		}
	})
}

func TestAFriendsVolumeIsKeptForTheNextCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantCall(id, call.Active)
		louder := 6.0
		if err := alice.Node().EditCall(town.Context(), id, node.CallEdit{Volume: &louder}); err != nil {
			t.Fatal(err)
		}
		if c := alice.WantCall(id, call.Active); c.Volume != 6 {
			t.Errorf("the volume is %v", c.Volume)
		}
		alice.HangUp(id)
		alice.WantEnded(id, call.Completed)
		alice.Sleep()
		alice.Wake()
		town.Eventually("alice sees bob", func() bool { return alice.Sees(bob) })
		again := alice.Call(bob)
		if c := alice.WantCall(again, call.Active); c.Volume != 6 {
			t.Errorf("in the next call the volume is %v", c.Volume)
		}
		if err := alice.Node().SetVolume(town.Context(), bob.ID(), 99); err != nil {
			t.Fatal(err)
		}
		if c := alice.WantCall(again, call.Active); c.Volume != 20 {
			t.Errorf("beyond what there is: %v", c.Volume)
		}
		if c, err := alice.Node().Contact(bob.ID()); err != nil || c.Terms != (node.Terms{Volume: 20}) {
			t.Errorf("the contact has %+v, %v", c.Terms, err)
		}
	})
}

func TestAFriendBehindARelayIsTestedWithOverIt(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob := atHome(town, simnet.Symmetric, simnet.Symmetric)
		if err := bob.Node().AllowEcho(town.Context(), alice.ID(), true); err != nil {
			t.Fatal(err)
		}
		r, _, err := testWith(town, alice, bob)
		if err != nil {
			t.Fatal(err)
		}
		if r.Path != "relay" || r.Return < 80*time.Millisecond || r.Return > 600*time.Millisecond {
			t.Errorf("measured %+v", r)
		}
		if len(alice.Node().Calls())+len(bob.Node().Calls()) != 0 {
			t.Error("the test is taken for a call")
		}
	})
}

func TestATestTellsNoAddressToWhomOneHidesFrom(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob := atHome(town, simnet.PortRestricted, simnet.PortRestricted)
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		town.Eventually("the path is a relay's", func() bool { return alice.Sees(bob) && bob.Sees(alice) && pathTo(t, alice, bob) == transport.Relay })
		town.Pass(10 * time.Second) // the channels that led straight are closed
		for p, o := range map[*nodetest.Person]*nodetest.Person{alice: bob, bob: alice} {
			if err := o.Node().AllowEcho(town.Context(), p.ID(), true); err != nil {
				t.Fatal(err)
			}
			if r, _, err := testWith(town, p, o); err != nil || r.Path != transport.Relay || r.Return == 0 {
				t.Errorf("%s tests with %s: over %q, back after %v, %v", p.Name, o.Name, r.Path, r.Return, err)
			}
		}
	})
}
