package dsp_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// plain is the room that several tests share.
var plain = sync.OnceValue(room{delayMs: 40}.scene)

// needTime skips what takes long, under the race detector.
func needTime(t testing.TB) {
	t.Helper()
	if slow {
		t.Skip("tried without the race detector")
	}
}

func needCanceller(t testing.TB) {
	t.Helper()
	if dsp.CancellerName() == "" {
		t.Skip("no echo canceller in this build")
	}
}

// Every room, with the devices' delay known, unknown and told wrong.
func TestEchoIsCancelledInEveryRoom(t *testing.T) {
	needCanceller(t)
	for name, r := range map[string]room{
		"near and plain":        {delayMs: 40},
		"devices of 180 ms":     {delayMs: 180},
		"bent by its speaker":   {delayMs: 40, bend: 3},
		"clocks 100 ppm apart":  {delayMs: 40, ppm: 100},
		"clocks -100 ppm apart": {delayMs: 80, ppm: -100},
	} {
		if slow && name != "clocks 100 ppm apart" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := r.scene()
			for _, told := range []int{0, r.delayMs, 120} {
				if slow && told > 0 || told == 120 && r.delayMs == 40 && r.bend+r.ppm > 0 {
					break
				}
				x := run(t, s, dsp.Config{Latency: time.Duration(told) * time.Millisecond})
				t.Logf("told %3d ms: ERLE 0-1 s %.1f, 1-4 s %.1f, settled %.1f dB; path changed: 1st second %.1f, then %.1f dB; double talk keeps %.1f dB of the voice; found %v, %.0f ppm, %+v",
					told, x.erle(0, 1), x.erle(1, 4), x.erle(4, moved), x.erle(moved+0.05, moved+1), x.erle(moved+1, doubleTalk),
					x.kept(doubleTalk+0.2, nearOnly), x.state.Delay, x.state.Skew, x.state.Echo)
				atLeast(t, fmt.Sprintf("told %d ms: first second", told), x.erle(0, 1), 20)
				atLeast(t, fmt.Sprintf("told %d ms: the seconds after", told), x.erle(1, 4), 20)
				atLeast(t, fmt.Sprintf("told %d ms: settled", told), x.erle(4, moved), 30)
				atLeast(t, fmt.Sprintf("told %d ms: after the path changed", told), x.erle(moved+0.05, moved+1), 20)
				atLeast(t, fmt.Sprintf("told %d ms: settled again", told), x.erle(moved+1, doubleTalk), 30)
				atLeast(t, fmt.Sprintf("told %d ms: voice in double talk", told), x.kept(doubleTalk+0.2, nearOnly), -9)
				atLeast(t, fmt.Sprintf("told %d ms: voice alone", told), x.kept(nearOnly+0.5, end), -1.5)
			}
		})
	}
}

func atLeast(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got < want {
		t.Errorf("%s: %.1f dB, want %.0f", what, got, want)
	}
}

func TestTheDelayAndTheDriftAreFoundAndHelpTheNextCall(t *testing.T) {
	needCanceller(t)
	needTime(t)
	s := room{delayMs: 150, ppm: 80}.scene()
	first := run(t, s, dsp.Config{})
	if !first.state.Found {
		t.Fatal("no delay found")
	}
	// A tick is collected before it is handed over, the sound flies 3 to 5 ms, and the drift adds 1.4 ms.
	if d := first.state.Delay; d < 155*time.Millisecond || d > 170*time.Millisecond {
		t.Errorf("delay found: %v", d)
	}
	if math.Abs(first.state.Skew+80) > 12 {
		t.Errorf("skew found: %.1f ppm", first.state.Skew)
	}
	known := dsp.Profile{Delay: first.state.Delay, Skew: first.state.Skew}
	second := run(t, s, dsp.Config{Known: known})
	if e := second.erle(0, 1); e < 15 {
		t.Errorf("with what was known, the first second has %.1f dB", e)
	}
}

// From devices at one's ear, whose echo is there at once, to a television far
// away, and with the worst of crystals.
func TestAnyDelayIsFound(t *testing.T) {
	needCanceller(t)
	needTime(t)
	for _, r := range []room{{delayMs: -3}, {delayMs: 10}, {delayMs: 110, ppm: -60}, {delayMs: 300}, {delayMs: 420, ppm: 200}} {
		t.Run(fmt.Sprintf("%d ms, %.0f ppm", r.delayMs, r.ppm), func(t *testing.T) {
			t.Parallel()
			s := r.scene()
			c := newCall(t, s, dsp.Config{Latency: 40 * time.Millisecond})
			c.both(7)
			got := c.chain.State()
			want := time.Duration(r.delayMs)*time.Millisecond + media.Duration(media.Tick)
			if !got.Found || got.Delay < want || got.Delay > want+9*time.Millisecond {
				t.Errorf("found %v: %v, want a little more than %v", got.Found, got.Delay, want)
			}
			if math.Abs(got.Skew+r.ppm) > 25 {
				t.Errorf("skew %.0f ppm, want %.0f", got.Skew, -r.ppm)
			}
			atLeast(t, "ERLE at last", c.erle(5.5, 7), 28)
		})
	}
}

func TestTheEchoReturnIsMeasuredInPlainNumbers(t *testing.T) {
	needTime(t)
	needCanceller(t)
	x := run(t, plain(), dsp.Config{})
	e := x.state.Echo
	if e.Heard < 40 || e.Room < 4 || e.Room > 12 || e.Sent < 30 || e.Sent > 60 {
		t.Errorf("%+v, want a room of about 8 dB and an echo return below -30 dB", e)
	}
}

func TestHeadphonesLeaveTheVoiceAlone(t *testing.T) {
	needTime(t)
	s := plain()
	s.mic = s.near // no echo reaches the microphone
	x := run(t, s, dsp.Config{Headphones: true})
	if k := x.kept(doubleTalk+0.2, nearOnly); k < -1.5 || k > 1.5 {
		t.Errorf("the voice changed by %.1f dB while both speak", k)
	}
	if x.state.Canceller != "" {
		t.Errorf("canceller %q at work", x.state.Canceller)
	}
}

func TestNoEchoAtAllDoesNotSilenceTheCall(t *testing.T) {
	needTime(t)
	needCanceller(t)
	s := plain()
	s.mic = s.near
	x := run(t, s, dsp.Config{})
	if k := x.kept(doubleTalk+0.2, nearOnly); k < -6 {
		t.Errorf("headphones that were not told of: the voice loses %.1f dB while both speak", -k)
	}
	atLeast(t, "voice alone", x.kept(nearOnly+0.5, end), -1.5)
}

func TestNoiseIsPressedDownAndSpeechStays(t *testing.T) {
	needCanceller(t)
	rng := rand.New(rand.NewPCG(4, 4))
	s := scene{far: make([]float64, 8*media.Rate), near: make([]float64, 8*media.Rate), mic: make([]float64, 8*media.Rate)}
	copy(s.near[4*media.Rate:], speech(5, 4, 120))
	for i := range s.mic {
		s.mic[i] = s.near[i] + 0.005*rng.NormFloat64()
	}
	x := run(t, s, dsp.Config{Noise: dsp.NoiseHigh})
	atLeast(t, "noise pressed down", x.erle(2, 4), 10)
	atLeast(t, "speech in noise", x.kept(4.5, 8), -3)
}

func TestGainBringsVoicesTogether(t *testing.T) {
	level := func(loudness float64) float64 {
		s := scene{far: make([]float64, 8*media.Rate), near: speech(6, 8, 150)}
		s.mic = make([]float64, len(s.near))
		for i, v := range s.near {
			s.mic[i] = v * loudness
		}
		plain, even := run(t, s, dsp.Config{}), run(t, s, dsp.Config{Gain: true})
		lift := even.kept(4, 8) - plain.kept(4, 8)
		if quiet := loudness < 1; quiet && lift < 6 || !quiet && lift > -2 {
			t.Errorf("a voice of %.1f is lifted by %.1f dB", loudness, lift)
		}
		for i, v := range even.out {
			if v < -1 || v > 1 {
				t.Fatalf("sample %d is %.2f", i, v)
			}
		}
		return even.kept(4, 8)
	}
	if apart := level(2) - level(0.1); apart > 14 { // of 26
		t.Errorf("a loud and a quiet voice are %.1f dB apart", apart)
	}
}

func TestTypingIsPressedDownForAMoment(t *testing.T) {
	c, err := dsp.New(dsp.Config{Headphones: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	levels := make([]float64, 0, 100)
	for k := range 100 {
		if k == 50 {
			c.Typing()
		}
		tick := tone(400, 0.3, k)
		if err := c.Near(tick); err != nil {
			t.Fatal(err)
		}
		levels = append(levels, media.Level(tick))
	}
	if before, during, after := levels[49], levels[60], levels[75]; before-during < 25 || math.Abs(before-after) > 1 {
		t.Errorf("levels before, during and after a key: %.1f, %.1f, %.1f dBFS", before, during, after)
	}
}

func TestTheStatedDelayIsTheTrueOne(t *testing.T) {
	for _, cfg := range []dsp.Config{{Headphones: true}, {}, {Noise: dsp.NoiseModerate, Gain: true}} {
		in := speech(8, 2, 130)
		s := scene{far: make([]float64, len(in)), near: in, mic: in}
		x := run(t, s, cfg)
		best, top := 0, 0.0
		for d := range 960 {
			sum := 0.0
			for i := 4800; i < len(in)-960; i++ {
				sum += in[i] * x.out[i+d]
			}
			if sum > top {
				best, top = d, sum
			}
		}
		if got := media.Duration(best); got < x.delay-time.Millisecond || got > x.delay+time.Millisecond {
			t.Errorf("%+v: the voice is late by %v, stated %v", cfg, got, x.delay)
		}
	}
}

// What is above the canceller's own band must pass as well.
func TestAVoiceKeepsItsHighestTones(t *testing.T) {
	for _, hz := range []float64{500, 3000, 6900, 7300, 8000, 12000, 18000} {
		c, err := dsp.New(dsp.Config{Headphones: true})
		if err != nil {
			t.Fatal(err)
		}
		var tick []float32
		for k := range 50 {
			tick = tone(hz, 0.2, k)
			if err := c.Near(tick); err != nil {
				t.Fatal(err)
			}
		}
		if lost := media.Level(tone(hz, 0.2, 0)) - media.Level(tick); math.Abs(lost) > 0.3 {
			t.Errorf("a tone of %.0f Hz loses %.2f dB", hz, lost)
		}
		c.Close()
	}
}

func TestHumIsTakenAwayAndADeepVoiceStays(t *testing.T) {
	for hz, want := range map[float64]float64{10: -30, 50: -8, 130: -0.9, 300: -0.2} {
		c, err := dsp.New(dsp.Config{Headphones: true})
		if err != nil {
			t.Fatal(err)
		}
		before, after := 0.0, 0.0
		for k := range 100 {
			tick := tone(hz, 0.2, k)
			was := media.Energy(tick)
			if err := c.Near(tick); err != nil {
				t.Fatal(err)
			}
			if k >= 50 {
				before, after = before+was, after+media.Energy(tick)
			}
		}
		if got := dB(after / before); hz < 100 && got > want || hz > 100 && got < want {
			t.Errorf("a tone of %.0f Hz is changed by %.2f dB, want %.1f", hz, got, want)
		}
		c.Close()
	}
}

func TestAChainSurvivesNonsense(t *testing.T) {
	c, err := dsp.New(dsp.Config{Known: dsp.Profile{Delay: time.Hour, Skew: math.Inf(1)}})
	if err != nil {
		t.Fatal(err)
	}
	bad := make([]float32, media.Tick)
	for i := range bad {
		bad[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), -1e30, 1}[i%4]
	}
	for k := range 1500 {
		c.Far(bad)
		tick := append([]float32(nil), bad...)
		if err := c.Near(tick); err != nil {
			t.Fatal(err)
		}
		for i, v := range tick {
			if v != v || v > 8 || v < -8 {
				t.Fatalf("tick %d sample %d: %v", k, i, v)
			}
		}
	}
	if c.Near(bad[:7]) == nil {
		t.Error("a short tick was taken")
	}
	c.Restart(0, dsp.Profile{})
	c.Close()
	c.Close()
	c.Far(bad)
	if err := errors.Join(c.Near(bad)); err == nil {
		t.Error("a closed chain cleans")
	}
	if c.Configure(dsp.Config{}) == nil {
		t.Error("a closed chain is configured")
	}
	if s := c.State(); s.Canceller != "" && dsp.CancellerName() == "" {
		t.Errorf("a canceller %q that is not there", s.Canceller)
	}
}

func TestHeadphonesArePluggedInDuringACall(t *testing.T) {
	needCanceller(t)
	c, err := dsp.New(dsp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.State().Canceller == "" {
		t.Error("no canceller with loudspeakers")
	}
	if err := c.Configure(dsp.Config{Headphones: true, Noise: dsp.NoiseLow, Gain: true}); err != nil {
		t.Fatal(err)
	}
	for k := range 20 {
		if err := c.Near(tone(300, 0.2, k)); err != nil {
			t.Fatal(err)
		}
	}
	if c.State().Canceller != "" {
		t.Error("still cancelling")
	}
}

// One tick of a call: what comes from friends and what goes to them.
func BenchmarkChain(b *testing.B) {
	for name, cfg := range map[string]dsp.Config{
		"speakers":   {Noise: dsp.NoiseModerate, Gain: true, Latency: 40 * time.Millisecond},
		"headphones": {Noise: dsp.NoiseModerate, Gain: true, Headphones: true},
	} {
		for _, ppm := range []float64{0, 50} {
			b.Run(fmt.Sprintf("%s/%.0fppm", name, ppm), func(b *testing.B) {
				s := room{delayMs: 40, ppm: ppm}.scene()
				c, err := dsp.New(cfg)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				far, near := make([]float32, media.Tick), make([]float32, media.Tick)
				at := 0
				for b.Loop() {
					for i := range far {
						far[i], near[i] = float32(s.far[at+i]), float32(s.mic[at+i])
					}
					c.Far(far)
					if err := c.Near(near); err != nil {
						b.Fatal(err)
					}
					if at += media.Tick; at+media.Tick > len(s.far) {
						at = 0
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "%core")
			})
		}
	}
}

// The same as a call pays for it: one tick in 10 ms, after which the caches have
// been others'. Fifteen seconds before it are run for what is learnt there.
func BenchmarkChainPaced(b *testing.B) {
	speakers := dsp.Config{Noise: dsp.NoiseModerate, Gain: true, Latency: 40 * time.Millisecond}
	silence := make([]float64, end*media.Rate)
	for _, x := range []struct {
		name string
		cfg  dsp.Config
		far  []float64
		mic  []float64
	}{
		{"friend speaks", speakers, plain().far, plain().mic},
		{"own voice", speakers, silence, speech(2, end, 190)},
		{"headphones", dsp.Config{Noise: dsp.NoiseModerate, Gain: true, Headphones: true}, silence, speech(2, end, 190)},
	} {
		b.Run(x.name, func(b *testing.B) {
			c, err := dsp.New(x.cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			step := func(s scene, k int) time.Duration {
				far, near := make([]float32, media.Tick), make([]float32, media.Tick)
				for i := range far {
					at := (k*media.Tick + i) % (doubleTalk * media.Rate)
					far[i], near[i] = float32(s.far[at]), float32(s.mic[at])
				}
				began := time.Now()
				c.Far(far)
				if err := c.Near(near); err != nil {
					b.Fatal(err)
				}
				return time.Since(began)
			}
			for k := range 1500 {
				step(plain(), k)
			}
			var took []time.Duration
			pace := time.NewTicker(media.Duration(media.Tick))
			defer pace.Stop()
			for b.Loop() {
				<-pace.C
				took = append(took, step(scene{far: x.far, mic: x.mic}, 1500+len(took)))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "µs/median")
			b.ReportMetric(float64(took[len(took)*9/10].Nanoseconds())/1000, "µs/p90")
		})
	}
}
