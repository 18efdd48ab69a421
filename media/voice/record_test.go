package voice_test

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
	"github.com/entrenous/entrenous/media/voice"
)

// played is what a player makes of a recording.
func played(t *testing.T, file []byte) []float32 {
	t.Helper()
	p, err := opus.NewPlayer(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	pcm := make([]float32, opus.MaxSamples)
	for {
		n, err := p.Read(pcm)
		out = append(out, pcm[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestARecordingHoldsBothVoices(t *testing.T) {
	var file bytes.Buffer
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		pass(time.Second)
		if err := ann.Record(&file); err != nil {
			t.Fatal(err)
		}
		if err := ann.Record(io.Discard); !errors.Is(err, voice.ErrRecording) {
			t.Errorf("a second recording: %v", err)
		}
		ann.mouth.say(tone(2 * time.Second))
		pass(3 * time.Second)
		bob.mouth.say(tone(2 * time.Second))
		pass(3 * time.Second)
		if err := ann.StopRecord(); err != nil {
			t.Fatal(err)
		}
		if err := ann.StopRecord(); err != nil {
			t.Errorf("stopped twice: %v", err)
		}
	})
	pcm := played(t, file.Bytes())
	if d := media.Duration(len(pcm)); d < 5900*time.Millisecond || d > 6100*time.Millisecond {
		t.Errorf("%v recorded instead of 6 s", d)
	}
	for what, at := range map[string]int{"ann": 1, "bob": 4} {
		if level := media.Level(pcm[at*media.Rate : (at+1)*media.Rate-media.Rate/4]); level < -23 || level > -17 {
			t.Errorf("%s is recorded at %.1f dBFS", what, level)
		}
	}
	if level := media.Level(pcm[media.Rate*9/4 : media.Rate*11/4]); level > -50 {
		t.Errorf("the pause is recorded at %.1f dBFS", level)
	}
}

func TestARecordingIsCompleteWhenTheCallEnds(t *testing.T) {
	var file bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ann := newPerson(t, quietLAN(), nil)
		stop := run(t, ann)
		if err := ann.Record(&file); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		stop()
	})
	if d := media.Duration(len(played(t, file.Bytes()))); d < 1900*time.Millisecond {
		t.Errorf("%v of 2 s recorded", d)
	}
}

// fullDisk takes some bytes and no more.
type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

func TestAFullDiskEndsTheRecordingAndNotTheCall(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		if err := ann.Record(&fullDisk{left: 3000}); err != nil {
			t.Fatal(err)
		}
		ann.mouth.say(long())
		if n := ann.wantNotice(t, voice.RecordingEnded, 10*time.Second); n.Err == nil {
			t.Error("it does not say why")
		}
		pass(2 * time.Second)
		bob.wantHeard(t, "the call goes on", -27, -17)
		if err := ann.StopRecord(); err != nil {
			t.Errorf("stopped afterwards: %v", err)
		}
	})
}

// slowDisk takes nothing while somebody else is at the gate.
type slowDisk struct {
	bytes.Buffer
	gate chan struct{}
}

func (d *slowDisk) Write(b []byte) (int, error) {
	d.gate <- struct{}{}
	defer func() { <-d.gate }()
	return d.Buffer.Write(b)
}

// restingMic hears nothing for a while, when it is told so.
type restingMic struct {
	*mouth
	rest atomic.Int64 // nanoseconds
}

func (m *restingMic) Read(tick []float32) error {
	time.Sleep(time.Duration(m.rest.Swap(0)))
	return m.mouth.Read(tick)
}

// onsets are the places where sound begins after at least half a second of silence.
func onsets(pcm []float32) (at []time.Duration) {
	quiet := media.Rate
	for i := 0; i+media.Tick <= len(pcm); i += media.Tick {
		if media.Level(pcm[i:i+media.Tick]) < -35 {
			quiet += media.Tick
			continue
		}
		if quiet >= media.Rate/2 {
			at = append(at, media.Duration(i))
		}
		quiet = 0
	}
	return at
}

func TestAStuckDiskDoesNotShiftTheVoicesAgainstEachOther(t *testing.T) {
	disk := &slowDisk{}
	synctest.Test(t, func(t *testing.T) {
		disk.gate = make(chan struct{}, 1)
		mic := &restingMic{mouth: newMouth(nil)}
		ann := newPerson(t, quietLAN(), func(cfg *voice.Config) { cfg.Mic = mic })
		bob := newPerson(t, quietLAN(), nil)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		stop := run(t, ann, bob)
		defer stop()
		pass(time.Second)
		if err := ann.Record(disk); err != nil {
			t.Fatal(err)
		}
		mic.rest.Store(int64(300 * time.Millisecond))
		pass(time.Second)
		for i := range 2 {
			if i > 0 {
				disk.gate <- struct{}{}
				pass(15 * time.Second)
				<-disk.gate
				pass(time.Second)
			}
			mic.say(tone(200 * time.Millisecond))
			pass(2 * time.Second)
			bob.mouth.say(tone(200 * time.Millisecond))
			pass(2 * time.Second)
		}
		if err := ann.StopRecord(); err != nil {
			t.Fatal(err)
		}
	})
	at := onsets(played(t, disk.Bytes()))
	if len(at) != 4 {
		t.Fatalf("somebody begins to speak at %v", at)
	}
	if shift := (at[3] - at[2]) - (at[1] - at[0]); shift.Abs() > 30*time.Millisecond {
		t.Errorf("after the disk was stuck one voice has shifted by %v: %v", shift, at)
	}
}

func TestRingsPlayUntilTheyAreStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for sound, endless := range map[voice.Sound]bool{voice.Ringing: true, voice.Ringback: true, voice.Busy: false, voice.HangUp: false} {
			e := newEar()
			ctx, cancel := contextWithTimeout(t, 10*time.Second)
			began := time.Now()
			if err := voice.Ring(ctx, e, sound); err != nil {
				t.Errorf("sound %d: %v", sound, err)
			}
			took := time.Since(began)
			cancel()
			if endless != (took > 9*time.Second) {
				t.Errorf("sound %d took %v", sound, took)
			}
			if level := media.Level(e.heard); level < -50 || media.Peak(e.heard) > -3 {
				t.Errorf("sound %d: level %.1f, peak %.1f dBFS", sound, level, media.Peak(e.heard))
			}
			if err := e.Write(make([]float32, media.Tick)); err == nil {
				t.Errorf("sound %d: the loudspeaker is open afterwards", sound)
			}
		}
	})
}
