package voice_test

import (
	"bytes"
	"errors"
	"io"
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
