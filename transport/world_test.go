package transport_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func onto(m *simnet.Host) *transport.World {
	return m.World()
}

// inWorld runs f in a bubble of virtual time with an internet of 20 ms.
func inWorld(t *testing.T, f func(*testing.T, *simnet.World)) {
	t.Helper()
	inWorldOf(t, simnet.Config{Delay: 20 * time.Millisecond}, f)
}

func inWorldOf(t *testing.T, cfg simnet.Config, f func(*testing.T, *simnet.World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, simnet.New(t, cfg)) })
}

func on(t *testing.T, m *simnet.Host, cfg transport.Config) *transport.Host {
	t.Helper()
	cfg.World = onto(m)
	return listen(t, cfg)
}

// next returns the next event, or fails after a virtual minute and a half.
func next(t *testing.T, events <-chan transport.Event) transport.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	select {
	case e := <-events:
		return e
	case <-ctx.Done():
		t.Fatal("nothing happens")
	}
	return transport.Event{}
}

func TestAHostBehindANATReachesAPublicOne(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		home := on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{})
		public := on(t, w.LAN(simnet.Public).Host(), transport.Config{})
		serveEcho(home)
		serveEcho(public)
		connect(t, home, public)
		wantEcho(t, home, public, "out")
		wantEcho(t, public, home, "and back")
		p := home.Path(public.Peer())
		if p.Kind != transport.Direct || p.RTT < 40*time.Millisecond || p.RTT > 80*time.Millisecond {
			t.Errorf("path is %+v, want direct with a round trip of 40 ms", p)
		}
	})
}

func TestACutCableIsNoticed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		a, b := on(t, lan.Host(), transport.Config{}), on(t, w.LAN(simnet.Public).Host(), transport.Config{})
		connect(t, a, b)
		events, stop := a.Watch()
		defer stop()
		if e := next(t, events); e.Kind != transport.Connected || e.Peer != b.Peer() {
			t.Fatalf("first event is %v", e)
		}
		a.Protect(b.Peer(), true)
		b.Protect(a.Peer(), true)
		lan.Cut()
		if e := next(t, events); e.Kind != transport.Disconnected || e.Peer != b.Peer() {
			t.Fatalf("event is %v", e)
		}
		lan.Mend()
		connect(t, a, b)
		if e := next(t, events); e.Kind != transport.Connected {
			t.Fatalf("event is %v", e)
		}
	})
}
