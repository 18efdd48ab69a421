package nodetest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
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
			if row.Reason != "ended" || row.Seconds < 9 || row.Seconds > 13 || row.Reports.Caller == nil || row.Reports.Callee == nil {
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
		if row := bob.CallRow(alice, id); row.Reports.Callee == nil || row.Mine {
			t.Errorf("the log tells %+v", row)
		}
	})
}

// friends are two people in the town who are friends; the second answers by
// itself if auto.
func friends(town *nodetest.Town, auto bool) (alice, bob *nodetest.Person) {
	alice, bob = town.Join("alice"), town.Join("bob")
	if auto {
		bob.Sleep()
		bob.Phone.Auto = true
		bob.Wake()
	}
	town.Befriend(alice, bob)
	return alice, bob
}

func TestACallIsDeclinedCalledOffAndNotAnswered(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		declined := alice.Call(bob)
		bob.HangUp(bob.Rings(alice))
		alice.WantEnded(declined, call.Declined)
		off := alice.Call(bob)
		bob.Rings(alice)
		alice.HangUp(off)
		bob.WantEnded(off, call.Missed)
		long := alice.Call(bob)
		bob.Rings(alice)
		town.Pass(call.RingTime + time.Second)
		alice.WantEnded(long, call.Missed)
		bob.WantEnded(long, call.Missed)
		for id, want := range map[call.ID]string{declined: "declined", off: "missed", long: "missed"} {
			if row := bob.CallRow(alice, id); row.Reason != want || row.Seconds != 0 || row.Mine {
				t.Errorf("bob's log tells %+v, want %s", row, want)
			}
		}
	})
}

func TestBothHangUpAtOnce(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		for range 3 {
			id := alice.Call(bob)
			alice.WantSound(id)
			bob.WantCall(id, call.Active)
			alice.HangUp(id)
			bob.HangUp(id)
			alice.WantEnded(id, call.Completed)
			bob.WantEnded(id, call.Completed)
			if row := bob.CallRow(alice, id); row.Reason != "ended" || row.Mine {
				t.Errorf("the log tells %+v", row)
			}
		}
		off := alice.Call(bob) // and while it begins
		alice.HangUp(off)
		alice.WantEnded(off, call.Missed)
		town.Pass(5 * time.Second)
		for _, c := range bob.Node().Calls() {
			if c.Live() {
				t.Errorf("bob is still in %+v", c)
			}
		}
	})
}

func TestAFriendWhoIsAwayFindsAMissedCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		id := alice.Call(bob)
		alice.WantEnded(id, call.Away)
		alice.CallRow(bob, id)
		if err := alice.Node().Edit(town.Context(), alice.Rows(bob)[0].ID, "it was nothing"); !errors.Is(err, node.ErrNoText) {
			t.Errorf("editing the row of a call: %v", err)
		}
		town.Pass(time.Hour)
		bob.Wake()
		if row := bob.CallRow(alice, id); row.Reason != "missed" {
			t.Errorf("the log tells %+v", row)
		}
	})
}

func TestAFriendWhoComesWhileItRingsIsCalled(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		bob.Sleep()
		town.Eventually("bob is shown away", func() bool { return !alice.Sees(bob) })
		id := alice.Call(bob)
		town.Pass(5 * time.Second)
		bob.Wake()
		alice.WantCallWithin(10*time.Second, id, call.Active)
		alice.WantSound(id)
	})
}

func TestTwoWhoCallEachOtherAtOnceAreInOneCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		for range 3 {
			first, second := alice.Call(bob), bob.Call(alice)
			a, b := alice.WantCall(first, call.Active), bob.WantCall(second, call.Active)
			if a.ID != b.ID || a.Outgoing == b.Outgoing {
				t.Errorf("alice is in %x (outgoing %v), bob in %x (outgoing %v)", a.ID, a.Outgoing, b.ID, b.Outgoing)
			}
			alice.WantSound(first)
			bob.WantSound(second)
			alice.HangUp(first)
			alice.WantEnded(first, call.Completed)
			bob.WantEnded(second, call.Completed)
		}
	})
}

func TestAllDevicesRingAndStopWhenOneAnswers(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		second := bob.Second()
		town.Eventually("alice reaches both of bob's devices", func() bool { return linkedTo(alice, bob) == 2 })
		id := alice.Call(bob)
		bob.Rings(alice)
		second.Rings(alice)
		second.Answer(id)
		alice.WantCall(id, call.Active)
		bob.WantEnded(id, call.Elsewhere)
		second.WantSound(id)
		alice.HangUp(id)
		second.WantEnded(id, call.Completed)
		town.Pass(time.Minute)
		if row := bob.CallRow(alice, id); row.Reason != "ended" {
			t.Errorf("the device that did not answer tells %+v", row)
		}
	})
}

func TestADeviceThatEndsWhileItRingsDeclinesForNobody(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		second := bob.Second()
		town.Eventually("alice reaches both of bob's devices", func() bool { return linkedTo(alice, bob) == 2 })
		id := alice.Call(bob)
		bob.Rings(alice)
		second.Rings(alice)
		second.Sleep()
		town.Pass(time.Second)
		bob.Answer(bob.Rings(alice))
		alice.WantCall(id, call.Active)
		alice.HangUp(id)
		bob.WantEnded(id, call.Completed)

		alone := alice.Call(bob)
		bob.Rings(alice)
		bob.Sleep()
		alice.WantEnded(alone, call.Missed)
		bob.Wake()
		if row := bob.CallRow(alice, alone); row.Reason != "missed" {
			t.Errorf("the log tells %+v", row)
		}
	})
}

// linkedTo counts the devices of a friend that ring when called.
func linkedTo(p, o *nodetest.Person) int { return p.Node().Reached(o.ID()) }

func TestWhoeverIsInTwoCallsIsBusyForAThird(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		carol, dan := town.Join("carol"), town.Join("dan")
		town.Befriend(alice, carol)
		town.Befriend(alice, dan)
		first := bob.Call(alice)
		alice.Answer(alice.Rings(bob))
		alice.WantCall(first, call.Active)
		second := carol.Call(alice)
		if alice.Rings(carol); !alice.WantCall(second, call.Ringing).Waiting {
			t.Error("the second call does not wait")
		}
		dan.WantEnded(dan.Call(alice), call.Busy)
		alice.Answer(second)
		alice.WantCall(second, call.Active)
		if !alice.WantCall(first, call.Active).Held {
			t.Error("the first call is not held")
		}
		town.Eventually("bob sees that he is held", func() bool { return bob.WantCall(first, call.Active).HeldThere })
		carol.WantSound(second)
		alice.HangUp(second)
		carol.WantEnded(second, call.Completed)
		if err := alice.Node().Hold(first, false); err != nil {
			t.Fatal(err)
		}
		bob.WantSound(first)
		town.Eventually("bob goes on", func() bool { return !bob.WantCall(first, call.Active).HeldThere })
	})
}

func TestWhoeverAnswersByThemselvesDoesNotLeaveTheCallTheyAreIn(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		carol := town.Join("carol")
		town.Befriend(bob, carol)
		first := alice.Call(bob)
		alice.WantSound(first)
		second := carol.Call(bob)
		carol.WantCall(second, call.Ringing)
		town.Pass(5 * time.Second)
		if c := bob.WantCall(second, call.Ringing); !c.Waiting {
			t.Errorf("the second call is %+v", c)
		}
		if bob.WantCall(first, call.Active).Held {
			t.Error("the first call is held")
		}
	})
}

func TestANetworkThatIsCutForTenSecondsLeavesTheCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		for _, who := range []*nodetest.Person{bob, alice} {
			who.Host.Cut()
			alice.WantCallWithin(3*time.Second, id, call.Reconnecting)
			bob.WantCallWithin(3*time.Second, id, call.Reconnecting)
			town.Pass(10 * time.Second)
			who.Host.Mend()
			alice.WantCallWithin(3*time.Second, id, call.Active)
			bob.WantCallWithin(3*time.Second, id, call.Active)
			alice.WantSound(id)
			bob.WantSound(id)
		}
	})
}

func TestARecordingThatBeginsWithoutANetworkIsToldOnceThereIsOne(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		bob.Host.Cut()
		alice.WantCallWithin(3*time.Second, id, call.Reconnecting)
		town.Pass(10 * time.Second)
		on := true
		if err := alice.Node().EditCall(t.Context(), id, node.CallEdit{Recording: &on}); err != nil {
			t.Fatal(err)
		}
		bob.Host.Mend()
		alice.WantCallWithin(10*time.Second, id, call.Active)
		town.Within(5*time.Second, "bob sees that alice records", func() bool { return bob.WantCall(id, call.Active).RecordingThere })
	})
}

func TestACallMovesWithItsMachine(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		for _, who := range []*nodetest.Person{alice, bob} {
			town.Move(who)
			town.Pass(2 * time.Second)
			alice.WantCallWithin(28*time.Second, id, call.Active)
			bob.WantCallWithin(28*time.Second, id, call.Active)
			alice.WantSound(id)
			bob.WantSound(id)
		}
	})
}

func TestAFriendWhoVanishesLeavesALostCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		bob.Vanish()
		alice.WantCallWithin(5*time.Second, id, call.Reconnecting)
		alice.WantEnded(id, call.Lost)
		if row := alice.CallRow(bob, id); row.Reason != "lost" {
			t.Errorf("the log tells %+v", row)
		}
	})
}

func TestACallThatBothLoseIsOneRowInBothLogs(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		bob.Host.Cut()
		alice.WantEnded(id, call.Lost)
		bob.WantEnded(id, call.Lost)
		town.Pass(time.Minute)
		bob.Host.Mend()
		for p, o := range map[*nodetest.Person]*nodetest.Person{alice: bob, bob: alice} {
			town.Eventually(p.Name+"'s log tells of the call once, as alice wrote it, and how it was for both", func() bool {
				var rows []store.RowView
				for _, r := range p.Rows(o) {
					if r.Call != nil && r.Call.Call == id {
						rows = append(rows, r)
					}
				}
				if len(rows) != 1 || rows[0].Author != alice.ID() {
					return false
				}
				both := node.ParseCallReports(rows[0].Reports...)
				return both.Caller != nil && both.Callee != nil
			})
		}
	})
}

func TestOnlyMissedCallsAreUnread(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		unread := func() int {
			c, err := bob.Node().Contact(alice.ID())
			if err != nil {
				t.Fatal(err)
			}
			return c.Unread
		}
		spoken := alice.Call(bob)
		bob.Answer(bob.Rings(alice))
		alice.WantCall(spoken, call.Active)
		bob.HangUp(spoken)
		bob.CallRow(alice, spoken)
		declined := alice.Call(bob)
		bob.HangUp(bob.Rings(alice))
		bob.CallRow(alice, declined)
		if n := unread(); n != 0 {
			t.Errorf("%d rows are unread after an answered and a declined call", n)
		}
		missed := alice.Call(bob)
		bob.Rings(alice)
		alice.HangUp(missed)
		bob.CallRow(alice, missed)
		if n := unread(); n != 1 {
			t.Errorf("%d rows are unread after a missed call", n)
		}
	})
}

func TestAFriendWhoStartsAnewIsNotInTheOldCall(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		bob.Vanish()
		bob.Host.Mend()
		bob.Wake()
		c := alice.WantCallWithin(8*time.Second, id, call.Ended)
		if c.Reason != call.Lost {
			t.Errorf("ended because %q", c.Reason)
		}
		again := alice.Call(bob)
		alice.WantCall(again, call.Active)
		alice.WantSound(again)
	})
}

func TestANodeThatEndsHangsUp(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		id := alice.Call(bob)
		alice.WantSound(id)
		bob.Sleep()
		alice.WantCallWithin(5*time.Second, id, call.Ended)
	})
}

func TestACallerWhoStopsLetsNobodyRingOn(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		id := alice.Call(bob)
		bob.Rings(alice)
		began := time.Now()
		alice.Sleep()
		bob.WantCallWithin(time.Second-time.Since(began), id, call.Ended)
		bob.WantEnded(id, call.Missed)
		if row := bob.CallRow(alice, id); row.Reason != "missed" || row.Mine {
			t.Errorf("while alice is away bob's log tells %+v", row)
		}
	})
}

func TestTheOnlyDeviceThatRingsStopsAndTheCallerLearnsIt(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		id := alice.Call(bob)
		bob.Rings(alice)
		began := time.Now()
		bob.Sleep()
		alice.WantCallWithin(time.Second-time.Since(began), id, call.Ended)
		alice.WantEnded(id, call.Missed)
		bob.Wake()
		if row := bob.CallRow(alice, id); row.Reason != "missed" {
			t.Errorf("bob's log tells %+v", row)
		}
	})
}

func TestANodeThatStopsInACallSaysGoodbyeWithItsReport(t *testing.T) {
	for _, name := range []string{"alice", "bob"} {
		t.Run(name, func(t *testing.T) {
			nodetest.Run(t, func(town *nodetest.Town) {
				alice, bob := friends(town, true)
				id := alice.Call(bob)
				alice.WantSound(id)
				bob.WantSound(id)
				stops, stays := alice, bob
				if name == "bob" {
					stops, stays = bob, alice
				}
				began := time.Now()
				stops.Sleep()
				stays.WantCallWithin(250*time.Millisecond-time.Since(began), id, call.Ended)
				stays.WantEnded(id, call.Completed)
				if row := stays.CallRow(stops, id); row.Reason != "ended" || row.Reports.Caller == nil || row.Reports.Callee == nil {
					t.Errorf("while %s is away the log tells %+v", stops.Name, row)
				}
			})
		})
	}
}

func TestWhoCallsANodeThatJustStopsIsToldAtOnce(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		carol := town.Join("carol")
		town.Befriend(bob, carol)
		other := bob.Call(carol)
		carol.Answer(carol.Rings(bob))
		bob.WantSound(other)
		carol.Host.Cut() // so that bob's node waits for her report, and then for her to hear its goodbye
		slept := make(chan struct{})
		began := time.Now()
		go func() {
			defer close(slept)
			bob.Sleep()
		}()
		town.Pass(200 * time.Millisecond)
		id := alice.Call(bob)
		alice.WantCallWithin(time.Second, id, call.Ended)
		alice.WantEnded(id, call.Missed)
		<-slept
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took bob's node %v to stop", took)
		}
	})
}

func TestWithoutSoundACallBreaks(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		bob.Phone.Broken = errors.New("the microphone is on fire")
		id := alice.Call(bob)
		bob.Answer(bob.Rings(alice))
		bob.WantEnded(id, call.Broken)
		alice.WantCallWithin(5*time.Second, id, call.Ended)
	})
}

func TestOneCannotCallStrangersNorTwiceNorOneself(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		stranger := town.Join("stranger")
		if _, err := alice.Node().Call(stranger.ID()); !errors.Is(err, node.ErrNobody) {
			t.Errorf("a stranger: %v", err)
		}
		if _, err := alice.Node().Call(alice.ID()); !errors.Is(err, node.ErrNobody) {
			t.Errorf("oneself: %v", err)
		}
		id := alice.Call(bob)
		if _, err := alice.Node().Call(bob.ID()); !errors.Is(err, node.ErrInCall) {
			t.Errorf("twice: %v", err)
		}
		if err := alice.Node().Answer(id); !errors.Is(err, node.ErrCallState) {
			t.Errorf("answer one's own call: %v", err)
		}
		if err := alice.Node().HangUp(call.ID{1}); !errors.Is(err, node.ErrNoCall) {
			t.Errorf("no such call: %v", err)
		}
	})
}

func TestTwoPeopleWithTwoDevicesEachCallEachOtherAtOnceWaitAndHold(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, false)
		hers, his := alice.Second(), bob.Second()
		carol := town.Join("carol")
		town.Befriend(alice, carol)
		for _, pair := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
			town.Eventually("all devices are reached", func() bool { return linkedTo(pair[0], pair[1]) == 2 })
		}
		first, second := alice.Call(bob), bob.Call(alice)
		a, b := alice.WantCall(first, call.Active), bob.WantCall(second, call.Active)
		if a.ID != b.ID {
			t.Fatalf("alice is in %x, bob in %x", a.ID, b.ID)
		}
		alice.WantSound(first)
		bob.WantSound(second)
		town.Pass(time.Second)
		for _, p := range []*nodetest.Person{hers, his} {
			for _, c := range p.Node().Calls() {
				if c.Live() {
					t.Errorf("%s still rings: %+v", p.Name, c)
				}
			}
		}
		third := carol.Call(alice) // rings at the device that speaks, and waits there
		if alice.Rings(carol); !alice.WantCall(third, call.Ringing).Waiting {
			t.Error("the third call does not wait")
		}
		alice.Answer(third)
		carol.WantCall(third, call.Active)
		if !alice.WantCall(first, call.Active).Held {
			t.Error("the first call is not held")
		}
		town.Eventually("bob sees that he is held", func() bool { return bob.WantCall(second, call.Active).HeldThere })
		alice.HangUp(third)
		carol.WantEnded(third, call.Completed)
		if err := alice.Node().Hold(first, false); err != nil {
			t.Fatal(err)
		}
		bob.WantSound(second)
		bob.HangUp(second)
		alice.WantEnded(first, call.Completed)
	})
}

func TestACallSavesBandwidthAndTimeWhereThatWasChosen(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		set := alice.Node().Settings()
		set.SaveBandwidth, set.LowLatency = true, true
		if err := alice.Node().PutSettings(town.Context(), set); err != nil {
			t.Fatal(err)
		}
		alice.Phone.Audio = "null" // she says nothing, so that next to nothing is sent
		id := alice.Call(bob)
		alice.WantSound(id)
		town.Pass(10 * time.Second)
		alice.WantCall(id, call.Active)
		alice.HangUp(id)
		bob.WantEnded(id, call.Completed)
		town.Pass(time.Second)
		if !alice.Phone.Saves || bob.Phone.Saves {
			t.Errorf("alice, who chose it, saves: %v; bob, who did not: %v", alice.Phone.Saves, bob.Phone.Saves)
		}
		if !alice.Phone.Low || bob.Phone.Low {
			t.Errorf("alice, who chose it, calls with low latency: %v; bob, who did not: %v", alice.Phone.Low, bob.Phone.Low)
		}
	})
}
