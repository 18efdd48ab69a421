package nodetest_test

import (
	"context"
	"crypto/ed25519"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// spotOf is where of leaves word for a friend, who is asleep.
func spotOf(of, friend *nodetest.Person) (spot transport.Spot) {
	friend.Disk(func(s *store.Store) error {
		c, err := s.Contact(of.ID())
		spot = transport.NewSpot(c.Rendezvous, of.ID(), of.DeviceID())
		return err
	})
	return spot
}

// readAt opens the word that lies at a spot, in a table or on boards, as who knows
// the secret can.
func readAt(t *testing.T, town *nodetest.Town, spot transport.Spot, table *transport.DHT, boards []string) (out []transport.Whereabouts) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := transport.Listen(town.Context(), transport.Config{Key: key, World: town.World().LAN(simnet.Public).Host().World(), DHT: table})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(town.Context())
	var mu sync.Mutex
	var reading sync.WaitGroup
	reading.Go(func() {
		_ = h.Find(ctx, transport.Search{
			Tell: func() []transport.Told { return nil },
			Look: func() []transport.Sought { return []transport.Sought{{Spot: spot, Boards: boards}} },
			Found: func(_ transport.Spot, w transport.Whereabouts) {
				mu.Lock()
				defer mu.Unlock()
				out = append(out, w)
			},
		})
	})
	town.Pass(20 * time.Second)
	stop()
	reading.Wait()
	_ = h.Close()
	return out
}

// readWord lets the spy read what was found at a place.
func (s *spy) readWord(where string, ws ...transport.Whereabouts) {
	for _, w := range ws {
		s.hear(where, []byte(strings.Join(w.Addrs, " ")))
	}
}

// notesOf opens the notes for one spot that a person leaves with a friend, as who
// knows the secret can.
func notesOf(t *testing.T, town *nodetest.Town, of, with *nodetest.Person, spot transport.Spot) (out []transport.Whereabouts) {
	t.Helper()
	ch, err := with.Raw().Live(town.Context(), of, with.Pair(of))
	if err != nil {
		t.Fatal(err)
	}
	_ = ch.Send(chat.Hello{Name: with.Name, Peer: string(with.Peer())}.Encode(), chat.PassOn{On: true}.Encode())
	frames, _ := nodetest.Heard(ch)
	for _, f := range frames {
		if n, ok := f.(chat.NotesFrame); ok {
			for _, b := range n.Notes {
				if w, err := spot.ReadNote("", time.Now(), b); err == nil {
					out = append(out, w)
				}
			}
		}
	}
	return out
}

func TestNoRecordOfWhoIsReachedThroughRelaysOnlyNamesAnAddress(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		table := town.Strangers(6)
		town.OpenRelay(table, transport.Lend{})
		board, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
		alice, bob := town.AtHome("alice", simnet.PortRestricted, board), town.AtHome("bob", simnet.PortRestricted, board)
		carol := town.JoinFar("carol")
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		town.Befriend(alice, carol)
		bob.Sleep()
		carol.Sleep()
		forBob, forCarol := spotOf(alice, bob), spotOf(alice, carol)
		invite, err := alice.Node().Invite(town.Context(), true, 0)
		if err != nil {
			t.Fatal(err)
		}
		forAnybody := transport.NewSpot(invite.Rendezvous, alice.ID(), identity.DeviceID{})
		takePart(t, town, true, alice)
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		alice.Sleep()
		alice.DHT = table
		alice.Wake()
		town.Pass(30 * time.Second)
		s := spyOn(t, alice)
		s.readWord("table", readAt(t, town, forBob, table, nil)...)
		s.readWord("board", readAt(t, town, forBob, nil, board)...)
		s.readWord("note", notesOf(t, town, alice, carol, forBob)...)
		s.readWord("invite", readAt(t, town, forAnybody, nil, board)...)
		s.wants("board", "note", "invite")
		if l := s.leaks(); len(l) > 0 {
			t.Errorf("alice's address is told in %v", l)
		}
		if got := s.told["table"]; len(got) > 0 {
			t.Errorf("strangers keep word for whom alice hides from: %s", got)
		}
		// To carol alice is open: there the spy must hear where she is.
		open := spyOn(t, alice)
		open.readWord("table", readAt(t, town, forCarol, table, nil)...)
		open.readWord("board", readAt(t, town, forCarol, nil, board)...)
		if l := open.leaks(); len(l) != 2 {
			t.Errorf("what alice does not hide is told in %v", l)
		}
	})
}
