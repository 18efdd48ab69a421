package device_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// keepsContract tries what every microphone and loudspeaker must do, fake or real.
func keepsContract(t *testing.T, spec string) {
	t.Helper()
	mic, err := parsed(t, spec).OpenMic()
	if err != nil {
		t.Fatal(err)
	}
	speaker, err := parsed(t, spec).OpenSpeaker()
	if err != nil {
		t.Fatal(err)
	}
	if mic.Name() == "" || speaker.Name() == "" {
		t.Errorf("names %q and %q", mic.Name(), speaker.Name())
	}
	for what, d := range map[string]time.Duration{"mic": mic.Latency(), "speaker": speaker.Latency()} {
		if d < media.Duration(media.Tick)/2 || d > 500*time.Millisecond {
			t.Errorf("latency of the %s: %v", what, d)
		}
	}
	for _, n := range []int{0, 1, media.Tick - 1, media.Tick + 1, media.Frame} {
		if mic.Read(make([]float32, n)) == nil || speaker.Write(make([]float32, n)) == nil {
			t.Errorf("a tick of %d samples was taken", n)
		}
	}
	tick := make([]float32, media.Tick)
	for k := range 20 {
		for i := range tick {
			tick[i] = float32(math.NaN()) // must be overwritten
		}
		if err := mic.Read(tick); err != nil {
			t.Fatalf("tick %d: %v", k, err)
		}
		for i, v := range tick {
			if v != v || v > 1 || v < -1 {
				t.Fatalf("tick %d sample %d: %v", k, i, v)
			}
		}
		if err := speaker.Write(tick); err != nil {
			t.Fatalf("tick %d: %v", k, err)
		}
	}
	for range 2 {
		if err := errors.Join(mic.Close(), speaker.Close()); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := mic.Read(tick); !errors.Is(err, device.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
		if err := speaker.Write(tick); !errors.Is(err, device.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
	}
}

func TestEveryFakeKeepsTheContract(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.wav")
	save(t, in, make([]float32, 700))
	for _, spec := range []string{"null", "tone", "file:" + in + "," + filepath.Join(dir, "out.wav"), "file:" + in + ","} {
		t.Run(spec[:4], func(t *testing.T) {
			t.Parallel()
			keepsContract(t, spec)
		})
	}
}

func TestARecordingOfACallIsTheSameEveryTime(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.wav")
	sound := make([]float32, 3*media.Frame)
	for i := range sound {
		sound[i] = float32(i%200)/400 - 0.25
	}
	save(t, in, sound)
	var takes [2][]float32
	for n, name := range []string{"first.wav", "second.wav"} {
		out := filepath.Join(dir, name)
		mic, speaker, err := device.Open("file:" + in + "," + out)
		if err != nil {
			t.Fatal(err)
		}
		tick := make([]float32, media.Tick)
		for range 10 {
			if err := errors.Join(mic.Read(tick), speaker.Write(tick)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(mic.Close(), speaker.Close()); err != nil {
			t.Error(err)
		}
		takes[n] = load(t, out)
	}
	if len(takes[0]) != 10*media.Tick {
		t.Errorf("recorded %d samples", len(takes[0]))
	}
	for i := range takes[0] {
		if takes[0][i] != takes[1][i] {
			t.Fatalf("the takes differ at sample %d", i)
		}
	}
}

func TestStereoIsMixedToOneChannel(t *testing.T) {
	raw := file(kind{3, 2, 32, 48000}, []float64{0.5, -0.25})
	got, err := device.ReadWAV(bytes.NewReader(raw))
	if err != nil || len(got) != 2 || got[0] != 0.5 || got[1] != -0.25 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestKindsHaveNames(t *testing.T) {
	if device.Microphone.String() != "microphone" || device.Loudspeaker.String() != "loudspeaker" {
		t.Errorf("%v and %v", device.Microphone, device.Loudspeaker)
	}
}
