package transport_test

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/transport"
)

// narrow passes on between whoever calls it and a host, and swallows packets of
// IPv4 of more than 1,280 bytes. It gives the port to call.
func narrow(t *testing.T, to int) string {
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
			if n > 1280-28 {
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

func TestQUICBeginsWherePacketsOfMoreThan1280BytesVanish(t *testing.T) {
	anywhere := transport.Config{Listen: []string{"/ip4/0.0.0.0/udp/0/quic-v1"}, NoLAN: true}
	a, b := listen(t, anywhere), listen(t, anywhere)
	serveEcho(b)
	port := narrow(t, b.Port())
	if err := a.Dial(t.Context(), b.Peer(), []string{"/ip4/127.0.0.1/udp/" + port + "/quic-v1"}); err != nil {
		t.Fatal(err)
	}
	wantEcho(t, a, b, strings.Repeat("through a narrow way ", 10_000))
}
