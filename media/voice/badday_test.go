package voice_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// frail is a microphone or a loudspeaker that can be broken and mended.
type frail struct {
	*mouth
	*ear
	mu  sync.Mutex
	err error // what it gives instead of sound
}

func newFrail(words []float32) *frail { return &frail{mouth: newMouth(words), ear: newEar()} }

func (f *frail) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// broken takes as long as a real device that tries to open itself again.
func (f *frail) broken() error {
	f.mu.Lock()
	err := f.err
	passes := errors.Is(err, device.ErrMoved) || errors.Is(err, device.ErrAnew)
	if passes {
		f.err = nil
	}
	f.mu.Unlock()
	if err != nil && !passes {
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

func (f *frail) Read(tick []float32) error {
	if err := f.broken(); err != nil {
		return err
	}
	return f.mouth.Read(tick)
}

func (f *frail) Write(tick []float32) error {
	if err := f.broken(); err != nil {
		return err
	}
	return f.ear.Write(tick)
}

func (f *frail) Latency() time.Duration { return 20 * time.Millisecond }
func (f *frail) Name() string           { return "frail" }
func (f *frail) Close() error           { return errors.Join(f.mouth.Close(), f.ear.Close()) }

func TestWithoutDevicesACallGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := newPerson(t, quietLAN(), func(c *voice.Config) { c.Mic, c.Speaker = nil, nil })
		bob := newPerson(t, quietLAN(), nil)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		stop := run(t, ann, bob)
		defer stop()
		ann.wantNotice(t, voice.MicrophoneAbsent, time.Second)
		ann.wantNotice(t, voice.SpeakerAbsent, time.Second)
		pass(2 * time.Second)
		if s := bob.Stats(); s.PacketsReceived < 90 || s.ConcealedSamples > 0 {
			t.Errorf("bob received %d packets and made up %d samples", s.PacketsReceived, s.ConcealedSamples)
		}
		mouth, ear := newMouth(long()), newEar()
		if err := ann.Swap(mouth, ear); err != nil {
			t.Fatal(err)
		}
		bob.mouth.say(long())
		pass(2 * time.Second)
		bob.wantHeard(t, "ann's new microphone", -27, -17)
		if level := media.Level(ear.last(time.Second)); level < -27 {
			t.Errorf("ann's new loudspeaker plays %.1f dBFS", level)
		}
	})
}

func TestAnUnpluggedDeviceIsSilenceUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sound := newFrail(long())
		ann := newPerson(t, quietLAN(), func(c *voice.Config) { c.Mic, c.Speaker = sound, sound })
		bob := newPerson(t, quietLAN(), nil)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		stop := run(t, ann, bob)
		defer stop()
		pass(2 * time.Second)
		bob.wantHeard(t, "at first", -27, -17)
		sound.fail(device.ErrLost)
		ann.wantNotice(t, voice.MicrophoneLost, 2*time.Second)
		pass(2 * time.Second)
		bob.wantHeard(t, "unplugged", media.Floor, silence)
		before := bob.Stats()
		pass(time.Second)
		if n := bob.Stats().PacketsReceived - before.PacketsReceived; n < 45 || n > 55 {
			t.Errorf("%d packets in a second without a microphone", n)
		}
		sound.fail(nil)
		ann.wantNotice(t, voice.MicrophoneChanged, 2*time.Second)
		pass(2 * time.Second)
		bob.wantHeard(t, "plugged in again", -27, -17)
		bob.mouth.say(long())
		pass(2 * time.Second)
		if level := media.Level(sound.last(time.Second)); level < -27 {
			t.Errorf("ann hears %.1f dBFS afterwards", level)
		}
	})
}

func TestADeviceThatMovedIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sound := newFrail(long())
		ann := newPerson(t, quietLAN(), func(c *voice.Config) { c.Mic = sound })
		stop := run(t, ann)
		defer stop()
		pass(time.Second)
		sound.fail(device.ErrAnew)
		pass(time.Second)
		ann.wantNoNotice(t)
		sound.fail(device.ErrMoved)
		if n := ann.wantNotice(t, voice.MicrophoneChanged, time.Second); n.Device != "frail" {
			t.Errorf("the device is named %q", n.Device)
		}
	})
}

func TestAHungMicrophoneDoesNotHoldTheEarUp(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		_ = ann.mouth.Close() // gives nothing ever again
		bob.mouth.say(long())
		pass(2 * time.Second)
		ann.wantHeard(t, "ann without a microphone", -27, -17)
	})
}

func TestTheSwapOfDevicesClosesTheOldOnes(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		old := ann.mouth
		if err := ann.Swap(newMouth(long()), nil); err != nil {
			t.Fatal(err)
		}
		if err := old.Read(make([]float32, media.Tick)); !errors.Is(err, device.ErrClosed) {
			t.Errorf("the old microphone gives %v", err)
		}
		pass(2 * time.Second)
		bob.wantHeard(t, "the new microphone", -27, -17)
	})
}

func TestAfterTheCallDevicesAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := newPerson(t, quietLAN(), nil)
		run(t, ann)()
		tick := make([]float32, media.Tick)
		if err := errors.Join(ann.mouth.Read(tick), ann.ear.Write(tick)); !errors.Is(err, device.ErrClosed) {
			t.Errorf("devices give %v", err)
		}
		late := newMouth(nil)
		if err := ann.Swap(late, nil); !errors.Is(err, device.ErrClosed) || !errors.Is(late.Read(tick), device.ErrClosed) {
			t.Errorf("a swap after the end: %v", err)
		}
		for range ann.Notices() { // ends: the channel is closed
		}
	})
}

func TestLongSilenceCostsNothingLater(t *testing.T) {
	slowly(t)
	quiet := 5 * time.Second
	if os.Getenv("ENTRENOUS_VOICE") == "all" {
		quiet = time.Hour // takes minutes to encode
	}
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		pass(quiet)
		ann.mouth.say(long())
		pass(time.Second)
		bob.wantHeard(t, "the first words", -27, -17)
		s := bob.Stats()
		if s.ConcealedSamples > 0 || s.JitterDelay > 20*time.Millisecond {
			t.Errorf("after %v: %d samples made up, delay %v", quiet, s.ConcealedSamples, s.JitterDelay)
		}
	})
}

func TestALineThatWasCutForTenSecondsGoesOn(t *testing.T) {
	slowly(t)
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(tone(30 * time.Second))
		pass(2 * time.Second)
		ann.line.set(1)
		pass(10 * time.Second)
		bob.wantHeard(t, "cut", media.Floor, silence)
		if q := bob.Stats().Quality; q != voice.QualityNone {
			t.Errorf("quality %q on a dead line", q)
		}
		ann.line.set(0)
		pass(2 * time.Second)
		bob.wantHeard(t, "whole again", -27, -17)
		pass(5 * time.Second)
		if s := bob.Stats(); s.Quality < voice.QualityGood || s.JitterDelay > 30*time.Millisecond {
			t.Errorf("5 s later: %v, delay %v", s.Quality, s.JitterDelay)
		}
	})
}

func TestHostilePacketsNeitherHarmNorGrow(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		pass(time.Second)
		rng := rand.New(rand.NewPCG(1, 1))
		for range 5000 {
			bob.Receive(hostile(rng), time.Now().Add(-time.Duration(rng.Int64N(1e10))))
		}
		bob.Receive(nil, time.Now())
		pass(3 * time.Second)
		bob.wantHeard(t, "ann, in spite of it", -27, -17)
		if s := bob.Stats(); s.PacketsDiscarded < 1000 {
			t.Errorf("only %d packets discarded", s.PacketsDiscarded)
		}
		if peak := media.Peak(bob.ear.last(4 * time.Second)); peak > 0 {
			t.Errorf("a peak of %.1f dBFS", peak)
		}
	})
}

// hostile is a packet of a kind that nobody honest sends.
func hostile(rng *rand.Rand) *rtp.Packet {
	payload := make([]byte, rng.IntN(3000))
	for i := range payload {
		payload[i] = byte(rng.Uint32())
	}
	return &rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: []uint8{opusType, redType, 0, 127}[rng.IntN(4)],
		SSRC: rng.Uint32() % 3, SequenceNumber: uint16(rng.Uint32()), Timestamp: rng.Uint32(),
	}, Payload: payload}
}

func TestTenTimesThePacketsAreTenthed(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		ann.line.change(func() {
			ann.line.carry = func(p *rtp.Packet) {
				for range 9 {
					bob.Receive(p, time.Now())
				}
			}
		})
		pass(5 * time.Second)
		bob.wantHeard(t, "ann", -30, -17)
		if s := bob.Stats(); s.PacketsReceived > 5*200+300+50 {
			t.Errorf("%d packets let in within 5 s", s.PacketsReceived)
		}
	})
}

func TestAFriendWhoBeganAnewIsHeardAgain(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		pass(time.Second)
		ann.line.change(func() { ann.line.to = nil })
		line := quietLAN()
		line.to = bob.Engine
		again := newPerson(t, line, func(c *voice.Config) { c.SSRC = 77 })
		again.mouth.say(long())
		stop := run(t, again)
		defer stop()
		pass(3 * time.Second)
		bob.wantHeard(t, "the new source", -27, -17)
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, opusType, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x78, 1, 2, 3})
	f.Add([]byte{0x80, redType, 0, 2, 0, 0, 3, 0xc1, 0, 0, 0, 1, 0xef, 0x0f, 0, 4, opusType, 1, 2, 3, 4, 5, 6})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p rtp.Packet
		if p.Unmarshal(raw) != nil {
			return
		}
		e, err := voice.New(voice.Config{
			Send: func(*rtp.Packet) error { return nil }, PayloadType: opusType, REDPayloadType: redType, Headphones: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			p.SequenceNumber += uint16(i)
			e.Receive(&p, time.Now())
		}
		_ = e.Stats()
	})
}
