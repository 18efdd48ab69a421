package transport_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

// answering is a socket on loopback that answers each packet.
func answering(t *testing.T, network, addr string, answer func(q []byte) []byte) netip.AddrPort {
	t.Helper()
	var lc net.ListenConfig
	c, err := lc.ListenPacket(t.Context(), network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 64)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answer(b[:n]), from)
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// fakeRouter speaks NAT-PMP on loopback: it says that its address is 8.1.2.3
// and opens whatever port is asked for, 1,000 higher. It rings for each port
// that is given back.
func fakeRouter(t *testing.T) (at netip.AddrPort, back <-chan uint16) {
	t.Helper()
	given := make(chan uint16, 64)
	return answering(t, "udp4", "127.0.0.1:0", func(q []byte) []byte {
		if q[0] == 0 && len(q) == 12 && binary.BigEndian.Uint32(q[8:]) == 0 {
			given <- binary.BigEndian.Uint16(q[4:])
		}
		return routerSays(q)
	}), given
}

func routerSays(q []byte) []byte {
	switch {
	case q[0] != 0: // RFC 6886 §3.5: it knows no PCP
		return []byte{0, 128 | q[1], 0, 1, 0, 0, 0, 1}
	case q[1] == 0:
		return []byte{0, 128, 0, 0, 0, 0, 0, 1, 8, 1, 2, 3}
	}
	a := make([]byte, 16)
	a[1] = 128 | q[1]
	copy(a[8:10], q[4:6])
	binary.BigEndian.PutUint16(a[10:], binary.BigEndian.Uint16(q[4:])+1000)
	copy(a[12:], q[8:12])
	return a
}

// alone runs a test in a process of its own, and reports whether this is that
// process. Hosts that ask whether they are reached sign their addresses, and
// libp2p counts such signatures of one process upwards: those of a virtual clock
// after them would bear the real day.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("ENTRENOUS_ALONE") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "ENTRENOUS_ALONE="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return false
}

// untilMapped waits for what the router is to have opened for UDP.
func untilMapped(t *testing.T, h *transport.Host, holds func([]transport.Mapping) bool) {
	t.Helper()
	untilRouter(t, h, func() bool { return holds(h.Mappings()) })
}

// untilRouter waits for what the router is to have done.
func untilRouter(t *testing.T, h *transport.Host, holds func() bool) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatalf("the mappings are %+v, the firewall %+v", h.Mappings(), h.Firewall())
		}
	}
}

// fenced is a router at ::1 that lets in IPv6 by PCP, for a while, when asked; it
// rings with each request and tells for how long it was.
func fenced(t *testing.T, life uint32) (at netip.AddrPort, asked <-chan uint32) {
	t.Helper()
	rings := make(chan uint32, 64)
	return answering(t, "udp6", "[::1]:0", func(q []byte) []byte {
		self := netip.IPv6Loopback().As16()
		if len(q) != 60 || q[0] != 2 || q[1] != 1 || [16]byte(q[8:]) != self { // RFC 6887 §11.1
			t.Errorf("%d bytes: % x", len(q), q)
			return nil
		}
		want := binary.BigEndian.Uint32(q[4:])
		q[1], q[3] = 0x81, 0
		binary.BigEndian.PutUint32(q[4:], min(want, life))
		copy(q[44:], self[:])
		rings <- want
		return q
	}), rings
}

func TestARouterIsAskedToLetInIPv6AndToldWhenThatIsOver(t *testing.T) {
	if !alone(t) {
		return
	}
	at, asked := fenced(t, 7200)
	h := listen(t, transport.Config{MapPort: true, Gateway: at, Listen: []string{"/ip6/::1/udp/0/quic-v1", "/ip6/::1/tcp/0"}})
	for range 2 {
		if life := <-asked; life != 7200 {
			t.Errorf("asked for %d s", life)
		}
	}
	untilRouter(t, h, func() bool { return h.Firewall() == transport.Firewall{Asked: true, Open: true} })
	h.AskRouter(false)
	for range 2 {
		if life := <-asked; life != 0 {
			t.Errorf("given back for %d s", life)
		}
	}
	untilRouter(t, h, func() bool { return h.Firewall() == transport.Firewall{} })
	h.AskRouter(true)
	<-asked
	<-asked
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if life := <-asked; life != 0 {
		t.Errorf("at the end asked for %d s", life)
	}
}

func TestARouterThatLetsNobodyInByIPv6IsKnownToDoSo(t *testing.T) {
	if !alone(t) {
		return
	}
	at := answering(t, "udp6", "[::1]:0", func(q []byte) []byte {
		q[1], q[3] = 0x81, 2 // NOT_AUTHORIZED, RFC 6887 §7.4
		return q
	})
	h := listen(t, transport.Config{MapPort: true, Gateway: at, Listen: []string{"/ip6/::1/udp/0/quic-v1", "/ip6/::1/tcp/0"}})
	untilRouter(t, h, func() bool { return h.Firewall() == transport.Firewall{Asked: true} })
}

// lied says whether the fake router has opened the UDP port.
func lied(all []transport.Mapping) bool {
	return slices.ContainsFunc(all, func(m transport.Mapping) bool { // TCP may be first
		return m.UDP && m.By == transport.NATPMP && !m.Confirmed &&
			m.Outside == netip.AddrPortFrom(netip.MustParseAddr("8.1.2.3"), uint16(m.Port+1000))
	})
}

func TestARouterThatLiesAboutAPortIsNotBelieved(t *testing.T) {
	if !alone(t) {
		return
	}
	at, _ := fakeRouter(t)
	h := listen(t, transport.Config{MapPort: true, Gateway: at})
	untilMapped(t, h, lied)
	for _, a := range h.Addrs() {
		if strings.Contains(a, "8.1.2.3") {
			t.Errorf("the host tells %s", a)
		}
	}
}

func TestTheRouterIsLeftAloneAndAskedAgainAtWill(t *testing.T) {
	if !alone(t) {
		return
	}
	at, back := fakeRouter(t)
	h := listen(t, transport.Config{MapPort: true, MapLater: true, Gateway: at})
	if s := h.Router(); s.Asked {
		t.Errorf("before it may: %+v", s)
	}
	h.AskRouter(true)
	untilMapped(t, h, lied)
	if s := h.Router(); !s.Answered || s.By != transport.NATPMP {
		t.Errorf("while asked: %+v", s)
	}
	h.AskRouter(false)
	<-back
	untilMapped(t, h, func(all []transport.Mapping) bool { return len(all) == 0 })
	h.AskRouter(true)
	untilMapped(t, h, lied)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	<-back
}
