package nodetest

import (
	"crypto/ed25519"
	"slices"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// Relay starts a relay that everybody can reach, and gives its addresses.
func (tn *Town) Relay() (addrs []string, stop func()) {
	tn.t.Helper()
	return tn.RelayOn(tn.lan.Host())
}

// RelayOn is Relay on a machine of the test's choice.
func (tn *Town) RelayOn(m *simnet.Host) (addrs []string, stop func()) {
	tn.t.Helper()
	return tn.lend(m.World())
}

// Evil is what a relay does to what it passes on.
type Evil int32

// The ways of bad relays.
const (
	Honest Evil = iota
	Drops       // passes nothing on any more
	Delays      // a second late
	Swaps       // the halves of every tenth piece
)

// BadRelayOn is RelayOn whose relay may turn bad; until told it is honest.
func (tn *Town) BadRelayOn(m *simnet.Host) (addrs []string, turn func(Evil)) {
	tn.t.Helper()
	var now, count atomic.Int32
	over := make(chan struct{})
	w := m.World()
	w.Tap = func(_ transport.Peer, b []byte) {
		switch Evil(now.Load()) {
		case Honest:
		case Drops:
			<-over
		case Delays:
			select {
			case <-over:
			case <-time.After(time.Second):
			}
		case Swaps:
			if half := len(b) / 2; half > 0 && count.Add(1)%10 == 0 {
				copy(b, slices.Concat(b[half:2*half], b[:half]))
			}
		}
	}
	addrs, stop := tn.lend(w)
	tn.t.Cleanup(func() {
		close(over)
		stop()
	})
	return addrs, func(e Evil) { now.Store(int32(e)) }
}

func (tn *Town) lend(w *transport.World) (addrs []string, stop func()) {
	tn.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tn.t.Fatal(err)
	}
	h, err := transport.Listen(tn.t.Context(), transport.Config{
		Key: key, Lend: &transport.Lend{}, World: w,
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	tn.t.Cleanup(func() { _ = h.Close() })
	return h.Addrs(), func() { _ = h.Close() }
}

// AtHome brings a person into the town behind a router of their own, reachable
// through relays.
func (tn *Town) AtHome(name string, router simnet.NAT, relays []string) *Person {
	tn.t.Helper()
	lan := tn.world.LAN(router)
	p := tn.JoinAt(name, lan, relays...)
	p.Home = lan
	return p
}
