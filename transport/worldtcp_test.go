package transport_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestARelayIsReachedByTCPWhereUDPIsBlocked(t *testing.T) {
	inWorldOf(t, simnet.Config{Delay: 20 * time.Millisecond, TCP: true}, func(t *testing.T, w *simnet.World) {
		relay := onMachine(t, w.LAN(simnet.Dual).Host(), transport.Config{Lend: &transport.Lend{}})
		home := onMachine(t, w.LAN(simnet.NoUDP).Host(), transport.Config{})
		serveEcho(relay)
		began := time.Now()
		connect(t, home, relay)
		if took := time.Since(began); took > time.Second {
			t.Errorf("connected after %v", took)
		}
		wantEcho(t, home, relay, "by TCP")
	})
}

func TestACaptivePortalIsNotTakenForARelay(t *testing.T) {
	inWorldOf(t, simnet.Config{Delay: 20 * time.Millisecond, TCP: true}, func(t *testing.T, w *simnet.World) {
		relay := onMachine(t, w.LAN(simnet.Dual).Host(), transport.Config{Lend: &transport.Lend{}})
		cafe := w.LAN(simnet.Captive)
		m := cafe.Host()
		guest := onMachine(t, m, transport.Config{Relays: relay.Addrs()})
		time.Sleep(time.Minute)
		if got := circuitsOf(guest); len(got) != 0 || guest.Connected(relay.Peer()) {
			t.Fatalf("reachable through %v before logging in", got)
		}
		m.Move(w.LAN(simnet.PortRestricted))
		time.Sleep(3 * time.Second)
		if len(circuitsOf(guest)) == 0 {
			t.Error("not reachable 3 s after another network was there")
		}
	})
}

func TestARelayKeepsThoseWhoReserved(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		relay := onMachine(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		home := onMachine(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{Relays: relay.Addrs()})
		time.Sleep(5 * time.Second)
		events, stop := home.Watch()
		defer stop()
		time.Sleep(30 * time.Minute)
		if e := next(t, events); e.Kind != transport.Connected || e.Peer != relay.Peer() {
			t.Fatalf("the first event is %v", e)
		}
		select {
		case e := <-events:
			t.Errorf("later comes %v", e)
		default:
		}
	})
}

func TestAMachineHasTheAddressesOfItsNetwork(t *testing.T) {
	inWorldOf(t, simnet.Config{TCP: true}, func(t *testing.T, w *simnet.World) {
		h := onMachine(t, w.LAN(simnet.IPv6Only).Host(), transport.Config{})
		if got := h.Addrs(); len(got) != 2 || got[0][:5] != "/ip6/" || got[1][:5] != "/ip6/" {
			t.Errorf("only IPv6: %v", got)
		}
		m := w.LAN(simnet.Dual).Host()
		h = onMachine(t, m, transport.Config{})
		if got := h.Addrs(); len(got) != 4 {
			t.Errorf("both: %v", got)
		}
		m.Move(w.LAN(simnet.PortRestricted))
		if got := h.Addrs(); len(got) != 2 || slices.ContainsFunc(got, func(a string) bool { return a[:5] != "/ip4/" }) {
			t.Errorf("moved to IPv4 only: %v", got)
		}
	})
}
