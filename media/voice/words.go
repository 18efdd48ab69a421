package voice

import (
	"fmt"
	"math"
	"time"
)

// Sentences say what was measured in plain words, one finding each.
func (r EchoReport) Sentences() []string {
	return []string{r.echoWords(), r.voiceWords(), r.lineWords()}
}

func (r EchoReport) echoWords() string {
	const good, fair = 30, 15 // dB
	if !r.Heard {
		return "no echo comes back: headphones, or a loudspeaker that is off"
	}
	verdict := "bad: friends will hear themselves, use headphones"
	switch {
	case r.EchoReturn >= good:
		verdict = "good"
	case r.EchoReturn >= fair:
		verdict = "fair: friends may hear themselves faintly"
	}
	return fmt.Sprintf("your echo returns at %.0f dB after %d ms: %s",
		-math.Abs(r.EchoReturn), r.Delay.Milliseconds(), verdict)
}

func (r EchoReport) voiceWords() string {
	const silent, quiet, loud, hum = -60, -40, -3, -45 // dBFS
	switch {
	case r.Voice < silent:
		return fmt.Sprintf("the microphone hears nothing (%.0f dB): it may be switched off, or another one is in use", r.Voice)
	case r.Voice < quiet:
		return fmt.Sprintf("your voice is quiet (%.0f dB): come closer, or turn the microphone up", r.Voice)
	case r.Voice > loud:
		return fmt.Sprintf("your voice is too loud (%.0f dB): turn the microphone down", r.Voice)
	case r.Noise > hum:
		return fmt.Sprintf("your voice is fine (%.0f dB), but the room is noisy (%.0f dB)", r.Voice, r.Noise)
	}
	return fmt.Sprintf("your voice is fine (%.0f dB)", r.Voice)
}

func (r EchoReport) lineWords() string {
	return fmt.Sprintf("sound takes %d ms from mouth to ear here, %.0f %% of it made up: %s",
		r.MouthToEar.Round(time.Millisecond).Milliseconds(), 100*r.Concealed, r.Quality)
}
