package nodetest_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"

	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

func takePart(t *testing.T, town *nodetest.Town, on bool, people ...*nodetest.Person) {
	t.Helper()
	for _, p := range people {
		s := p.Node().Settings()
		s.PassOn = on
		if err := p.Node().PutSettings(town.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// threeFriends are ana and bo, who both are friends of cy's and of each other's.
func threeFriends(town *nodetest.Town) (ana, bo, cy *nodetest.Person) {
	ana, bo, cy = town.JoinFar("ana"), town.JoinFar("bo"), town.JoinFar("cy")
	town.Befriend(ana, bo)
	town.Befriend(ana, cy)
	town.Befriend(bo, cy)
	return ana, bo, cy
}

func TestTwoWhoBothMovedMeetAgainThroughAFriendInCommon(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		ana, bo, cy := threeFriends(town)
		takePart(t, town, true, ana, bo, cy)
		town.Elsewhere(ana, simnet.Public)
		town.Elsewhere(bo, simnet.PortRestricted)
		town.Pass(time.Hour)
		ana.Wake()
		town.Within(5*time.Second, "ana is back with cy", func() bool { return ana.Sees(cy) })
		town.Pass(3 * time.Hour)
		bo.Wake()
		woke := time.Now()
		town.Within(3*time.Second, "ana and bo see each other", func() bool { return ana.Sees(bo) && bo.Sees(ana) })
		t.Logf("they met after %v", time.Since(woke))
	})
}

func TestTwoWhoMovedAtTheSameMomentMeetAgainThroughAFriendInCommon(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		ana, bo, cy := threeFriends(town)
		takePart(t, town, true, ana, bo, cy)
		town.Pass(time.Minute)
		town.MoveFar(ana)
		town.MoveFar(bo)
		moved := time.Now()
		id := ana.Send(bo, "still there?")
		ana.WantState(id, chat.Delivered)
		t.Logf("delivered after %v", time.Since(moved))
	})
}

func TestWithoutTheConsentOfAllThreeNothingIsPassedOn(t *testing.T) {
	for _, out := range []int{0, 1, 2} {
		nodetest.RunFar(t, far(), func(town *nodetest.Town) {
			ana, bo, cy := threeFriends(town)
			people := []*nodetest.Person{ana, bo, cy}
			takePart(t, town, true, people...)
			town.Pass(time.Minute)
			takePart(t, town, false, people[out])
			town.Elsewhere(ana, simnet.Public)
			town.Elsewhere(bo, simnet.Public)
			ana.Wake()
			bo.Wake()
			town.Pass(20 * time.Minute)
			if ana.Sees(bo) || bo.Sees(ana) || !ana.Sees(cy) || !bo.Sees(cy) {
				t.Errorf("without %s's consent: ana sees bo: %v", people[out].Name, ana.Sees(bo))
			}
		})
	}
}

// A friend who passes on is a stranger to what the notes say; and who takes part
// hears nothing of friendships that are others'.
func TestWhoPassesOnLearnsNothingFromTheNotes(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		ana, bo, cy := threeFriends(town)
		dan := town.JoinFar("dan")
		town.Befriend(dan, cy)
		takePart(t, town, true, ana, bo, cy, dan)
		bo.Sleep()
		cy.Sleep()
		dan.Sleep()
		raw := cy.Raw()
		pair := cy.Pair(ana)
		ch, err := raw.Live(town.Context(), ana, pair)
		if err != nil {
			t.Fatal(err)
		}
		_ = ch.Send(chat.Hello{Name: "cy", Peer: string(cy.Peer())}.Encode(), chat.PassOn{On: true}.Encode())
		frames, _ := nodetest.Heard(ch)
		notes := 0
		for _, f := range frames {
			n, ok := f.(chat.NotesFrame)
			if !ok {
				continue
			}
			for _, b := range n.Notes {
				notes++
				for what, secret := range secretsOf(ana, bo) {
					if bytes.Contains(b, secret) {
						t.Errorf("a note shows %s", what)
					}
				}
			}
		}
		if notes == 0 {
			t.Error("ana left nothing")
		}
	})
}

// secretsOf is what must not stand in clear in what people leave for each other.
func secretsOf(people ...*nodetest.Person) map[string][]byte {
	out := map[string][]byte{}
	for _, p := range people {
		id, dev := p.ID(), p.DeviceID()
		out[p.Name+"'s id"], out[p.Name+"'s device"] = id[:], dev[:]
		out[p.Name+"'s peer id"], out[p.Name+"'s peer id in text"] = p.Peer().Bytes(), []byte(p.Peer())
		if p.Node() != nil {
			for _, a := range p.Node().Addrs() {
				out["address "+a] = []byte(strings.Split(a, "/p2p/")[0])
			}
		}
	}
	return out
}
