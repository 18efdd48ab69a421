package node_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/transport/simnet"
)

// changes drains what a viewer was told.
func changes(town *nodetest.Town, w *node.Watcher) (out []node.Change) {
	for {
		ctx, cancel := context.WithTimeout(town.Context(), time.Millisecond)
		c, err := w.Next(ctx)
		cancel()
		if err != nil {
			return out
		}
		out = append(out, c)
	}
}

func textsOf(t *testing.T, p, with, by *nodetest.Person) (out []string) {
	t.Helper()
	err := p.Node().All(with.ID(), func(r store.RowView) error {
		if r.Author == by.ID() {
			out = append(out, r.Text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBothDialAtOnceAndMeetEveryTime(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 40 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 10 {
			alice.Sleep()
			bob.Sleep()
			town.Pass(time.Duration(r.IntN(500)) * time.Millisecond)
			first, second := alice, bob
			if r.IntN(2) == 0 {
				first, second = bob, alice
			}
			first.Wake()
			town.Pass(time.Duration(r.IntN(250)) * time.Millisecond)
			second.Wake()
			town.Within(3*time.Second, fmt.Sprint("they meet, time ", i), func() bool { return alice.Sees(bob) && bob.Sees(alice) })
			text := fmt.Sprint("meeting ", i)
			alice.Send(bob, text)
			town.Within(3*time.Second, "it arrives", func() bool { return slices.Contains(textsOf(t, bob, alice, alice), text) })
		}
	})
}

// misfortunes happen to one of two friends.
func misfortune(town *nodetest.Town, r *rand.Rand, p *nodetest.Person) {
	switch r.IntN(8) {
	case 0, 1:
		if p.Awake() {
			p.Sleep()
		}
	case 2, 3, 4:
		if !p.Awake() {
			p.Wake()
		}
	case 5:
		p.Host.Cut()
	case 6:
		p.Host.Mend()
	case 7:
		if p.Awake() {
			p.Vanish()
		}
	}
	if r.IntN(4) == 0 {
		town.Pass(time.Duration(r.IntN(15_000)) * time.Millisecond)
		return
	}
	town.Pass(time.Duration(r.IntN(200)) * time.Millisecond)
}

func TestAfterAnySequenceOfMisfortunesEveryMessageIsThereOnceAndInOrder(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
				alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
				town.Befriend(alice, bob)
				r := rand.New(rand.NewPCG(seed, 7))
				sent := map[*nodetest.Person][]string{}
				for i := range 200 {
					p, o := alice, bob
					if r.IntN(2) == 0 {
						p, o = bob, alice
					}
					if p.Awake() && r.IntN(2) == 0 {
						text := fmt.Sprintf("%s %d", p.Name, i)
						p.Send(o, text)
						sent[p] = append(sent[p], text)
						continue
					}
					misfortune(town, r, p)
				}
				for _, p := range []*nodetest.Person{alice, bob} {
					p.Host.Mend()
					if !p.Awake() {
						p.Wake()
					}
				}
				town.Within(6*time.Minute, "they meet", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
				for _, p := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
					var got []string
					town.Within(time.Minute, "all that "+p[0].Name+" wrote is with "+p[1].Name, func() bool {
						got = textsOf(t, p[1], p[0], p[0])
						return len(got) >= len(sent[p[0]])
					})
					if !slices.Equal(got, sent[p[0]]) {
						t.Errorf("%s reads %q,\nwant %q", p[1].Name, got, sent[p[0]])
					}
				}
			})
		})
	}
}

func TestKeysAreRenewedWithoutAFlickerOrALoss(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		before := secretOf(t, town, alice, bob)
		wa, wb := alice.Node().Watch(), bob.Node().Watch()
		defer wa.Close()
		defer wb.Close()
		changes(town, wa)
		changes(town, wb)
		var want []string
		for i := range 65 {
			town.Pass(time.Minute)
			text := fmt.Sprint("minute ", i)
			want = append(want, text)
			alice.Send(bob, text)
		}
		for range 100 { // while it happens
			town.Pass(100 * time.Millisecond)
			want = append(want, "one more")
			alice.Send(bob, "one more")
		}
		town.Pass(time.Second)
		if got := textsOf(t, bob, alice, alice); !slices.Equal(got, want) {
			t.Errorf("%d of %d messages arrived", len(got), len(want))
		}
		for _, c := range append(changes(town, wa), changes(town, wb)...) {
			if c.Topic == node.TopicPresence {
				t.Errorf("presence flickered: %v", c.State)
			}
		}
		if after := secretOf(t, town, alice, bob); after == before {
			t.Error("the keys are the same after an hour")
		}
	})
}

// secretOf is the newest pair secret, read while the person naps.
func secretOf(t *testing.T, town *nodetest.Town, p, with *nodetest.Person) [32]byte {
	t.Helper()
	p.Sleep()
	pair := p.Pair(with)
	p.Wake()
	town.Eventually("both are back", func() bool { return p.Sees(with) && with.Sees(p) })
	if pair == nil {
		t.Fatal("no pair secret")
	}
	return pair.Secret
}

func TestACutThatIsMendedAndANewAddressCostSecondsOnly(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 20 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		town.Pass(time.Minute)
		bob.Host.Cut()
		town.Within(10*time.Second, "bob is away", func() bool { return !alice.Sees(bob) })
		id := alice.Send(bob, "while the cable was out")
		bob.Host.Mend()
		town.Within(20*time.Second, "bob is back", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		bob.WantRow(alice, "while the cable was out")
		alice.WantState(id, chat.Delivered)
		town.MoveFar(bob)
		bob.Send(alice, "from elsewhere")
		town.Within(15*time.Second, "bob's message arrives", func() bool {
			return slices.Contains(textsOf(t, alice, bob, bob), "from elsewhere")
		})
		bob.Sleep()
		town.Pass(time.Minute)
		alice.Sleep()
		bob.Wake()
		town.Pass(time.Minute)
		alice.Wake()
		town.Within(2*time.Second, "alice, who was told the new address, finds bob", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
	})
}

func TestMessagesArriveOverALossyNetworkOnceAndInOrder(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Delay: 30 * time.Millisecond}, func(town *nodetest.Town) {
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		town.Lose(0.15)
		var want []string
		for i := range 50 {
			want = append(want, fmt.Sprint("number ", i))
			alice.Send(bob, want[i])
			town.Pass(50 * time.Millisecond)
		}
		town.Eventually("all of them are there", func() bool { return slices.Equal(textsOf(t, bob, alice, alice), want) })
	})
}
