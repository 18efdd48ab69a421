package voice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// Sound is one of the sounds around a call. They are made here, not recorded.
type Sound int

// The sounds.
const (
	Ringing  Sound = iota // somebody calls: two soft bells, every 3 s, until it is stopped
	Ringback              // it rings at the other's: a quiet tone, every 4 s, until it is stopped
	Busy                  // they are busy: four short tones
	HangUp                // the call has ended: two falling tones
)

// Ring plays a sound on speaker, and closes it. It returns nil when the sound
// is over or ctx ends. The loudspeaker may be another than that of calls.
// A device that fails is waited for as long as the sound is to be heard.
func Ring(ctx context.Context, speaker device.Speaker, sound Sound) error {
	stop := context.AfterFunc(ctx, func() { _ = speaker.Close() })
	defer stop()
	pcm, again := sound.pcm()
	for at := 0; ; at += media.Tick {
		if at >= len(pcm) {
			if !again {
				break
			}
			at = 0
		}
		err := speaker.Write(pcm[at : at+media.Tick])
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, device.ErrClosed) {
			return fmt.Errorf("ring: %w", err)
		}
	}
	if err := rest(ctx, speaker.Latency()); err != nil { // or its end would not be heard
		return nil
	}
	return speaker.Close()
}

// pcm is the sound in whole ticks, and whether it begins again.
func (s Sound) pcm() (pcm []float32, again bool) {
	switch s {
	case Ringing:
		return score(3*time.Second,
			strike{0, 784, 0.30, 0.5}, strike{0, 988, 0.20, 0.5},
			strike{0.35, 659, 0.30, 0.9}, strike{0.35, 784, 0.20, 0.9}), true
	case Ringback:
		return score(4*time.Second, strike{0, 425, 0.08, 3}), true
	case Busy:
		return score(2*time.Second, strike{0, 425, 0.12, 0.3}, strike{0.5, 425, 0.12, 0.3},
			strike{1, 425, 0.12, 0.3}, strike{1.5, 425, 0.12, 0.3}), false
	case HangUp:
		return score(500*time.Millisecond, strike{0, 523, 0.15, 0.2}, strike{0.15, 392, 0.15, 0.3}), false
	}
	return make([]float32, media.Tick), false
}

// strike is one stroke of a bell: when, how high, how loud, and how long until
// it is faint. Seconds and Hz.
type strike struct{ at, hz, amp, long float64 }

func score(long time.Duration, strikes ...strike) []float32 {
	pcm := make([]float32, media.Samples(long)/media.Tick*media.Tick)
	for _, s := range strikes {
		for i := media.Samples(time.Duration(s.at * float64(time.Second))); i < len(pcm); i++ {
			t := float64(i)/media.Rate - s.at
			attack := min(t/0.005, 1)
			fade := attack * math.Exp(-3*t/s.long)
			sound := math.Sin(2*math.Pi*s.hz*t) + 0.3*math.Sin(2*math.Pi*2.01*s.hz*t)*math.Exp(-6*t/s.long)
			pcm[i] += float32(s.amp * fade * sound)
		}
	}
	return pcm
}
