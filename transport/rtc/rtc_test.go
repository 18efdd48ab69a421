package rtc_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/transport/rtc"
)

// newPort is a port on loopback, with a socket of its own.
func newPort(t testing.TB) *rtc.Port {
	t.Helper()
	var lc net.ListenConfig
	c, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	return portOn(t, c)
}

func portOn(t testing.TB, c net.PacketConn) *rtc.Port {
	t.Helper()
	addr := netip.MustParseAddrPort(c.LocalAddr().String())
	p, err := rtc.NewPort([]net.PacketConn{c}, func() []netip.AddrPort { return []netip.AddrPort{addr} })
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

func newLeg(t testing.TB, p *rtc.Port) *rtc.Leg {
	t.Helper()
	l, err := rtc.NewLeg(rtc.Config{Port: p})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// overWire is what the other end reads of a description.
func overWire(t testing.TB, d rtc.Description) rtc.Description {
	t.Helper()
	got, err := rtc.ParseDescription(d.Encode())
	must(t, err)
	return got
}

// want waits until a leg is in a state.
func want(t testing.TB, l *rtc.Leg, s rtc.State) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		got, why := l.State()
		if got == s {
			return
		}
		select {
		case <-l.Changes():
		case <-limit.C:
			t.Fatalf("the leg is %v (%v) instead of %v", got, why, s)
		}
	}
}

// pair is two legs that are connected.
func pair(t testing.TB, a, b *rtc.Port) (caller, callee *rtc.Leg) {
	t.Helper()
	caller, callee = newLeg(t, a), newLeg(t, b)
	join(t, caller, callee)
	return caller, callee
}

func join(t testing.TB, caller, callee *rtc.Leg) {
	t.Helper()
	offer, err := caller.Offer(t.Context())
	must(t, err)
	answer, err := callee.Answer(t.Context(), overWire(t, offer))
	must(t, err)
	must(t, caller.Accept(t.Context(), overWire(t, answer)))
	want(t, caller, rtc.Connected)
	want(t, callee, rtc.Connected)
}

func packet(n int, payload string) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{PayloadType: 111, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960},
		Payload: []byte(payload),
	}
}

func receive(t testing.TB, l *rtc.Leg) *rtp.Packet {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	a, err := l.Receive(ctx)
	must(t, err)
	return a.Packet
}

func TestTwoLegsConnectInMillisecondsAndCarryPacketsBothWays(t *testing.T) {
	start := time.Now()
	a, b := pair(t, newPort(t), newPort(t))
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("connected after %v", took)
	}
	for i := range 50 {
		must(t, a.Send(packet(i, "from a")))
		must(t, b.Send(packet(i+65500, "from b")))
		if p := receive(t, b); p.SequenceNumber != uint16(i) || string(p.Payload) != "from a" || p.PayloadType != 111 {
			t.Fatalf("b got %v", p)
		}
		if p := receive(t, a); p.SequenceNumber != uint16(i+65500) || string(p.Payload) != "from b" {
			t.Fatalf("a got %v", p)
		}
	}
	if s := a.Stats(); s.PacketsSent != 50 || s.PacketsReceived != 50 || s.PacketsLost != 0 || s.BytesReceived != 300 {
		t.Errorf("a counted %+v", s)
	}
	if p := a.Path(); p.Kind != rtc.Host || !p.Remote.Addr().IsLoopback() {
		t.Errorf("path is %+v", p)
	}
}

func TestWhatWaitedAndWhatArrivesIsHandedOver(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	const count = 40
	for i := range count / 2 {
		must(t, a.Send(packet(i, "waits")))
	}
	for b.Stats().PacketsReceived < count/2 {
		<-time.After(time.Millisecond)
	}
	handed := make(chan uint16, count)
	b.Hand(func(x rtc.Arrival) { handed <- x.Packet.SequenceNumber })
	for i := count / 2; i < count; i++ {
		must(t, a.Send(packet(i, "arrives")))
	}
	seen := map[uint16]bool{} // one that goes the long way may be overtaken
	for range count {
		seen[<-handed] = true
	}
	if len(seen) != count {
		t.Errorf("%d of %d packets are handed over", len(seen), count)
	}
	b.Hand(nil)
	must(t, a.Send(packet(count, "waits again")))
	if got := receive(t, b); got.SequenceNumber != count {
		t.Errorf("packet %d is received instead of %d", got.SequenceNumber, count)
	}
}

func TestManyLegsShareOnePort(t *testing.T) {
	p := newPort(t)
	for range 4 {
		a, b := pair(t, p, newPort(t))
		must(t, a.Send(packet(1, "x")))
		receive(t, b)
	}
}

func TestOneCallsAgainAtOnce(t *testing.T) {
	p, q := newPort(t), newPort(t)
	for range 5 {
		a, b := pair(t, p, q)
		ended := make(chan error, 2)
		go func() { ended <- a.Close() }()
		go func() { ended <- b.Close() }()
		must(t, errors.Join(<-ended, <-ended))
	}
}

func TestASwappedFingerprintNeverConnects(t *testing.T) {
	for name, swap := range map[string]func(offer, answer *rtc.Description){
		"of the offer":  func(o, _ *rtc.Description) { o.Fingerprint[0] ^= 1 },
		"of the answer": func(_, a *rtc.Description) { a.Fingerprint[31] ^= 1 },
		"of both":       func(o, a *rtc.Description) { o.Fingerprint, a.Fingerprint = a.Fingerprint, o.Fingerprint },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newLeg(t, newPort(t)), newLeg(t, newPort(t))
			offer, err := a.Offer(t.Context())
			must(t, err)
			ours := offer
			var answer rtc.Description
			swap(&ours, &answer)
			answer, err = b.Answer(t.Context(), ours)
			must(t, err)
			theirs := answer
			swap(&offer, &theirs)
			must(t, a.Accept(t.Context(), theirs))
			wantNever(t, a, b)
		})
	}
}

// wantNever waits until one of two legs has failed, and checks that no sound
// comes through.
func wantNever(t *testing.T, a, b *rtc.Leg) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		sa, whyA := a.State()
		sb, whyB := b.State()
		if sa == rtc.Connected && sb == rtc.Connected {
			t.Fatal("both ends are connected")
		}
		if errors.Is(whyA, rtc.ErrFingerprint) || errors.Is(whyB, rtc.ErrFingerprint) {
			break
		}
		select {
		case <-a.Changes():
		case <-b.Changes():
		case <-limit.C:
			t.Fatalf("neither has refused: %v (%v), %v (%v)", sa, whyA, sb, whyB)
		}
	}
	for _, l := range []*rtc.Leg{a, b} {
		if err := l.Send(packet(1, "x")); errors.Is(err, nil) {
			if s, _ := l.State(); s == rtc.Failed {
				t.Error("a failed leg sends")
			}
		}
	}
}

func TestEachCallHasACertificateOfItsOwn(t *testing.T) {
	port, seen := newPort(t), map[[32]byte]bool{}
	for range 10 {
		d, err := newLeg(t, port).Offer(t.Context())
		must(t, err)
		if d.Fingerprint == ([32]byte{}) || seen[d.Fingerprint] {
			t.Fatalf("fingerprint %x was there before", d.Fingerprint[:4])
		}
		seen[d.Fingerprint] = true
	}
}

func TestAnAnswerToAnotherCallNeverConnects(t *testing.T) {
	port, theirs := newPort(t), newPort(t)
	first, old := newLeg(t, port), newLeg(t, theirs)
	offer, err := first.Offer(t.Context())
	must(t, err)
	replayed, err := old.Answer(t.Context(), offer)
	must(t, err)
	second := newLeg(t, port)
	_, err = second.Offer(t.Context())
	must(t, err)
	must(t, second.Accept(t.Context(), replayed))
	time.AfterFunc(500*time.Millisecond, func() { _ = second.Close() })
	for {
		s, _ := second.State()
		if s == rtc.Connected {
			t.Fatal("connected by a replayed answer")
		}
		if s == rtc.Closed {
			return
		}
		<-second.Changes()
	}
}

func TestCloseIsHeardByTheOtherEnd(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	must(t, a.Close())
	want(t, b, rtc.Closed)
	if err := a.Send(packet(1, "x")); !errors.Is(err, rtc.ErrClosed) {
		t.Errorf("a closed leg sends: %v", err)
	}
	if _, err := a.Receive(t.Context()); !errors.Is(err, rtc.ErrClosed) {
		t.Errorf("a closed leg receives: %v", err)
	}
	must(t, a.Close())
}

func TestStepsOutOfOrderAreRefused(t *testing.T) {
	p := newPort(t)
	a, b := newLeg(t, p), newLeg(t, p)
	offer, err := a.Offer(t.Context())
	must(t, err)
	if _, err := a.Offer(t.Context()); !errors.Is(err, rtc.ErrOrder) {
		t.Errorf("two offers: %v", err)
	}
	if _, err := a.Answer(t.Context(), offer); !errors.Is(err, rtc.ErrOrder) {
		t.Errorf("answer of the caller: %v", err)
	}
	if err := b.Accept(t.Context(), offer); !errors.Is(err, rtc.ErrOrder) {
		t.Errorf("accept of the callee: %v", err)
	}
	if _, err := b.Restart(t.Context()); !errors.Is(err, rtc.ErrOrder) {
		t.Errorf("restart of what never began: %v", err)
	}
	if err := a.Send(packet(1, "x")); !errors.Is(err, rtc.ErrNotConnected) {
		t.Errorf("send before: %v", err)
	}
	must(t, a.Close())
	if _, err := b.Answer(t.Context(), offer); err != nil {
		t.Errorf("an offer whose maker is gone: %v", err)
	}
}

func TestARestartKeepsTheCall(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	must(t, a.Send(packet(1, "before")))
	receive(t, b)
	for range 3 {
		offer, err := a.Restart(t.Context())
		must(t, err)
		answer, err := b.Answer(t.Context(), overWire(t, offer))
		must(t, err)
		must(t, a.Accept(t.Context(), overWire(t, answer)))
		want(t, a, rtc.Connected)
		want(t, b, rtc.Connected)
	}
	for a.Send(packet(2, "after")) != nil {
		runtime.Gosched()
	}
	if p := receive(t, b); string(p.Payload) != "after" {
		t.Errorf("got %q", p.Payload)
	}
	other := newLeg(t, newPort(t))
	foreign, err := other.Offer(t.Context())
	must(t, err)
	if _, err := b.Answer(t.Context(), foreign); !errors.Is(err, rtc.ErrFingerprint) {
		t.Errorf("a restart by somebody else: %v", err)
	}
}

func TestAThousandLegsLeaveNothingBehind(t *testing.T) {
	rounds := 1000
	if testing.Short() || raceEnabled {
		rounds = 50
	}
	p, q := newPort(t), newPort(t)
	warm := func() {
		a, err := rtc.NewLeg(rtc.Config{Port: p})
		must(t, err)
		b, err := rtc.NewLeg(rtc.Config{Port: q})
		must(t, err)
		join(t, a, b)
		must(t, a.Close())
		must(t, b.Close())
	}
	warm()
	before := settled(t, 0)
	for range rounds {
		warm()
	}
	if after := settled(t, before); after > before+5 {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// settled counts goroutines once their number is at most limit or stays.
func settled(t *testing.T, limit int) int {
	t.Helper()
	n := runtime.NumGoroutine()
	timer := time.NewTicker(10 * time.Millisecond)
	defer timer.Stop()
	for range 100 {
		<-timer.C
		if n = runtime.NumGoroutine(); limit != 0 && n <= limit {
			break
		}
	}
	return n
}

func BenchmarkConnect(b *testing.B) {
	p, q := newPort(b), newPort(b)
	for b.Loop() {
		x, err := rtc.NewLeg(rtc.Config{Port: p})
		must(b, err)
		y, err := rtc.NewLeg(rtc.Config{Port: q})
		must(b, err)
		join(b, x, y)
		must(b, x.Close())
		must(b, y.Close())
	}
}

func BenchmarkPacket(b *testing.B) {
	x, y := pair(b, newPort(b), newPort(b))
	p := packet(0, string(make([]byte, 80)))
	b.ReportAllocs()
	for b.Loop() {
		p.SequenceNumber++
		must(b, x.Send(p))
		receive(b, y)
	}
}

func TestWhoHangsUpWhileTheyAnswerIsNotHeldUp(t *testing.T) {
	p := newPort(t)
	offer, err := newLeg(t, newPort(t)).Offer(t.Context())
	must(t, err)
	over := make(chan error, 2)
	var leg *rtc.Leg
	leg, err = rtc.NewLeg(rtc.Config{Port: p, Reflexive: func() []netip.AddrPort {
		go func() { over <- leg.Close() }()
		for range 1000 { // Close goes as far as it can
			runtime.Gosched()
		}
		return nil
	}})
	must(t, err)
	go func() {
		_, err := leg.Answer(t.Context(), overWire(t, offer))
		over <- err
	}()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for range 2 {
		select {
		case err := <-over:
			must(t, err)
		case <-limit.C:
			t.Fatal("answering and hanging up wait for each other")
		}
	}
	pair(t, p, newPort(t)) // nor is the next call
}
