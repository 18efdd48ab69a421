package rtc_test

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
)

// counted is a shared socket that counts the sound that comes by it as all else does.
type counted struct {
	net.PacketConn
	showing
	sound atomic.Int64 // that came
	sent  atomic.Int64 // of it
}

type showing interface {
	Ahead(take func(packet []byte) bool)
	Part(kind [][][2]byte) bool
	Look(take func(packet []byte, from netip.AddrPort, at time.Time))
	Post(packet []byte, to netip.AddrPort) bool
}

func (c *counted) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(b)
	if n > 2 && b[0] == 8 && (b[2] < 192 || b[2] > 223) {
		c.sound.Add(1)
	}
	return n, from, err
}

func (c *counted) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) > 2 && b[0] == 8 && (b[2] < 192 || b[2] > 223) {
		c.sent.Add(1)
	}
	return c.PacketConn.WriteTo(b, to)
}

// Ahead shows nothing: what is not kept apart is counted.
func (c *counted) Ahead(func([]byte) bool) {}

// shared is a port on the socket of a host on this machine.
func shared(t *testing.T) (*rtc.Port, *counted) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	h, err := transport.Listen(t.Context(), transport.Config{Key: key, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	conns, err := h.SharedConns()
	must(t, err)
	c := &counted{PacketConn: conns[0], showing: conns[0].(showing)}
	p, err := rtc.NewPort([]net.PacketConn{c}, h.SharedAddrs)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p, c
}

// basket collects what a leg hands on.
type basket struct {
	mu  sync.Mutex
	got map[uint16]int
}

func (k *basket) put(a rtc.Arrival) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.got == nil {
		k.got = map[uint16]int{}
	}
	k.got[a.Packet.SequenceNumber]++
}

func (k *basket) size() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.got)
}

// until waits until something holds, looking for sound meanwhile where a leg is given.
func until(t *testing.T, what string, l *rtc.Leg, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: never", what)
		}
		if l != nil {
			l.Look()
		}
	}
}

func TestSoundThatIsHandedOnComesByItselfAndNothingOfItElsewhere(t *testing.T) {
	port, wire := shared(t)
	a, b := pair(t, newPort(t), port)
	var k basket
	b.Hand(k.put)
	before := wire.sound.Load()
	const count = 200
	for i := range count {
		must(t, a.Send(packet(i, "sound")))
		must(t, b.Send(packet(i, "back")))
		receive(t, a)
		until(t, "a packet", b, func() bool { return k.size() > i })
	}
	if n := wire.sound.Load() - before; n > 0 {
		t.Errorf("%d of %d packets came the old way", n, count)
	}
	if n := wire.sent.Load(); n > 0 {
		t.Errorf("%d of %d packets were sent the old way", n, count)
	}
	if s := b.Stats(); s.PacketsReceived != count || s.PacketsLost != 0 || s.PacketsSent != count || s.BytesSent != 4*count {
		t.Errorf("counted %+v", s)
	}
	b.Hand(nil)
	must(t, a.Send(packet(count, "as before")))
	if p := receive(t, b); string(p.Payload) != "as before" {
		t.Errorf("got %q", p.Payload)
	}
}

func TestNothingIsLostWhileOneBeginsAndEndsToHandOn(t *testing.T) {
	port, _ := shared(t)
	a, b := pair(t, newPort(t), port)
	const count = 3000
	var k basket
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range count {
			_ = a.Send(packet(i, "sound"))
			for end := time.Now().Add(10 * time.Second); i-k.size() >= 20 && time.Now().Before(end); { // no more than fit a queue are under way
				<-time.After(100 * time.Microsecond)
			}
		}
	}()
	for k.size() < count-20 {
		b.Hand(k.put)
		until(t, "packets that are handed on", b, func() bool { return k.size()%7 == 3 || k.size() >= count-20 })
		b.Hand(nil)
		<-time.After(time.Millisecond)
	}
	<-done
	b.Hand(k.put)
	until(t, fmt.Sprintf("%d packets of %d", k.size(), count), b, func() bool { return k.size() == count })
	for n, times := range k.got {
		if times != 1 {
			t.Errorf("packet %d came %d times", n, times)
		}
	}
}

func TestForgedSoundThatIsKeptApartIsDropped(t *testing.T) {
	var lc net.ListenConfig
	raw, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	wire := &tap{raw, make(chan []byte, 1024)}
	port, _ := shared(t)
	a, b := pair(t, portOn(t, wire), port)
	var k basket
	b.Hand(k.put)
	must(t, a.Send(packet(1, "honest")))
	until(t, "a packet", b, func() bool { return k.size() == 1 })
	var sealed []byte
	for sealed == nil {
		if p := <-wire.seen; len(p) > 20 && p[0] == 8 && p[2] == 111 {
			sealed = p
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	to := net.UDPAddrFromAddrPort(a.Path().Remote)
	for i := range 2000 {
		forged := append([]byte(nil), sealed...)
		switch i % 3 {
		case 0: // sent again
		case 1:
			forged[3+rng.IntN(len(forged)-3)] ^= byte(1 + rng.IntN(255))
		case 2:
			forged = forged[:3+rng.IntN(len(forged)-3)]
		}
		_, _ = raw.WriteTo(forged, to)
		if i%50 == 0 {
			b.Look()
		}
	}
	must(t, a.Send(packet(2, "honest")))
	until(t, "a packet after them", b, func() bool { return k.size() == 2 })
	if s := b.Stats(); s.PacketsReceived != 2 {
		t.Errorf("%d packets were taken", s.PacketsReceived)
	}
}

func TestTwoLegsOfOneSocketHearWhoeverLooks(t *testing.T) {
	port, _ := shared(t)
	var here, there []*rtc.Leg
	for range 3 { // one of them only receives
		l, far := newLeg(t, port), newLeg(t, newPort(t))
		far.SetSource(7) // and all have one source by chance
		join(t, l, far)
		here, there = append(here, l), append(there, far)
	}
	var k [2]basket
	for i := range k {
		here[i].Hand(k[i].put)
	}
	for i := range 50 {
		for _, far := range there {
			must(t, far.Send(packet(i, "each")))
		}
		until(t, "a packet for each", here[i%2], func() bool { return k[0].size() > i && k[1].size() > i })
		receive(t, here[2])
	}
	must(t, here[0].Close())
	for i := 50; i < 60; i++ {
		must(t, there[1].Send(packet(i, "still")))
		until(t, "a packet for the other", here[1], func() bool { return k[1].size() > i })
	}
	must(t, here[1].Close())
	must(t, there[2].Send(packet(60, "the last")))
	if p := receive(t, here[2]); string(p.Payload) != "the last" {
		t.Errorf("got %q", p.Payload)
	}
}

func TestWhoHandsOnAfterTheEndKeepsNothingApart(t *testing.T) {
	port, wire := shared(t)
	_, b := pair(t, newPort(t), port)
	must(t, b.Close())
	b.Hand(func(rtc.Arrival) {})
	before := wire.sound.Load()
	c, err := net.Dial("udp4", wire.LocalAddr().String()) //nolint:noctx // nothing waits
	must(t, err)
	defer c.Close()
	_, err = c.Write([]byte{8, 128, 111, 0})
	must(t, err)
	until(t, "a packet that is nobody's", nil, func() bool { return wire.sound.Load() > before })
}
