package transport_test

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

func TestWhatIsTakenAheadGoesNowhereElseAndTheRestGoesOn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("packets are shown ahead on Linux only")
	}
	h := listen(t, transport.Config{Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}})
	conns, err := h.SharedConns()
	if err != nil || len(conns) != 1 {
		t.Fatalf("%d sockets, %v", len(conns), err)
	}
	t.Cleanup(func() { _ = conns[0].Close() })
	shows, ok := conns[0].(interface {
		Ahead(take func(packet []byte) bool)
	})
	if !ok {
		t.Fatal("the socket does not show what arrives")
	}
	taken := make(chan []byte, 16)
	shows.Ahead(func(b []byte) bool {
		if len(b) == 0 || b[0] != 8 {
			return false
		}
		taken <- bytes.Clone(b)
		return true
	})
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(h.SharedAddrs()[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	say := func(s string) {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	arrives := func(want string) {
		t.Helper()
		b := make([]byte, 100)
		if err := conns[0].SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := conns[0].ReadFrom(b); err != nil || string(b[:n]) != want {
			t.Fatalf("%q arrives instead of %q, %v", b[:n], want, err)
		}
	}
	if err := conns[0].SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conns[0].ReadFrom(make([]byte, 1)); err == nil { // from now on what is not QUIC is kept
		t.Fatal("something has arrived")
	}
	say("\x01first") // after which all is shown
	arrives("\x01first")
	for _, s := range []string{"\x08one", "\x01two", "\x08three", "\x08four", "\x01five"} {
		say(s)
	}
	arrives("\x01two")
	arrives("\x01five")
	for _, want := range []string{"\x08one", "\x08three", "\x08four"} {
		if got := <-taken; string(got) != want {
			t.Errorf("%q is taken instead of %q", got, want)
		}
	}

	friend := listen(t, transport.Config{Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}})
	connect(t, friend, h) // QUIC goes on all the while

	shows.Ahead(nil)
	say("\x01last of them")
	arrives("\x01last of them")
	say("\x08now as all others")
	arrives("\x08now as all others")
}
