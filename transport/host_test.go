package transport_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

const echo = "/entrenous/test/echo/1"

// loopback lists the four ways to listen on this machine alone.
var loopback = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0", "/ip6/::1/udp/0/quic-v1", "/ip6/::1/tcp/0"}

func listen(t testing.TB, cfg transport.Config) *transport.Host {
	t.Helper()
	if cfg.Key == nil {
		cfg.Key = newKey(t)
	}
	if cfg.Listen == nil && cfg.World == nil {
		cfg.Listen = loopback
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h, err := transport.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func connect(t testing.TB, a, b *transport.Host) {
	t.Helper()
	if err := a.Dial(t.Context(), b.Peer(), b.Addrs()); err != nil {
		t.Fatal(err)
	}
}

func serveEcho(h *transport.Host) {
	h.Handle(echo, func(s *transport.Stream) { _, _ = io.Copy(s, s) })
}

func wantEcho(t testing.TB, from, to *transport.Host, text string) {
	t.Helper()
	s, err := from.Open(t.Context(), to.Peer(), echo)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteMessage([]byte(text)); err != nil {
		t.Fatal(err)
	}
	got, err := s.ReadMessage(1 << 20)
	if err != nil || string(got) != text {
		t.Fatalf("echo of %q is %q, %v", text, got, err)
	}
}

func TestTwoHostsTalkOverEachKindOfAddress(t *testing.T) {
	for _, addr := range loopback {
		t.Run(strings.ReplaceAll(strings.Trim(addr, "/"), "/", "-"), func(t *testing.T) {
			a := listen(t, transport.Config{Listen: []string{addr}})
			b := listen(t, transport.Config{Listen: []string{addr}})
			serveEcho(b)
			connect(t, a, b)
			wantEcho(t, a, b, "entre nous")
			if p := a.Path(b.Peer()); p.Kind != transport.LAN || p.Addr == "" {
				t.Errorf("path is %+v, want a lan", p)
			}
		})
	}
}

func TestOpenNeverDials(t *testing.T) {
	a, b := listen(t, transport.Config{}), listen(t, transport.Config{})
	serveEcho(b)
	if _, err := a.Open(t.Context(), b.Peer(), echo); !errors.Is(err, transport.ErrNotConnected) {
		t.Errorf("open without a connection: %v", err)
	}
}

func TestTheWrongPersonAtAnAddressIsRefused(t *testing.T) {
	a, b, c := listen(t, transport.Config{}), listen(t, transport.Config{}), listen(t, transport.Config{})
	for _, addr := range b.Addrs() {
		bare, _, _ := strings.Cut(addr, "/p2p/")
		err := a.Dial(t.Context(), c.Peer(), []string{bare})
		var why *transport.DialError
		if !errors.As(err, &why) || len(why.Tried) != 1 || why.Tried[0].Why != "someone else answers there" {
			t.Errorf("dial of c at b's %s: %v", bare, err)
		}
		if strings.Contains(fmt.Sprint(err), string(c.Peer())) {
			t.Errorf("the error spells out the whole peer id: %v", err)
		}
	}
	if a.Connected(b.Peer()) || a.Connected(c.Peer()) {
		t.Error("connected to somebody all the same")
	}
}

func newNeighbourKey() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(nil)
	return key
}

func portText(h *transport.Host) string { return strconv.Itoa(h.Port()) }
