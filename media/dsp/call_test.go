package dsp_test

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// call drives a chain as two loops do, the loudspeaker's and the microphone's,
// each at its own place.
type call struct {
	t     *testing.T
	chain *dsp.Chain
	scene
	far, near int // samples so far
	out       []float64
}

func newCall(t *testing.T, s scene, cfg dsp.Config) *call {
	t.Helper()
	c, err := dsp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &call{t: t, chain: c, scene: s, out: make([]float64, len(s.mic))}
}

func (c *call) play(ticks int) {
	tick := make([]float32, media.Tick)
	for range ticks {
		for i := range tick {
			tick[i] = float32(c.scene.far[c.far+i])
		}
		c.chain.Far(tick)
		c.far += media.Tick
	}
}

func (c *call) hear(ticks int) {
	c.t.Helper()
	tick := make([]float32, media.Tick)
	for range ticks {
		for i := range tick {
			tick[i] = float32(c.mic[c.near+i])
		}
		if err := c.chain.Near(tick); err != nil {
			c.t.Fatal(err)
		}
		for i, v := range tick {
			c.out[c.near+i] = float64(v)
		}
		c.near += media.Tick
	}
}

func (c *call) both(seconds float64) {
	c.t.Helper()
	for range int(seconds * media.Rate / media.Tick) {
		c.play(1)
		c.hear(1)
	}
}

func (c *call) erle(from, to float64) float64 {
	return result{scene: c.scene, out: c.out}.erle(from, to)
}

func TestLoopsThatRunUnevenlyDoNotDisturb(t *testing.T) {
	needCanceller(t)
	needTime(t)
	c := newCall(t, plain(), dsp.Config{Latency: 60 * time.Millisecond})
	c.play(2)
	for range 7 * media.Rate / media.Tick / 6 { // the scheduler lets one of them run, then the other
		c.play(3)
		c.hear(1)
		c.hear(4)
		c.play(2)
		c.hear(1)
		c.play(1)
	}
	if e := c.erle(4, 6.5); e < 28 {
		t.Errorf("ERLE %.1f dB", e)
	}
}

// The loudspeaker is two ticks ahead at first and one afterwards: what is read
// of its tape must not lie beyond its end.
func TestDevicesThatBeginUnevenlyAreAligned(t *testing.T) {
	needCanceller(t)
	needTime(t)
	c := newCall(t, room{delayMs: 0}.scene(), dsp.Config{})
	c.play(2)
	c.hear(2)
	c.both(7)
	if e := c.erle(4, 7); e < 28 {
		t.Errorf("ERLE %.1f dB", e)
	}
}

func TestALoudspeakerThatSkipsIsFollowed(t *testing.T) {
	needCanceller(t)
	needTime(t)
	s := room{delayMs: 40}.scene()
	// At 3 s the device runs dry for 70 ms: from then on every echo is that much later.
	const at, gap = 3 * media.Rate, 70 * media.Rate / 1000
	mic := append([]float64(nil), s.mic[:at]...)
	mic = append(mic, make([]float64, gap)...)
	s.mic = append(mic, s.mic[at:len(s.mic)-gap]...)
	c := newCall(t, s, dsp.Config{Latency: 50 * time.Millisecond})
	c.both(8)
	if e := c.erle(6, 8); e < 28 {
		t.Errorf("ERLE %.1f dB three seconds after", e)
	}
	if d := c.chain.State().Delay; d < 115*time.Millisecond || d > 135*time.Millisecond {
		t.Errorf("the delay is now %v", d)
	}
}

// The loudspeaker runs dry and the microphone overflows: whoever is told of it
// has nothing to search for.
func TestDevicesThatWentOnByThemselvesStayAligned(t *testing.T) {
	needCanceller(t)
	needTime(t)
	// A call begins with silence; a canceller that had not listened to it would come to 26 dB.
	const dry, full = 90 * media.Rate / 1000, 70 * media.Rate / 1000
	const ran, lost, ends = 4 * media.Rate, 5 * media.Rate, 9 * media.Rate
	far := slices.Concat(make([]float64, media.Rate), speech(1, 8, 110))
	played := slices.Concat(far[:ran], make([]float64, dry), far[ran:ends-dry])
	s := room{delayMs: 40}.hears(played, make([]float64, ends))
	s.far, s.mic = far, slices.Delete(s.mic, lost, lost+full)
	c := newCall(t, s, dsp.Config{Latency: 50 * time.Millisecond})
	c.both(4)
	c.chain.Skipped(dry, 0)
	c.hear(dry / media.Tick)
	c.both(1 - float64(dry)/media.Rate)
	c.chain.Skipped(0, full)
	c.play(full / media.Tick)
	c.both(3)
	for what, x := range map[string][2]float64{
		"after the loudspeaker ran dry":   {4.1, 5},
		"after the microphone overflowed": {5.1, 8},
	} {
		got := c.erle(x[0], x[1])
		t.Logf("ERLE %.1f dB %s", got, what)
		atLeast(t, "ERLE "+what, got, 30)
	}
}

func TestAnotherDeviceStartsTheSearchAgain(t *testing.T) {
	needCanceller(t)
	needTime(t)
	s := room{delayMs: 40}.scene()
	other := room{delayMs: 200}.scene()
	copy(s.mic[4*media.Rate:], other.mic[4*media.Rate:])
	c := newCall(t, s, dsp.Config{})
	c.both(4)
	if p, ok := c.chain.Profile(); !ok || p.Delay > 70*time.Millisecond {
		t.Errorf("first pair: %+v, %v", p, ok)
	}
	c.chain.Restart(30*time.Millisecond, dsp.Profile{})
	if _, ok := c.chain.Profile(); ok {
		t.Error("a new pair is known before it was measured")
	}
	c.both(4)
	if p, ok := c.chain.Profile(); !ok || p.Delay < 205*time.Millisecond || p.Delay > 225*time.Millisecond {
		t.Errorf("second pair: %+v, %v", p, ok)
	}
	if e := c.erle(7, 8); e < 25 {
		t.Errorf("ERLE %.1f dB with the second pair", e)
	}
}

func TestWhoSpeaksFirstIsHeardWhileTheOthersAreSilent(t *testing.T) {
	s := plain()
	s.far, s.mic = make([]float64, len(s.near)), make([]float64, len(s.near))
	voice := speech(2, 2, 190)
	copy(s.mic, voice)
	c := newCall(t, s, dsp.Config{})
	c.both(2)
	if k := dB(power(c.out[:2*media.Rate])) - dB(power(voice)); k < -1.5 {
		t.Errorf("the first words lose %.1f dB", -k)
	}
	if e := c.chain.State().Echo; e.Heard != 0 {
		t.Errorf("an echo was measured in silence: %+v", e)
	}
	if !c.chain.Speech() {
		t.Error("not taken for speech")
	}
}

func TestFarSoundThatComesLateIsAligned(t *testing.T) {
	needCanceller(t)
	needTime(t)
	s := plain()
	c := newCall(t, s, dsp.Config{})
	// The microphone runs for a second before anything is played.
	quiet := s.mic
	c.mic = make([]float64, media.Rate)
	c.hear(100)
	c.mic, c.near = quiet, 0
	c.both(6)
	if e := c.erle(4, 6); e < 28 {
		t.Errorf("ERLE %.1f dB", e)
	}
}

func TestEverythingAtOnceFromManyGoroutines(t *testing.T) {
	c, err := dsp.New(dsp.Config{Noise: dsp.NoiseLow})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n, do := range []func(){
		func() { c.Far(make([]float32, media.Tick)) },
		func() { _ = c.Near(make([]float32, media.Tick)) },
		c.Typing,
		func() { _ = c.State() },
		func() { _, _ = c.Profile() },
		func() { _ = c.Delay() },
		func() { _ = c.Configure(dsp.Config{Gain: true}) },
		func() { c.Restart(time.Millisecond, dsp.Profile{}) },
	} {
		wg.Go(func() {
			for range 100 + n {
				do()
			}
		})
	}
	wg.Wait()
	c.Close()
}

func TestAProfileIsKeptAsText(t *testing.T) {
	want := dsp.Profile{Delay: 55 * time.Millisecond, Skew: -98.5}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got dsp.Profile
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s became %+v, %v", text, got, err)
	}
}

// FuzzChain feeds any samples at any rhythm: nothing may crash, and what comes out are numbers.
func FuzzChain(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 100, 0, 255}, uint16(40))
	f.Add([]byte{0, 0, 0, 0}, uint16(0))
	f.Add([]byte("any old bytes will do as sound and as a rhythm"), uint16(60000))
	f.Fuzz(func(t *testing.T, b []byte, ms uint16) {
		if len(b) == 0 {
			return
		}
		c, err := dsp.New(dsp.Config{Latency: time.Duration(ms) * time.Millisecond, Gain: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		tick := make([]float32, media.Tick)
		for k := range min(200, 4*len(b)) {
			v := b[k%len(b)]
			for i := range tick {
				tick[i] = (float32(b[(i*7+k)%len(b)]) - 128) * float32(v) / 4000
			}
			if v%3 != 0 {
				c.Far(tick)
			}
			if v%5 == 0 {
				continue
			}
			if err := c.Near(tick); err != nil {
				t.Fatal(err)
			}
			for _, x := range tick {
				if x != x {
					t.Fatal("not a number")
				}
			}
		}
	})
}

func BenchmarkLimiter(b *testing.B) {
	var l dsp.Limiter
	loud := tone(300, 2, 0)
	tick := make([]float32, media.Tick)
	for b.Loop() {
		copy(tick, loud)
		l.Apply(tick)
	}
}

func BenchmarkVolume(b *testing.B) {
	var v dsp.Volume
	v.Set(-3)
	tick := tone(300, 0.5, 0)
	for b.Loop() {
		v.Apply(tick)
	}
}
