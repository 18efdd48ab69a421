package dsp

import "github.com/entrenous/entrenous/media"

// leveller brings speech to an even loudness, slowly enough that nobody hears
// it work, and keeps peaks inside [-1, 1]. The zero value is ready; it adds no
// delay. The library's own does the same for a fifth of all its work.
type leveller struct {
	loud    float64 // of speech, dBFS
	gain    float64 // dB
	begun   bool
	limiter Limiter
}

const (
	evenLoud  = -21.0 // dBFS that speech is brought to
	evenMost  = 12.0  // dB up
	evenLeast = -9.0  // and down
	evenRise  = 0.06  // dB a tick: 6 dB/s
	evenFall  = 0.12
	evenQuiet = -55.0 // below it is nobody's speech
)

// apply changes one tick in place. It learns from speech alone, and only from
// that of this side.
func (l *leveller) apply(tick []float32, speech bool) {
	before := l.gain
	if level := media.Level(tick); speech && level > evenQuiet {
		l.learn(level)
	}
	if before != 0 || l.gain != 0 {
		ramp(tick, float32(media.Amplitude(before)), float32(media.Amplitude(l.gain)))
	}
	l.limiter.Apply(tick)
}

// learn follows the louder syllables, and lets the gain follow them.
func (l *leveller) learn(level float64) {
	if !l.begun {
		l.begun, l.loud = true, evenLoud
	}
	weight := 0.01
	if level > l.loud {
		weight = 0.05
	}
	l.loud += weight * (level - l.loud)
	want := min(max(evenLoud-l.loud, evenLeast), evenMost)
	l.gain = min(max(want, l.gain-evenFall), l.gain+evenRise)
}
