// Package device is where sound enters and leaves: microphones and
// loudspeakers in ticks of 10 ms, 48 kHz, one channel. It hides the audio
// library, the sound servers, sample rates, unplugging and reopening; beside
// the real devices stand fakes (tone, file, silence) with the same manners.
//
// Read and Write block at the pace of the device, so a loop around one of them
// needs no clock of its own.
package device

import (
	"errors"
	"time"
)

// Mic gives what is heard, one tick at a time.
type Mic interface {
	// Read fills tick, media.Tick samples, and blocks until they are there.
	// After ErrClosed it gives nothing more; after any other error, call it
	// again: it waits and opens what there is.
	Read(tick []float32) error
	// Latency is the time from the air to the return of Read, as far as it can be known here.
	Latency() time.Duration
	// Name says which device it is now, for people and to keep what was learnt of it.
	Name() string
	// Close stops it, waits for it, and ends a blocked Read. It may be called twice.
	Close() error
}

// Speaker takes what is to be heard, one tick at a time.
type Speaker interface {
	// Write takes tick, media.Tick samples, and blocks until there is room, so
	// that it returns every 10 ms. Its errors are like those of Mic.Read.
	Write(tick []float32) error
	// Latency is the time from the return of Write to the air, as far as it can be known here.
	Latency() time.Duration
	// Name says which device it is now.
	Name() string
	// Close stops it, waits for it, and ends a blocked Write. It may be called twice.
	Close() error
}

// Nimble is a Speaker that would rather have a part of a tick at a time.
type Nimble interface {
	// Piece is of how many samples: Write takes as many as well. Ticks are a multiple of it.
	Piece() int
}

// Skipper is a Mic or Speaker that knows what it went on without: who compares
// the two, as an echo canceller does, has to count that too.
type Skipper interface {
	// Skipped is how many samples the device has played as silence, for want of
	// a tick, or has heard and dropped, for nobody fetched them, since it was asked last.
	Skipped() int
}

// Wearable is a Speaker that may be worn on the ears, where no microphone hears it.
type Wearable interface {
	// Worn says whether it is, as far as was known when it was opened: what is
	// plugged into its socket later shows the next time.
	Worn() bool
}

// What can go wrong, for errors.Is. Only ErrClosed is final.
var (
	ErrNoDevice = errors.New("no such sound device")           // none is there, or not the one that was asked for
	ErrBusy     = errors.New("sound device in use")            // another program holds it
	ErrDenied   = errors.New("sound device not allowed")       // the system forbids it
	ErrLost     = errors.New("sound device lost")              // unplugged, or the sound server ended; nothing replaces it yet
	ErrMoved    = errors.New("sound goes on elsewhere")        // another device has taken over; the next call works
	ErrAnew     = errors.New("sound device opened anew")       // the same one, after it had stood still; the next call works
	ErrClosed   = errors.New("sound device closed")            // by Close
	ErrSpec     = errors.New("sound device spelled wrong")     // by Open
	ErrNoSound  = errors.New("no sound devices in this build") // built without the audio library
)

// Kind says which way sound goes through a device.
type Kind int

// The two kinds.
const (
	Microphone Kind = iota
	Loudspeaker
)

// String names the kind in a sentence.
func (k Kind) String() string {
	if k == Microphone {
		return "microphone"
	}
	return "loudspeaker"
}

// Info describes one device that could be opened now.
type Info struct {
	Kind    Kind   `json:"kind"`
	ID      string `json:"id"`   // to be written in a Spec
	Name    string `json:"name"` // for people
	Default bool   `json:"default"`
}
