package dsp_test

import (
	"math"
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

func tone(hz, amplitude float64, from int) []float32 {
	tick := make([]float32, media.Tick)
	for i := range tick {
		tick[i] = float32(amplitude * math.Sin(2*math.Pi*hz*float64(from*media.Tick+i)/media.Rate))
	}
	return tick
}

func TestTheLimiterLeavesOrdinarySpeechAlone(t *testing.T) {
	var l dsp.Limiter
	want, tick := tone(440, 0.5, 0), tone(440, 0.5, 0)
	l.Apply(tick)
	for i := range tick {
		if tick[i] != want[i] {
			t.Fatalf("sample %d: %v became %v", i, want[i], tick[i])
		}
	}
}

func TestTheLimiterKeepsTenShoutersInRange(t *testing.T) {
	var l dsp.Limiter
	for k := range 200 {
		tick := tone(300, 10, k)
		tick[3] = float32(math.NaN())
		l.Apply(tick)
		if p := media.Peak(tick); p > 0 {
			t.Fatalf("tick %d peaks at %.2f dBFS", k, p)
		}
		for i, v := range tick {
			if v != v {
				t.Fatalf("tick %d sample %d is not a number", k, i)
			}
		}
	}
}

func TestVolumeTurnsUpDownAndOffWithoutAClick(t *testing.T) {
	var v dsp.Volume
	for _, step := range []struct {
		db    float64
		muted bool
		want  float64
	}{{0, false, -23.01}, {6, false, -17.01}, {-10, false, -33.01}, {90, false, -3.01}, {0, true, media.Floor}} {
		v.Set(step.db)
		v.Mute(step.muted)
		k, last := 0, float32(0)
		for range 5 {
			tick := tone(400, 0.1, k)
			k++
			v.Apply(tick)
			if jump := math.Abs(float64(tick[0] - last)); jump > 0.09 {
				t.Errorf("%+v: a jump of %.3f between ticks", step, jump)
			}
			last = tick[len(tick)-1]
			if k == 5 {
				if got := media.Level(tick); math.Abs(got-step.want) > 0.1 {
					t.Errorf("%+v: level %.2f dBFS", step, got)
				}
			}
		}
	}
}

func TestActivityHearsSpeechAboveANoiseThatGrows(t *testing.T) {
	var a dsp.Activity
	for k := range 300 {
		if a.Speech(tone(100, 0.0008, k)) {
			t.Fatalf("tick %d: noise taken for speech", k)
		}
	}
	if !a.Speech(tone(300, 0.05, 0)) {
		t.Fatal("speech not heard")
	}
	for k := range 10 {
		if !a.Speech(tone(100, 0.0008, k)) {
			t.Fatal("a short pause ended the speech")
		}
	}
	for range 30 {
		a.Speech(tone(100, 0.0008, 0))
	}
	if a.Speech(tone(100, 0.0008, 0)) {
		t.Fatal("the end of the speech was missed")
	}
}
