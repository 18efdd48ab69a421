package jitter_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/jitter"
)

// trace is what one line did to a stream of packets of 20 ms. Times are in ms.
type trace struct {
	sent, arrived []float64 // arrived is +Inf for a lost packet
}

const frameMS = 20.0

type line struct {
	rng  *rand.Rand
	sent []float64
	late []float64
	lost []bool
}

func newLine(seed uint64, seconds int) *line {
	n := seconds * 50
	l := &line{rng: rand.New(rand.NewPCG(seed, 1)), sent: make([]float64, n), late: make([]float64, n), lost: make([]bool, n)}
	for i := range l.sent {
		l.sent[i] = float64(i) * frameMS
	}
	return l
}

// spread adds exponential jitter.
func (l *line) spread(mean float64) {
	for i := range l.late {
		l.late[i] += mean * l.rng.ExpFloat64()
	}
}

// wander adds a slowly changing queue: an AR(1) process cut off at zero.
func (l *line) wander(mean, std, tau float64) {
	a, x := math.Exp(-frameMS/tau), 0.0
	for i := range l.late {
		x = a*x + math.Sqrt(1-a*a)*l.rng.NormFloat64()
		l.late[i] += max(0, mean+std*x)
	}
}

// lose drops packets with probability p in bursts of mean length.
func (l *line) lose(p, burst float64) {
	bad, leave := false, 1/burst
	enter := p * leave / (1 - p)
	for i := range l.lost {
		if bad {
			bad = l.rng.Float64() > leave
		} else {
			bad = l.rng.Float64() < enter
		}
		l.lost[i] = bad
	}
}

// step adds 60 ms between two moments.
func (l *line) step(from, to float64) {
	for i, t := range l.sent {
		if t > from && t < to {
			l.late[i] += 60
		}
	}
}

// trace stalls the line about every `every` ms for shortest to longest ms (0:
// never) and lets it keep the order of packets, as networks mostly do.
func (l *line) trace(every, shortest, longest float64) trace {
	tr := trace{l.sent, make([]float64, len(l.sent))}
	for i := range l.sent {
		tr.arrived[i] = l.sent[i] + l.late[i]
	}
	for t := 0.0; every > 0 && t < l.sent[len(l.sent)-1]; {
		t += every * l.rng.ExpFloat64()
		end, held := t+shortest+(longest-shortest)*l.rng.Float64(), 0.0
		for i, at := range tr.arrived {
			if at >= t && at < end {
				tr.arrived[i] = end + 0.3*held
				held++
			}
		}
	}
	for i := 1; i < len(tr.arrived); i++ {
		tr.arrived[i] = max(tr.arrived[i], tr.arrived[i-1])
	}
	for i, lost := range l.lost {
		if lost {
			tr.arrived[i] = math.Inf(1)
		}
	}
	return tr
}

func lan(seed uint64) trace {
	l := newLine(seed, 200)
	l.spread(0.3)
	l.lose(1e-4, 1)
	return l.trace(30e3, 3, 10)
}

func wifi(seed uint64) trace {
	l := newLine(seed, 200)
	l.spread(3)
	l.lose(0.003, 1)
	return l.trace(4e3, 20, 100)
}

func mobile(seed uint64) trace {
	l := newLine(seed, 200)
	l.wander(15, 10, 200)
	l.spread(2)
	l.lose(0.01, 2)
	return l.trace(8e3, 40, 160)
}

func bad(seed uint64) trace {
	l := newLine(seed, 200)
	l.wander(40, 25, 500)
	l.spread(5)
	l.lose(0.05, 3)
	return l.trace(5e3, 80, 250)
}

func stepped(seed uint64) trace {
	l := newLine(seed, 200)
	l.spread(2)
	l.step(80e3, 140e3)
	l.lose(0.002, 1)
	return l.trace(0, 0, 0)
}

// run plays a trace through b. skew is how much faster the speaker's clock runs
// than the talker's. each, if not nil, is called after every tick.
func run(tb testing.TB, b *jitter.Buffer, tr trace, voice func(i int) []byte, skew float64, each func(now time.Duration, out []float32)) {
	tb.Helper()
	ms := func(t float64) time.Duration { return time.Duration(t * (1 + skew) * float64(time.Millisecond)) }
	out, end := make([]float32, media.Tick), ms(tr.sent[len(tr.sent)-1])
	i := 0
	for now := time.Duration(0); now < end; now += 10 * time.Millisecond {
		for ; i < len(tr.sent) && (math.IsInf(tr.arrived[i], 1) || ms(tr.arrived[i]) <= now); i++ {
			if !math.IsInf(tr.arrived[i], 1) {
				b.Push(jitter.Packet{Sequence: uint16(65000 + i), Timestamp: uint32(math.MaxUint32 - 48000*20 + 960*i), Payload: voice(i), Arrival: ms(tr.arrived[i])})
			}
		}
		b.Pull(out, now)
		if each != nil {
			each(now, out)
		}
	}
}

// network is the mean transit of what arrived above the least, in ms.
func (tr trace) network() float64 {
	sum, n, least := 0.0, 0.0, math.Inf(1)
	for i, at := range tr.arrived {
		if d := at - tr.sent[i]; !math.IsInf(at, 1) {
			sum, n, least = sum+d, n+1, min(least, d)
		}
	}
	return sum/n - least
}

func TestEveryLineKeepsWithinItsCeilings(t *testing.T) {
	for _, c := range []struct {
		name      string
		line      func(uint64) trace
		concealed float64 // % of samples
		delay     float64 // ms above the fastest packet, mean
	}{
		{"LAN", lan, 0.1, 15},
		{"Wi-Fi", wifi, 0.6, 70},
		{"4G", mobile, 2, 95},
		{"bad", bad, 6, 225},
		{"step", stepped, 0.5, 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				tr := c.line(seed + 1)
				b := jitter.New(&tape{fec: true}, jitter.Config{})
				run(t, b, tr, label, 0, nil)
				s := b.Stats()
				concealed := 100 * float64(s.ConcealedSamples) / float64(s.TotalSamplesReceived)
				delay := tr.network() + s.MeanDelay().Seconds()*1000
				t.Logf("seed %d: concealed %.2f %%, recovered %.2f %%, delay %.1f ms, of which network %.1f, stretched +%d -%d ms", seed+1, concealed,
					100*float64(s.RecoveredSamples)/float64(s.TotalSamplesReceived), delay, tr.network(), s.InsertedSamplesForDeceleration/48, s.RemovedSamplesForAcceleration/48)
				if concealed > c.concealed {
					t.Errorf("seed %d: %.2f %% concealed, at most %.1f wanted", seed+1, concealed, c.concealed)
				}
				if delay > c.delay {
					t.Errorf("seed %d: %.1f ms of delay, at most %.0f wanted", seed+1, delay, c.delay)
				}
			}
		})
	}
}

func TestAStepOfThePathIsForgottenInFiveSeconds(t *testing.T) {
	t.Parallel()
	b := jitter.New(&tape{fec: true}, jitter.Config{})
	seconds := make([]jitter.Stats, 0, 200) // at the end of each
	run(t, b, stepped(1), label, 0, func(now time.Duration, _ []float32) {
		if now%time.Second == 0 {
			seconds = append(seconds, b.Stats())
		}
	})
	wait := func(second int) time.Duration {
		from, to := seconds[second], seconds[second+1]
		return (to.JitterBufferDelay - from.JitterBufferDelay) / time.Duration(to.JitterBufferEmittedCount-from.JitterBufferEmittedCount)
	}
	base := wait(70)
	for name, second := range map[string]int{"up at 80 s": 85, "down at 140 s": 145} {
		if got := wait(second); got > base+25*time.Millisecond {
			t.Errorf("step %s: %v of delay 5 s later, %v before", name, got, base)
		}
	}
}

func TestDriftingClocksAreFollowed(t *testing.T) {
	t.Parallel()
	for _, ppm := range []float64{-300, 300} {
		b := jitter.New(&tape{}, jitter.Config{})
		l := newLine(1, 200)
		l.spread(0.3)
		run(t, b, l.trace(0, 0, 0), label, ppm*1e-6, nil)
		s := b.Stats()
		if s.ConcealedSamples > s.TotalSamplesReceived/1000 || s.MeanDelay() > 25*time.Millisecond {
			t.Errorf("%+.0f ppm: %d of %d samples concealed, %v of delay", ppm, s.ConcealedSamples, s.TotalSamplesReceived, s.MeanDelay())
		}
		if moved := s.InsertedSamplesForDeceleration + s.RemovedSamplesForAcceleration; moved < 2000 {
			t.Errorf("%+.0f ppm: only %d samples stretched in 200 s", ppm, moved)
		}
	}
}

func TestALineIsRememberedForHalfAMinute(t *testing.T) {
	t.Parallel()
	l := newLine(1, 200)
	for i := range l.late { // 100 ms late at a time, every 2.5 s of the first 100 s
		if i < 5000 && i%125 == 0 {
			l.late[i] = 100
		}
	}
	b := jitter.New(&tape{}, jitter.Config{})
	seconds := make([]jitter.Stats, 0, 200) // at the end of each
	run(t, b, l.trace(0, 0, 0), label, 0, func(now time.Duration, _ []float32) {
		if now%time.Second == 0 {
			seconds = append(seconds, b.Stats())
		}
	})
	if s := seconds[99]; s.ConcealedSamples-seconds[20].ConcealedSamples > 0 {
		t.Errorf("what came every 2.5 s was forgotten before it came again: %d samples concealed", s.ConcealedSamples-seconds[20].ConcealedSamples)
	}
	wait := func(second int) time.Duration {
		from, to := seconds[second], seconds[second+1]
		return (to.JitterBufferDelay - from.JitterBufferDelay) / time.Duration(to.JitterBufferEmittedCount-from.JitterBufferEmittedCount)
	}
	t.Logf("delay while it is late now and then %v, 45 s later %v", wait(95), wait(145))
	if got := wait(145); got > 25*time.Millisecond {
		t.Errorf("%v of delay 45 s after it was late last", got)
	}
}

func TestABurstOfLatenessIsMindedForTwentySecondsAndForgottenAfterForty(t *testing.T) {
	t.Parallel()
	const begin, end = 20, 30 // s
	l := newLine(1, 80)
	for i := range l.late { // 100 ms late five times a second
		if l.sent[i] >= begin*1000 && l.sent[i] < end*1000 && i%10 == 0 {
			l.late[i] = 100
		}
	}
	b := jitter.New(&tape{}, jitter.Config{})
	targets := make([]time.Duration, 0, 80) // at the end of each second
	run(t, b, l.trace(0, 0, 0), label, 0, func(now time.Duration, _ []float32) {
		if now%time.Second == 0 {
			targets = append(targets, b.Stats().Target)
		}
	})
	if got := targets[begin-1]; got > 10*time.Millisecond {
		t.Errorf("%v are aimed at before", got)
	}
	for s := end; s <= end+20; s++ {
		if got := targets[s]; got < 100*time.Millisecond {
			t.Fatalf("%d s after the burst only %v are aimed at: the next one will be heard", s-end, got)
		}
	}
	if got := targets[end+40]; got > 10*time.Millisecond {
		t.Errorf("40 s after the burst %v are still aimed at", got)
	}
}
