package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// knock is a stranger's first words: hello, devices, request.
func knock(t *testing.T, ch *noise.Channel, p *nodetest.Person, req chat.Request) {
	t.Helper()
	list, err := p.List(1).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	_ = ch.Send(chat.Hello{Name: p.Name, Peer: string(p.Peer())}.Encode(), chat.DeviceListFrame{List: list}.Encode(), req.Encode())
}

func TestAStrangerLearnsNothingAndIsDroppedForWrongRequests(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, eve := town.Join("alice"), town.Join("bob"), town.Join("eve")
		town.Befriend(alice, bob)
		eve.Sleep()
		raw := eve.Raw()
		for name, row := range map[string]struct {
			req   chat.Request
			drops bool
		}{
			"without work":          {chat.Request{Name: "eve", Text: "let me in"}, true},
			"with a made-up secret": {chat.Request{Name: "eve", Once: make([]byte, 16)}, true},
		} {
			ch, err := raw.Live(town.Context(), alice, nil)
			if err != nil {
				t.Fatal(err)
			}
			knock(t, ch, eve, row.req)
			frames, ended := nodetest.Heard(ch)
			if len(frames) > 0 || ended != row.drops {
				t.Errorf("%s: eve heard %v, dropped %v", name, frames, ended)
			}
			raw.Hangup(alice)
			town.Pass(time.Minute)
		}
		ch, err := raw.Live(town.Context(), alice, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = ch.Send(chat.FrontierFrame{Frontier: chat.Frontier{Conv: chat.Direct(alice.ID(), bob.ID())}}.Encode())
		if frames, ended := nodetest.Heard(ch); len(frames) > 0 || !ended {
			t.Errorf("a stranger who asks for a chat hears %v, dropped %v", frames, ended)
		}
		if stateOf(alice, eve) != 0 {
			t.Error("eve is in the roster")
		}
	})
}

func TestStrangersWhoCrowdTheDoorKeepNoFriendOut(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		var inside []*noise.Channel
		let := func(i int) bool {
			eve := town.Join(fmt.Sprint("eve ", i))
			eve.Sleep()
			ch, err := eve.Raw().Live(town.Context(), alice, nil)
			if err != nil {
				return false
			}
			inside = append(inside, ch)
			town.Settle()
			return ch.Send(chat.Ping{N: 1}.Encode()) == nil && ch.SetReadDeadline(time.Now().Add(time.Second)) == nil && firstOf(ch) == nil
		}
		n := 0
		for i := range 12 {
			if let(i) {
				n++
			}
		}
		if n != 8 {
			t.Errorf("%d strangers are inside", n)
		}
		carol := town.Join("carol")
		town.Befriend(alice, carol) // an invite opens the door all the same
		id := bob.Send(alice, "is it crowded?")
		alice.WantRow(bob, "is it crowded?")
		bob.WantState(id, chat.Delivered)
		town.Pass(31 * time.Second)
		for _, ch := range inside {
			if firstOf(ch) == nil {
				t.Error("a stranger stays for longer than strangers may")
			}
		}
	})
}

func firstOf(ch *noise.Channel) error {
	_, err := ch.Receive()
	return err
}

func TestManyFriendsCanBeMadeWithinAMinute(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		teacher := town.Join("teacher")
		for i := range 10 {
			town.Befriend(teacher, town.Join(fmt.Sprint("pupil ", i)))
		}
	})
}

func TestNoMoreRequestsWaitThanFitAndFriendsAreStillMade(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, eve := town.Join("alice"), town.Join("eve")
		alice.Sleep()
		alice.Edit(func(tx *store.Tx) error {
			for range 20 {
				c := store.Contact{ID: identity.FromSeed(identity.NewSeed()).ID(), State: store.Request, Since: time.Now()}
				if err := tx.PutContact(c); err != nil {
					return err
				}
			}
			return nil
		})
		alice.Wake()
		address, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eve.Node().Add(town.Context(), address.String(), "", "one more"); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Hour)
		if got := stateOf(alice, eve); got != 0 {
			t.Errorf("the twenty-first who asked is %v", got)
		}
		bob := town.Join("bob")
		town.Befriend(alice, bob)
	})
}

func TestWhoeverIsUnblockedIsWhatTheyWereBefore(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		address, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.Node().Add(town.Context(), address.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Eventually("alice sees the request", func() bool { return stateOf(alice, bob) == store.Request })
		if err := alice.Node().Block(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Hour)
		if got := stateOf(bob, alice); got != store.Sent {
			t.Errorf("to bob, who is blocked, alice is %v", got)
		}
		if err := alice.Node().Unblock(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		if got := stateOf(alice, bob); got != store.Request {
			t.Errorf("bob, unblocked, is %v", got)
		}
		if err := alice.Node().Accept(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Within(10*time.Minute, "both are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestADeviceThatWasTakenOffTheListIsNotLetInAgain(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, thief := town.Join("alice"), town.Join("bob"), town.Join("thief")
		town.Befriend(alice, bob)
		thief.Sleep()
		raw := thief.Raw()
		stolen := bob.Certificate(thief) // genuine: it had been bob's device
		bob.Sleep()
		older, newer := bob.List(2, stolen), bob.List(3)
		bob.Wake()
		town.Eventually("bob is here", func() bool { return alice.Sees(bob) })
		bob.Sleep()
		alice.Sleep()
		alice.Edit(func(tx *store.Tx) error { // alice never saw the list with the stolen device
			b, err := newer.MarshalBinary()
			if err != nil {
				return err
			}
			return tx.PutList(bob.ID(), b)
		})
		alice.Wake()
		raw.As(stolen)
		ch, err := raw.Live(town.Context(), alice, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := older.MarshalBinary()
		conv := chat.Direct(alice.ID(), bob.ID())
		_ = ch.Send(chat.Hello{Name: "bob", Peer: string(thief.Peer())}.Encode(), chat.DeviceListFrame{List: b}.Encode(),
			chat.FrontierFrame{Frontier: chat.Frontier{Conv: conv}}.Encode())
		if frames, ended := nodetest.Heard(ch); len(frames) > 0 || !ended {
			t.Errorf("the stolen device hears %v, dropped %v", frames, ended)
		}
		if alice.Sees(bob) {
			t.Error("the stolen device passes for bob")
		}
	})
}

// cutOff are alice, bob, and bob's second device after he took it off his list.
func cutOff(town *nodetest.Town) (alice, bob, second *nodetest.Person) {
	alice, bob = town.Join("alice"), town.Join("bob")
	town.Befriend(alice, bob)
	second = bob.Second()
	town.Eventually("all have met", func() bool { return second.Sees(alice) && bob.Sees(alice) })
	bob.Sleep()
	bob.Edit(func(tx *store.Tx) error {
		b, err := bob.List(9).MarshalBinary()
		if err != nil {
			return err
		}
		return tx.PutList(bob.ID(), b)
	})
	bob.Wake()
	town.Eventually("the second device is cut off", func() bool { return bob.Sees(alice) && !second.Sees(alice) })
	return alice, bob, second
}

func TestADeviceIsCutOffWhenItIsTakenOffTheList(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob, second := cutOff(town)
		second.Send(alice, "from a stolen device")
		town.Pass(10 * time.Minute)
		for _, text := range alice.Texts(bob) {
			if text == "from a stolen device" {
				t.Error("alice reads it")
			}
		}
	})
}
