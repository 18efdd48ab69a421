package rtc_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/transport/rtc"
)

func description() rtc.Description {
	return rtc.Description{
		Ufrag: "abcdefgh", Password: "0123456789+/ABCDEFGHIJKL", Fingerprint: [32]byte{1, 31: 2}, SSRC: 1 << 31,
		Candidates: []rtc.Candidate{
			{Kind: rtc.Host, Priority: 1 << 30, Addr: netip.MustParseAddrPort("192.0.2.1:4001")},
			{Kind: rtc.Reflexive, Priority: 7, Addr: netip.MustParseAddrPort("[2001:db8::1]:65535")},
			{Kind: rtc.Relayed, Priority: 0, Addr: netip.MustParseAddrPort("127.0.0.1:1")},
		},
	}
}

func TestADescriptionComesBackAsItWasSent(t *testing.T) {
	for _, d := range []rtc.Description{description(), {Ufrag: "abcd", Password: strings.Repeat("x", 22)}} {
		got, err := rtc.ParseDescription(d.Encode())
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("got %+v (%v), want %+v", got, err, d)
		}
	}
}

func TestADescriptionThatIsWrongIsRefused(t *testing.T) {
	with := func(f func(*rtc.Description)) []byte {
		d := description()
		f(&d)
		return d.Encode()
	}
	addr := func(s string) func(*rtc.Description) {
		return func(d *rtc.Description) { d.Candidates[0].Addr = netip.MustParseAddrPort(s) }
	}
	for name, b := range map[string][]byte{
		"empty":          nil,
		"version":        append([]byte{9}, description().Encode()[1:]...),
		"behind":         append(description().Encode(), 0),
		"short name":     with(func(d *rtc.Description) { d.Ufrag = "abc" }),
		"long name":      with(func(d *rtc.Description) { d.Ufrag = strings.Repeat("a", 33) }),
		"short password": with(func(d *rtc.Description) { d.Password = "short" }),
		"line break":     with(func(d *rtc.Description) { d.Ufrag = "abcd\r\na=x" }),
		"kind":           with(func(d *rtc.Description) { d.Candidates[0].Kind = 9 }),
		"port 0":         with(addr("192.0.2.1:0")),
		"unspecified":    with(addr("0.0.0.0:1")),
		"multicast":      with(addr("224.0.0.251:5353")),
		"broadcast":      with(addr("255.255.255.255:9")),
		"many":           with(func(d *rtc.Description) { d.Candidates = make([]rtc.Candidate, 33) }),
		"huge":           make([]byte, rtc.MaxDescription+1),
	} {
		if _, err := rtc.ParseDescription(b); !errors.Is(err, rtc.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := description().Encode()
	for n := range whole {
		if _, err := rtc.ParseDescription(whole[:n]); !errors.Is(err, rtc.ErrMalformed) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add(description().Encode())
	f.Add([]byte{1, 4, 'a', 'b', 'c', 'd'})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := rtc.ParseDescription(b)
		if err == nil && !bytes.Equal(d.Encode(), b) {
			t.Fatalf("one description has two encodings: %x", b)
		}
	})
}

// tap is a socket whose packets can be seen, and to which others can be added.
type tap struct {
	net.PacketConn
	seen chan []byte
}

func (c *tap) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case c.seen <- bytes.Clone(b):
	default:
	}
	return c.PacketConn.WriteTo(b, to)
}

func TestPacketsOnTheWireAreEncryptedAndForgedOnesAreDropped(t *testing.T) {
	var lc net.ListenConfig
	raw, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	wire := &tap{raw, make(chan []byte, 1024)}
	a, b := pair(t, portOn(t, wire), newPort(t))
	for range len(wire.seen) {
		<-wire.seen // of the handshake
	}
	const secret = "what only the two may hear, said in the clear"
	must(t, a.Send(packet(1, secret)))
	receive(t, b)
	var sealed []byte
	for sealed == nil {
		if p := <-wire.seen; len(p) > len(secret) && p[0] == 8 && p[2] == 111 {
			sealed = p
		}
	}
	if bytes.Contains(sealed, []byte(secret[:8])) {
		t.Fatal("sound goes in the clear")
	}
	to := net.UDPAddrFromAddrPort(a.Path().Remote)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 { // of our address, so that only the keys protect
		forged := bytes.Clone(sealed)
		switch i % 4 {
		case 0: // replayed
		case 1:
			forged[rng.IntN(len(forged))] ^= byte(1 + rng.IntN(255))
		case 2:
			forged = forged[:rng.IntN(len(forged))]
		case 3:
			forged = make([]byte, rng.IntN(1600))
			for j := range forged {
				forged[j] = byte(rng.Uint32())
			}
			if len(forged) > 0 {
				forged[0] = []byte{8, 22, 0, 130, 200}[i%5]
			}
		}
		_, _ = raw.WriteTo(forged, to)
	}
	sent := uint64(1) // the flood may have pushed some out of the socket's buffer
	for got := ""; got == "" && sent < 100; sent++ {
		must(t, a.Send(packet(int(sent)+1, "and still")))
		got = soon(t, b)
	}
	if s := b.Stats(); s.PacketsReceived > sent {
		t.Errorf("%d packets were taken, %d were sent", s.PacketsReceived, sent)
	}
}

func TestOnlyAESGCMIsOffered(t *testing.T) {
	var lc net.ListenConfig
	raw, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	wire := &tap{raw, make(chan []byte, 1024)}
	pair(t, newPort(t), portOn(t, wire)) // whoever answers says hello
	const record, header, hello = 13, 12, 1
	for p := range wire.seen {
		if len(p) <= record+header || p[0] != 22 || p[record] != hello {
			continue
		}
		var said handshake.MessageClientHello
		must(t, said.Unmarshal(p[record+header:]))
		if want := []uint16{uint16(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)}; !slices.Equal(said.CipherSuiteIDs, want) {
			t.Errorf("cipher suites %x are offered, not %x", said.CipherSuiteIDs, want)
		}
		i := slices.IndexFunc(said.Extensions, func(e extension.Extension) bool { return e.TypeValue() == extension.UseSRTPTypeValue })
		if i < 0 {
			t.Fatal("no SRTP is offered")
		}
		want := []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM}
		if srtp, ok := said.Extensions[i].(*extension.UseSRTP); !ok || !slices.Equal(srtp.ProtectionProfiles, want) {
			t.Errorf("SRTP with %+v is offered, not with %v", said.Extensions[i], want)
		}
		return
	}
}

// soon gives what arrives in the next moment, if anything does.
func soon(t *testing.T, l *rtc.Leg) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	a, err := l.Receive(ctx)
	if err != nil {
		return ""
	}
	return string(a.Packet.Payload)
}

func TestStrangePacketsOfTheFriendDoNoHarm(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 4000 { // ten seconds' worth at once, and more than may wait
		p := &rtp.Packet{
			Header: rtp.Header{
				PayloadType: uint8(rng.IntN(128)), SequenceNumber: uint16(rng.Uint32()), Timestamp: rng.Uint32(),
				Marker: i%2 == 0, Padding: false, CSRC: make([]uint32, rng.IntN(16)),
			},
			Payload: make([]byte, rng.IntN(1300)),
		}
		if err := a.Send(p); err != nil {
			t.Fatal(err)
		}
	}
	must(t, a.Send(&rtp.Packet{Header: rtp.Header{PayloadType: 111}}))
	if s, why := b.State(); s != rtc.Connected {
		t.Errorf("the leg is %v: %v", s, why)
	}
	receive(t, b)
	if s := b.Stats(); s.Jitter < 0 || s.Loss < 0 || s.LossHere > 1 {
		t.Errorf("counted %+v", s)
	}
}

func TestAnEndThatClaimsTheSourceOfAnotherHarmsNobody(t *testing.T) {
	p, q := newPort(t), newPort(t)
	a, b := newLeg(t, p), newLeg(t, q)
	offer, err := a.Offer(t.Context())
	must(t, err)
	honest, err := b.Answer(t.Context(), overWire(t, offer))
	must(t, err)
	must(t, a.Accept(t.Context(), overWire(t, honest)))
	want(t, a, rtc.Connected)
	want(t, b, rtc.Connected)

	c, d := newLeg(t, p), newLeg(t, newPort(t))
	offer, err = c.Offer(t.Context())
	must(t, err)
	thief, err := d.Answer(t.Context(), overWire(t, offer))
	must(t, err)
	thief.SSRC = honest.SSRC
	must(t, c.Accept(t.Context(), overWire(t, thief)))
	want(t, c, rtc.Connected)
	want(t, d, rtc.Connected)
	for i := range 40 {
		if i == 20 {
			must(t, c.Close())
		}
		_ = d.Send(packet(i, "stolen"))
		must(t, b.Send(packet(i, "honest")))
		if got := receive(t, a); string(got.Payload) != "honest" {
			t.Fatalf("heard %q", got.Payload)
		}
	}
}

func TestTwoFriendsWhoHappenOnOneSourceAreBothHeard(t *testing.T) {
	p := newPort(t)
	var here, there []*rtc.Leg
	for range 2 {
		a, b := newLeg(t, p), newLeg(t, newPort(t))
		b.SetSource(7)
		join(t, a, b)
		here, there = append(here, a), append(there, b)
	}
	for i := range 20 {
		for k := range there {
			must(t, there[k].Send(packet(i, "each")))
			receive(t, here[k])
		}
	}
}

func TestNumbersThatLeapAreNotTakenForLossWhenTheyBeginAnew(t *testing.T) {
	if loss := rtc.LeapsTakenForLoss(150_000, 1<<15-1); loss > 0.01 {
		t.Errorf("%.0f %% lost", loss*100)
	}
}

func TestOfAddressesWithoutEndOnlySomeAreTriedUntilICEBeginsAnew(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	offer, err := a.Restart(t.Context())
	must(t, err)
	flood := func() {
		for i := range 40 {
			d := offer
			d.Candidates = nil
			for j := range 32 {
				d.Candidates = append(d.Candidates, rtc.Candidate{Kind: rtc.Host, Priority: 1, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 9, byte(i), byte(j)}), 9)})
			}
			_, err := b.Answer(t.Context(), overWire(t, d))
			must(t, err)
		}
		n := 0
		for began := time.Now(); n < 120 && time.Since(began) < 10*time.Second; runtime.Gosched() { // ICE takes them up by and by
			n, err = b.Tries()
			must(t, err)
		}
		if n < 120 || n > 140 {
			t.Errorf("%d addresses are tried", n)
		}
	}
	flood()
	must(t, a.Send(packet(1, "all the same")))
	if p := receive(t, b); string(p.Payload) != "all the same" {
		t.Errorf("got %q", p.Payload)
	}
	offer.Ufrag = "another1" // which begins from nothing
	flood()
}

func TestLossAndRoundTripAreReported(t *testing.T) {
	a, b := pair(t, newPort(t), newPort(t))
	for i := range 100 {
		if i%4 != 0 {
			must(t, a.Send(packet(i, "x")))
		}
	}
	loss, began := 0.0, time.Now()
	for i := 0; a.Stats().RTT == 0 && time.Since(began) < 10*time.Second; i++ {
		must(t, b.Send(packet(i, "x")))
		soon(t, a)
		loss = max(loss, a.Stats().Loss)
	}
	if s := a.Stats(); loss < 0.2 || loss > 0.3 || s.RTT == 0 || s.RTT > 200*time.Millisecond {
		t.Errorf("the sender knows %+v, of a loss of %v", s, loss)
	}
	if s := b.Stats(); s.PacketsLost < 23 || s.PacketsLost > 25 {
		t.Errorf("the receiver lost %d", s.PacketsLost)
	}
}

func TestACheckSentAgainFromEverywhereCostsLittle(t *testing.T) {
	var lc net.ListenConfig
	raw, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	wire := &tap{raw, make(chan []byte, 1024)}
	a, b := pair(t, portOn(t, wire), newPort(t))
	var check []byte
	for check == nil {
		if p := <-wire.seen; len(p) > 20 && p[0] == 0 && p[1] == 1 { // a request of STUN
			check = p
		}
	}
	to := net.UDPAddrFromAddrPort(a.Path().Remote)
	for n := range 300 {
		c, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
		must(t, err)
		defer c.Close()
		_, err = c.WriteTo(check, to)
		must(t, err)
		if n < 100 { // each is answered
			must(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
			_, _, err = c.ReadFrom(make([]byte, 1500))
			must(t, err)
		}
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for had := b.Stats().Reports; b.Stats().Reports < had+2; { // all that came before has been looked at
		<-look.C
	}
	if n, err := b.Tries(); err != nil || n > 150 {
		t.Errorf("%d addresses are tried (%v)", n, err)
	}
}
