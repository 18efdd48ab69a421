package device

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

// pace lets one tick pass every 10 ms, as a device would, until it is stopped.
type pace struct {
	next time.Time
	done chan struct{}
	once sync.Once
}

func newPace() *pace { return &pace{done: make(chan struct{})} }

// wait returns when the next tick is due. Who comes more than 200 ms late has
// lost what was in between, as with a real device.
func (p *pace) wait() error {
	select {
	case <-p.done:
		return ErrClosed
	default:
	}
	now := time.Now()
	if p.next.IsZero() || now.Sub(p.next) > 200*time.Millisecond {
		p.next = now
	}
	p.next = p.next.Add(media.Duration(media.Tick))
	left := p.next.Sub(now)
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-p.done:
		return ErrClosed
	case <-timer.C:
		return nil
	}
}

func (p *pace) stop() { p.once.Do(func() { close(p.done) }) }

func whole(tick []float32) error {
	if len(tick) != media.Tick {
		return fmt.Errorf("a tick of %d samples instead of %d", len(tick), media.Tick)
	}
	return nil
}

// Tone is a microphone that hears one steady tone; silence is its quietest.
type Tone struct {
	pace  *pace
	name  string
	step  float64
	amp   float64
	phase float64
}

var _ Mic = (*Tone)(nil)

// NewTone returns a microphone that hears a tone of hz with a peak of dbfs.
func NewTone(hz, dbfs float64) *Tone {
	return &Tone{pace: newPace(), name: "tone", step: 2 * math.Pi * hz / media.Rate, amp: media.Amplitude(dbfs)}
}

// NewSilence returns a microphone that hears nothing.
func NewSilence() *Tone { return &Tone{pace: newPace(), name: "silence"} }

// Read fills tick 10 ms after the last one.
func (t *Tone) Read(tick []float32) error {
	if err := whole(tick); err != nil {
		return err
	}
	if err := t.pace.wait(); err != nil {
		return err
	}
	for i := range tick {
		tick[i] = float32(t.amp * math.Sin(t.phase))
		t.phase = math.Mod(t.phase+t.step, 2*math.Pi)
	}
	return nil
}

// Latency is one tick.
func (t *Tone) Latency() time.Duration { return media.Duration(media.Tick) }

// Name is "tone" or "silence".
func (t *Tone) Name() string { return t.name }

// Close ends a blocked Read.
func (t *Tone) Close() error {
	t.pace.stop()
	return nil
}

// Null is a loudspeaker that nobody hears.
type Null struct {
	pace *pace
}

var _ Speaker = (*Null)(nil)

// NewNull returns a loudspeaker that takes ticks at the right pace and drops them.
func NewNull() *Null { return &Null{pace: newPace()} }

// Write returns 10 ms after the last one.
func (n *Null) Write(tick []float32) error {
	if err := whole(tick); err != nil {
		return err
	}
	return n.pace.wait()
}

// Latency is one tick.
func (n *Null) Latency() time.Duration { return media.Duration(media.Tick) }

// Name is "null".
func (n *Null) Name() string { return "null" }

// Close ends a blocked Write.
func (n *Null) Close() error {
	n.pace.stop()
	return nil
}
