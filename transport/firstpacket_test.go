package transport_test

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/entrenous/entrenous/transport"
)

// way passes on between whoever calls it and a host; once narrow it swallows
// packets of IPv4 of more than 1,280 bytes. It gives the port to call.
func way(t *testing.T, to int, narrow *atomic.Bool) string {
	t.Helper()
	local := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	door, inner := local(), local()
	host := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(to))
	caller := make(chan netip.AddrPort, 1)
	pass := func(from, by *net.UDPConn, toward func(netip.AddrPort) netip.AddrPort) {
		b := make([]byte, 2048)
		for {
			n, whose, err := from.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if narrow.Load() && n > 1280-28 {
				continue
			}
			_, _ = by.WriteToUDPAddrPort(b[:n], toward(whose))
		}
	}
	go pass(door, inner, func(whose netip.AddrPort) netip.AddrPort {
		select {
		case caller <- whose:
		default:
		}
		return host
	})
	go func() {
		var back netip.AddrPort
		pass(inner, door, func(netip.AddrPort) netip.AddrPort {
			if !back.IsValid() {
				back = <-caller
			}
			return back
		})
	}()
	return strconv.Itoa(int(netip.MustParseAddrPort(door.LocalAddr().String()).Port()))
}

// pairOnAWay are two hosts, one of whom has called the other.
func pairOnAWay(t *testing.T, narrow *atomic.Bool) (a, b *transport.Host) {
	t.Helper()
	anywhere := transport.Config{Listen: []string{"/ip4/0.0.0.0/udp/0/quic-v1"}, NoLAN: true}
	a, b = listen(t, anywhere), listen(t, anywhere)
	serveEcho(b)
	port := way(t, b.Port(), narrow)
	if err := a.Dial(t.Context(), b.Peer(), []string{"/ip4/127.0.0.1/udp/" + port + "/quic-v1"}); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestQUICBeginsWherePacketsOfMoreThan1280BytesVanish(t *testing.T) {
	var narrow atomic.Bool
	narrow.Store(true)
	a, b := pairOnAWay(t, &narrow)
	wantEcho(t, a, b, strings.Repeat("through a narrow way ", 10_000))
}

func TestQUICGoesOnWhereTheWayBecomesNarrow(t *testing.T) {
	var narrow atomic.Bool
	a, b := pairOnAWay(t, &narrow)
	for range 10 {
		wantEcho(t, a, b, strings.Repeat("through a wide way ", 10_000))
	}
	narrow.Store(true)
	wantEcho(t, a, b, strings.Repeat("through a narrow way ", 10_000))
}
