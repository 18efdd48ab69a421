package device_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

func TestASpecReadsBackAsItWasWritten(t *testing.T) {
	for _, text := range []string{
		"system", "system:usb-mic,", "system:,0x0102", "null", "tone",
		"pulse:alsa_input.pci.analog,alsa_output.pci.analog", "file:in.wav,out.wav", "file:,out.wav", "file:in.wav,", "pulse:,",
	} {
		s, err := device.ParseSpec(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if s.String() != text {
			t.Errorf("%q became %q", text, s)
		}
	}
}

func TestAWrongSpecIsExplained(t *testing.T) {
	for text, word := range map[string]string{
		"":                        "none of system, pulse, file, tone, null",
		"alsa:a,b":                "none of system",
		"file":                    "two names",
		"file:a.wav":              "one comma",
		"file:a,b,c":              "one comma",
		"file:,":                  "say null",
		"pulse":                   "two names",
		"null:x":                  "nothing may follow",
		"file:a\nb,c":             "control character",
		strings.Repeat("x", 9000): "longer than",
	} {
		_, err := device.ParseSpec(text)
		if !errors.Is(err, device.ErrSpec) || !strings.Contains(err.Error(), word) {
			t.Errorf("%.20q: got %v, want a word on %q", text, err, word)
		}
		if _, _, again := device.Open(text); !errors.Is(again, device.ErrSpec) {
			t.Errorf("%.20q: Open says %v", text, again)
		}
	}
}

// parsed is a spec that is spelled right.
func parsed(t *testing.T, text string) device.Spec {
	t.Helper()
	s, err := device.ParseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range []string{"system", "file:a,b", "pulse:x,y", "null", "tone:", "system:,\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := device.ParseSpec(text)
		if err != nil {
			return
		}
		again, err := device.ParseSpec(s.String())
		if err != nil || again != s {
			t.Errorf("%q became %+v, then %+v: %v", text, s, again, err)
		}
	})
}

func TestFakesKeepTimeLikeDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mic, speaker, err := device.Open("tone")
		if err != nil {
			t.Fatal(err)
		}
		tick := make([]float32, media.Tick)
		start := time.Now()
		for range 100 {
			if err := mic.Read(tick); err != nil {
				t.Fatal(err)
			}
			if err := speaker.Write(tick); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 990*time.Millisecond || took > 1010*time.Millisecond {
			t.Errorf("100 ticks took %v", took)
		}
		if l := media.Level(tick); math.Abs(l+23) > 0.1 {
			t.Errorf("the tone is at %.1f dBFS", l)
		}
		time.Sleep(5 * time.Second) // a loop that hung has lost that time
		start = time.Now()
		for range 10 {
			if err := mic.Read(tick); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 90*time.Millisecond {
			t.Errorf("after a pause, 10 ticks came at once: %v", took)
		}
	})
}

func TestSilenceIsSilentAndNullTakesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mic, speaker, err := device.Open("null")
		if err != nil {
			t.Fatal(err)
		}
		tick := []float32{1}
		if mic.Read(tick) == nil || speaker.Write(tick) == nil {
			t.Error("a short tick was taken")
		}
		tick = make([]float32, media.Tick)
		tick[7] = 1
		if err := mic.Read(tick); err != nil || media.Peak(tick) != media.Floor {
			t.Errorf("silence at %.1f dBFS, %v", media.Peak(tick), err)
		}
	})
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := device.Watch{Every: time.Millisecond}
	if _, err := w.Next(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	for {
		if _, err := w.Next(ctx); err != nil { // devices may come and go while this runs
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return
		}
	}
}

func TestCloseEndsABlockedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mic, speaker, err := device.Open("file:," + filepath.Join(t.TempDir(), "out.wav"))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 2)
		go func() {
			tick := make([]float32, media.Tick)
			for {
				if err := mic.Read(tick); err != nil {
					ended <- err
					return
				}
			}
		}()
		go func() {
			tick := make([]float32, media.Tick)
			for {
				if err := speaker.Write(tick); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.Sleep(105 * time.Millisecond)
		for range 2 {
			if err := errors.Join(mic.Close(), speaker.Close()); err != nil {
				t.Error(err)
			}
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, device.ErrClosed) {
				t.Errorf("ended with %v", err)
			}
		}
	})
}

func TestAFileIsSpokenThenSilenceAndWhatArrivesIsRecorded(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.wav")
	want := make([]float32, 5*media.Tick)
	for i := range want {
		want[i] = float32(0.3 * math.Sin(2*math.Pi*300*float64(i)/media.Rate))
	}
	save(t, in, want)
	synctest.Test(t, func(t *testing.T) {
		mic, speaker, err := device.Open("file:" + in + "," + out)
		if err != nil {
			t.Fatal(err)
		}
		if mic.Name() != "file in.wav" || speaker.Name() != "file out.wav" {
			t.Errorf("named %q and %q", mic.Name(), speaker.Name())
		}
		tick := make([]float32, media.Tick)
		for k := range 8 {
			if err := mic.Read(tick); err != nil {
				t.Fatal(err)
			}
			if err := speaker.Write(tick); err != nil {
				t.Fatal(err)
			}
			// Not closed yet: the file must be whole at any time.
			if got := load(t, out); len(got) != (k+1)*media.Tick {
				t.Fatalf("after %d ticks the file holds %d samples", k+1, len(got))
			}
		}
		if err := errors.Join(mic.Close(), speaker.Close()); err != nil {
			t.Error(err)
		}
	})
	got := load(t, out)
	for i := range got {
		expect := float32(0)
		if i < len(want) {
			expect = want[i]
		}
		if math.Abs(float64(got[i]-expect)) > 1.0/16384 {
			t.Fatalf("sample %d is %v instead of %v", i, got[i], expect)
		}
	}
}

func TestAFileThatIsMissingOrForeignIsNamed(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := device.Open("file:" + dir + "/none.wav,"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, _, err := device.Open("file:," + dir + "/no/such/out.wav"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	text := filepath.Join(dir, "text.wav")
	if err := os.WriteFile(text, []byte("hello, this is no sound at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := device.Open("file:" + text + ","); !errors.Is(err, device.ErrWAV) || !strings.Contains(err.Error(), "text.wav") {
		t.Errorf("text: %v", err)
	}
}

func TestEveryFakeStatesItsLatency(t *testing.T) {
	out := filepath.Join(t.TempDir(), "o.wav")
	for _, spec := range []string{"null", "tone", "file:," + out} {
		mic, speaker, err := device.Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		if mic.Latency() != 10*time.Millisecond || speaker.Latency() != 10*time.Millisecond {
			t.Errorf("%s: %v and %v", spec, mic.Latency(), speaker.Latency())
		}
		if mic.Name() == "" || speaker.Name() == "" {
			t.Errorf("%s: no name", spec)
		}
		if err := errors.Join(mic.Close(), speaker.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestHeadphonesInTheSocketOfABuiltInCardAreWorn(t *testing.T) {
	for _, c := range []struct {
		form, port, name string
		worn             bool
	}{
		{"internal", "analog-output-headphones", "Built-in Audio Analog Stereo", true},
		{"internal", "[Out] Headphones", "Built-in Audio", true},
		{"", "[Out] Headset", "sof-hda-dsp", true},
		{"internal", "analog-output-speaker", "Built-in Audio Analog Stereo", false},
		{"internal", "", "Built-in Audio Analog Stereo", false},
		{"speaker", "headphone-output", "A box with a socket", false},
	} {
		if got := device.IsWorn(c.form, c.port, c.name); got != c.worn {
			t.Errorf("%+v: worn is %v", c, got)
		}
	}
}

func TestALoudspeakerIsWokenByItsBitesAndByNoTimer(t *testing.T) {
	for _, low := range []bool{false, true} {
		if rest := (device.Spec{LowLatency: low}).RestAfterATick(); rest < time.Second {
			t.Errorf("low latency %v: a timer wakes it after %v", low, rest)
		}
	}
}
