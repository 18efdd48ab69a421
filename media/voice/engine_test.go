package voice_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

const (
	opusType = 111
	redType  = 112
)

// shim carries packets as a bad line would: late, out of order, or not at all.
type shim struct {
	mu     sync.Mutex
	rng    *rand.Rand
	delay  time.Duration // of every packet
	jitter time.Duration // at most, beyond that
	loss   float64
	to     *voice.Engine
	carry  func(*rtp.Packet) // beside to; may be nil
}

func newShim(delay, jitter time.Duration, loss float64) *shim {
	return &shim{rng: rand.New(rand.NewPCG(7, 7)), delay: delay, jitter: jitter, loss: loss}
}

func (s *shim) send(p *rtp.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carry != nil {
		s.carry(p)
	}
	to := s.to
	if to == nil || s.rng.Float64() < s.loss {
		return nil
	}
	late := s.delay
	if s.jitter > 0 {
		late += time.Duration(s.rng.Int64N(int64(s.jitter)))
	}
	time.AfterFunc(late, func() { to.Receive(p, time.Now()) })
	return nil
}

func (s *shim) set(loss float64) {
	s.change(func() { s.loss = loss })
}

func (s *shim) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// ear is a loudspeaker that remembers what it was given.
type ear struct {
	*device.Null
	mu    sync.Mutex
	heard []float32
}

func newEar() *ear { return &ear{Null: device.NewNull()} }

func (e *ear) Write(tick []float32) error {
	err := e.Null.Write(tick)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.heard = append(e.heard, tick...)
	}
	return err
}

// last is what was heard in the last d.
func (e *ear) last(d time.Duration) []float32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]float32(nil), e.heard[max(0, len(e.heard)-media.Samples(d)):]...)
}

// mouth is a microphone that hears what it is told.
type mouth struct {
	*device.Tone
	mu    sync.Mutex
	words []float32
}

func newMouth(words []float32) *mouth { return &mouth{Tone: device.NewSilence(), words: words} }

func (m *mouth) Read(tick []float32) error {
	err := m.Tone.Read(tick)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := copy(tick, m.words)
	m.words = m.words[n:]
	return err
}

// say speaks words from now on.
func (m *mouth) say(words []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.words = words
}

// person is one end of a call in memory.
type person struct {
	*voice.Engine
	mouth *mouth
	ear   *ear
	line  *shim          // away from this person
	seen  []voice.Notice // that nobody has asked for yet
}

// newPerson is not running yet. change may be nil.
func newPerson(t testing.TB, line *shim, change func(*voice.Config)) *person {
	t.Helper()
	p := &person{mouth: newMouth(nil), ear: newEar(), line: line}
	cfg := voice.Config{
		Mic: p.mouth, Speaker: p.ear, Send: line.send, SSRC: 1,
		PayloadType: opusType, REDPayloadType: redType, Headphones: true,
	}
	if change != nil {
		change(&cfg)
	}
	e, err := voice.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.Engine = e
	return p
}

// run starts engines and returns what ends them and waits.
func run(t testing.TB, people ...*person) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, p := range people {
		wg.Go(func() {
			if err := p.Run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
}

// call runs f within a call of two people over a line, in virtual time.
func call(t *testing.T, line func() *shim, f func(t *testing.T, ann, bob *person)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ann, bob := newPerson(t, line(), nil), newPerson(t, line(), nil)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		stop := run(t, ann, bob)
		defer stop()
		f(t, ann, bob)
	})
}

func quietLAN() *shim { return newShim(time.Millisecond, time.Millisecond, 0) }

// pass lets time pass in the bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// tone is a steady sound of -20 dBFS.
func tone(d time.Duration) []float32 {
	mic := make([]float32, media.Samples(d))
	phase := 0.0
	for i := range mic {
		phase += 440.0 / media.Rate
		mic[i] = float32(0.1414 * sine(phase))
	}
	return mic
}

func TestWhatIsLookedForIsHeardAsIfItHadComeByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var waits []*rtp.Packet
		var came []time.Time
		ann := newPerson(t, newShim(0, 0, 0), func(c *voice.Config) {
			c.Send = func(p *rtp.Packet) error {
				mu.Lock()
				defer mu.Unlock()
				waits, came = append(waits, p), append(came, time.Now())
				return nil
			}
		})
		var bob *person
		bob = newPerson(t, newShim(0, 0, 0), func(c *voice.Config) {
			c.Look = func() {
				mu.Lock()
				defer mu.Unlock()
				for i, p := range waits {
					bob.Receive(p, came[i])
				}
				waits, came = nil, nil
			}
		})
		stop := run(t, ann, bob)
		defer stop()
		ann.mouth.say(tone(2 * time.Second))
		pass(2 * time.Second)
		if level := media.Level(bob.ear.last(time.Second)); level < -23 || level > -17 {
			t.Errorf("bob hears ann at %.1f dBFS instead of -20", level)
		}
	})
}

func TestWhatOneSaysTheOtherHears(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(tone(2 * time.Second))
		pass(2 * time.Second)
		if level := media.Level(bob.ear.last(time.Second)); level < -23 || level > -17 {
			t.Errorf("bob hears ann at %.1f dBFS instead of -20", level)
		}
		if level := media.Level(ann.ear.last(time.Second)); level > -60 {
			t.Errorf("ann hears %.1f dBFS though bob is silent", level)
		}
	})
}
