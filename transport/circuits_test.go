package transport_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// swallowing is a relay that takes whoever wants to be reached through it, and
// never answers who wants to reach them.
func swallowing(t *testing.T, m *simnet.Host) *transport.Host {
	t.Helper()
	over := make(chan struct{})
	h := onMachine(t, m, transport.Config{Lend: &transport.Lend{From: func(transport.Peer) bool {
		<-over
		return false
	}}})
	t.Cleanup(func() { close(over) })
	return h
}

// Which relay libp2p tries first depends on chance, hence the many tries.
func TestARelayThatSwallowsRequestsHoldsNobodyWhereAnotherWorks(t *testing.T) {
	for try := range 12 {
		t.Run(fmt.Sprint(try), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *simnet.World) {
				bad, good := swallowing(t, w.LAN(simnet.Public).Host()), onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
				relays := append(bad.Addrs(), good.Addrs()...)
				alice := onMachine(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relays})
				bob := onMachine(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relays})
				serveEcho(bob)
				time.Sleep(5 * time.Second)
				if n := len(circuitsOf(bob)); n < 2 {
					t.Fatalf("bob is reachable through %d addresses", n)
				}
				for range 2 { // whoever was held once is held again
					began := time.Now()
					if err := alice.Dial(t.Context(), bob.Peer(), circuitsOf(bob)); err != nil {
						t.Fatal(err)
					}
					took := time.Since(began)
					if took > time.Second || alice.Path(bob.Peer()).Via != good.Peer() {
						t.Errorf("connected after %v by %+v", took, alice.Path(bob.Peer()))
					}
					wantEcho(t, alice, bob, "are you there?")
					if err := alice.Disconnect(bob.Peer()); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
