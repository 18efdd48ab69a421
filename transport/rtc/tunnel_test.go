package rtc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport/rtc"
)

// wire is a network of two machines in virtual time, where a packet takes 10 ms.
type wire struct {
	mu   sync.Mutex
	cut  bool
	ends map[string]*end
}

func (w *wire) setCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// end is a machine's socket. It can move.
type end struct {
	wire *wire
	in   chan flying
	done chan struct{}
	once sync.Once
	name *net.UDPAddr // what the socket calls itself

	// Guarded by wire.
	addr  *net.UDPAddr
	kind  [][][2]byte // of packets that are kept apart
	apart []landed
	deaf  bool // to all others
}

type flying struct {
	b    []byte
	from *net.UDPAddr
}

func (w *wire) end(addr string) *end {
	a := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	e := &end{wire: w, in: make(chan flying, 256), done: make(chan struct{}), addr: a, name: a}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[addr] = e
	return e
}

func (e *end) move(addr string) {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	delete(e.wire.ends, e.addr.String())
	e.addr = net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	e.wire.ends[addr] = e
}

func (e *end) WriteTo(b []byte, to net.Addr) (int, error) {
	p, dest := flying{append([]byte(nil), b...), nil}, to.String()
	e.wire.mu.Lock()
	p.from = e.addr
	e.wire.mu.Unlock()
	time.AfterFunc(10*time.Millisecond, func() {
		e.wire.mu.Lock()
		far, cut := e.wire.ends[dest], e.wire.cut
		e.wire.mu.Unlock()
		if far == nil || cut {
			return
		}
		far.land(p)
	})
	return len(b), nil
}

func (e *end) land(p flying) {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	switch {
	case e.kind != nil && fits(e.kind, p.b):
		e.apart = append(e.apart, landed{p, time.Now()})
	case !e.deaf:
		select {
		case e.in <- p:
		default:
		}
	}
}

func (e *end) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-e.in:
		return copy(b, p.b), p.from, nil
	case <-e.done:
		return 0, nil, net.ErrClosed
	}
}

func (e *end) Close() error {
	e.once.Do(func() { close(e.done) })
	return nil
}

func (e *end) LocalAddr() net.Addr              { return e.name }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func (e *end) now() []netip.AddrPort {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	return []netip.AddrPort{e.addr.AddrPort()}
}

// phoneCall is two legs on a wire, with a tunnel between them, and a voice that
// sends a packet each 20 ms from a to b.
type phoneCall struct {
	t      *testing.T
	wire   *wire
	ea, eb *end
	a, b   *rtc.Leg
	sent   int
	apart  bool // they hand on what comes, from sockets that keep sound apart
	looks  bool // and look for it
	downs  int  // times at which a leg was not connected

	mu   sync.Mutex
	got  map[int]bool
	last time.Time
	gap  time.Duration
}

func newCall(t *testing.T, cut bool) *phoneCall {
	return newCallOn(t, cut, func(e *end) net.PacketConn { return e })
}

func newCallOn(t *testing.T, cut bool, socket func(*end) net.PacketConn) *phoneCall {
	w := &wire{ends: map[string]*end{}, cut: cut}
	c := &phoneCall{t: t, wire: w, ea: w.end("10.0.0.1:1000"), eb: w.end("10.0.0.2:1000"), got: map[int]bool{}}
	leg := func(e *end) *rtc.Leg {
		p, err := rtc.NewPort([]net.PacketConn{socket(e)}, e.now)
		must(t, err)
		t.Cleanup(func() { must(t, p.Close()) })
		return newLeg(t, p)
	}
	c.a, c.b = leg(c.ea), leg(c.eb)
	c.lendTunnel()
	c.describe(c.a.Offer)
	c.settle(2 * time.Second)
	return c
}

// describe carries an offer and its answer across.
func (c *phoneCall) describe(offer func(context.Context) (rtc.Description, error)) {
	c.t.Helper()
	o, err := offer(c.t.Context())
	must(c.t, err)
	answer, err := c.b.Answer(c.t.Context(), overWire(c.t, o))
	must(c.t, err)
	must(c.t, c.a.Accept(c.t.Context(), overWire(c.t, answer)))
}

// cutTunnelAndSpeak leaves the direct path alone.
func (c *phoneCall) cutTunnelAndSpeak() {
	c.t.Helper()
	c.lendTunnel()()
	c.speak(7 * time.Second)
	c.wantPath(rtc.Host)
}

// lendTunnel lends both ends a stream.
func (c *phoneCall) lendTunnel() (cut func()) {
	x, y := net.Pipe()
	go func() { _ = c.a.Carry(x) }()
	go func() { _ = c.b.Carry(y) }()
	return func() { _ = errors.Join(x.Close(), y.Close()) }
}

func (c *phoneCall) settle(limit time.Duration) {
	c.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		sa, _ := c.a.State()
		sb, _ := c.b.State()
		if sa == rtc.Connected && sb == rtc.Connected {
			break
		}
		if time.Now().After(end) {
			c.t.Fatalf("not connected after %v: %s, %s", limit, sa, sb)
		}
	}
}

// speak lets a speak and b listen for a while, and then waits for what is on
// its way.
func (c *phoneCall) speak(d time.Duration) {
	c.t.Helper()
	stop := c.listen()
	for end := time.Now().Add(d); time.Now().Before(end); c.sent++ {
		_ = c.a.Send(packet(c.sent, string(binary.BigEndian.AppendUint32(nil, uint32(c.sent)))))
		_ = c.b.Send(packet(c.sent, "listening"))
		time.Sleep(20 * time.Millisecond)
		if c.looks {
			c.a.Look()
			c.b.Look()
		}
		a, _ := c.a.State()
		if b, _ := c.b.State(); a != rtc.Connected || b != rtc.Connected {
			c.downs++
		}
	}
	time.Sleep(100 * time.Millisecond)
	stop()
}

// listen lets both ends hear until stop.
func (c *phoneCall) listen() (stop func()) {
	if c.apart {
		c.a.Hand(func(rtc.Arrival) {})
		c.b.Hand(c.heard)
		return func() {
			c.a.Hand(nil)
			c.b.Hand(nil)
		}
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	var listener sync.WaitGroup
	listener.Go(func() {
		for p, err := c.b.Receive(ctx); err == nil; p, err = c.b.Receive(ctx) {
			c.heard(p)
		}
	})
	return func() {
		cancel()
		listener.Wait()
	}
}

func (c *phoneCall) heard(p rtc.Arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[int(binary.BigEndian.Uint32(p.Packet.Payload))] = true
	if !c.last.IsZero() {
		c.gap = max(c.gap, p.At.Sub(c.last))
	}
	c.last = p.At
}

func (c *phoneCall) wantPath(k rtc.Kind) {
	c.t.Helper()
	if p, q := c.a.Path(), c.b.Path(); p.Kind != k || q.Kind != k {
		c.t.Errorf("the paths are %+v and %+v", p, q)
	}
}

func TestACallThatBeganInATunnelBecomesDirectWithoutAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall(t, true)
		c.wantPath(rtc.Relayed)
		c.speak(time.Second)
		c.wire.setCut(false)
		c.restart()
		c.speak(5 * time.Second)
		c.wantPath(rtc.Host)
		c.wantAll()
	})
}

// wantAll checks that every frame came.
func (c *phoneCall) wantAll() {
	c.t.Helper()
	for n := range c.sent {
		if !c.got[n] {
			c.t.Errorf("frame %d of %d is lost", n, c.sent)
		}
	}
}

// restart looks for paths anew, as after a change of network.
func (c *phoneCall) restart() { c.describe(c.a.Restart) }

func TestATunnelTakesOverWhenTheDirectPathIsCutAndTheCallGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall(t, false)
		c.speak(7 * time.Second)
		c.wantPath(rtc.Host)
		c.wire.setCut(true)
		c.speak(3 * time.Second)
		c.wantPath(rtc.Relayed)
		if c.gap > 1200*time.Millisecond {
			t.Errorf("nothing was heard for %v", c.gap)
		}
		t.Logf("nothing was heard for %v", c.gap)
		c.wire.setCut(false)
		c.restart()
		c.speak(3 * time.Second)
		c.wantPath(rtc.Host)
	})
}

func TestACallFollowsAMachineThatMovesAndComesBack(t *testing.T) {
	for name, move := range map[string]func(c *phoneCall, net string){
		"the caller": func(c *phoneCall, net string) { c.ea.move(net + ".1:1000") },
		"the callee": func(c *phoneCall, net string) { c.eb.move(net + ".2:1000") },
	} {
		for kind, begin := range map[string]func(*testing.T) *phoneCall{
			"": func(t *testing.T) *phoneCall { return newCall(t, false) }, ", sound kept apart": newCallApart,
		} {
			t.Run(name+kind, func(t *testing.T) {
				for _, told := range []bool{true, false} {
					synctest.Test(t, func(t *testing.T) {
						c := begin(t)
						c.cutTunnelAndSpeak()
						for _, net := range []string{"10.0.9", "10.0.0"} {
							move(c, net)
							if told {
								c.restart()
							}
							c.speak(3 * time.Second)
							c.settle(time.Millisecond)
							if c.gap > time.Second || !c.got[c.sent-1] {
								t.Errorf("nothing was heard for %v, at last: %v (told: %v)", c.gap, !c.got[c.sent-1], told)
							}
						}
						t.Logf("nothing was heard for %v (told: %v)", c.gap, told)
					})
				}
			})
		}
	}
}

func TestAStreamThatIsReplacedLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall(t, true)
		for range 4 {
			c.speak(time.Second)
			c.lendTunnel()
		}
		c.speak(time.Second)
		c.wantPath(rtc.Relayed)
		c.wantAll()
	})
}

func TestALegThatIsTunnelledTellsNoAddress(t *testing.T) {
	l, err := rtc.NewLeg(rtc.Config{Port: newPort(t), Tunnelled: true, Reflexive: func() []netip.AddrPort {
		return []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:9")}
	}})
	must(t, err)
	defer func() { must(t, l.Close()) }()
	d, err := l.Offer(t.Context())
	must(t, err)
	if len(d.Candidates) != 1 || d.Candidates[0].Kind != rtc.Relayed {
		t.Errorf("it tells %v", d.Candidates)
	}
}

func TestATunnelOfNonsenseEnds(t *testing.T) {
	l := newLeg(t, newPort(t))
	x, y := net.Pipe()
	go func() { _, _ = y.Write([]byte{0xff, 0xff, 1, 2, 3}) }()
	if err := l.Carry(x); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a packet of 65,535 bytes: %v", err)
	}
}

// stuck is a stream that takes nothing and brings nothing until it is closed.
type stuck struct {
	closed chan struct{}
	once   sync.Once
}

func (s *stuck) Read([]byte) (int, error)  { <-s.closed; return 0, io.EOF }
func (s *stuck) Write([]byte) (int, error) { <-s.closed; return 0, net.ErrClosed }
func (s *stuck) Close() error              { s.once.Do(func() { close(s.closed) }); return nil }

func TestAStreamThatIsStuckEndsOnceAnotherHasTakenItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall(t, true)
		old := &stuck{closed: make(chan struct{})}
		go func() { _ = c.a.Carry(old) }()
		c.speak(time.Second) // all of it into the stuck one
		c.lendTunnel()
		c.speak(5 * time.Second)
		select {
		case <-old.closed:
		default:
			t.Error("the stuck stream is still held")
		}
		c.wantPath(rtc.Relayed)
	})
}
