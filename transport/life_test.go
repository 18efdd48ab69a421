package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

func TestCloseWaitsForHandlers(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	began := make(chan struct{})
	var ended atomic.Bool
	b.Handle(echo, func(s *transport.Stream) {
		close(began)
		_, _ = io.Copy(io.Discard, s) // until Close resets it
		runtime.Gosched()
		ended.Store(true)
	})
	connect(t, a, b)
	s, err := a.Open(t.Context(), b.Peer(), echo)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteMessage([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if !ended.Load() {
		t.Error("the handler still runs")
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := b.Dial(t.Context(), a.Peer(), a.Addrs()); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("dial of a closed host: %v", err)
	}
	if err := b.Discover(t.Context(), transport.Beacon{}); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("discover of a closed host: %v", err)
	}
	if _, ok := <-first(b.Watch()); ok {
		t.Error("a closed host has news")
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestABusyPortIsNamed(t *testing.T) {
	for _, kind := range []string{"/ip4/127.0.0.1/udp/%d/quic-v1", "/ip4/127.0.0.1/tcp/%d"} {
		a := listen(t, transport.Config{Listen: []string{fmt.Sprintf(kind, 0)}})
		addr, _, _ := strings.Cut(a.Addrs()[0], "/p2p/")
		_, err := transport.Listen(t.Context(), transport.Config{Key: newKey(t), Listen: []string{addr}})
		if !errors.Is(err, transport.ErrAddrInUse) || !strings.Contains(err.Error(), addr) {
			t.Errorf("listen on %s twice: %v", addr, err)
		}
	}
}

func TestAHostComesBackOnItsPort(t *testing.T) {
	key := newKey(t)
	a, err := transport.Listen(t.Context(), transport.Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	port, addrs := a.Port(), a.Addrs()
	if port == 0 || len(addrs) == 0 {
		t.Fatalf("port %d, addresses %v", port, addrs)
	}
	for _, addr := range addrs {
		if !strings.Contains(addr, fmt.Sprintf("/%d", port)) || !strings.HasSuffix(addr, "/p2p/"+string(a.Peer())) {
			t.Errorf("%s is not on port %d or not named", addr, port)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := transport.Listen(t.Context(), transport.Config{Key: key, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if b.Port() != port || b.Peer() != a.Peer() {
		t.Errorf("back on port %d as %v", b.Port(), b.Peer())
	}
}

func TestNonsenseConfigurationsAreRefused(t *testing.T) {
	for name, cfg := range map[string]transport.Config{
		"no key":                      {},
		"not an address":              {Key: newKey(t), Listen: []string{"everywhere"}},
		"an address that is not ours": {Key: newKey(t), Listen: []string{"/ip4/192.0.2.1/udp/0/quic-v1"}},
	} {
		if h, err := transport.Listen(t.Context(), cfg); err == nil {
			_ = h.Close()
			t.Errorf("%s: listening all the same", name)
		}
	}
}

func TestMessagesHaveLimits(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	serveEcho(b)
	connect(t, a, b)
	open := func() *transport.Stream {
		s, err := a.Open(t.Context(), b.Peer(), echo)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Reset() })
		return s
	}
	s := open()
	for _, n := range []int{0, 1, 65_535, 65_536, 65_537, 1 << 20} {
		msg := bytes.Repeat([]byte{byte(n)}, n)
		go func() { _ = s.WriteMessage(msg) }()
		if got, err := s.ReadMessage(n); err != nil || !bytes.Equal(got, msg) {
			t.Fatalf("message of %d bytes comes back as %d, %v", n, len(got), err)
		}
	}
	if err := s.WriteMessage(make([]byte, transport.MaxMessage+1)); !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("oversize write: %v", err)
	}
	if err := s.WriteMessage([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadMessage(3); !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("message over the limit: %v", err)
	}
	liar := open() // announces 16 MiB, sends 3 bytes
	if _, err := liar.Write([]byte{1, 0, 0, 0, 'l', 'i', 'e'}); err != nil {
		t.Fatal(err)
	}
	_ = liar.CloseWrite()
	if _, err := liar.ReadMessage(transport.MaxMessage); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut message: %v", err)
	}
	quiet := open()
	_ = quiet.CloseWrite()
	if _, err := quiet.ReadMessage(1); !errors.Is(err, io.EOF) {
		t.Errorf("end between messages: %v", err)
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	serveEcho(b)
	connect(t, a, b)
	s, err := a.Open(t.Context(), b.Peer(), echo)
	if err != nil {
		t.Fatal(err)
	}
	if s.Peer() != b.Peer() || s.Protocol() != echo || s.Path().Kind != transport.LAN {
		t.Errorf("stream of %v for %s by %v", s.Peer(), s.Protocol(), s.Path())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer s.Until(ctx)()
	cancel()
	if _, err := s.ReadMessage(1); err == nil {
		t.Error("read after the end")
	}
}

func TestDisconnectIsHeardOnBothSides(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	heardA, stopA := a.Watch()
	heardB, stopB := b.Watch()
	defer stopB()
	connect(t, a, b)
	for h, events := range map[*transport.Host]<-chan transport.Event{a: heardB, b: heardA} {
		if e := <-events; e != (transport.Event{Kind: transport.Connected, Peer: h.Peer()}) {
			t.Errorf("heard %v", e)
		}
	}
	if err := a.Disconnect(b.Peer()); err != nil {
		t.Fatal(err)
	}
	for h, events := range map[*transport.Host]<-chan transport.Event{a: heardB, b: heardA} {
		if e := <-events; e != (transport.Event{Kind: transport.Disconnected, Peer: h.Peer()}) {
			t.Errorf("heard %v", e)
		}
	}
	if p := a.Path(b.Peer()); p != (transport.Path{Kind: transport.None, Loss: -1}) || a.Connected(b.Peer()) {
		t.Errorf("path is %v", p)
	}
	stopA()
	stopA()
	if _, ok := <-heardA; ok {
		t.Error("an ended watch has news")
	}
}

func TestPeerNamesAreStrictAndShortInLogs(t *testing.T) {
	h := listen(t, transport.Config{})
	p := h.Peer()
	if got, err := transport.ParsePeer(string(p)); got != p || err != nil {
		t.Errorf("parsed %v, %v", got, err)
	}
	if got, err := transport.PeerFromBytes(p.Bytes()); got != p || err != nil {
		t.Errorf("from bytes %v, %v", got, err)
	}
	for _, bad := range []string{"", "x", string(p) + "x", strings.Repeat("1", 500)} {
		if got, err := transport.ParsePeer(bad); err == nil {
			t.Errorf("%q parsed as %v", bad, got)
		}
		if b := transport.Peer(bad).Bytes(); b != nil {
			t.Errorf("%q is %x", bad, b)
		}
		if h.Connected(transport.Peer(bad)) || h.Disconnect(transport.Peer(bad)) == nil {
			t.Errorf("%q was taken for somebody", bad)
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "peer", p)
	if strings.Contains(log.String(), string(p)) || !strings.Contains(log.String(), p.Short()) {
		t.Errorf("logged as %s", log.String())
	}
}

func TestAConnectionSurvivesOrHealsWhenTheMachineMoves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		home, cafe := w.LAN(simnet.PortRestricted), w.LAN(simnet.Symmetric)
		m := home.Host()
		a, b := on(t, m, transport.Config{}), on(t, w.LAN(simnet.Public).Host(), transport.Config{})
		serveEcho(b)
		connect(t, a, b)
		events, stop := a.Watch()
		defer stop()
		next(t, events)
		before := a.Addrs()
		m.Move(cafe)
		if e := next(t, events); e.Kind != transport.NetworkChanged {
			t.Fatalf("event is %v", e)
		}
		if got := a.Addrs(); len(got) != 1 || got[0] == before[0] || !strings.Contains(got[0], m.IP().String()) {
			t.Errorf("addresses after the move: %v", got)
		}
		start := time.Now()
		wantEcho(t, a, b, "from the café")
		t.Logf("the connection came along in %v", time.Since(start))
	})
}
