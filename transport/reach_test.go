package transport_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func onMachine(t *testing.T, m *simnet.Host, cfg transport.Config) *transport.Host {
	t.Helper()
	cfg.Key = newKey(t)
	cfg.World = m.World()
	h, err := transport.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func circuitsOf(h *transport.Host) (out []string) {
	for _, a := range h.Addrs() {
		if strings.Contains(a, "/p2p-circuit") {
			out = append(out, a)
		}
	}
	return out
}

// two homes behind routers of a kind each, and a relay that both name.
func atHome(t *testing.T, a, b simnet.NAT) (alice, bob, relay *transport.Host) {
	t.Helper()
	w := simnet.New(t, simnet.Config{Delay: 20 * time.Millisecond})
	relay = onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
	alice = onMachine(t, w.LAN(a).Host(), transport.Config{Relays: relay.Addrs()})
	bob = onMachine(t, w.LAN(b).Host(), transport.Config{Relays: relay.Addrs()})
	time.Sleep(5 * time.Second)
	if len(circuitsOf(bob)) == 0 {
		t.Fatal("bob has no address through the relay")
	}
	return alice, bob, relay
}

func talk(t *testing.T, from, to *transport.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := from.Open(ctx, to.Peer(), "/echo/1")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.WriteMessage([]byte("are you there?")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.ReadMessage(64); err != nil || string(got) != "are you there?" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestTwoRoutersAreReachedThroughARelayAndThenDirectly(t *testing.T) {
	for name, kinds := range map[string]struct {
		a, b   simnet.NAT
		direct bool
	}{
		"port-restricted both":     {simnet.PortRestricted, simnet.PortRestricted, true},
		"full cone and restricted": {simnet.FullCone, simnet.PortRestricted, true},
		"symmetric and restricted": {simnet.Symmetric, simnet.PortRestricted, false},
		"symmetric both":           {simnet.Symmetric, simnet.Symmetric, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alice, bob, _ := atHome(t, kinds.a, kinds.b)
				bob.Handle("/echo/1", func(s *transport.Stream) {
					if b, err := s.ReadMessage(64); err == nil {
						_ = s.WriteMessage(b)
					}
				})
				began := time.Now()
				if err := alice.Dial(t.Context(), bob.Peer(), circuitsOf(bob)); err != nil {
					t.Fatal(err)
				}
				took := time.Since(began)
				talk(t, alice, bob)
				if took > 3*time.Second {
					t.Errorf("connected after %v", took)
				}
				time.Sleep(20 * time.Second)
				want := transport.Relay
				if kinds.direct {
					want = transport.Direct
				}
				if got := alice.Path(bob.Peer()).Kind; got != want {
					t.Errorf("the path is %v, want %v", got, want)
				}
				talk(t, alice, bob)
			})
		})
	}
}

func TestWhoComesThroughARelayIsNotCalledBackByWhoHides(t *testing.T) {
	for name, hides := range map[string]bool{"who hides": true, "who does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := simnet.New(t, simnet.Config{Delay: 20 * time.Millisecond})
				relay := onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
				alice := onMachine(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{
					Relays: relay.Addrs(), Punch: func(transport.Peer) bool { return !hides },
				})
				// It tells everybody where it is, as nodes of the table do.
				mallory := onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{DHT: &transport.DHT{Serve: true}})
				time.Sleep(5 * time.Second)
				if err := mallory.Dial(t.Context(), alice.Peer(), circuitsOf(alice)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Second)
				if got := mallory.Path(alice.Peer()).Kind; (got == transport.Direct) == hides {
					t.Errorf("the path is %v", got)
				}
			})
		})
	}
}
