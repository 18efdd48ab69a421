package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
}

func (c cell) String() string {
	return fmt.Sprintf("%-24s %-24s %-8s %8v %8v", c.a, c.b, c.path, c.met.Round(time.Millisecond), c.settled.Round(time.Millisecond))
}

func TestPeopleBehindAnyTwoRoutersMeet(t *testing.T) {
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
		town.Pass(5 * time.Second) // to make their reservations
		for _, a := range simnet.Kinds() {
			for _, b := range simnet.Kinds() {
				if a > b {
					continue
				}
				c := meet(town, people[0][a], people[1][b], between(a, b))
				c.a, c.b = a, b
				table = append(table, c.String())
				if want := between(a, b); c.path != want {
					t.Errorf("%v and %v meet by %v, want %v", a, b, c.path, want)
				}
				if c.met > 3*time.Second {
					t.Errorf("%v and %v met after %v", a, b, c.met)
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
