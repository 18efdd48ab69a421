package simnet_test

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport/simnet"
)

const delay = 20 * time.Millisecond

func world(t *testing.T, f func(*testing.T, *simnet.World)) {
	t.Helper()
	worldOf(t, simnet.Config{Delay: delay, Seed: 7}, f)
}

func worldOf(t *testing.T, cfg simnet.Config, f func(*testing.T, *simnet.World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, simnet.New(t, cfg)) })
}

// mouth is a socket for tests.
type mouth struct {
	t *testing.T
	net.PacketConn
}

func speak(t *testing.T, h *simnet.Host) mouth {
	t.Helper()
	c, err := h.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return mouth{t, c}
}

// at is where another machine on the same network finds the socket.
func (m mouth) at(h *simnet.Host) net.Addr {
	m.t.Helper()
	local, ok := m.LocalAddr().(*net.UDPAddr)
	if !ok {
		m.t.Fatal("not a UDP address")
	}
	return &net.UDPAddr{IP: h.IP(), Port: local.Port}
}

func (m mouth) say(to net.Addr, text string) {
	m.t.Helper()
	if _, err := m.WriteTo([]byte(text), to); err != nil {
		m.t.Fatal(err)
	}
}

// hear returns the next packet and its sender, or "" after a second of silence.
func (m mouth) hear() (string, net.Addr) {
	m.t.Helper()
	if err := m.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		m.t.Fatal(err)
	}
	var b [1500]byte
	n, from, err := m.ReadFrom(b[:])
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "", nil
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b[:n]), from
}

func (m mouth) want(text string) net.Addr {
	m.t.Helper()
	got, from := m.hear()
	if got != text {
		m.t.Fatalf("heard %q, want %q", got, text)
	}
	return from
}

func TestEachNATLetsInWhomItShould(t *testing.T) {
	for _, row := range []struct {
		name                       string
		kind                       simnet.NAT
		stranger, otherPort, moved bool // let in: anybody, a known address's other port; a new port for each peer
	}{
		{"full cone", simnet.FullCone, true, true, false},
		{"address restricted", simnet.AddressRestricted, false, true, false},
		{"port restricted", simnet.PortRestricted, false, false, false},
		{"symmetric", simnet.Symmetric, false, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			world(t, func(t *testing.T, w *simnet.World) {
				public := w.LAN(simnet.Public)
				h1, h2 := public.Host(), public.Host()
				known, other, stranger := speak(t, h1), speak(t, h1), speak(t, h2)
				lan := w.LAN(row.kind)
				home := speak(t, lan.Host())

				home.say(known.at(h1), "hello")
				door := known.want("hello")
				if got, ok := door.(*net.UDPAddr); !ok || !got.IP.Equal(lan.PublicIP()) {
					t.Errorf("seen as %v, want %v", door, lan.PublicIP())
				}
				known.say(door, "answer")
				home.want("answer")

				other.say(door, "other port")
				got, _ := home.hear()
				if (got != "") != row.otherPort {
					t.Errorf("another port of a known address: heard %q", got)
				}
				stranger.say(door, "stranger")
				got, _ = home.hear()
				if (got != "") != row.stranger {
					t.Errorf("a stranger: heard %q", got)
				}
				home.say(stranger.at(h2), "hello too")
				if moved := stranger.want("hello too").String() != door.String(); moved != row.moved {
					t.Errorf("another door for another peer: %v", moved)
				}
			})
		})
	}
}

func TestTheInternetTakesItsTimeAndALANNone(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		ha, hb, hc := lan.Host(), lan.Host(), w.LAN(simnet.Public).Host()
		a, b, c := speak(t, ha), speak(t, hb), speak(t, hc)
		start := time.Now()
		a.say(b.at(hb), "near")
		b.want("near")
		if took := time.Since(start); took != 0 {
			t.Errorf("a LAN took %v", took)
		}
		start = time.Now()
		a.say(c.at(hc), "far")
		c.want("far")
		if took := time.Since(start); took != delay {
			t.Errorf("the internet took %v", took)
		}
	})
}

func TestCutCablesCarryNothing(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.FullCone)
		ha, hb, hc := lan.Host(), lan.Host(), w.LAN(simnet.Public).Host()
		a, b, c := speak(t, ha), speak(t, hb), speak(t, hc)
		for _, row := range []struct {
			name      string
			cut, mend func()
			near, far bool // what still arrives
		}{
			{"the network's", lan.Cut, lan.Mend, true, false},
			{"the machine's", ha.Cut, ha.Mend, false, false},
			{"the other's", hc.Cut, hc.Mend, true, false},
			{"none", func() {}, func() {}, true, true},
		} {
			row.cut()
			a.say(b.at(hb), "near")
			if got, _ := b.hear(); (got != "") != row.near {
				t.Errorf("%s cable cut: near heard %q", row.name, got)
			}
			a.say(c.at(hc), "far")
			if got, _ := c.hear(); (got != "") != row.far {
				t.Errorf("%s cable cut: far heard %q", row.name, got)
			}
			row.mend()
		}
	})
}

func TestLossIsOfTheInternetAndRepeatable(t *testing.T) {
	arrived := func() (far, near int) {
		world(t, func(t *testing.T, w *simnet.World) {
			lan := w.LAN(simnet.PortRestricted)
			ha, hb, hc := lan.Host(), lan.Host(), w.LAN(simnet.Public).Host()
			a, b, c := speak(t, ha), speak(t, hb), speak(t, hc)
			w.SetLoss(0.3)
			for range 500 {
				a.say(c.at(hc), "far")
				a.say(b.at(hb), "near")
			}
			for got, _ := c.hear(); got != ""; got, _ = c.hear() {
				far++
			}
			for got, _ := b.hear(); got != ""; got, _ = b.hear() {
				near++
			}
		})
		return far, near
	}
	far, near := arrived()
	if near != 500 || far < 300 || far > 400 {
		t.Errorf("of 500 packets %d arrived far and %d near", far, near)
	}
	if again, _ := arrived(); again != far {
		t.Errorf("the same world lost %d, then %d", 500-far, 500-again)
	}
}

func TestASocketMovesWithItsMachine(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		h, hc := w.LAN(simnet.PortRestricted).Host(), w.LAN(simnet.Public).Host()
		s, c := speak(t, h), speak(t, hc)
		before, name := h.IP(), s.LocalAddr().String()
		heard := make(chan string, 1)
		go func() {
			text, _ := s.hear() // waits through the move
			heard <- text
		}()
		synctest.Wait()
		cafe := w.LAN(simnet.FullCone)
		h.Move(cafe)
		<-h.Changed()
		if h.IP().Equal(before) || s.LocalAddr().String() != name {
			t.Errorf("at %v as %v after the move", h.IP(), s.LocalAddr())
		}
		s.say(c.at(hc), "hello from the café")
		door := c.want("hello from the café")
		if got, ok := door.(*net.UDPAddr); !ok || !got.IP.Equal(cafe.PublicIP()) {
			t.Errorf("seen as %v", door)
		}
		c.say(door, "welcome")
		if got := <-heard; got != "welcome" {
			t.Errorf("heard %q", got)
		}
	})
}

func TestAClosedSocketIsClosed(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		h := w.LAN(simnet.Public).Host()
		s := speak(t, h)
		ended := make(chan error, 1)
		go func() {
			var b [10]byte
			_, _, err := s.ReadFrom(b[:])
			ended <- err
		}()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read ended with %v", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing twice: %v", err)
		}
		if _, err := s.WriteTo([]byte("x"), s.at(h)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		h.Move(w.LAN(simnet.Public)) // leaves it closed
		if n, err := h.Net().Interfaces(); err != nil || len(n) == 0 {
			t.Errorf("interfaces %v, %v", n, err)
		}
	})
}

// libp2p ends a socket's reads while it holds a mutex that others want.
func TestAReadEndsThoughSomebodyWaitsForAMutex(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		s := speak(t, w.LAN(simnet.Public).Host())
		ended := make(chan error, 1)
		go func() {
			var b [10]byte
			_, _, err := s.ReadFrom(b[:])
			ended <- err
		}()
		synctest.Wait()
		var held sync.Mutex
		held.Lock()
		go func() {
			held.Lock()
			defer held.Unlock()
		}()
		runtime.Gosched()
		if err := s.SetReadDeadline(time.Now()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read ended with %v", err)
		}
		held.Unlock()
	})
}
