package voice_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media/voice"
)

// cone is a loudspeaker that may be kept going by who comes by.
type cone struct {
	*ear
	mu                     sync.Mutex
	waited, driven, sensed int // ticks and times
}

func (c *cone) count(what *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what++
}

func (c *cone) Write(tick []float32) error {
	err := c.ear.Write(tick)
	c.count(&c.waited)
	return err
}

func (c *cone) Driven() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waited > 0
}

func (c *cone) Drive(tick []float32, fill func([]float32)) bool {
	c.count(&c.driven)
	fill(tick)
	return true
}

func (c *cone) Sense() {
	time.Sleep(7 * time.Millisecond)
	c.count(&c.sensed)
}

func (c *cone) counts() (waited, driven, sensed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waited, c.driven, c.sensed
}

// stuck is a microphone that now and then gives nothing for a while.
type stuck struct {
	*mouth
	mu   sync.Mutex
	hole time.Duration
}

func (m *stuck) Read(tick []float32) error {
	m.mu.Lock()
	hole := m.hole
	m.hole = 0
	m.mu.Unlock()
	time.Sleep(hole)
	return m.mouth.Read(tick)
}

func (m *stuck) stick(hole time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hole = hole
}

func TestTheMicrophonesGoroutineKeepsTheLoudspeakerGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, mic := &cone{ear: newEar()}, &stuck{mouth: newMouth(nil)}
		stop := run(t, newPerson(t, quietLAN(), func(cfg *voice.Config) { cfg.Mic, cfg.Speaker = mic, c }))
		defer stop()

		pass(2 * time.Second)
		if waited, driven, _ := c.counts(); waited > 5 || driven < 190 || driven > 201 {
			t.Fatalf("in two seconds %d ticks were waited for, %d laid down in passing", waited, driven)
		}

		waited, driven, _ := c.counts()
		mic.stick(300 * time.Millisecond)
		pass(500 * time.Millisecond)
		if w, d, _ := c.counts(); w-waited < 20 || w-waited+d-driven < 41 {
			t.Errorf("without the microphone for 0.3 of 0.5 s: %d ticks waited for, %d laid down in passing", w-waited, d-driven)
		}

		pass(6 * time.Second) // until the microphone is trusted again
		waited, driven, _ = c.counts()
		pass(12 * time.Second)
		w, d, sensed := c.counts()
		if w != waited || d-driven < 1199 || d-driven > 1201 {
			t.Errorf("in 12 s %d ticks were waited for, %d laid down in passing", w-waited, d-driven)
		}
		if sensed < 1 || sensed > 2 {
			t.Errorf("it was sensed %d times", sensed)
		}
	})
}

// refuser says that it is driven, but not when it comes to it.
type refuser struct{ *cone }

func (refuser) Drive([]float32, func([]float32)) bool { return false }

func TestALoudspeakerThatCannotBeDrivenIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := refuser{&cone{ear: newEar()}}
		stop := run(t, newPerson(t, quietLAN(), func(cfg *voice.Config) { cfg.Speaker = c }))
		defer stop()
		pass(2 * time.Second)
		if waited, _, _ := c.counts(); waited < 190 {
			t.Errorf("in two seconds %d ticks were waited for", waited)
		}
	})
}
