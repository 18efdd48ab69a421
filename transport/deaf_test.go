package transport_test

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

func TestAClosedPortIsDeafAndAnOpenOneIsNot(t *testing.T) {
	h, err := transport.Listen(t.Context(), transport.Config{Key: newKey(t), Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(other.LocalAddr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if h.Deaf(ctx, addr) {
		t.Error("whoever does not answer is taken for deaf")
	}
	b := make([]byte, 16)
	if err := other.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, from, err := other.ReadFromUDPAddrPort(b)
	if err != nil || n != 1 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if runtime.GOOS == "linux" && from != h.SharedAddrs()[0] {
		t.Errorf("asked from %v, not from the host's %v: routers would not let that through", from, h.SharedAddrs())
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !h.Deaf(ctx, addr) {
			t.Error("a closed port is not found out")
		}
	}
	if c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(h.SharedAddrs()[0])); err == nil {
		c.Close()
		t.Error("another program can take the port")
	}
}
