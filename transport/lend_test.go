package transport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// lending is an internet with a relay that lends, and two people whose routers
// keep them apart.
func lending(t *testing.T, lend transport.Lend) (alice, bob, relay *transport.Host) {
	t.Helper()
	w := simnet.New(t, simnet.Config{Delay: 20 * time.Millisecond})
	relay = on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &lend})
	alice = on(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relay.Addrs()})
	bob = on(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: relay.Addrs()})
	time.Sleep(5 * time.Second)
	bob.Handle("/sink/1", func(s *transport.Stream) {
		for {
			if _, err := s.ReadMessage(1 << 16); err != nil {
				return
			}
		}
	})
	return alice, bob, relay
}

// push sends messages through the relay until n have gone or it fails.
func push(t *testing.T, alice, bob *transport.Host, n int) error {
	t.Helper()
	if err := alice.Dial(t.Context(), bob.Peer(), circuitsOf(bob)); err != nil {
		return err
	}
	s, err := alice.Open(t.Context(), bob.Peer(), "/sink/1")
	if err != nil {
		return err
	}
	for range n {
		if err := s.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := s.WriteMessage(make([]byte, 1<<14)); err != nil {
			return err
		}
	}
	return s.Close()
}

func TestARelayCountsForWhomItPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &transport.Meter{}
		alice, bob, _ := lending(t, transport.Lend{Meter: m})
		if err := push(t, alice, bob, 32); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		r, each := m.Read(), m.Take()
		if r.Reservations != 2 || r.Opened != 1 || r.Bytes < 1<<19 || r.Bytes > 1<<20 {
			t.Errorf("it reads %+v", r)
		}
		for name, p := range map[string]transport.Peer{"alice": alice.Peer(), "bob": bob.Peer()} {
			if each[p] < 1<<19 || each[p] > 1<<20 {
				t.Errorf("%d bytes for %s", each[p], name)
			}
		}
		if again := m.Take(); again[alice.Peer()] >= 1<<19 {
			t.Errorf("what was taken is there again: %v", again)
		}
	})
}

func TestWhoARelayRefusesIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &transport.Meter{}
		nobody := func(transport.Peer) bool { return false }
		alice, bob, relay := lending(t, transport.Lend{Meter: m, For: nobody, From: nobody})
		var through []string
		for _, a := range relay.Addrs() {
			through = append(through, a+"/p2p-circuit")
		}
		before := m.Read().Refused
		if err := alice.Dial(t.Context(), bob.Peer(), through); err == nil {
			t.Error("a circuit was granted")
		}
		if r := m.Read(); before == 0 || r.Refused == before {
			t.Errorf("%d requests refused before alice dialled, and then %+v", before, r)
		}
		if each := m.Take(); len(each) != 0 {
			t.Errorf("those who were refused are counted: %v", each)
		}
	})
}

func TestALedgerNamesOnlySoMany(t *testing.T) {
	var l transport.Ledger
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	l.Add(now, 1, map[string]int64{"alice": 1})
	for i := range 3000 {
		l.Add(now, 2, map[string]int64{fmt.Sprint("somebody ", i): 2})
	}
	l.Add(now, 1, map[string]int64{"alice": 1})
	sum := int64(0)
	for _, n := range l.Each {
		sum += n
	}
	if len(l.Each) > 1001 || l.Each["alice"] != 2 || l.Each[transport.Others] < 2000 || sum != l.Bytes || sum != 6002 {
		t.Errorf("%d names, %d bytes of alice, %d of others, %d of %d in all", len(l.Each), l.Each["alice"], l.Each[transport.Others], sum, l.Bytes)
	}
}

func TestARelayEndsWhenItsMonthIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &transport.Meter{}
		m.Allow(1 << 18)
		alice, bob, _ := lending(t, transport.Lend{Meter: m})
		if err := push(t, alice, bob, 1000); err == nil {
			t.Error("it passed on 16 MiB of 256 KiB")
		}
		time.Sleep(time.Second)
		if r := m.Read(); r.Bytes > 1<<19 {
			t.Errorf("it passed on %d bytes", r.Bytes)
		}
		if err := push(t, alice, bob, 1); err == nil {
			t.Error("it takes another call")
		}
		m.Allow(-1)
		if err := push(t, alice, bob, 1); err != nil {
			t.Errorf("in the next month: %v", err)
		}
	})
}

func TestARelayIsNoFasterThanItsOwnerLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := lending(t, transport.Lend{Rate: 1 << 16})
		began := time.Now()
		if err := push(t, alice, bob, 64); err != nil { // 1 MiB, of which some waits in windows
			t.Fatal(err)
		}
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("a mebibyte at 64 KiB a second took %v", took)
		}
	})
}

func TestARelayServesWhomItsOwnerNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func(transport.Peer) bool { return false }
		alice, bob, _ := lending(t, transport.Lend{From: none})
		if err := push(t, alice, bob, 1); err == nil {
			t.Error("a stranger calls through it")
		}
		if len(circuitsOf(bob)) == 0 {
			t.Error("who is named is not reachable through it")
		}
		_, carol, _ := lending(t, transport.Lend{For: none})
		if len(circuitsOf(carol)) != 0 {
			t.Error("a stranger is reachable through it")
		}
	})
}

// BenchmarkRelay is what one circuit through a relay on this machine carries.
func BenchmarkRelay(b *testing.B) {
	local := []string{"/ip4/127.0.0.1/tcp/0"}
	relay := listen(b, transport.Config{Listen: local, NoLAN: true, Lend: &transport.Lend{Meter: &transport.Meter{}, Bytes: 1 << 40}})
	at := relay.Addrs()
	alice := listen(b, transport.Config{Listen: local, NoLAN: true})
	bob := listen(b, transport.Config{Listen: local, NoLAN: true, Relays: at})
	done := make(chan int)
	bob.Handle("/sink/1", func(s *transport.Stream) {
		n := 0
		for {
			m, err := s.ReadMessage(1 << 20)
			if err != nil {
				break
			}
			n += len(m)
		}
		done <- n
	})
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	events, stop := bob.Watch()
	defer stop()
	for len(circuitsOf(bob)) == 0 {
		select {
		case <-events:
		case <-ctx.Done():
			b.Fatal("no reservation")
		}
	}
	way := strings.TrimSuffix(at[0], "/") + "/p2p-circuit/p2p/" + string(bob.Peer())
	if err := alice.Dial(ctx, bob.Peer(), []string{way}); err != nil {
		b.Fatal(err)
	}
	s, err := alice.Open(ctx, bob.Peer(), "/sink/1")
	if err != nil {
		b.Fatal(err)
	}
	piece := make([]byte, 1<<18)
	b.SetBytes(int64(len(piece)))
	for b.Loop() {
		if err := s.WriteMessage(piece); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	<-done
}
