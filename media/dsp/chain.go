// Package dsp makes a voice fit to send and a mix fit to hear. It hides which
// library cancels the echo, the search for the delay between loudspeaker and
// microphone, and the drift of their two clocks.
//
// A Chain stands in the near path: it is fed the ticks that go to the
// loudspeaker and cleans the ticks that come from the microphone. On the way
// to the ear stand a Volume for each person and a Limiter for the mix. While the
// microphone is silent, or the loudspeaker plays less than is heard over the noise
// of the room, the canceller, half of all the work, rests.
//
// The library is the system's: webrtc-audio-processing 0.3 (Debian 12), 1.3
// (Debian 13, tag apm1) or 2.1 (tag apm2), the last two with AEC3. Measured in
// the rooms of the tests, the worst of each, in dB:
//
//	                                 0.3    1.3    2.1
//	echo less in the first second   25.7   30.9   33.8
//	seconds 1 to 4                  26.3   25.1   25.2
//	settled, seconds 4 to 8         31.2   30.3   30.2
//	second after the path changed   36.5   29.0   22.8
//	settled again                   36.2   32.8   35.7
//	voice in double talk            -7.1   -5.8   -3.2
//
// There the friend speaks from the first tick on. What limits the first seconds is
// the noise that the library puts in an echo's place: 17 dB more than the room's
// below 500 Hz with 1.3, until it has heard the room alone. So the canceller
// listens to it before it first rests.
package dsp

import (
	"fmt"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

// Noise says how hard steady noise is pressed down.
type Noise int

// The strengths of noise suppression, from none to the one that colours the voice.
const (
	NoiseOff Noise = iota
	NoiseLow
	NoiseModerate
	NoiseHigh
)

// Config says what a Chain does. The zero value cancels echo, with no noise
// suppression and no gain control, and knows nothing of the devices.
type Config struct {
	Headphones bool          // no echo to cancel: the canceller is bypassed
	Noise      Noise         // noise suppression
	Gain       bool          // bring speech to an even loudness
	Latency    time.Duration // of loudspeaker plus microphone, as the devices say
	Known      Profile       // what an earlier call learnt of this pair of devices; beats Latency
}

// Profile is what a Chain learns of one pair of devices. Keep it by the names of
// the two and hand it to the next Chain, which then needs no search.
type Profile struct {
	Delay time.Duration `json:"delay"` // from loudspeaker tick to its echo; 0 is unknown
	Skew  float64       `json:"skew"`  // ppm that the microphone's clock runs fast against the loudspeaker's
}

// State is what a Chain can say about itself, for level meters and the echo test.
type State struct {
	Level     float64       // of the last cleaned tick, dBFS
	Echo      Echo          // how much of what is heard here goes back
	Delay     time.Duration // from loudspeaker tick to its echo, as known so far
	Skew      float64       // ppm, as in Profile
	Found     bool          // Delay was measured in this call, not believed
	Canceller string        // what cancels the echo, empty for nothing
}

// Chain cleans a microphone: high-pass, echo, noise, gain, keys. Far and Near
// may be called from two goroutines; everything is safe for concurrent use.
type Chain struct {
	mu       sync.Mutex
	cfg      Config
	apm      *apm
	line     line
	track    tracker
	search   *search
	activity Activity
	meter    echoMeter
	duck     duck
	guard    guard
	rest     rest
	hum      hum
	even     leveller
	heard    [media.Tick]float32 // the loudspeaker at this near tick, aligned
	raw      [media.Tick]float32
	waiting  []float32 // of the microphone, for the loudspeaker's lead
	speech   bool
	level    float64
	closed   bool
}

// New returns a chain. In a build without an echo canceller it still filters,
// ducks and measures, and State.Canceller is empty.
func New(cfg Config) (*Chain, error) {
	a, err := newAPM(cfg)
	if err != nil {
		return nil, err
	}
	c := &Chain{cfg: cfg, apm: a, search: newSearch()}
	c.restart()
	return c, nil
}

// Close frees the canceller. Near is an error afterwards, Far is ignored.
func (c *Chain) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.apm.close()
}

// Configure changes what the chain does while it runs; headphones plugged in,
// for instance. Latency and Known take effect at the next Restart.
func (c *Chain) Configure(cfg Config) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("configure the voice chain: it is closed")
	}
	c.cfg = cfg
	return c.apm.configure(cfg)
}

// Restart forgets the alignment: a device was changed or opened again, latency
// is what the new pair says, known what an earlier call learnt of it.
func (c *Chain) Restart(latency time.Duration, known Profile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.Latency, c.cfg.Known = latency, known
	c.restart()
}

func (c *Chain) restart() {
	delay := c.cfg.Latency
	if c.cfg.Known.Delay > 0 {
		delay = c.cfg.Known.Delay
	}
	c.line.reset()
	c.search.reset()
	c.track.reset(float64(media.Samples(delay)), c.cfg.Known.Skew)
	c.meter, c.rest = echoMeter{}, rest{}
	c.guard.patient = guardTicks
	if c.cfg.Known.Delay > 0 {
		c.guard.patient = 0
	}
}

// Far takes one tick or a part of one on its way to the loudspeaker, in the order
// and number in which they are written there, silence included.
func (c *Chain) Far(tick []float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && len(tick) <= media.Tick {
		c.rest.far(c.line.write(tick), c.line.written)
		c.guard.far(tick)
	}
}

// Skipped says that the devices went on by themselves: the loudspeaker played
// far samples of silence, for no tick came in time, and near samples of the
// microphone are lost. The two stay aligned.
func (c *Chain) Skipped(far, near int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line.written > 0 { // before, there is nothing to be aligned with
		c.line.skip(max(far, 0))
		c.track.near += int64(max(near, 0))
	}
}

// Near cleans one tick from the microphone in place. The result is late by
// Delay. Every tick that the microphone gave must pass, in order.
func (c *Chain) Near(tick []float32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("clean the microphone: the voice chain is closed")
	}
	if len(tick) != media.Tick {
		return fmt.Errorf("clean the microphone: %d samples instead of %d", len(tick), media.Tick)
	}
	c.hum.apply(tick)
	c.wait(tick)
	copy(c.raw[:], tick)
	c.search.shift(c.track.align(&c.line, c.heard[:]))
	if err := c.clean(tick); err != nil {
		return err
	}
	if !c.cfg.Headphones {
		c.guard.apply(tick)
		if err := c.look(); err != nil {
			return err
		}
	}
	if c.meter.add(c.heard[:], c.raw[:], tick) {
		c.search.hurry()
	}
	c.duck.apply(tick)
	c.speech = c.activity.Speech(tick)
	if c.cfg.Gain {
		c.even.apply(tick, c.speech && c.guard.playing == 0)
	}
	c.level = media.Level(tick)
	return nil
}

// wait holds the microphone back by what the tracker asks for.
func (c *Chain) wait(tick []float32) {
	if c.track.back == 0 {
		c.waiting = c.waiting[:0]
		return
	}
	for len(c.waiting) < c.track.back {
		c.waiting = append(c.waiting, 0)
	}
	c.waiting = append(c.waiting, tick...)
	copy(tick, c.waiting)
	c.waiting = c.waiting[:copy(c.waiting, c.waiting[len(tick):])]
}

// look searches the delay, and follows it.
func (c *Chain) look() error {
	if ms, ok := c.apm.echoMs(); ok && c.track.found {
		c.guard.astray(c.heard[:], c.leadMs(), ms)
	}
	if !c.track.found && c.rest.due && !c.rest.silent() {
		c.track.alone++
	}
	hop := c.track.hop()
	if c.rest.deaf() || !c.rest.due && hop == restHop {
		c.search.pause()
		return nil
	}
	m, ok := c.search.add(c.heard[:], c.raw[:], hop)
	if !ok {
		return nil
	}
	before := c.track.found
	jump := c.track.measured(m, c.line.written)
	c.search.shift(jump)
	if jump != 0 {
		c.guard.patient = guardJump
		c.rest.alone = 0
		return c.apm.jumped()
	}
	if c.track.found && !before {
		c.guard.patient = min(c.guard.patient, guardAfter)
	}
	return nil
}

func (c *Chain) clean(tick []float32) error {
	weight, far := float32(0), []float32(nil)
	c.rest.near(tick, c.heard[:])
	if !c.cfg.Headphones {
		var run bool
		if run, weight = c.rest.step(c.track.read(), c.track.doubted()); run {
			far = c.heard[:]
		}
	}
	return c.apm.clean(tick, far, c.leadMs(), weight, c.rest.silent())
}

// leadMs is how long before its echo the canceller is shown the loudspeaker.
func (c *Chain) leadMs() int { return int(c.track.lead() * 1000 / media.Rate) }

// Speech says whether someone is speaking into the microphone.
func (c *Chain) Speech() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speech
}

// Typing says that a key was pressed just now: the next 150 ms are pressed
// down, so that friends do not hear the keyboard.
func (c *Chain) Typing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.duck.press()
}

// Delay is what the chain adds to the microphone as it is configured now.
func (c *Chain) Delay() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return apmDelay(c.cfg) + media.Duration(c.track.back)
}

// State says how the chain is doing.
func (c *Chain) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{
		Level: c.level,
		Echo:  c.meter.echo(),
		Delay: media.Duration(int(c.track.delay())),
		Skew:  c.track.skewPPM(),
		Found: c.track.found,
	}
	if !c.cfg.Headphones {
		s.Canceller = CancellerName()
	}
	return s
}

// Profile is what was learnt of this pair of devices, and whether it was
// measured: only then is it worth keeping.
func (c *Chain) Profile() (Profile, bool) {
	s := c.State()
	return Profile{Delay: s.Delay, Skew: s.Skew}, s.Found
}
