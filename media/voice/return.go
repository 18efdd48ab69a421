package voice

import (
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// NewReturn returns an Engine that sends back what it receives, decoded and
// encoded anew: the far end of an echo test. It opens no device, so what is
// said beside this machine goes nowhere; those of cfg are not used.
func NewReturn(cfg Config) (*Engine, error) {
	b := &bend{ticks: make(chan [media.Tick]float32, bendTicks), done: make(chan struct{})}
	cfg.Mic, cfg.Speaker = bendMic{b}, bendSpeaker{b}
	cfg.Headphones, cfg.NoiseSuppression, cfg.GainControl = true, false, false
	return New(cfg)
}

// bendTicks is how much sound may wait in a bend: 30 ms, so that two loops
// that run at one pace never wait for each other.
const bendTicks = 3

// bend is a loudspeaker and a microphone that hears nothing else. It adds 10 ms.
type bend struct {
	ticks chan [media.Tick]float32
	pace  clock // of the loudspeaker
	done  chan struct{}
	once  sync.Once
}

type (
	bendMic     struct{ *bend }
	bendSpeaker struct{ *bend }
)

var (
	_ device.Mic     = bendMic{}
	_ device.Speaker = bendSpeaker{}
)

// Write takes a tick every 10 ms. What nobody fetches is lost.
func (b bendSpeaker) Write(tick []float32) error {
	if !b.pace.wait(b.done) {
		return device.ErrClosed
	}
	select {
	case b.ticks <- [media.Tick]float32(tick):
	default:
	}
	return nil
}

// Read waits for the next tick that is played.
func (b bendMic) Read(tick []float32) error {
	select {
	case t := <-b.ticks:
		copy(tick, t[:])
		return nil
	case <-b.done:
		return device.ErrClosed
	}
}

// Latency is that of half the way through a bend.
func (b *bend) Latency() time.Duration { return media.Duration(media.Tick) / 2 }

// Name is empty: there is no device to learn about.
func (b *bend) Name() string { return "" }

// Close ends both.
func (b *bend) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}
