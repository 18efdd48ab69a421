package dsp_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// talk is a conversation: the friend speaks, is silent, speaks again, and from
// voiceFrom on somebody speaks here, alone at first.
const (
	silentFrom = 7
	againFrom  = 10
	endFrom    = 12
	voiceFrom  = 12.3
	bothFrom   = 15
)

// inTurns is that conversation in a room. Restless, single samples are played
// where the friend is silent, which keep the canceller awake.
func inTurns(r room, restless bool) scene {
	far, near := speech(1, end, 110), make([]float64, end*media.Rate)
	at := func(seconds float64) int { return int(seconds * media.Rate) }
	clear(far[at(silentFrom):at(againFrom)])
	clear(far[at(endFrom):at(bothFrom)])
	for i, v := range hiss(r.noise/4, len(far)) {
		far[i] += v
	}
	for i, v := range speech(2, end, 190)[:len(near)-at(voiceFrom)] {
		near[at(voiceFrom)+i] = 0.2 * v
	}
	s := r.hears(far, near)
	for i := at(silentFrom); restless && i < at(bothFrom); i += at(0.3) {
		if i < at(againFrom) || i > at(endFrom) {
			s.far[i] = 0.006
		}
	}
	return s
}

// A canceller works in blocks of 4 ms, of which five are two ticks. Where a sound
// begins in one is worth 3 dB in the first 200 ms, and a rest may change it: both
// ways are tried, the second after one more tick for the canceller.
type blocks [2]result

func inBlocks(t *testing.T, s scene) (b blocks) {
	t.Helper()
	b[0] = run(t, s, dsp.Config{})
	wakes, silence := make([]float64, media.Tick), make([]float64, media.Tick)
	wakes[0] = 0.0012
	b[1] = run(t, scene{slices.Concat(wakes, s.far), slices.Concat(silence, s.mic), slices.Concat(silence, s.near)}, dsp.Config{})
	return b
}

// mean is that of what is measured between two times.
func (b blocks) mean(measured func(result, float64, float64) float64, from, to float64) (sum float64) {
	const tick = float64(media.Tick) / media.Rate
	for k, x := range b {
		sum += measured(x, from+float64(k)*tick, to+float64(k)*tick) / float64(len(b))
	}
	return sum
}

// The canceller is as good after a rest as if it had never rested.
func TestAfterAPauseTheFirstEchoIsCancelledAsEver(t *testing.T) {
	needCanceller(t)
	needTime(t)
	for name, r := range map[string]room{
		"near and plain":        {delayMs: 40, moved: end},
		"devices at one's ear":  {delayMs: 5, moved: end},
		"devices of 180 ms":     {delayMs: 180, moved: end},
		"clocks 100 ppm apart":  {delayMs: 40, ppm: 100, moved: end},
		"clocks -100 ppm apart": {delayMs: 80, ppm: -100, moved: end},
		"moved in the pause":    {delayMs: 40, moved: 8.5},
		"noise in both rooms":   {delayMs: 40, noise: 0.00125},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rested := inBlocks(t, inTurns(r, false))
			awake := inBlocks(t, inTurns(r, true))
			begin := againFrom + float64(r.delayMs)/1000
			for _, x := range []struct {
				what     string
				from, to float64
			}{
				{"first 200 ms", begin, begin + 0.2},
				{"first second", begin, begin + 1},
				{"as long as the friend speaks", begin, endFrom},
			} {
				got, want := rested.mean(result.erle, x.from, x.to), awake.mean(result.erle, x.from, x.to)
				t.Logf("%s: %.1f dB, %.1f awake", x.what, got, want)
				if got < want-1 {
					t.Errorf("%s after the pause: ERLE %.1f dB, awake %.1f", x.what, got, want)
				}
			}
			if got, want := rested.mean(result.kept, 13, bothFrom), awake.mean(result.kept, 13, bothFrom); math.Abs(got-want) > 0.5 {
				t.Errorf("a voice alone loses %.2f dB, awake %.2f", -got, -want)
			}
			if got, want := rested.mean(result.kept, bothFrom, end-1), awake.mean(result.kept, bothFrom, end-1); got < want-2 {
				t.Errorf("in double talk after the pause a voice loses %.1f dB, awake %.1f", -got, -want)
			}
		})
	}
}

// What comes from a friend's room between words does not keep the canceller at work
// where nobody would hear its echo.
func TestTheNoiseOfAQuieterRoomWakesNoCanceller(t *testing.T) {
	needCanceller(t)
	const seconds, settled = 8, 5
	silence, far := make([]float64, seconds*media.Rate), hiss(0.0004, seconds*media.Rate)
	near := speech(2, seconds, 190)
	heard := func(noise float64, far []float64) []float64 {
		mic := hiss(noise, len(near))
		for i, v := range near {
			mic[i] += v
		}
		return run(t, scene{far, mic, near}, dsp.Config{}).out[settled*media.Rate:]
	}
	if noisy := heard(0.0015, far); !slices.Equal(noisy, heard(0.0015, silence)) {
		t.Error("in a noisy room the canceller works on what nobody hears there")
	}
	if still := heard(0.0001, far); slices.Equal(still, heard(0.0001, silence)) {
		t.Error("in a still room the canceller rests though an echo may be heard")
	}
}

// A steady tone shows every seam: the canceller comes and goes without a click.
func TestNobodyHearsTheCancellerComeAndGo(t *testing.T) {
	needCanceller(t)
	const hz, loud, speaks, silent, rests, wakes = 440, 0.1, 2, 4.5, 5.5, 7
	s := scene{far: speech(1, 9, 110), near: make([]float64, 9*media.Rate)}
	clear(s.far[:speaks*media.Rate]) // the canceller listens to the room
	clear(s.far[silent*media.Rate : wakes*media.Rate])
	for i := range s.near {
		s.near[i] = loud * math.Sin(2*math.Pi*hz/media.Rate*float64(i))
	}
	s.mic = s.near
	x := run(t, s, dsp.Config{})
	bend := loud * math.Pow(2*math.Pi*hz/media.Rate, 2) // of the tone; the canceller at work bends it more
	for i := int((rests - 0.02) * media.Rate); i < (wakes*100+2)*media.Tick; i++ {
		if got := math.Abs(x.out[i+1] - 2*x.out[i] + x.out[i-1]); got > 2*bend {
			t.Fatalf("at %.3f s the tone bends by %.5f, by itself %.5f", float64(i)/media.Rate, got, bend)
		}
	}
	for at := rests - 0.1; at+0.04 < wakes; at += 0.05 {
		if lost := -x.kept(at, at+0.05); math.Abs(lost) > 0.2 {
			t.Errorf("at %.2f s the tone loses %.2f dB", at, lost)
		}
	}
}

// A microphone that is switched off hears no echo of what goes on: the canceller
// must not learn that there is none.
func TestAMicrophoneThatWasOffIsCleanedAsBefore(t *testing.T) {
	needCanceller(t)
	needTime(t)
	const off, on = 6, 10
	for name, r := range map[string]room{
		"near and plain":       {delayMs: 40},
		"devices of 180 ms":    {delayMs: 180},
		"clocks 100 ppm apart": {delayMs: 40, ppm: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := r.hears(speech(1, end, 110), make([]float64, end*media.Rate))
			whole := run(t, s, dsp.Config{})
			s.mic = append([]float64(nil), s.mic...)
			clear(s.mic[off*media.Rate : on*media.Rate])
			x := run(t, s, dsp.Config{})
			goals := map[float64]float64{0.2: 20, 1: 30}
			if strings.Contains(dsp.CancellerName(), "AEC3") { // 0 to 1 dB if it does not rest
				goals = map[float64]float64{0.2: 5, 1: 15}
			}
			for d, want := range goals {
				got, never := x.erle(on+0.02, on+d), whole.erle(on+0.02, on+d)
				t.Logf("%.1f s after it is on again: %.1f dB, %.1f without", d, got, never)
				atLeast(t, "ERLE after it is on again", got, want)
			}
		})
	}
}

func TestALoudspeakerThatTakesHalvesOfTicksIsCancelledAlike(t *testing.T) {
	needCanceller(t)
	s := room{delayMs: 40}.hears(speech(1, 6, 110), make([]float64, 6*media.Rate))
	whole, halves := run(t, s, dsp.Config{}), runIn(media.Tick/2, t, s, dsp.Config{})
	got, want := halves.erle(3, 6), whole.erle(3, 6)
	if want < 25 || math.Abs(got-want) > 0.5 {
		t.Errorf("ERLE %.1f dB in halves, %.1f in ticks", got, want)
	}
}
