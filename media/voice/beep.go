package voice

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// beepEvery is from one beep of a call that waits to the next.
const beepEvery = 5 * time.Second

// beeper adds the beep of a call that waits to what is heard. It adds no delay.
type beeper struct {
	pcm []float32 // beep and pause, made when it is needed first
	at  int       // in pcm, 0 when silent
}

// add adds the next samples of it. A beep that has begun fades as it would, so
// that no click ends it; the pause after it ends at once.
func (b *beeper) add(tick []float32, on bool) {
	if !on && (b.at == 0 || b.pcm[b.at] == 0) {
		b.at = 0
		return
	}
	if b.pcm == nil {
		b.pcm = beep()
	}
	for i := range tick {
		tick[i] = min(max(tick[i]+b.pcm[b.at], -1), 1)
		b.at = (b.at + 1) % len(b.pcm)
	}
}

// beep is a low short tone at -28 dBFS or less, and a pause. The strike, which
// would never end, is ended where it is inaudible.
func beep() []float32 {
	const audible = 600 * time.Millisecond
	pcm := score(audible, strike{0, 440, 0.04, 0.3})
	for i := range pcm { // the last of it
		pcm[i] *= min(float32(len(pcm)-1-i)/480, 1)
	}
	return append(pcm, make([]float32, media.Samples(beepEvery-audible))...)
}
