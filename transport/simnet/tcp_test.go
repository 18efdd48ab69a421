package simnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport/simnet"
)

func tcpWorld(t *testing.T, f func(*testing.T, *simnet.World)) {
	t.Helper()
	worldOf(t, simnet.Config{Delay: delay, Seed: 7, TCP: true}, f)
}

// answering is a machine that sends back whatever callers of its port 80 say.
func answering(t *testing.T, h *simnet.Host) netip.AddrPort {
	t.Helper()
	ip := h.IP()
	if ip == nil {
		ip = h.IP6()
	}
	l, err := h.ListenTCP(&net.TCPAddr{IP: ip, Port: 80})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr.Unmap(), 80)
}

// call dials for some virtual seconds.
func call(t *testing.T, from *simnet.Host, to netip.AddrPort) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := from.DialTCP(ctx, to)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func TestTCPCarriesEverythingInOrder(t *testing.T) {
	tcpWorld(t, func(t *testing.T, w *simnet.World) {
		to := answering(t, w.LAN(simnet.Public).Host())
		w.SetLoss(0.2)
		began := time.Now()
		c, err := call(t, w.LAN(simnet.NoUDP).Host(), to)
		if err != nil || time.Since(began) != 2*delay {
			t.Fatalf("connected after %v: %v", time.Since(began), err)
		}
		text := strings.Repeat("everything ", 50_000)
		go func() { _, _ = io.WriteString(c, text) }()
		got := make([]byte, len(text))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
			t.Errorf("something else came back: %v", err)
		}
	})
}

func TestTCPReachesWhomItShould(t *testing.T) {
	tcpWorld(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		home, six := lan.Host(), w.LAN(simnet.IPv6Only).Host()
		dual := w.LAN(simnet.Dual).Host()
		near := answering(t, lan.Host())
		hidden, walled := answering(t, w.LAN(simnet.FullCone).Host()), answering(t, six)
		public := answering(t, dual)
		for _, row := range []struct {
			name string
			from *simnet.Host
			to   netip.AddrPort
			want error
		}{
			{"a neighbour", home, near, nil},
			{"the internet", home, public, nil},
			{"another port", home, netip.AddrPortFrom(public.Addr(), 81), syscall.ECONNREFUSED},
			{"somebody's NAT", home, netip.AddrPortFrom(netip.MustParseAddr("8.1.1.1"), 80), context.DeadlineExceeded},
			{"a home from outside", dual, hidden, context.DeadlineExceeded},
			{"a home with IPv6 from outside", dual, walled, context.DeadlineExceeded},
			{"the other family", six, public, syscall.ENETUNREACH},
		} {
			if _, err := call(t, row.from, row.to); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, want %v", row.name, err, row.want)
			}
		}
	})
}

func TestTCPWaitsOutAShortCutAndDiesOfALongOne(t *testing.T) {
	tcpWorld(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		c, err := call(t, lan.Host(), answering(t, w.LAN(simnet.Public).Host()))
		if err != nil {
			t.Fatal(err)
		}
		say := func() error {
			if err := c.SetDeadline(time.Now().Add(3 * time.Minute)); err != nil {
				return err
			}
			if _, err := c.Write([]byte("hello")); err != nil {
				return err
			}
			_, err := io.ReadFull(c, make([]byte, 5))
			return err
		}
		lan.Cut()
		time.AfterFunc(5*time.Second, lan.Mend)
		began := time.Now()
		if err := say(); err != nil || time.Since(began) < 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		lan.Cut()
		if err := say(); err == nil {
			t.Error("it outlives a cut of minutes")
		}
	})
}

func TestACaptivePortalAnswersForEverybody(t *testing.T) {
	tcpWorld(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.Captive)
		h := lan.Host()
		c, err := call(t, h, netip.MustParseAddrPort("8.8.8.8:443"))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 302") {
			t.Errorf("%q, %v", b, err)
		}
		if _, err := call(t, h, answering(t, lan.Host())); err != nil {
			t.Errorf("a neighbour: %v", err)
		}
	})
}
