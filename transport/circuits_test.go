package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
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
	for try := range 4 { // it held three of four before each relay was asked by a client of its own
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

// Who asks for bob is connected to mallory: his name is put in place of bob's in
// whatever goes through the relay.
func TestARelayThatPutsSomebodyElseInAFriendsPlaceIsNotBelieved(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		var bob, mallory *transport.Host
		var swapped atomic.Int32
		world := w.LAN(simnet.Public).Host().World()
		world.Tap = func(_ transport.Peer, b []byte) {
			if at := bytes.Index(b, bob.Peer().Bytes()); at >= 0 {
				swapped.Add(int32(copy(b[at:], mallory.Peer().Bytes())))
			}
		}
		bad := listen(t, transport.Config{World: world, Lend: &transport.Lend{}})
		good := onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		home := func(relays []string) *transport.Host {
			return onMachine(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relays})
		}
		alice := home(nil)
		bob, mallory = home(append(bad.Addrs(), good.Addrs()...)), home(bad.Addrs())
		mallory.Handle(echo, func(*transport.Stream) { t.Error("mallory is spoken to") })
		serveEcho(bob)
		time.Sleep(5 * time.Second)
		through := func(relay *transport.Host) []string {
			return []string{relay.Addrs()[0] + "/p2p-circuit"}
		}
		err := alice.Dial(t.Context(), bob.Peer(), through(bad))
		var why *transport.DialError
		if !errors.As(err, &why) || len(why.Tried) != 1 || why.Tried[0].Why != "someone else answers there" || swapped.Load() == 0 {
			t.Fatalf("through the bad relay: %v, %d bytes changed", err, swapped.Load())
		}
		if alice.Connected(bob.Peer()) || alice.Connected(mallory.Peer()) {
			t.Error("somebody is connected")
		}
		if err := alice.Dial(t.Context(), bob.Peer(), append(through(bad), through(good)...)); err != nil {
			t.Fatal(err)
		}
		if via := alice.Path(bob.Peer()).Via; via != good.Peer() {
			t.Errorf("bob is reached through %v", via)
		}
		wantEcho(t, alice, bob, "is it you?")
	})
}
