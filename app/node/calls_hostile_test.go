package node_test

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
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
	frames, _ := heard(m.ch)
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

func TestASwappedFingerprintNeverConnects(t *testing.T) {
	withMallory(t, func(m *mallory) {
		conn, err := m.Host.ListenUDP("udp4", &net.UDPAddr{IP: m.Host.IP()})
		if err != nil {
			t.Fatal(err)
		}
		addr := netip.MustParseAddrPort(conn.LocalAddr().String())
		port, err := rtc.NewPort([]net.PacketConn{conn}, func() []netip.AddrPort { return []netip.AddrPort{addr} })
		if err != nil {
			t.Fatal(err)
		}
		leg, err := rtc.NewLeg(rtc.Config{Port: port})
		if err != nil {
			t.Fatal(err)
		}
		d, err := leg.Offer(m.town.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.Fingerprint[3] ^= 4
		id := call.ID{6}
		m.say(m.signal(id, call.Signal{Kind: call.Offer, Description: d.Encode()}))
		m.alice.Answer(m.alice.Rings(m.Person))
		for _, s := range m.heardCalls() {
			if s.Kind != call.Accept {
				continue
			}
			answer, err := rtc.ParseDescription(s.Description)
			if err != nil {
				t.Fatal(err)
			}
			if err := leg.Accept(m.town.Context(), answer); err != nil {
				t.Fatal(err)
			}
		}
		if c := m.alice.WantEnded(id, call.Failed); !c.ActiveFrom.IsZero() || c.Voice.PacketsReceived != 0 {
			t.Errorf("alice was connected: %+v", c)
		}
		if s, _ := leg.State(); s == rtc.Connected {
			t.Error("mallory is connected")
		}
		if err := leg.Close(); err != nil {
			t.Error(err)
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
	})
}
