package nodetest

import (
	"testing"

	"github.com/entrenous/entrenous/transport/simnet"
)

// RunFar is Run on an internet of the test's choice, where everybody who joins
// with JoinFar lives on a network of their own.
func RunFar(t *testing.T, cfg simnet.Config, story func(*Town)) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		t.Helper()
		w := simnet.New(t, cfg)
		story(&Town{t: t, world: w, lan: w.LAN(simnet.Public)})
	})
}

// World is the internet that the town stands on.
func (tn *Town) World() *simnet.World { return tn.world }

// JoinFar brings a new person into the town who lives far away from everybody.
func (tn *Town) JoinFar(name string) *Person {
	tn.t.Helper()
	return tn.JoinAt(name, tn.world.LAN(simnet.Public))
}

// MoveFar takes a person's machine to another network far away.
func (tn *Town) MoveFar(p *Person) { p.Host.Move(tn.world.LAN(simnet.Public)) }

// Lose makes the internet lose that part of all packets.
func (tn *Town) Lose(part float64) { tn.world.SetLoss(part) }

// Awake says whether the person's node runs.
func (p *Person) Awake() bool { return p.node != nil }
