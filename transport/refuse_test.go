package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// why returns what a failed dial says about its first address.
func why(t *testing.T, err error) string {
	t.Helper()
	var e *transport.DialError
	if !errors.As(err, &e) {
		t.Fatalf("not a dial error: %v", err)
	}
	if len(e.Tried) == 0 {
		return ""
	}
	return e.Tried[0].Why
}

func TestADialSaysWhyInWords(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	for addr, want := range map[string]string{
		"/ip4/127.0.0.1/tcp/1":                         "nothing listens there",
		"/ip4/127.0.0.1/udp/1/quic-v1/webtransport":    "a kind of address this version does not speak",
		"/ip4/127.0.0.1/udp/1/quic-v1/p2p-circuit":     "it names no relay",
		"/ip4/127.0.0.1/tcp/1/p2p/" + string(a.Peer()): "it is someone else's address",
		"hello":                    "not an address",
		"/p2p/" + string(b.Peer()): "not an address",
		"/ip4/127.0.0.1/tcp/1" + strings.Repeat("/x", 999): "too long for an address",
	} {
		if got := why(t, a.Dial(t.Context(), b.Peer(), []string{addr})); got != want {
			t.Errorf("dial %s: %q, want %q", addr, got, want)
		}
	}
	if err := a.Dial(t.Context(), b.Peer(), nil); err == nil || !strings.HasSuffix(err.Error(), "no addresses known") {
		t.Errorf("dial of nowhere: %v", err)
	}
	if err := a.Dial(t.Context(), "nobody", b.Addrs()); err == nil {
		t.Error("a nonsense peer id was dialled")
	}
}

func TestASilentAddressIsGivenUpWithItsReason(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		public := w.LAN(simnet.Public)
		a, b := on(t, public.Host(), transport.Config{}), on(t, public.Host(), transport.Config{})
		nowhere := []string{"/ip4/8.8.4.4/udp/4001/quic-v1"}
		if got := why(t, a.Dial(t.Context(), b.Peer(), nowhere)); got != "no answer" {
			t.Errorf("after libp2p's patience: %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Dial(ctx, b.Peer(), nowhere); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after ours: %v", err)
		}
		connect(t, a, b) // a failed address does not hinder a good one
	})
}

func TestAllowIsAskedBothWays(t *testing.T) {
	var blocked atomic.Value
	blocked.Store(transport.Peer(""))
	not := func(p transport.Peer) bool { return p != blocked.Load() }
	a, b := listen(t, transport.Config{Allow: not}), listen(t, transport.Config{})
	serveEcho(a)
	blocked.Store(b.Peer())
	if err := a.Dial(t.Context(), b.Peer(), b.Addrs()); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("dialled a blocked peer: %v", err)
	}
	for _, addr := range a.Addrs() {
		// With TLS 1.3 the caller is through before the other side has seen who it is.
		_ = b.Dial(t.Context(), a.Peer(), []string{addr})
		if s, err := b.Open(t.Context(), a.Peer(), echo); err == nil {
			if err = s.WriteMessage(nil); err == nil {
				_, err = s.ReadMessage(1)
			}
			if err == nil {
				t.Errorf("a blocked peer came in by %s", addr)
			}
		}
		if a.Connected(b.Peer()) {
			t.Errorf("connected to a blocked peer by %s", addr)
		}
		_ = b.Disconnect(a.Peer())
	}
	blocked.Store(transport.Peer(""))
	connect(t, b, a)
	wantEcho(t, b, a, "forgiven")
}

func TestLANOnlyRefusesTheInternetBeforeDialling(t *testing.T) {
	a, b := listen(t, transport.Config{LANOnly: true}), listen(t, transport.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a dial would say so
	for addr, far := range map[string]bool{
		"/ip4/8.8.8.8/udp/4001/quic-v1": true, "/ip4/8.8.8.8/tcp/4001": true, "/ip6/2001:4860::1/tcp/4001": true,
		"/dns4/example.org/tcp/4001": true, "/ip4/100.64.0.1/tcp/4001": true, "/ip6/::ffff:8.8.8.8/tcp/1": true,
		"/ip4/10.1.2.3/tcp/4001": false, "/ip4/172.16.0.1/tcp/4001": false, "/ip4/192.168.1.2/udp/4001/quic-v1": false,
		"/ip4/169.254.3.4/tcp/4001": false, "/ip6/fd00::1/tcp/4001": false, "/ip4/127.0.0.1/tcp/4001": false,
	} {
		err := a.Dial(ctx, b.Peer(), []string{addr})
		if refused := why(t, err) == "outside the local network"; refused != far {
			t.Errorf("%s: %v", addr, err)
		}
	}
	connect(t, a, b)
}

// countingWorld counts the packets that leave a machine.
func countingWorld(m *simnet.Host, sent *atomic.Int64) *transport.World {
	w := onto(m)
	w.ListenUDP = func(nw string, a *net.UDPAddr) (net.PacketConn, error) {
		c, err := m.ListenUDP(nw, a)
		return counted{c, sent}, err
	}
	return w
}

type counted struct {
	net.PacketConn
	sent *atomic.Int64
}

func (c counted) WriteTo(b []byte, to net.Addr) (int, error) {
	c.sent.Add(1)
	return c.PacketConn.WriteTo(b, to)
}

func TestLANOnlyDoesNotEvenAnswerTheInternet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		public := w.LAN(simnet.Public)
		var sent atomic.Int64
		m := public.Host()
		shy := listen(t, transport.Config{World: countingWorld(m, &sent), LANOnly: true})
		caller := on(t, public.Host(), transport.Config{})
		addr := "/ip4/" + m.IP().String() + "/udp/" + portText(shy) + "/quic-v1"
		if got := why(t, caller.Dial(t.Context(), shy.Peer(), []string{addr})); got != "no answer" {
			t.Errorf("the caller hears %q", got)
		}
		if sent.Load() != 0 {
			t.Errorf("%d packets left the site", sent.Load())
		}
		if len(shy.Addrs()) != 0 {
			t.Errorf("a LAN-only host tells %v", shy.Addrs())
		}
	})
}

func TestAnIdleHostSendsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		var sent atomic.Int64
		h := listen(t, transport.Config{World: countingWorld(w.LAN(simnet.PortRestricted).Host(), &sent)})
		h.Handle(echo, func(*transport.Stream) {})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if sent.Load() != 0 {
			t.Errorf("%d packets in two hours", sent.Load())
		}
	})
}

func TestAnIdleStrangerIsShownOutAndAFriendIsNot(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		host := on(t, lan.Host(), transport.Config{})
		idle, busy, friend := on(t, lan.Host(), transport.Config{}), on(t, lan.Host(), transport.Config{}), on(t, lan.Host(), transport.Config{})
		host.Handle(echo, func(s *transport.Stream) { _, _ = io.Copy(s, s) })
		for _, h := range []*transport.Host{idle, busy, friend} {
			connect(t, h, host)
		}
		host.Protect(friend.Peer(), true)
		friend.Protect(host.Peer(), true) // or it would be the one to hang up
		s, err := busy.Open(t.Context(), host.Peer(), echo)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WriteMessage([]byte("still here")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		if host.Connected(idle.Peer()) || !host.Connected(busy.Peer()) || !host.Connected(friend.Peer()) {
			t.Errorf("connected: idle %v, busy %v, friend %v",
				host.Connected(idle.Peer()), host.Connected(busy.Peer()), host.Connected(friend.Peer()))
		}
		_ = s.Close()
		host.Protect(friend.Peer(), false)
		time.Sleep(3 * time.Minute)
		if host.Connected(busy.Peer()) || host.Connected(friend.Peer()) {
			t.Error("idle strangers stay")
		}
	})
}

func TestAStrangersFloodIsBounded(t *testing.T) {
	host := listen(t, transport.Config{})
	hold := make(chan struct{})
	var open, most atomic.Int64
	host.Handle(echo, func(s *transport.Stream) {
		most.Store(max(most.Load(), open.Add(1)))
		defer open.Add(-1)
		<-hold
	})
	defer close(hold)
	stranger := listen(t, transport.Config{})
	connect(t, stranger, host)
	for range 1000 {
		s, err := stranger.Open(t.Context(), host.Peer(), echo)
		if err != nil {
			break
		}
		if err := s.WriteMessage(nil); err != nil {
			break
		}
	}
	if n := most.Load(); n > 256 {
		t.Errorf("one stranger holds %d streams", n)
	}
	friend := listen(t, transport.Config{})
	connect(t, friend, host)
	if _, err := friend.Open(t.Context(), host.Peer(), echo); err != nil {
		t.Errorf("and nobody else comes in: %v", err)
	}
}

func TestAFloodOfConnectionsFromOneAddressIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		host := on(t, w.LAN(simnet.Public).Host(), transport.Config{})
		crowd := w.LAN(simnet.FullCone) // one address for all of them
		in := 0
		for range 40 {
			if on(t, crowd.Host(), transport.Config{}).Dial(t.Context(), host.Peer(), host.Addrs()) == nil {
				in++
			}
		}
		if in != 32 {
			t.Errorf("%d of 40 connections from one address came in", in)
		}
	})
}
