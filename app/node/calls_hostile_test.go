package node_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/rtc"
)

// signal is a frame about a call, sealed as mallory's channel wants it.
func (m *mallory) signal(id call.ID, s call.Signal) []byte {
	device := call.Device(m.DeviceID())
	return chat.CallFrame{Call: id, Body: s.Seal(m.ch.Binding(), id, device)}.Encode()
}

// offer is a description that looks right and leads nowhere.
func offer() []byte {
	return rtc.Description{
		Ufrag: "nobody", Password: strings.Repeat("x", 32), Fingerprint: [32]byte{1}, SSRC: 7,
		Candidates: []rtc.Candidate{{Kind: rtc.Host, Priority: 1, Addr: netip.MustParseAddrPort("8.8.0.250:9")}},
	}.Encode()
}

// heardCalls lists the signals about calls that arrive within some seconds.
func (m *mallory) heardCalls() (out []call.Signal) {
	m.t.Helper()
	frames, _ := nodetest.Heard(m.ch)
	for _, f := range frames {
		c, ok := f.(chat.CallFrame)
		if !ok {
			continue
		}
		s, err := call.OpenSignal(c.Body, m.ch.Binding(), c.Call, call.Device(m.alice.DeviceID()))
		if err != nil {
			m.t.Errorf("alice's signal cannot be opened: %v", err)
		}
		out = append(out, s)
	}
	return out
}

func TestFiftyOffersAtOnceRingOnce(t *testing.T) {
	withMallory(t, func(m *mallory) {
		for i := range 50 {
			m.say(m.signal(call.ID{byte(i), 1}, call.Signal{Kind: call.Offer, Description: offer()}))
		}
		rings, busy := 0, 0
		for _, s := range m.heardCalls() {
			switch {
			case s.Kind == call.Rings:
				rings++
			case s.Kind == call.Reject && s.Reason == call.Busy:
				busy++
			}
		}
		if calls := m.alice.Node().Calls(); rings != 1 || busy != 49 || len(calls) != 1 {
			t.Errorf("%d ring, %d are told busy, alice has %d calls", rings, busy, len(calls))
		}
	})
}

func TestMalformedAndForgedCallSignalsChangeNothing(t *testing.T) {
	withMallory(t, func(m *mallory) {
		rng := rand.New(rand.NewPCG(1, 2))
		id := call.ID{1}
		whole := call.Signal{Kind: call.Offer, Description: offer()}
		elsewhere := whole.Seal([32]byte{1}, id, call.Device(m.DeviceID())) // another channel's
		stolen := whole.Seal(m.ch.Binding(), id, call.Device(m.bob.DeviceID()))
		frames := [][]byte{
			chat.CallFrame{Call: id}.Encode(),
			chat.CallFrame{Call: id, Body: elsewhere}.Encode(),
			chat.CallFrame{Call: id, Body: stolen}.Encode(),
			chat.CallFrame{Call: call.ID{2}, Body: whole.Seal(m.ch.Binding(), id, call.Device(m.DeviceID()))}.Encode(),
			m.signal(id, call.Signal{Kind: call.Offer, Age: call.MaxAge + time.Second, Description: offer()}),
			m.signal(id, call.Signal{Kind: 77}),
		}
		for kind := call.Rings; kind <= call.Recording; kind++ { // about a call that there never was
			frames = append(frames, m.signal(call.ID{9}, call.Signal{Kind: kind, Description: offer()}))
		}
		for range 200 {
			b := make([]byte, rng.IntN(300))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			frames = append(frames, chat.CallFrame{Call: id, Body: b}.Encode())
		}
		m.say(frames...)
		for _, s := range m.heardCalls() {
			if s.Kind != call.Reject && s.Kind != call.End {
				t.Errorf("alice answered %+v", s)
			}
		}
		if calls := m.alice.Node().Calls(); len(calls) != 0 {
			t.Errorf("alice has calls: %+v", calls)
		}
		m.what = "malformed signals"
		m.wantPeace()
	})
}

func TestAnOfferThatLeadsNowhereFailsWhenAnswered(t *testing.T) {
	withMallory(t, func(m *mallory) {
		for name, description := range map[string][]byte{"malformed": []byte("v=0"), "nowhere": offer(), "none": nil} {
			id := call.ID{byte(len(name)), 5}
			m.say(m.signal(id, call.Signal{Kind: call.Offer, Description: description}))
			m.alice.Answer(m.alice.Rings(m.Person))
			if c := m.alice.WantEnded(id, call.Failed); !c.ActiveFrom.IsZero() {
				t.Errorf("%s: alice was connected", name)
			}
			m.dial()                                                                     // alice has dropped a channel that was silent
			m.say(m.signal(id, call.Signal{Kind: call.Offer, Description: description})) // once more
			m.town.Pass(time.Second)
			m.alice.WantEnded(id, call.Failed)
		}
	})
}

// legs are what mallory calls with, from a socket of her own.
func (m *mallory) legs(story func(newLeg func() *rtc.Leg)) {
	m.t.Helper()
	conn, err := m.Host.ListenUDP("udp4", &net.UDPAddr{IP: m.Host.IP()})
	if err != nil {
		m.t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(conn.LocalAddr().String())
	port, err := rtc.NewPort([]net.PacketConn{conn}, func() []netip.AddrPort { return []netip.AddrPort{addr} })
	if err != nil {
		m.t.Fatal(err)
	}
	var all []*rtc.Leg
	story(func() *rtc.Leg {
		l, err := rtc.NewLeg(rtc.Config{Port: port})
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, l)
		return l
	})
	for _, l := range all {
		if err := l.Close(); err != nil {
			m.t.Error(err)
		}
	}
	if err := port.Close(); err != nil {
		m.t.Error(err)
	}
}

// offers describes a leg.
func (m *mallory) offers(l *rtc.Leg) rtc.Description {
	m.t.Helper()
	d, err := l.Offer(m.town.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return d
}

// calls has alice answer an offer, and takes her answer.
func (m *mallory) calls(id call.ID, l *rtc.Leg, d rtc.Description) {
	m.t.Helper()
	m.say(m.signal(id, call.Signal{Kind: call.Offer, Description: d.Encode()}))
	m.alice.Answer(m.alice.Rings(m.Person))
	for _, s := range m.heardCalls() {
		if s.Kind != call.Accept {
			continue
		}
		answer, err := rtc.ParseDescription(s.Description)
		if err == nil {
			err = l.Accept(m.town.Context(), answer)
		}
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *mallory) wantNever(id call.ID, l *rtc.Leg) {
	m.t.Helper()
	if c := m.alice.WantEnded(id, call.Failed); !c.ActiveFrom.IsZero() || c.Voice.PacketsReceived != 0 {
		m.t.Errorf("alice was connected: %+v", c)
	}
	if s, _ := l.State(); s == rtc.Connected {
		m.t.Error("mallory is connected")
	}
}

func TestASwappedFingerprintNeverConnects(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.legs(func(newLeg func() *rtc.Leg) {
			leg, id := newLeg(), call.ID{6}
			d := m.offers(leg)
			d.Fingerprint[3] ^= 4
			m.calls(id, leg, d)
			m.wantNever(id, leg)
		})
	})
}

func TestAFingerprintOfAnEarlierCallNeverConnectsAgain(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.legs(func(newLeg func() *rtc.Leg) {
			first, id := newLeg(), call.ID{6}
			old := m.offers(first)
			m.calls(id, first, old)
			m.alice.WantCall(id, call.Active) // an honest call, so that the next one shows something
			m.alice.HangUp(id)
			m.alice.WantEnded(id, call.Completed)
			m.dial()
			second, again := newLeg(), call.ID{7}
			d := m.offers(second)
			d.Fingerprint = old.Fingerprint
			m.calls(again, second, d)
			m.wantNever(again, second)
		})
	})
}

func TestWhoeverAsksForAnotherPathWithoutPauseIsAnsweredOnceASecond(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.legs(func(newLeg func() *rtc.Leg) {
			leg, id := newLeg(), call.ID{6}
			m.calls(id, leg, m.offers(leg))
			m.alice.WantCall(id, call.Active)
			d, err := leg.Restart(m.town.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range 300 {
				d.Candidates = nil
				for j := range 32 {
					d.Candidates = append(d.Candidates, rtc.Candidate{Kind: rtc.Host, Priority: 1, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, 8, byte(i), byte(j)}), 9)})
				}
				m.say(m.signal(id, call.Signal{Kind: call.Again, Description: d.Encode()}))
			}
			answers := 0
			for _, s := range m.heardCalls() { // for four seconds
				if s.Kind == call.AgainToo {
					answers++
				}
			}
			if answers < 2 || answers > 9 {
				t.Errorf("alice looked for another path %d times", answers)
			}
			m.alice.WantCall(id, call.Active)
			m.alice.HangUp(id)
			m.alice.WantEnded(id, call.Completed)
			m.what = "hundreds of renewals"
			m.wantPeace()
		})
	})
}

func TestSignalsOfAnEarlierChannelAndAlteredOnesAreDropped(t *testing.T) {
	withMallory(t, func(m *mallory) {
		earlier := m.signal(call.ID{1}, call.Signal{Kind: call.Offer, Description: offer()})
		m.raw.Hangup(m.alice)
		m.town.Pass(time.Second)
		m.dial()
		m.say(earlier)
		id := call.ID{2}
		sealed := call.Signal{Kind: call.Offer, Description: offer()}.Seal(m.ch.Binding(), id, call.Device(m.DeviceID()))
		for i := range sealed {
			b := bytes.Clone(sealed)
			b[i] ^= 1 << (i % 8)
			m.say(chat.CallFrame{Call: id, Body: b}.Encode())
		}
		if got := m.heardCalls(); len(got) != 0 {
			t.Errorf("alice answered %+v", got)
		}
		if calls := m.alice.Node().Calls(); len(calls) != 0 {
			t.Errorf("alice has calls: %+v", calls)
		}
		m.dial()
		m.say(m.signal(id, call.Signal{Kind: call.Offer, Description: offer()}))
		m.alice.Rings(m.Person) // the same, whole, rings
	})
}

func TestAnOfferOlderThanAMinuteIsRefusedAndRingsNowhere(t *testing.T) {
	withMallory(t, func(m *mallory) {
		ask := func(id byte, age time.Duration) {
			m.say(m.signal(call.ID{id}, call.Signal{Kind: call.Offer, Age: age, Description: offer()}))
		}
		ask(1, call.MaxAge+time.Millisecond)
		if got := m.heardCalls(); len(got) != 1 || got[0].Kind != call.Reject || got[0].Reason != call.Stale {
			t.Errorf("alice answered %+v", got)
		}
		if calls := m.alice.Node().Calls(); len(calls) != 0 {
			t.Errorf("alice has calls: %+v", calls)
		}
		m.dial()
		ask(2, call.MaxAge)
		m.alice.Rings(m.Person)
	})
}

func TestNobodyIsTestedWithWithoutConsentNorLearnsAnything(t *testing.T) {
	withMallory(t, func(m *mallory) {
		ask := func(id byte) []byte {
			return m.signal(call.ID{id}, call.Signal{Kind: call.Test, Description: offer()})
		}
		m.say(ask(1), ask(2), m.signal(call.ID{1}, call.Signal{Kind: call.End}))
		if got := m.heardCalls(); len(got) != 0 {
			t.Errorf("alice told %v", got)
		}
		if calls := m.alice.Node().Calls(); len(calls) != 0 || m.alice.Phone.Opened != 0 {
			t.Errorf("alice has calls %v and opened her devices %d times", calls, m.alice.Phone.Opened)
		}
		if err := m.alice.Node().AllowEcho(m.town.Context(), m.ID(), true); err != nil {
			t.Fatal(err)
		}
		m.dial()
		m.say(ask(3), ask(4), ask(5))
		accepted, busy := 0, 0
		for _, s := range m.heardCalls() {
			switch {
			case s.Kind == call.Accept:
				accepted++
			case s.Kind == call.Reject && s.Reason == call.Busy:
				busy++
			}
		}
		if accepted != 1 || busy != 2 {
			t.Errorf("of three tests at once %d were taken part in, %d refused", accepted, busy)
		}
		m.town.Pass(call.TestTime)
		if m.alice.Phone.Opened != 0 {
			t.Error("alice's devices were opened")
		}
		m.what = "tests without an end"
		m.wantPeace()
	})
}
