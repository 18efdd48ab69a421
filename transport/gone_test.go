package transport_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestARelayTellsAKilledProgramFromACutCable(t *testing.T) {
	for _, kind := range []simnet.NAT{simnet.Symmetric, simnet.NoUDP} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := simnet.New(t, simnet.Config{Delay: 20 * time.Millisecond, TCP: true})
				relay := onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
				alice := onMachine(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relay.Addrs()})
				m := w.LAN(kind).Host()
				bob := onMachine(t, m, transport.Config{Relays: relay.Addrs()})
				time.Sleep(5 * time.Second)
				circuits := circuitsOf(bob)
				gone := func() bool { return alice.Gone(t.Context(), bob.Peer(), circuits) }
				if gone() {
					t.Error("whoever is there is taken for gone")
				}
				m.Cut()
				for range 5 {
					if gone() {
						t.Error("a cut cable is taken for the end")
					}
				}
				m.Mend()
				time.Sleep(time.Minute)
				if gone() {
					t.Error("whoever is back is taken for gone")
				}
				m.Kill()
				if err := bob.Close(); err != nil {
					t.Log(err)
				}
				time.Sleep(3 * time.Second)
				if !gone() {
					t.Error("a killed program is not found out")
				}
				if alice.Gone(t.Context(), relay.Peer(), nil) {
					t.Error("the relay itself is taken for gone")
				}
			})
		})
	}
}

func TestWhoIsGoneIsAskedByThoseWhoMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nobody := transport.Lend{From: func(transport.Peer) bool { return false }}
		alice, bob, relay := lending(t, nobody)
		circuits := circuitsOf(bob)
		if err := bob.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if alice.Gone(t.Context(), bob.Peer(), circuits) {
			t.Error("a relay tells somebody whom it does not serve")
		}
		for _, junk := range [][]byte{{}, {0}, {4, 1, 2, 3, 4}, {255}, {38, 0}} {
			s, err := alice.Open(t.Context(), relay.Peer(), "/entrenous/gone/1")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = s.Write(junk)
			if n, err := s.Read(make([]byte, 1)); err == nil {
				t.Errorf("%v is answered by %d bytes", junk, n)
			}
			_ = s.Close()
		}
	})
}
