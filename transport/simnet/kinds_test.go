package simnet_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/entrenous/entrenous/transport/simnet"
)

// observer is a public machine that tells where a packet came from.
func observer(t *testing.T, w *simnet.World) (m mouth, at net.Addr) {
	t.Helper()
	h := w.LAN(simnet.Public).Host()
	m = speak(t, h)
	return m, m.at(h)
}

func TestCustomersOfOneCarrierShareAnAddress(t *testing.T) {
	for name, turns := range map[string]bool{"that turns packets back": true, "that does not": false} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, w *simnet.World) {
				carrier := w.Carrier()
				if !turns {
					carrier.NoHairpin()
				}
				a, b := speak(t, carrier.LAN(simnet.PortRestricted).Host()), speak(t, carrier.LAN(simnet.PortRestricted).Host())
				eye, at := observer(t, w)
				a.say(at, "a")
				doorA := eye.want("a")
				b.say(at, "b")
				doorB := eye.want("b")
				if addrOf(doorA) != addrOf(doorB) || doorA.String() == doorB.String() {
					t.Errorf("they are seen as %v and %v", doorA, doorB)
				}
				a.say(doorB, "punch")
				if got, _ := b.hear(); got != "" {
					t.Errorf("let in unasked: %q", got)
				}
				b.say(doorA, "through")
				if got, _ := a.hear(); (got != "") != turns {
					t.Errorf("heard %q", got)
				}
			})
		})
	}
}

func addrOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

func TestANATTurnsPacketsBackUnlessTold(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.FullCone)
		a, b := speak(t, lan.Host()), speak(t, lan.Host())
		eye, at := observer(t, w)
		b.say(at, "b")
		door := eye.want("b")
		a.say(door, "round the corner")
		b.want("round the corner")
		lan.NoHairpin()
		a.say(door, "round the corner")
		b.want("")
	})
}

func TestBlockedUDPGoesNowhereButOnTheLAN(t *testing.T) {
	for _, kind := range []simnet.NAT{simnet.NoUDP, simnet.Captive} {
		t.Run(kind.String(), func(t *testing.T) {
			world(t, func(t *testing.T, w *simnet.World) {
				lan := w.LAN(kind)
				ha, hb := lan.Host(), lan.Host()
				a, b := speak(t, ha), speak(t, hb)
				eye, at := observer(t, w)
				a.say(at, "out")
				eye.want("")
				a.say(b.at(hb), "near")
				b.want("near")
			})
		})
	}
}

func TestAHomeWithIPv6LetsInWhatItAskedFor(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		home, server := w.LAN(simnet.IPv6Only).Host(), w.LAN(simnet.Dual).Host()
		if home.IP() != nil || server.IP() == nil || server.IP6() == nil {
			t.Fatalf("home has %v; server %v and %v", home.IP(), server.IP(), server.IP6())
		}
		a, b := speak6(t, home), speak6(t, server)
		b.say(a.at6(home), "unasked")
		a.want("")
		a.say(b.at6(server), "hello")
		if from := b.want("hello"); addrOf(from) != home.IP6().String() {
			t.Errorf("seen as %v", from)
		}
		b.say(a.at6(home), "answer")
		a.want("answer")
		home.Move(w.LAN(simnet.PortRestricted)) // which has no IPv6
		if _, err := a.WriteTo([]byte("lost"), b.at6(server)); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("without IPv6: %v", err)
		}
	})
}

func speak6(t *testing.T, h *simnet.Host) mouth {
	t.Helper()
	c, err := h.ListenUDP("udp6", &net.UDPAddr{IP: h.IP6()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return mouth{t, c}
}

func (m mouth) at6(h *simnet.Host) net.Addr {
	m.t.Helper()
	local, ok := m.LocalAddr().(*net.UDPAddr)
	if !ok {
		m.t.Fatal("not a UDP address")
	}
	return &net.UDPAddr{IP: h.IP6(), Port: local.Port}
}

func TestPacketsTooLongForTheInternetAreLostInSilence(t *testing.T) {
	world(t, func(t *testing.T, w *simnet.World) {
		lan := w.LAN(simnet.PortRestricted)
		ha, hb := lan.Host(), lan.Host()
		a, b := speak(t, ha), speak(t, hb)
		eye, at := observer(t, w)
		w.SetMTU(1280)
		fits, long := string(make([]byte, 1252)), string(make([]byte, 1253))
		a.say(at, fits)
		eye.want(fits)
		a.say(at, long)
		eye.want("")
		a.say(b.at(hb), long)
		b.want(long)
	})
}

func TestHomesMayAllUseOneRangeOfAddresses(t *testing.T) {
	worldOf(t, simnet.Config{SameHomes: true}, func(t *testing.T, w *simnet.World) {
		one, other := w.LAN(simnet.PortRestricted).Host(), w.LAN(simnet.PortRestricted).Host()
		if !one.IP().Equal(other.IP()) {
			t.Errorf("%v and %v", one.IP(), other.IP())
		}
		one.Cut() // which is not the other's cable
		eye, at := observer(t, w)
		m := speak(t, other)
		m.say(at, "hello")
		eye.want("hello")
	})
}
