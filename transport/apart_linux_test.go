package transport_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/entrenous/entrenous/transport"
)

// parter is a shared socket that can keep packets apart.
type parter interface {
	net.PacketConn
	Part(kind [][][2]byte) bool
	Look(take func(packet []byte, from netip.AddrPort, at time.Time))
	Post(packet []byte, to netip.AddrPort) bool
}

// eights are packets that begin with 8 and go on with what is neither below 128 nor
// from 192 to 223.
func eights() [][][2]byte { return [][][2]byte{{{8, 8}}, {{128, 191}, {224, 255}}} }

// shared is the one socket that a host shares.
func shared(t *testing.T, h *transport.Host) parter {
	t.Helper()
	conns, err := h.SharedConns()
	if err != nil || len(conns) != 1 {
		t.Fatalf("%d sockets, %v", len(conns), err)
	}
	t.Cleanup(func() { _ = conns[0].Close() })
	c, ok := conns[0].(parter)
	if !ok {
		t.Fatal("the socket does not keep packets apart")
	}
	return c
}

func shareOne(t *testing.T, at string) (*transport.Host, parter) {
	t.Helper()
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err != nil { //nolint:noctx // only whether it can
		if slices.Contains([]string{"/ip6/::1/udp/0/quic-v1", "/ip6/::/udp/0/quic-v1"}, at) {
			t.Skip("this machine has no IPv6")
		}
	} else {
		c.Close()
	}
	h := listen(t, transport.Config{Listen: []string{at}})
	c := shared(t, h)
	if err := c.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadFrom(make([]byte, 1)); err == nil { // from now on what is not QUIC is kept
		t.Fatal("something has arrived")
	}
	return h, c
}

// portOf is where a shared socket is reached on this machine.
func portOf(t *testing.T, c net.PacketConn) netip.AddrPort {
	t.Helper()
	a := netip.MustParseAddrPort(c.LocalAddr().String())
	if !a.Addr().IsUnspecified() {
		return a
	}
	if a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
}

// stranger sends packets to a shared socket.
func stranger(t *testing.T, c net.PacketConn) *net.UDPConn {
	t.Helper()
	s, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(portOf(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func say(t *testing.T, c *net.UDPConn, packets ...string) {
	t.Helper()
	for _, p := range packets {
		if _, err := c.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantApart looks until packets have been handed over, in order and no others.
func wantApart(t *testing.T, c parter, from net.Addr, want ...string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(want) > 0 && time.Now().Before(end); {
		c.Look(func(b []byte, by netip.AddrPort, at time.Time) {
			if len(want) == 0 || string(b) != want[0] {
				t.Fatalf("%q was kept apart, %q should be next", b, want)
			}
			if by.String() != from.String() {
				t.Errorf("it came from %v instead of %v", by, from)
			}
			if age := time.Since(at); age < 0 || age > time.Minute {
				t.Errorf("it came %v ago", age)
			}
			want = want[1:]
		})
	}
	if len(want) > 0 {
		t.Fatalf("%q never came", want)
	}
}

func wantRest(t *testing.T, c net.PacketConn, want ...string) {
	t.Helper()
	b := make([]byte, 100)
	for _, w := range want {
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := c.ReadFrom(b); err != nil || string(b[:n]) != w {
			t.Fatalf("%q arrives instead of %q, %v", b[:n], w, err)
		}
	}
}

func TestPacketsOfAKindAreKeptApartAndTheRestGoesOn(t *testing.T) {
	for _, at := range []string{"/ip4/127.0.0.1", "/ip4/0.0.0.0", "/ip6/::1", "/ip6/::"} {
		t.Run(at, func(t *testing.T) {
			h, c := shareOne(t, at+"/udp/0/quic-v1")
			s := stranger(t, c)
			all := []string{"\x08\x80one", "\x08\x7fno", "\x08\xbftwo", "\x08\xc0no", "\x08\xdfno", "\x08\xe0three", "\x01\x80no", "\x08", "\x08\xfffour"}
			rest := []string{"\x08\x7fno", "\x08\xc0no", "\x08\xdfno", "\x01\x80no", "\x08"}
			say(t, s, all...)
			wantRest(t, c, all...) // nothing is kept apart yet
			if !c.Part(eights()) {
				t.Fatal("it says that nothing is kept apart")
			}
			say(t, s, all...)
			wantRest(t, c, rest...)
			friend := listen(t, transport.Config{Listen: []string{at + "/udp/0/quic-v1"}})
			connect(t, friend, h) // QUIC goes on
			wantApart(t, c, s.LocalAddr(), "\x08\x80one", "\x08\xbftwo", "\x08\xe0three", "\x08\xfffour")
			say(t, s, "\x08\x80still waits")
			if c.Part(nil) {
				t.Error("it says that packets are still kept apart")
			}
			say(t, s, "\x08\x80not any more")
			wantRest(t, c, "\x08\x80not any more")
			wantApart(t, c, s.LocalAddr(), "\x08\x80still waits")
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			c.Look(func(b []byte, _ netip.AddrPort, _ time.Time) { t.Errorf("%q after the end", b) })
			if c.Part(eights()) {
				t.Error("it keeps packets apart after the end")
			}
		})
	}
}

func TestWhenAPacketCameIsKnownThoughNobodyLooked(t *testing.T) {
	_, c := shareOne(t, "/ip4/127.0.0.1/udp/0/quic-v1")
	c.Part(eights())
	s := stranger(t, c)
	say(t, s, "\x08\x80first") // the system begins to take down times when somebody wants them
	wantApart(t, c, s.LocalAddr(), "\x08\x80first")
	<-time.After(50 * time.Millisecond)
	before := time.Now()
	say(t, s, "\x08\x80now")
	after := time.Now()
	<-time.After(100 * time.Millisecond)
	seen := false
	for !seen {
		c.Look(func(_ []byte, _ netip.AddrPort, at time.Time) {
			seen = true
			if at.Before(before.Add(-time.Millisecond)) || at.After(after.Add(50*time.Millisecond)) {
				t.Errorf("it was sent %v to %v ago, and came %v ago", time.Since(before), time.Since(after), time.Since(at))
			}
		})
	}
}

func TestAFloodHoldsNobodyUpAndIsHandedOverInParts(t *testing.T) {
	_, c := shareOne(t, "/ip4/127.0.0.1/udp/0/quic-v1")
	c.Part(eights())
	s := stranger(t, c)
	long := "\x08\x80" + string(make([]byte, 1600)) // more than travels in one piece: nobody's
	say(t, s, long)
	const sent = 100
	for i := range sent {
		say(t, s, "\x08\x80"+string(rune('0'+i)))
	}
	got := 0
	for end := time.Now().Add(10 * time.Second); got < sent && time.Now().Before(end); {
		c.Look(func(b []byte, _ netip.AddrPort, _ time.Time) {
			if want := "\x08\x80" + string(rune('0'+got)); string(b) != want {
				t.Fatalf("%q instead of %q", b, want)
			}
			got++
		})
	}
	if got < sent {
		t.Errorf("%d of %d packets were handed over", got, sent)
	}
}

// bindToo tries to bind another socket to where c is, as a program of this user might.
func bindToo(t *testing.T, c net.PacketConn, options ...int) (net.PacketConn, error) {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, r syscall.RawConn) error {
		return r.Control(func(fd uintptr) {
			for _, o := range options {
				if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, o, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}}
	network := "udp6"
	if portOf(t, c).Addr().Is4() {
		network = "udp4"
	}
	other, err := lc.ListenPacket(t.Context(), network, c.LocalAddr().String())
	if err == nil {
		t.Cleanup(func() { other.Close() })
	}
	return other, err
}

func TestNobodyElseGetsWhatComesToAPortThatIsShared(t *testing.T) {
	for _, at := range []string{"/ip4/127.0.0.1", "/ip4/0.0.0.0", "/ip6/::1", "/ip6/::"} {
		t.Run(at, func(t *testing.T) {
			_, c := shareOne(t, at+"/udp/0/quic-v1")
			c.Part(eights())
			for _, options := range [][]int{nil, {unix.SO_REUSEADDR}} {
				if _, err := bindToo(t, c, options...); err == nil {
					t.Errorf("another program binds the port (%v)", options)
				}
			}
			joined, err := bindToo(t, c, unix.SO_REUSEPORT) // which the system lets the same user do
			s := stranger(t, c)
			say(t, s, "\x01rest", "\x08\x80sound", "\x08\x7frest")
			wantRest(t, c, "\x01rest", "\x08\x7frest")
			wantApart(t, c, s.LocalAddr(), "\x08\x80sound")
			if c.Part(nil); err != nil {
				return
			}
			say(t, s, "\x08\x80all")
			wantRest(t, c, "\x08\x80all")
			if err := joined.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if n, _, err := joined.ReadFrom(make([]byte, 9)); err == nil || !os.IsTimeout(err) {
				t.Errorf("the other program got %d bytes (%v)", n, err)
			}
		})
	}
}

func TestAskingWhetherAnybodyListensLeavesFromThePortThatIsShared(t *testing.T) {
	h, c := shareOne(t, "/ip4/127.0.0.1/udp/0/quic-v1")
	c.Part(eights())
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if h.Deaf(ctx, netip.MustParseAddrPort(other.LocalAddr().String())) {
		t.Error("whoever does not answer is taken for deaf")
	}
	if err := other.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, from, err := other.ReadFromUDPAddrPort(make([]byte, 9)); err != nil || from != h.SharedAddrs()[0] {
		t.Errorf("asked from %v, not from %v, %v", from, h.SharedAddrs(), err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if !h.Deaf(ctx, netip.MustParseAddrPort(other.LocalAddr().String())) {
		t.Error("a closed port is not found out")
	}
	s := stranger(t, c)
	say(t, s, "\x08\x80sound", "\x01rest")
	wantApart(t, c, s.LocalAddr(), "\x08\x80sound")
	wantRest(t, c, "\x01rest")
}

// stamped is the control message that says when a packet came.
func stamped(at time.Time) []byte {
	ts := unix.NsecToTimespec(at.UnixNano())
	b := make([]byte, unix.CmsgSpace(int(unsafe.Sizeof(ts))))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_SOCKET, unix.SCM_TIMESTAMPNS
	h.SetLen(unix.CmsgLen(int(unsafe.Sizeof(ts))))
	copy(b[unix.CmsgLen(0):], (*[unsafe.Sizeof(ts)]byte)(unsafe.Pointer(&ts))[:])
	return b
}

func FuzzArrival(f *testing.F) {
	now := time.Now()
	for _, age := range []time.Duration{0, time.Millisecond, 2 * time.Second, -time.Hour} {
		f.Add(stamped(now.Add(-age)))
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Add(binary.NativeEndian.AppendUint64(nil, 16))
	f.Fuzz(func(t *testing.T, control []byte) {
		if age := now.Sub(transport.ArrivalOf(control, now)); age < 0 || age > time.Second {
			t.Errorf("%x came %v ago", control, age)
		}
	})
}

func TestWhenAPacketCameIsReadAndNotBelievedWhenItCannotBe(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]time.Duration{
		0: 0, 3 * time.Millisecond: 3 * time.Millisecond, time.Hour: time.Second, -time.Hour: 0,
	} {
		other := stamped(now.Add(-time.Minute))
		(*unix.Cmsghdr)(unsafe.Pointer(&other[0])).Type = unix.SCM_RIGHTS
		if got := now.Sub(transport.ArrivalOf(append(other, stamped(now.Add(-age))...), now)); got != want {
			t.Errorf("%v ago is taken for %v ago", age, got)
		}
	}
}

func TestWhatIsPostedLeavesFromTheSharedPortAndGoesNowhereItMayNot(t *testing.T) {
	for _, at := range []string{"/ip4/127.0.0.1", "/ip4/0.0.0.0", "/ip6/::1", "/ip6/::"} {
		t.Run(at, func(t *testing.T) {
			_, c := shareOne(t, at+"/udp/0/quic-v1")
			s := stranger(t, c)
			to := netip.MustParseAddrPort(s.LocalAddr().String())
			if !c.Post([]byte("hello"), to) {
				t.Fatal("it is not sent")
			}
			b := make([]byte, 9)
			if err := s.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if n, _, err := s.ReadFromUDPAddrPort(b); err != nil || string(b[:n]) != "hello" { // from nowhere else: it is connected
				t.Errorf("%q, %v", b[:n], err)
			}
			other := netip.MustParseAddrPort("[2001:db8::1]:9")
			if to.Addr().Is6() {
				other = netip.MustParseAddrPort("192.0.2.1:9")
			}
			for _, wrong := range []netip.AddrPort{{}, other, netip.AddrPortFrom(netip.MustParseAddr("fe80::1%1"), 9)} {
				if c.Post([]byte("hello"), wrong) {
					t.Errorf("it is sent to %v", wrong)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if c.Post([]byte("hello"), to) {
				t.Error("it is sent after the end")
			}
		})
	}
}

func TestAHostOnLocalNetworksPostsNothingElsewhere(t *testing.T) {
	h := listen(t, transport.Config{LANOnly: true, Listen: []string{"/ip4/0.0.0.0/udp/0/quic-v1"}})
	c := shared(t, h)
	if c.Post([]byte{0}, netip.MustParseAddrPort("192.0.2.1:9")) {
		t.Error("it is sent to the world")
	}
	if !c.Post([]byte{0}, portOf(t, c)) {
		t.Error("it is not sent to this machine")
	}
}
