package voice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/dsp"
	"github.com/entrenous/entrenous/media/opus"
)

// EchoTestConfig says how to test. Only the devices must be set; the test
// closes them.
type EchoTestConfig struct {
	Mic        device.Mic
	Speaker    device.Speaker
	Headphones bool
	// Listen is how long a sound is played to hear what comes back; 0 is 4 s.
	Listen time.Duration
	// Speak is how long one may speak, and how long one then hears oneself; 0 is 5 s.
	Speak time.Duration
	// Loss and Delay make the line between worse than none at all: the share of
	// packets that are lost, and how long each travels.
	Loss  float64
	Delay time.Duration
	// Line leads to another machine and back; nil is the made-up one.
	Line *Line
	// Step is told what happens next; it may be nil.
	Step func(EchoStep)
	Log  *slog.Logger
}

// EchoStep is a part of the echo test.
type EchoStep string

// The parts, in their order.
const (
	EchoListens  EchoStep = "listen"   // a sound is played: be quiet
	EchoRecords  EchoStep = "speak"    // say something
	EchoPlayback EchoStep = "playback" // what you said, as friends hear it
)

// EchoReport is what an echo test measured.
type EchoReport struct {
	Heard       bool          // the microphone heard the loudspeaker
	Delay       time.Duration // from loudspeaker to microphone, if Heard
	Room        float64       // dB that room and devices take from the echo by themselves, if Heard
	EchoReturn  float64       // dB below their voice at which friends would hear themselves, if Heard
	Canceller   string        // what cancelled the echo, empty for nothing
	Voice       float64       // dBFS, the loudest while one was to speak
	Noise       float64       // dBFS, the quietest
	MouthToEar  time.Duration // through this machine's own devices and codec and the line in between
	Concealed   float64       // share of sound that had to be made up in playback
	Quality     Quality
	Mic, Output string // names of the devices
	// Return is how long sound took over the Line and back; 0 when nothing came back.
	Return time.Duration
}

// EchoTest lets one hear oneself as friends would, and measures: a sound is
// played to find what of it comes back; then what one says goes through
// microphone, canceller, codec, a made-up line, jitter buffer and loudspeaker.
// It needs nobody else and no network, unless a Line leads to another machine.
func EchoTest(ctx context.Context, cfg EchoTestConfig) (EchoReport, error) {
	if cfg.Mic == nil || cfg.Speaker == nil {
		return EchoReport{}, errors.New("test the echo: it takes a microphone and a loudspeaker")
	}
	if cfg.Listen == 0 {
		cfg.Listen = 4 * time.Second
	}
	if cfg.Speak == 0 {
		cfg.Speak = 5 * time.Second
	}
	if cfg.Step == nil {
		cfg.Step = func(EchoStep) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &loop{cfg: cfg}
	e, err := New(Config{
		Mic: cfg.Mic, Speaker: cfg.Speaker, Headphones: cfg.Headphones, Log: cfg.Log,
		Send: l.record, PayloadType: loopType, NoiseSuppression: true, GainControl: false,
	})
	if err != nil {
		return EchoReport{}, fmt.Errorf("test the echo: %w", err)
	}
	l.engine = e
	var wg sync.WaitGroup
	if cfg.Line != nil {
		if l.far, err = newFar(cfg.Line, e); err != nil {
			return EchoReport{}, fmt.Errorf("test the echo: %w", errors.Join(err, cfg.Mic.Close(), cfg.Speaker.Close()))
		}
		wg.Go(func() { l.far.run(ctx) })
	}
	wg.Go(func() { err = e.Run(ctx) })
	report, failed := l.test(ctx)
	cancel()
	wg.Wait()
	if err := errors.Join(failed, err); err != nil {
		return report, fmt.Errorf("test the echo: %w", err)
	}
	return report, nil
}

const (
	loopType = 96
	dying    = 500 * time.Millisecond // until the last sound has been heard
)

// loop is the line of an echo test, from an engine back to itself.
type loop struct {
	cfg    EchoTestConfig
	engine *Engine
	far    *far   // nil unless the line leads to another machine
	sent   uint32 // packets played to the engine: one stream, whose numbers go on

	mu      sync.Mutex
	keeping bool
	kept    []*rtp.Packet
}

func (l *loop) test(ctx context.Context) (r EchoReport, err error) {
	l.cfg.Step(EchoListens)
	if r.Return, err = l.probe(ctx); err != nil {
		return r, err
	}
	r.Mic, r.Output = l.engine.in.name(), l.engine.out.name()
	r.readEcho(l.engine.chain.State())
	l.cfg.Step(EchoRecords)
	l.keep(true)
	if err := l.watch(ctx, &r); err != nil {
		return r, err
	}
	l.keep(false)
	l.cfg.Step(EchoPlayback)
	before := l.engine.Stats()
	if err := l.play(ctx, l.cfg.Loss, l.take()); err != nil {
		return r, err
	}
	r.readLine(before, l.engine.Stats(), l.cfg.Delay)
	return r, rest(ctx, dying)
}

// probe plays what is to be heard again, and says how long it took over a line
// to another machine and back.
func (l *loop) probe(ctx context.Context) (returned time.Duration, err error) {
	if l.far == nil {
		if err := l.play(ctx, 0, l.sounds()); err != nil {
			return 0, err
		}
		return 0, rest(ctx, dying)
	}
	if err := rest(ctx, dying); err != nil { // the jitter buffers settle
		return 0, err
	}
	until, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { returned = l.far.roundTrip(until) })
	err = l.far.play(ctx, l.sounds())
	if err == nil {
		err = rest(ctx, dying)
	}
	cancel()
	wg.Wait()
	return returned, err
}

// readEcho takes what the canceller has found.
func (r *EchoReport) readEcho(s dsp.State) {
	const heard = 5 // blocks of 200 ms
	r.Heard = s.Found && s.Echo.Heard >= heard
	r.Canceller = s.Canceller
	if r.Heard {
		r.Delay, r.Room, r.EchoReturn = s.Delay, s.Echo.Room, s.Echo.Sent
	}
}

func (r *EchoReport) readLine(before, after Stats, travelled time.Duration) {
	if n := after.TotalSamplesReceived - before.TotalSamplesReceived; n > 0 {
		r.Concealed = float64(after.ConcealedSamples-before.ConcealedSamples) / float64(n)
	}
	r.MouthToEar = after.MouthToEar + travelled
	after.MouthToEar, after.Concealed = r.MouthToEar, r.Concealed
	after.judge(true)
	r.Quality = after.Quality
}

// record is the engine's way out.
func (l *loop) record(p *rtp.Packet) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keeping {
		l.kept = append(l.kept, p)
	}
	return nil
}

func (l *loop) keep(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeping = on
}

func (l *loop) take() []*rtp.Packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}

// sounds are the packets of what is played to be heard again.
func (l *loop) sounds() []*rtp.Packet {
	pcm := probe(media.Samples(l.cfg.Listen))
	enc, err := opus.NewEncoder(opus.Config{})
	if err != nil {
		return nil
	}
	var packets []*rtp.Packet
	for n := enc.Frame(); len(pcm) >= n; pcm = pcm[n:] {
		buf := make([]byte, opus.MaxPacket)
		size, err := enc.Encode(pcm[:n], buf)
		if err != nil {
			return packets
		}
		packets = append(packets, &rtp.Packet{Payload: buf[:size]})
	}
	return packets
}

// play sends packets to the engine at their pace, losing some evenly, or over
// the line to another machine.
func (l *loop) play(ctx context.Context, loss float64, packets []*rtp.Packet) error {
	if l.far != nil {
		return l.far.play(ctx, packets)
	}
	var due clock
	owed := 0.0
	var last time.Time
	for _, p := range packets {
		for range media.Frame / media.Tick {
			if !due.wait(ctx.Done()) {
				return ctx.Err()
			}
		}
		last = time.Now()
		i := l.sent
		l.sent++
		if owed += loss; owed >= 1 {
			owed--
			continue
		}
		l.engine.Receive(&rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: loopType, SSRC: 1,
			SequenceNumber: uint16(i), Timestamp: i * media.Frame,
		}, Payload: p.Payload}, last)
	}
	return nil
}

// watch looks at the microphone's level while one speaks.
func (l *loop) watch(ctx context.Context, r *EchoReport) error {
	var due clock
	r.Voice, r.Noise = media.Floor, 0
	for i := range media.Samples(l.cfg.Speak) / media.Tick {
		if !due.wait(ctx.Done()) {
			return ctx.Err()
		}
		if i < ticksASecond/2 {
			continue // what was played before dies away
		}
		level := l.engine.chain.State().Level
		r.Voice, r.Noise = max(r.Voice, level), min(r.Noise, level)
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// probe is a sound to find echoes by: harmonics of a slow melody and breath,
// so that all of speech's band is in it, in syllables.
func probe(n int) []float32 {
	notes := [...]float64{147, 165, 196, 165, 220, 196, 147, 131}
	x := make([]float32, n)
	noise := uint32(1)
	phase := 0.0
	for i := range x {
		t := float64(i) / media.Rate
		beat := t * 3
		phase += notes[int(beat)%len(notes)] / media.Rate
		v := 0.0
		for h := 1.0; h <= 24; h++ {
			v += math.Sin(2*math.Pi*h*phase) / (h + 2)
		}
		noise = noise*1664525 + 1013904223
		breath := float64(noise)/math.MaxUint32 - 0.5
		syllable := math.Sin(math.Pi * (beat - math.Floor(beat)))
		x[i] = float32(0.15 * syllable * (v + 0.5*breath))
	}
	return x
}
