package voice

import (
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/jitter"
	"github.com/entrenous/entrenous/media/opus"
)

// Stats is what an Engine has counted since New. Names, meanings and units are
// those of WebRTC's getStats: delays are in seconds, and where they are sums
// over samples, divide by JitterBufferEmittedCount. What WebRTC has no name for
// stands at the end.
type Stats struct {
	PacketsSent uint64
	BytesSent   uint64

	PacketsReceived  uint64
	BytesReceived    uint64
	PacketsLost      int64
	PacketsDiscarded uint64
	Jitter           float64

	JitterBufferDelay        float64
	JitterBufferTargetDelay  float64
	JitterBufferEmittedCount uint64

	TotalSamplesReceived           uint64
	ConcealedSamples               uint64
	SilentConcealedSamples         uint64
	ConcealmentEvents              uint64
	InsertedSamplesForDeceleration uint64
	RemovedSamplesForAcceleration  uint64

	AudioLevel           float64 // of what is heard, 0 to 1
	TotalAudioEnergy     float64
	TotalSamplesDuration float64

	EchoReturnLoss            float64 // dB that the room loses by itself
	EchoReturnLossEnhancement float64 // dB that the canceller takes away beyond

	SendFailed       uint64        // packets that Send gave an error for
	RecoveredSamples uint64        // lost, but told again by a later packet
	Frame            time.Duration // of the packets that are sent
	Bitrate          int           // bits/s aimed at, without RED
	Copies           int           // older packets that each carries (RED)

	JitterDelay time.Duration // that the jitter buffer adds now
	Loss        float64       // share of packets lost in the last 5 s, after those that came too late
	Concealed   float64       // share of sound made up in the last 5 s
	RoundTrip   time.Duration // as told by Network
	// MouthToEar estimates the delay from the other's mouth to the ear here,
	// taking their devices to be like ours.
	MouthToEar time.Duration
	// EchoReturn is how far below their voice the others hear themselves, in
	// dB; 0 while that is not known.
	EchoReturn float64
	// FirstAudio is when the first received sound was handed to the
	// loudspeaker, zero before that.
	FirstAudio time.Time
	MOS        float64 // 1 to 4.5, by ITU-T G.107
	Quality    Quality
}

// silentAfter is how long packets may stay out until the line counts as dead.
const silentAfter = 2 * time.Second

// Stats returns what was counted so far.
func (e *Engine) Stats() Stats {
	var s Stats
	out := e.talk.counters()
	s.PacketsSent, s.BytesSent, s.SendFailed = out.packets, out.bytes, out.failed
	plan := e.plans.now.Load()
	s.Frame, s.Bitrate, s.Copies = media.Duration(plan.frame), plan.bitrate, plan.copies
	s.RoundTrip = e.plans.roundTrip()
	last := e.listen.stats(&s)
	e.echo(&s)
	s.MouthToEar = e.mouthToEar(s)
	s.judge(time.Since(last) < silentAfter)
	return s
}

// stats fills in what the receiving side knows and says when the last packet came.
func (l *listener) stats(s *Stats) time.Time {
	b := l.buffer.Stats()
	s.PacketsLost = b.PacketsLost
	s.JitterBufferDelay = b.JitterBufferDelay.Seconds()
	s.JitterBufferTargetDelay = b.JitterBufferTargetDelay.Seconds()
	s.JitterBufferEmittedCount = b.JitterBufferEmittedCount
	s.TotalSamplesReceived = b.TotalSamplesReceived
	s.ConcealedSamples, s.SilentConcealedSamples = b.ConcealedSamples, b.SilentConcealedSamples
	s.ConcealmentEvents = b.ConcealmentEvents
	s.InsertedSamplesForDeceleration = b.InsertedSamplesForDeceleration
	s.RemovedSamplesForAcceleration = b.RemovedSamplesForAcceleration
	s.RecoveredSamples = b.RecoveredSamples
	s.AudioLevel = media.Amplitude(l.meter.level())
	s.TotalAudioEnergy, s.TotalSamplesDuration = l.meter.totals()
	l.mu.Lock()
	defer l.mu.Unlock()
	s.PacketsReceived, s.BytesReceived = l.got.packets, l.got.bytes
	s.PacketsDiscarded = b.PacketsDiscarded + l.got.refused
	s.Jitter = l.got.jitter / media.Rate
	s.FirstAudio = l.first
	s.Loss, s.Concealed, s.JitterDelay = l.recently.look(b)
	return l.got.last
}

func (e *Engine) echo(s *Stats) {
	echo := e.chain.State().Echo
	if echo.Heard < 5 || e.Wears() { // at the ears there is none, but two may speak at once
		return
	}
	s.EchoReturnLoss = echo.Room
	s.EchoReturnLossEnhancement = echo.Sent - echo.Room
	s.EchoReturn = echo.Sent
}

// mouthToEar adds up the table in the package's comment.
func (e *Engine) mouthToEar(s Stats) time.Duration {
	if s.JitterBufferEmittedCount == 0 {
		return 0
	}
	const tick = media.Tick * time.Second / media.Rate // of the frame, that the microphone counts
	ahead := opus.Config{LowDelay: e.plans.now.Load().low}.Lookahead()
	theirs := e.in.latency() + e.chain.Delay() + s.Frame - tick + media.Duration(ahead)
	return theirs + s.RoundTrip/2 + s.JitterDelay + e.out.latency()
}

// roundTrip is what Network told last.
func (p *planner) roundTrip() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rtt
}

const (
	ticksASecond  = media.Rate / media.Tick
	recentSeconds = 5
)

// recently remembers the counters of the last seconds.
type recently struct {
	past [recentSeconds]jitter.Stats
	n    int
}

func (r *recently) add(s jitter.Stats) {
	r.past[r.n%recentSeconds] = s
	r.n++
}

// look compares now with some five seconds ago.
func (r *recently) look(now jitter.Stats) (loss, concealed float64, delay time.Duration) {
	var then jitter.Stats
	if r.n >= recentSeconds {
		then = r.past[r.n%recentSeconds]
	}
	lost := float64(max(now.PacketsLost-then.PacketsLost, 0))
	came := float64(now.PacketsReceived - then.PacketsReceived)
	if lost > 0 {
		loss = lost / (lost + came)
	}
	silent := now.SilentConcealedSamples - then.SilentConcealedSamples
	made := now.ConcealedSamples - then.ConcealedSamples
	if all := now.TotalSamplesReceived - then.TotalSamplesReceived; all > 0 {
		concealed = float64(made-min(silent, made)) / float64(all)
	}
	if n := now.JitterBufferEmittedCount - then.JitterBufferEmittedCount; n > 0 {
		delay = (now.JitterBufferDelay - then.JitterBufferDelay) / time.Duration(n)
	}
	return loss, concealed, delay
}
