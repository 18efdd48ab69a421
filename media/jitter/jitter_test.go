package jitter_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/jitter"
)

// smooth is a line that delivers every packet of 20 ms the moment it is sent.
func smooth(seconds int) trace {
	return newLine(1, seconds).trace(0, 0, 0)
}

// logged is a tape that remembers which frames were decoded.
type logged struct {
	tape
	frames []byte // the low byte of each label
}

func (d *logged) Decode(payload []byte, pcm []float32) (int, error) {
	if len(payload) == 4 {
		d.frames = append(d.frames, payload[3])
	}
	return d.tape.Decode(payload, pcm)
}

func packet(i int, arrival time.Duration) jitter.Packet {
	return jitter.Packet{Sequence: uint16(i), Timestamp: uint32(960 * i), Payload: label(i), Arrival: arrival}
}

// pull takes d of sound from b, beginning at `from`, and returns it.
func pull(b *jitter.Buffer, from, d time.Duration) []float32 {
	x := make([]float32, 0, media.Samples(d))
	for now := from; now < from+d; now += 10 * time.Millisecond {
		n := len(x)
		x = x[:n+media.Tick]
		b.Pull(x[n:], now)
	}
	return x
}

func TestNothingIsHeardBeforeTheFirstPacket(t *testing.T) {
	b := jitter.New(&tape{}, jitter.Config{})
	if x := pull(b, 0, time.Second); media.Energy(x) != 0 {
		t.Error("sound out of nothing")
	}
	if s := b.Stats(); s != (jitter.Stats{Target: s.Target}) {
		t.Errorf("something was counted: %+v", s)
	}
}

func TestLatePacketsArePlayedAfterAStall(t *testing.T) {
	d := &logged{}
	b := jitter.New(d, jitter.Config{})
	tr := smooth(4)
	for i, at := range tr.arrived {
		if at > 1500 && at < 1750 {
			tr.arrived[i] = 1750
		}
	}
	run(t, b, tr, label, 0, nil)
	for i, label := range d.frames {
		if label != byte(i) {
			t.Fatalf("frame %d was decoded as number %d", label, i)
		}
	}
	if s := b.Stats(); s.PacketsDiscarded+uint64(s.PacketsLost) > 0 || s.ConcealmentEvents != 1 {
		t.Errorf("packets or sound got lost: %+v", s)
	}
}

func TestReorderedAndDoubledPacketsAreHeardOnceInOrder(t *testing.T) {
	d := &logged{}
	b := jitter.New(d, jitter.Config{})
	for i := 0; i < 100; i += 2 {
		now := time.Duration(i) * 20 * time.Millisecond
		for _, k := range []int{i + 1, i, i + 1, i} {
			b.Push(packet(k, now))
		}
		pull(b, now, 40*time.Millisecond)
	}
	for i, label := range d.frames {
		if label != byte(i) {
			t.Fatalf("frame %d was decoded as number %d", label, i)
		}
	}
	if s := b.Stats(); s.ConcealedSamples > 0 || s.PacketsDiscarded != 100 || len(d.frames) < 95 {
		t.Errorf("%d frames decoded, %+v", len(d.frames), s)
	}
}

func TestASinglyLostPacketComesFromTheNextOne(t *testing.T) {
	b := jitter.New(&tape{fec: true}, jitter.Config{Least: 40 * time.Millisecond})
	tr := smooth(4)
	for i := 20; i < len(tr.arrived)-5; i += 20 {
		tr.arrived[i] = math.Inf(1)
	}
	run(t, b, tr, label, 0, nil)
	if s := b.Stats(); s.RecoveredSamples != 9*media.Frame || s.ConcealedSamples > 0 || s.PacketsLost != 9 {
		t.Errorf("9 packets lost: %+v", s)
	}
}

func TestCopiesOfOlderPacketsFillHoles(t *testing.T) {
	d := &logged{}
	b := jitter.New(d, jitter.Config{Least: 60 * time.Millisecond})
	for i := range 200 {
		now := time.Duration(i) * 20 * time.Millisecond
		if i%5 < 3 { // two of five are lost, each packet carries the two before it
			b.Push(packet(i, now))
			for k := max(0, i-2); k < i; k++ {
				p := packet(k, now)
				p.Copy = true
				b.Push(p)
			}
		}
		pull(b, now, 20*time.Millisecond)
	}
	if s := b.Stats(); s.ConcealedSamples > 0 || s.PacketsLost > 0 || s.Target > 60*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

func TestConcealmentFadesToSilence(t *testing.T) {
	b := jitter.New(&tape{}, jitter.Config{})
	for i := range 20 {
		b.Push(packet(i, time.Duration(i)*20*time.Millisecond))
		pull(b, time.Duration(i)*20*time.Millisecond, 20*time.Millisecond)
	}
	x := pull(b, 400*time.Millisecond, time.Second)
	if level := media.Level(x[:media.Samples(60*time.Millisecond)]); level < -50 {
		t.Errorf("the first 60 ms are at %.0f dBFS", level)
	}
	if level := media.Level(x[media.Samples(300*time.Millisecond):]); level > media.Floor {
		t.Errorf("300 ms later there is still sound of %.0f dBFS", level)
	}
}

func TestAPauseOfTheTalkerIsNoLoss(t *testing.T) {
	b := jitter.New(&tape{}, jitter.Config{Least: 40 * time.Millisecond})
	for i := range 300 { // of every second, only 0.6 s are sent
		now := time.Duration(i) * 20 * time.Millisecond
		if i%50 < 30 {
			p := packet(i, now)
			p.Sequence = uint16(i/50*30 + i%50)
			b.Push(p)
		}
		pull(b, now, 20*time.Millisecond)
	}
	s := b.Stats()
	if s.PacketsLost > 0 || s.PacketsDiscarded > 0 || s.MeanDelay() > 100*time.Millisecond {
		t.Errorf("%+v, %v of delay", s, s.MeanDelay())
	}
}

// whistle decodes to a tone that never pauses; its packets are numbered.
func whistle(hz float64) decoderFunc {
	return func(payload []byte, pcm []float32) int {
		for i := range media.Frame {
			pcm[i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(int(payload[0])*media.Frame+i)/media.Rate))
		}
		return media.Frame
	}
}

func numbered(i int) []byte { return []byte{byte(i % 50)} }

func TestSpeechIsNotStretchedToAndFroByShortStalls(t *testing.T) {
	for seed := range uint64(4) {
		l := newLine(seed, 60)
		l.spread(0.3)
		b := jitter.New(whistle(210), jitter.Config{})
		var warm uint64
		run(t, b, l.trace(400, 5, 25), numbered, 0, func(now time.Duration, _ []float32) {
			if s := b.Stats(); now == 10*time.Second {
				warm = s.InsertedSamplesForDeceleration + s.RemovedSamplesForAcceleration
			}
		})
		s := b.Stats()
		moved := media.Duration(int(s.InsertedSamplesForDeceleration + s.RemovedSamplesForAcceleration - warm))
		if moved > 5*time.Millisecond || s.ConcealedSamples > media.Tick || s.MeanDelay() > 40*time.Millisecond {
			t.Errorf("seed %d: %v stretched in 50 s: %+v, %v of delay", seed, moved, s, s.MeanDelay())
		}
	}
}

func TestAToneStaysSmoothWhileTimeIsStretched(t *testing.T) {
	const hz = 210
	b := jitter.New(whistle(hz), jitter.Config{})
	var x []float32
	run(t, b, smooth(30), numbered, 0.003, func(_ time.Duration, out []float32) { x = append(x, out...) })
	s := b.Stats()
	if moved := s.InsertedSamplesForDeceleration + s.RemovedSamplesForAcceleration; moved < media.Rate/20 || s.ConcealedSamples > 0 {
		t.Fatalf("nothing was stretched, or too much concealed: %+v", s)
	}
	steepest, crossings := 0.0, 0
	for i := media.Rate; i < len(x); i++ {
		steepest = max(steepest, math.Abs(float64(x[i]-x[i-1])))
		if x[i-1] < 0 && x[i] >= 0 {
			crossings++
		}
	}
	if limit := 1.2 * 0.5 * 2 * math.Pi * hz / media.Rate; steepest > limit {
		t.Errorf("a click: neighbouring samples %.4f apart, a tone allows %.4f", steepest, limit)
	}
	if want := hz * (len(x) - media.Rate) / media.Rate; math.Abs(float64(crossings-want)) > float64(want)/200 {
		t.Errorf("%d periods, want %d: the pitch has changed", crossings, want)
	}
}

// decoderFunc decodes by itself and conceals with silence.
type decoderFunc func(payload []byte, pcm []float32) int

func (f decoderFunc) Decode(payload []byte, pcm []float32) (int, error) { return f(payload, pcm), nil }
func (f decoderFunc) DecodeFEC(_ []byte, pcm []float32) (bool, error)   { clear(pcm); return false, nil }
func (f decoderFunc) Conceal(pcm []float32) error                       { clear(pcm); return nil }

func TestATalkerWhoBeginsAnewIsHeardAgain(t *testing.T) {
	for name, second := range map[string]func(i int, p *jitter.Packet){
		"other numbers":        func(_ int, p *jitter.Packet) { p.Sequence += 30000; p.Timestamp += 1 << 31 },
		"from zero":            func(i int, p *jitter.Packet) { p.Sequence = uint16(i); p.Timestamp = uint32(960 * i) },
		"after a long silence": func(_ int, p *jitter.Packet) { p.Timestamp += 48000 * 60 },
		"after an outage":      func(_ int, p *jitter.Packet) { p.Sequence += 500; p.Timestamp += 500 * 960 },
	} {
		d := &logged{}
		b := jitter.New(d, jitter.Config{})
		for i := range 200 {
			p := packet(i+1000, time.Duration(i)*20*time.Millisecond)
			if i >= 100 {
				second(i-100, &p)
			}
			b.Push(p)
			pull(b, p.Arrival, 20*time.Millisecond)
		}
		if s := b.Stats(); len(d.frames) < 190 || s.ConcealedSamples > media.Rate/8 {
			t.Errorf("%s: %d of 200 frames were heard, %d samples concealed", name, len(d.frames), s.ConcealedSamples)
		}
	}
}

// Hostile senders can spoil their own sound only: the buffer stays small, and
// an honest stream after them is heard.
func TestHostileSendersSpoilOnlyTheirOwnSound(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, change := range map[string]func(i int, p *jitter.Packet){
		"random numbers": func(_ int, p *jitter.Packet) { p.Sequence, p.Timestamp = uint16(rng.Uint32()), rng.Uint32() },
		"random times":   func(_ int, p *jitter.Packet) { p.Timestamp = rng.Uint32() },
		"jumps":          func(i int, p *jitter.Packet) { p.Sequence += uint16(i / 3 * 1000) },
		"leaps within 100": func(_ int, p *jitter.Packet) {
			p.Sequence += uint16(rng.IntN(100))
			p.Timestamp += uint32(rng.IntN(100000))
		},
		"backwards":     func(i int, p *jitter.Packet) { p.Sequence = uint16(-i); p.Timestamp = uint32(-960 * i) },
		"huge payloads": func(_ int, p *jitter.Packet) { p.Payload = make([]byte, 60000) },
		"no payloads":   func(_ int, p *jitter.Packet) { p.Payload = nil },
		"junk payloads": func(_ int, p *jitter.Packet) { p.Payload = make([]byte, 1+rng.IntN(1500)) },
		"all at once":   func(_ int, p *jitter.Packet) { p.Arrival = 0 },
		"the same":      func(_ int, p *jitter.Packet) { p.Sequence, p.Timestamp = 5, 5 },
	} {
		for _, rate := range []int{1, 10} { // packets in 20 ms
			d := &logged{}
			b := jitter.New(d, jitter.Config{})
			for i := range 1000 {
				p := packet(i, time.Duration(i)*20*time.Millisecond/time.Duration(rate))
				change(i, &p)
				b.Push(p)
				if i%rate == 0 {
					pull(b, time.Duration(i/rate)*20*time.Millisecond, 20*time.Millisecond)
				}
			}
			start := time.Duration(1000/rate) * 20 * time.Millisecond
			before := len(d.frames)
			for i := range 150 {
				p := packet(i, start+time.Duration(i)*20*time.Millisecond)
				p.Sequence += 12345
				p.Timestamp += 1 << 30
				b.Push(p)
				pull(b, p.Arrival, 20*time.Millisecond)
			}
			if heard := len(d.frames) - before; heard < 60 {
				t.Errorf("%s, rate %d: only %d of 150 honest frames were heard after", name, rate, heard)
			}
		}
	}
}

func TestABurstAfterALongOutageDoesNotLeaveTheCallLate(t *testing.T) {
	tr := smooth(20)
	for i, at := range tr.arrived {
		if at > 5000 && at < 7000 {
			tr.arrived[i] = 7000
		}
	}
	b := jitter.New(&tape{}, jitter.Config{})
	var before jitter.Stats
	run(t, b, tr, label, 0, func(now time.Duration, _ []float32) {
		if now == 15*time.Second {
			before = b.Stats()
		}
	})
	s := b.Stats()
	wait := (s.JitterBufferDelay - before.JitterBufferDelay) / time.Duration(s.JitterBufferEmittedCount-before.JitterBufferEmittedCount)
	if wait > 60*time.Millisecond {
		t.Errorf("8 s after the outage sound is %v late", wait)
	}
}

func FuzzPush(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x05\x01\x00\x00\x00\x03\xc0"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\x00\x00\x01\x00\x00\x00\x00\x01\x80\x00\x00\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, script []byte) {
		b := jitter.New(&tape{fec: true}, jitter.Config{})
		now := time.Duration(0)
		out := make([]float32, media.Tick)
		for len(script) >= 7 && now < time.Minute {
			b.Push(jitter.Packet{
				Sequence:  uint16(script[0])<<8 | uint16(script[1]),
				Timestamp: uint32(script[2])<<24 | uint32(script[3])<<16 | uint32(script[4])<<8,
				Payload:   script[:script[5]%8%7],
				Arrival:   now - time.Duration(script[5])*time.Millisecond,
				Copy:      script[5] > 200,
			})
			for range script[6] % 16 {
				b.Pull(out, now)
				now += 10 * time.Millisecond
			}
			script = script[7:]
		}
		for _, v := range out {
			if v != v || v > 2 || v < -2 {
				t.Fatalf("sample %v", v)
			}
		}
	})
}

// BenchmarkTick is 10 ms of a call on a bad line, without the codec.
func BenchmarkTick(b *testing.B) {
	speech()
	tr := bad(1)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		buf := jitter.New(&tape{fec: true}, jitter.Config{})
		b.StartTimer()
		run(b, buf, tr, label, 0, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20000, "ns/tick")
}

func TestALineThatLosesManyIsGivenTimeForTheirCopies(t *testing.T) {
	b := jitter.New(&tape{fec: true}, jitter.Config{})
	out := make([]float32, media.Tick)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 1000 {
		now := time.Duration(i) * 20 * time.Millisecond
		if rng.Float64() > 0.1 {
			b.Push(packet(i, now))
		}
		b.Pull(out, now+5*time.Millisecond)
		b.Pull(out, now+15*time.Millisecond)
	}
	s := b.Stats()
	if share := float64(s.ConcealedSamples) / float64(s.TotalSamplesReceived); share > 0.04 {
		t.Errorf("%.1f %% made up of 10 %% lost", 100*share)
	}
	if s.RecoveredSamples < 60*media.Frame || s.Target > 50*time.Millisecond {
		t.Errorf("%d samples recovered, delay aimed at %v", s.RecoveredSamples, s.Target)
	}
}
