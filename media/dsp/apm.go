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
	c *C.apm
}

func newAPM(cfg Config) (*apm, error) {
	a := C.apm_new(apmConfig(cfg))
	if a == nil {
		return nil, errors.New("start the echo canceller: the library refused its settings")
	}
	return &apm{c: a}, nil
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

// far takes what the loudspeaker plays, one tick. Without it the canceller rests
// in the next tick of the microphone, which is late all the same.
func (a *apm) far(tick []float32) error {
	_ = tick[media.Tick-1]
	if code := C.apm_far(a.c, (*C.float)(&tick[0])); code != 0 {
		return fmt.Errorf("hand the loudspeaker to the echo canceller: code %d", int(code))
	}
	return nil
}

// near cleans one tick of the microphone in place. Of the canceller's work weight
// (0 to 1) is used, reached at the end of the tick.
func (a *apm) near(tick []float32, delayMs int, weight float32) error {
	_ = tick[media.Tick-1]
	if code := C.apm_near(a.c, (*C.float)(&tick[0]), C.int(delayMs), C.float(weight)); code != 0 {
		return fmt.Errorf("clean the microphone: code %d", int(code))
	}
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
func (a *apm) echoMs() (int, bool) {
	ms := int(C.apm_echo_ms(a.c))
	return ms, ms >= 0
}

func (a *apm) close() {
	if a.c != nil {
		C.apm_free(a.c)
		a.c = nil
	}
}
