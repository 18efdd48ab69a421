package nodetest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// between says by which path theory lets two kinds of network meet: with a
// symmetric NAT only those are punched that let in any port of an address.
func between(a, b simnet.NAT) transport.Kind {
	if a > b {
		a, b = b, a
	}
	switch {
	case b == simnet.NoUDP, (a == simnet.IPv6Only) != (b == simnet.IPv6Only):
		return transport.Relay
	case b == simnet.Symmetric && a > simnet.AddressRestricted:
		return transport.Relay
	}
	return transport.Direct
}

// cell is what became of two people.
type cell struct {
	a, b    simnet.NAT
	path    transport.Kind
	met     time.Duration // from the moment both could
	settled time.Duration // until the path was the best there is
	call    transport.Kind
	sound   time.Duration // from the call, answered at once, until both had heard something
}

func (c cell) String() string {
	return fmt.Sprintf("%-24s %-24s %-8s %8v %8v %-8s %8v", c.a, c.b, c.path, c.met.Round(time.Millisecond), c.settled.Round(time.Millisecond),
		c.call, c.sound.Round(time.Millisecond))
}

func TestPeopleBehindAnyTwoRoutersMeetAndCall(t *testing.T) {
	var table []string
	nodetest.RunFar(t, abroad, func(town *nodetest.Town) {
		relay, _ := town.RelayOn(town.World().LAN(simnet.Dual).Host())
		var people [2]map[simnet.NAT]*nodetest.Person
		for i := range people {
			people[i] = map[simnet.NAT]*nodetest.Person{}
			for _, k := range simnet.Kinds() {
				people[i][k] = town.AtHome(fmt.Sprintf("%v %d", k, i+1), k, relay)
			}
		}
		for _, p := range people[1] {
			p.Sleep()
			p.Phone.Auto = true
			p.Wake()
		}
		town.Pass(5 * time.Second) // to make their reservations
		for _, a := range simnet.Kinds() {
			for _, b := range simnet.Kinds() {
				if a > b {
					continue
				}
				c := meet(town, people[0][a], people[1][b], between(a, b))
				c.a, c.b = a, b
				c.call, c.sound = speak(t, town, people[0][a], people[1][b], between(a, b))
				table = append(table, c.String())
				if want := between(a, b); c.path != want {
					t.Errorf("%v and %v meet by %v, want %v", a, b, c.path, want)
				}
				if want := between(a, b); c.call != want {
					t.Errorf("%v and %v speak by %v, want %v", a, b, c.call, want)
				}
				if c.met > 3*time.Second || c.sound > 3*time.Second {
					t.Errorf("%v and %v met after %v and heard each other after %v", a, b, c.met, c.sound)
				}
			}
		}
	})
	t.Log("\n" + strings.Join(table, "\n"))
}

// meet makes two people friends, and waits for the path that theory allows.
func meet(town *nodetest.Town, a, b *nodetest.Person, want transport.Kind) (c cell) {
	began := time.Now()
	town.Befriend(a, b)
	c.met = time.Since(began)
	for c.path != want && time.Since(began) < 15*time.Second {
		town.Pass(5 * time.Millisecond)
		if k, err := a.Node().Contact(b.ID()); err == nil {
			c.path = k.Path.Kind
		}
	}
	c.settled = time.Since(began)
	return c
}

// speak lets one call the other, who answers at once, and counts what both hear.
func speak(t *testing.T, town *nodetest.Town, a, b *nodetest.Person, want transport.Kind) (path transport.Kind, sound time.Duration) {
	t.Helper()
	began := time.Now()
	id := a.Call(b)
	town.Within(5*time.Second, "both hear each other", func() bool {
		c, err := b.Node().CallInfo(id)
		return err == nil && c.Voice.PacketsReceived > 0 && a.Hears(id) > 0
	})
	sound = time.Since(began)
	town.Within(5*time.Second, "the call takes the path that there is", func() bool {
		return a.WantCall(id, call.Active).Path == want && b.WantCall(id, call.Active).Path == want
	})
	people := []*nodetest.Person{a, b}
	var heard, lost [2]uint64
	for i, p := range people {
		c := p.WantCall(id, call.Active)
		path, heard[i], lost[i] = c.Path, c.Voice.PacketsReceived, uint64(c.Net.PacketsLost)
	}
	if gap := silence(time.Second, a, b, id); gap > 100*time.Millisecond {
		t.Errorf("%s and %s heard nothing for %v", a.Name, b.Name, gap)
	}
	for i, p := range people {
		c := p.WantCall(id, call.Active)
		if got := c.Voice.PacketsReceived - heard[i]; got < 40 || got > 120 || uint64(c.Net.PacketsLost) > lost[i] {
			t.Errorf("%s heard %d packets in a second, and lost %d", p.Name, got, uint64(c.Net.PacketsLost)-lost[i])
		}
	}
	a.HangUp(id)
	b.WantEnded(id, call.Completed)
	return path, sound
}
