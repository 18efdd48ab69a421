//go:build !cgo || nocgo

package dsp

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// apmDelay is nothing: the one filter here looks only back.
func apmDelay(Config) time.Duration { return 0 }

// CancellerName names the echo canceller in this build; it is empty where there is none.
func CancellerName() string { return "" }

// apm is what is left without WebRTC's library: a high-pass filter.
type apm struct {
	lastIn, lastOut float32
}

func newAPM(Config) (*apm, error)     { return &apm{}, nil }
func (a *apm) configure(Config) error { return nil }
func (a *apm) far([]float32) error    { return nil }
func (a *apm) jumped() error          { return nil }
func (a *apm) echoMs() (int, bool)    { return 0, false }
func (a *apm) close()                 {}

// near takes hum away from one tick in place: one pole at 80 Hz.
func (a *apm) near(tick []float32, _ int, _ bool) error {
	const keep = 1 - 2*3.14159*80/float32(media.Rate)
	for i, v := range tick {
		a.lastOut = keep * (a.lastOut + v - a.lastIn)
		a.lastIn = v
		tick[i] = a.lastOut
	}
	return nil
}
