//go:build cgo && !nocgo

package dsp

/*
#cgo CXXFLAGS: -std=c++17 -O2
#cgo !apm1,!apm2 pkg-config: webrtc-audio-processing
#cgo apm1 pkg-config: webrtc-audio-processing-1
#cgo apm1 CXXFLAGS: -DAPM_VERSION=1
#cgo apm2 pkg-config: webrtc-audio-processing-2
#cgo apm2 CXXFLAGS: -DAPM_VERSION=2
#include "apm.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/entrenous/entrenous/media"
)

// CancellerName names the echo canceller in this build; it is empty where there is none.
func CancellerName() string { return C.GoString(C.apm_name()) }

// apmDelay is what the library adds to the microphone.
func apmDelay(cfg Config) time.Duration {
	return time.Duration(C.apm_delay_ms(apmConfig(cfg))) * time.Millisecond
}

// apm is WebRTC's audio processing. It is not safe for
// concurrent use; its memory is C's and is freed by close.
type apm struct {
	c    *C.apm
	tick *C.apm_tick // in c
	call caller
}

func newAPM(cfg Config) (*apm, error) {
	a := &apm{c: C.apm_new(apmConfig(cfg))}
	if a.c == nil {
		return nil, errors.New("start the echo canceller: the library refused its settings")
	}
	a.tick = C.apm_tick_of(a.c)
	a.tick.echo_ms = -1
	if err := a.call.open(); err != nil {
		a.close()
		return nil, fmt.Errorf("start the echo canceller: %w", err)
	}
	return a, nil
}

func apmConfig(cfg Config) C.apm_config {
	return C.apm_config{
		echo:  flag(!cfg.Headphones),
		noise: C.int(cfg.Noise),
	}
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

func (a *apm) configure(cfg Config) error {
	if code := C.apm_configure(a.c, apmConfig(cfg)); code != 0 {
		return fmt.Errorf("set the echo canceller: code %d", int(code))
	}
	return nil
}

// clean cleans one tick of the microphone in place. far is what the loudspeaker
// plays delayMs before its echo; nil lets the canceller rest, and the tick is late
// all the same. Of the canceller's work weight (0 to 1) is used, reached at the end
// of the tick. Where it is silent the suppressor rests.
func (a *apm) clean(tick, far []float32, delayMs int, weight float32, silent bool) error {
	t := a.tick
	t.show, t.silent, t.delay_ms, t.weight = flag(far != nil), flag(silent), C.int(delayMs), C.float(weight)
	near := unsafe.Slice((*float32)(&t.near[0]), media.Tick)
	copy(near, tick)
	copy(unsafe.Slice((*float32)(&t.far[0]), media.Tick), far)
	a.call.run(a.c)
	if t.err != 0 {
		return fmt.Errorf("cancel echo and noise: code %d", int(t.err))
	}
	copy(tick, near)
	return nil
}

// jumped tells that the alignment of loudspeaker and microphone jumped.
func (a *apm) jumped() error {
	if code := C.apm_jumped(a.c); code != 0 {
		return fmt.Errorf("start the echo canceller again: code %d", int(code))
	}
	return nil
}

// echoMs is from how many milliseconds after the loudspeaker on the library
// looks for its echo, as far as it says so.
func (a *apm) echoMs() (int, bool) { return int(a.tick.echo_ms), a.tick.echo_ms >= 0 }

func (a *apm) close() {
	if a.c != nil {
		C.apm_free(a.c)
		a.c, a.tick = nil, nil
	}
	a.call.close()
}
