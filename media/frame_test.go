package media_test

import (
	"math"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
)

func sine(n int, amplitude float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(amplitude * math.Sin(2*math.Pi*1000*float64(i)/media.Rate))
	}
	return x
}

func TestAFrameIsTwentyMillisecondsAndATickTen(t *testing.T) {
	if d := media.Duration(media.Frame); d != 20*time.Millisecond {
		t.Errorf("a frame lasts %v", d)
	}
	if d := media.Duration(media.Tick); d != 10*time.Millisecond {
		t.Errorf("a tick lasts %v", d)
	}
	if n := media.Samples(20 * time.Millisecond); n != media.Frame {
		t.Errorf("20 ms are %d samples", n)
	}
}

func TestLevelsAreInDBFS(t *testing.T) {
	for _, c := range []struct {
		name        string
		x           []float32
		level, peak float64
	}{
		{"full-scale sine", sine(media.Frame, 1), -3.01, 0},
		{"a tenth of it", sine(media.Frame, 0.1), -23.01, -20},
		{"silence", make([]float32, media.Tick), media.Floor, media.Floor},
		{"nothing", nil, media.Floor, media.Floor},
		{"not a number", []float32{float32(math.NaN())}, media.Floor, media.Floor},
	} {
		if got := media.Level(c.x); math.Abs(got-c.level) > 0.01 {
			t.Errorf("%s: level %.2f dBFS, want %.2f", c.name, got, c.level)
		}
		if got := media.Peak(c.x); math.Abs(got-c.peak) > 0.01 {
			t.Errorf("%s: peak %.2f dBFS, want %.2f", c.name, got, c.peak)
		}
	}
}

func TestAmplitudeUndoesDBFS(t *testing.T) {
	for _, a := range []float64{1, 0.5, 0.1, 0.001} {
		if got := media.Amplitude(media.DBFS(a)); math.Abs(got-a) > 1e-9 {
			t.Errorf("amplitude %v came back as %v", a, got)
		}
	}
}

func TestPCMSurvivesTheWayThroughFloats(t *testing.T) {
	pcm := []int16{0, 1, -1, 1234, -4321, math.MaxInt16, math.MinInt16}
	x, back := make([]float32, len(pcm)), make([]int16, len(pcm))
	if n := media.FromInt16(x, pcm); n != len(pcm) {
		t.Fatalf("%d samples converted", n)
	}
	if n := media.ToInt16(back, x); n != len(pcm) {
		t.Fatalf("%d samples converted back", n)
	}
	for i := range pcm {
		if pcm[i] != back[i] {
			t.Errorf("%d came back as %d", pcm[i], back[i])
		}
	}
}

func TestLoudSamplesAreClippedAndBrokenOnesSilent(t *testing.T) {
	out := make([]int16, 4)
	media.ToInt16(out, []float32{2, -2, float32(math.NaN()), float32(math.Inf(1))})
	want := [4]int16{math.MaxInt16, math.MinInt16, 0, math.MaxInt16}
	if [4]int16(out) != want {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestConversionStopsAtTheShorterSlice(t *testing.T) {
	if n := media.ToInt16(make([]int16, 3), make([]float32, 5)); n != 3 {
		t.Errorf("converted %d samples into room for 3", n)
	}
	if n := media.FromInt16(make([]float32, 5), make([]int16, 2)); n != 2 {
		t.Errorf("converted %d samples out of 2", n)
	}
}
