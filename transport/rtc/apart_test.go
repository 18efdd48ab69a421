package rtc_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport/rtc"
)

// parting is a machine's socket that can keep packets apart.
type parting struct{ *end }

type landed struct {
	flying
	at time.Time
}

func fits(kind [][][2]byte, b []byte) bool {
	for i, ranges := range kind {
		if i >= len(b) || !slices.ContainsFunc(ranges, func(r [2]byte) bool { return r[0] <= b[i] && b[i] <= r[1] }) {
			return false
		}
	}
	return true
}

func (e parting) Part(kind [][][2]byte) bool {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	e.kind = kind
	return kind != nil
}

func (e parting) Look(take func(packet []byte, from netip.AddrPort, at time.Time)) {
	e.wire.mu.Lock()
	all := e.apart
	e.apart = nil
	e.wire.mu.Unlock()
	for _, p := range all {
		take(p.b, p.from.AddrPort(), p.at)
	}
}

func (e parting) Post(packet []byte, to netip.AddrPort) bool {
	_, err := e.WriteTo(packet, net.UDPAddrFromAddrPort(to))
	return err == nil
}

// newCallApart is a call whose ends hand on what comes, and look for it.
func newCallApart(t *testing.T) *phoneCall {
	c := newCallOn(t, false, func(e *end) net.PacketConn { return parting{e} })
	c.apart, c.looks = true, true
	return c
}

// nothingButSound lets all be lost that is not kept apart, both ways.
func (c *phoneCall) nothingButSound() {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.ea.deaf, c.eb.deaf = true, true
}

func TestSoundThatNobodyLooksForIsHeardAllTheSameAndWhenItCameIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCallApart(t)
		c.looks = false
		c.speak(3 * time.Second)
		c.speak(3 * time.Second) // they stopped listening in between
		c.wantAll()
		if c.gap > 130*time.Millisecond { // that pause, and no look every now and then
			t.Errorf("nothing came for %v", c.gap)
		}
	})
}

func TestAPathThatBringsSoundAloneStaysInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCallApart(t)
		c.speak(7 * time.Second)
		c.wantPath(rtc.Host)
		c.nothingButSound()
		c.speak(7 * time.Second) // nor does the tunnel take its place, which answers
		c.wantPath(rtc.Host)
		c.wantAll()
		if c.downs > 0 {
			t.Errorf("a leg was not connected at %d of %d looks", c.downs, c.sent)
		}
		c.wire.setCut(true)
		c.speak(3 * time.Second)
		c.wantPath(rtc.Relayed)
	})
}

func TestALegThatHearsSoundAloneIsConnectedAsLongAsItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCallApart(t)
		c.cutTunnelAndSpeak()
		c.nothingButSound()
		c.speak(5 * time.Second)
		if c.downs > 0 {
			t.Errorf("a leg was not connected at %d of %d looks", c.downs, c.sent)
		}
		time.Sleep(2 * time.Second) // silence
		for name, l := range map[string]*rtc.Leg{"caller": c.a, "callee": c.b} {
			if s, _ := l.State(); s != rtc.Interrupted {
				t.Errorf("the %s hears nothing and is %s", name, s)
			}
		}
		c.speak(time.Second)
		c.settle(time.Millisecond)
	})
}
