package voice_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media/voice"
)

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

const ms = time.Millisecond

func TestTheCodecFollowsTheLine(t *testing.T) {
	type look struct {
		loss float64
		rtt  time.Duration
		lan  bool
	}
	for name, c := range map[string]struct {
		looks      []look
		frame      time.Duration
		copies     int
		least, top int // bits/s
	}{
		"a LAN has short frames":       {[]look{{0, ms, true}}, 10 * ms, 1, 64000, 64000},
		"a crowded one does not":       {[]look{{0, ms, true}, {0, 200 * ms, true}}, 20 * ms, 0, 16000, 32000},
		"a near line too":              {[]look{{0, 30 * ms, false}}, 10 * ms, 0, 40000, 40000},
		"a far line has long ones":     {[]look{{0, 150 * ms, false}}, 20 * ms, 0, 32000, 32000},
		"loss brings long frames":      {[]look{{0, ms, true}, {0.04, ms, true}}, 20 * ms, 0, 32000, 32000},
		"7 % brings one copy":          {[]look{{0.07, 80 * ms, false}}, 20 * ms, 1, 16000, 32000},
		"20 % brings two":              {[]look{{0.2, 80 * ms, false}}, 20 * ms, 2, 16000, 32000},
		"4 % keeps the copy there was": {[]look{{0.07, 80 * ms, false}, {0.04, 80 * ms, false}}, 20 * ms, 1, 16000, 32000},
		"and without loss it goes":     {[]look{{0.07, 80 * ms, false}, {0, 80 * ms, false}, {0, 80 * ms, false}, {0, 80 * ms, false}, {0, 80 * ms, false}}, 20 * ms, 0, 28000, 32000},
		"a queue takes bits away":      {[]look{{0, 80 * ms, false}, {0, 400 * ms, false}, {0, 400 * ms, false}}, 20 * ms, 0, 16000, 24000},
		"and an empty one gives back":  {[]look{{0, 80 * ms, false}, {0, 400 * ms, false}, {0, 80 * ms, false}, {0, 80 * ms, false}}, 20 * ms, 0, 26000, 32000},
		"nonsense is no harm":          {[]look{{nan(), -ms, false}, {7, ms, false}}, 20 * ms, 2, 16000, 36000},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t, quietLAN(), nil)
			for _, l := range c.looks {
				p.Network(l.loss, l.rtt, l.lan)
			}
			s := p.Stats()
			if s.Frame != c.frame || s.Copies != c.copies || s.Bitrate < c.least || s.Bitrate > c.top {
				t.Errorf("frames of %v, %d copies, %d bits/s", s.Frame, s.Copies, s.Bitrate)
			}
		})
	}
}

// sentBy are the packets that a person sends within some time.
func sentBy(t *testing.T, d time.Duration, words []float32, change func(*voice.Config), then func(*person)) (packets []*rtp.Packet) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		line := quietLAN()
		line.carry = func(p *rtp.Packet) { packets = append(packets, p) }
		p := newPerson(t, line, change)
		p.mouth.say(words)
		stop := run(t, p)
		if then != nil {
			then(p)
		}
		pass(d)
		stop()
	})
	return packets
}

func TestPacketsAreOfOneSizeAndInOrder(t *testing.T) {
	packets := sentBy(t, 3*time.Second, speech()[:48000], nil, nil)
	if len(packets) < 145 || len(packets) > 150 {
		t.Fatalf("%d packets in 3 s", len(packets))
	}
	for i, p := range packets[1:] {
		before := packets[i]
		if p.SequenceNumber != before.SequenceNumber+1 || p.Timestamp != before.Timestamp+960 || p.SSRC != 1 {
			t.Fatalf("packet %d: %v after %v", i, p.Header, before.Header)
		}
		if len(p.Payload) != len(packets[0].Payload) {
			t.Fatalf("packet %d has %d bytes, the first %d", i, len(p.Payload), len(packets[0].Payload))
		}
	}
}

func TestSavingBandwidthSendsLittleInSilence(t *testing.T) {
	packets := sentBy(t, 6*time.Second, speech()[:96000], func(c *voice.Config) { c.SaveBandwidth = true }, nil)
	if len(packets) > 220 {
		t.Errorf("%d packets for 2 s of speech and 4 of silence", len(packets))
	}
	marked := 0
	for _, p := range packets {
		if p.Marker {
			marked++
		}
	}
	if marked < 2 {
		t.Errorf("%d packets are marked as beginnings", marked)
	}
}

func TestLowLatencyIsUnderstoodToo(t *testing.T) {
	slowly(t)
	synctest.Test(t, func(t *testing.T) {
		low := func(c *voice.Config) { c.LowLatency, c.Frame = true, 10*ms }
		ann, bob := newPerson(t, quietLAN(), low), newPerson(t, quietLAN(), low)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		stop := run(t, ann, bob)
		defer stop()
		ann.Network(0, ms, true)
		if q := spoken(ann, bob); q < 0.99 {
			t.Errorf("intelligibility %.4f", q)
		}
		ann.Network(0.1, ms, true) // back to what helps
		pass(time.Second)
		if s := ann.Stats(); s.Frame != 20*ms {
			t.Errorf("frames of %v", s.Frame)
		}
	})
}

func TestStatsTellHowACallIs(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		began := time.Now()
		if s := bob.Stats(); s.Quality != voice.QualityNone || !s.FirstAudio.IsZero() {
			t.Errorf("before anything: %v, first audio %v", s.Quality, s.FirstAudio)
		}
		ann.mouth.say(long())
		ann.Network(0, 2*ms, true)
		bob.Network(0, 2*ms, true)
		pass(6 * time.Second)
		s := bob.Stats()
		if d := s.FirstAudio.Sub(began); d <= 0 || d > 120*ms {
			t.Errorf("first audio after %v", d)
		}
		if s.Quality != voice.QualityExcellent || s.MOS < 4.2 {
			t.Errorf("quality %v, MOS %.2f", s.Quality, s.MOS)
		}
		if s.MouthToEar < 30*ms || s.MouthToEar > 60*ms {
			t.Errorf("mouth to ear %v", s.MouthToEar)
		}
		if s.PacketsReceived < 550 || s.PacketsLost != 0 || s.ConcealedSamples != 0 || s.RoundTrip != 2*ms {
			t.Errorf("received %d, lost %d, made up %d, round trip %v", s.PacketsReceived, s.PacketsLost, s.ConcealedSamples, s.RoundTrip)
		}
		if s.AudioLevel < 0.07 || s.AudioLevel > 0.15 || s.TotalAudioEnergy <= 0 || s.TotalSamplesDuration < 5.9 {
			t.Errorf("level %.3f, energy %.3f over %.1f s", s.AudioLevel, s.TotalAudioEnergy, s.TotalSamplesDuration)
		}
	})
}

func TestABadLineIsCalledBad(t *testing.T) {
	awful := func() *shim { return newShim(400*ms, 100*ms, 0.4) }
	call(t, awful, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		bob.Network(0.4, 800*ms, false)
		pass(8 * time.Second)
		if s := bob.Stats(); s.Quality > voice.QualityPoor || s.Loss < 0.2 || s.Concealed < 0.1 {
			t.Errorf("%v, loss %.2f, made up %.2f", s.Quality, s.Loss, s.Concealed)
		}
	})
}

func TestWrongSettingsAreRefused(t *testing.T) {
	send := func(*rtp.Packet) error { return nil }
	for what, c := range map[string]voice.Config{
		"nothing":     {},
		"no payload":  {Send: send},
		"a big one":   {Send: send, PayloadType: 200},
		"odd frames":  {Send: send, PayloadType: 111, Frame: 15 * ms},
		"no send":     {PayloadType: 111},
		"RED too big": {Send: send, PayloadType: 111, REDPayloadType: 130},
	} {
		if _, err := voice.New(c); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func BenchmarkTick(b *testing.B) {
	e, err := voice.New(voice.Config{Send: func(*rtp.Packet) error { return nil }, PayloadType: opusType})
	if err != nil {
		b.Fatal(err)
	}
	p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: opusType, SSRC: 1}, Payload: make([]byte, 100)}
	for b.Loop() {
		p.SequenceNumber++
		p.Timestamp += 960
		e.Receive(p, time.Now())
	}
}
