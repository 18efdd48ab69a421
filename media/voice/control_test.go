package voice_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/voice"
)

// long is a tone for the whole of a test.
func long() []float32 { return tone(20 * time.Second) }

// wantHeard checks the loudness of the last half second.
func (p *person) wantHeard(t *testing.T, what string, least, most float64) {
	t.Helper()
	if level := media.Level(p.ear.last(500 * time.Millisecond)); level < least || level > most {
		t.Errorf("%s: heard at %.1f dBFS, want %v to %v", what, level, least, most)
	}
}

const silence = -60.0

func TestMutedOnesAreNotHeardAndSendJustAsMuch(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		pass(2 * time.Second)
		bob.wantHeard(t, "before", -27, -17)
		first := ann.Stats()
		pass(time.Second)
		open := ann.Stats()
		ann.Mute(true)
		pass(time.Second)
		muted := ann.Stats()
		bob.wantHeard(t, "muted", media.Floor, silence)
		if a, b := open.BytesSent-first.BytesSent, muted.BytesSent-open.BytesSent; a != b {
			t.Errorf("%d bytes in a second of speech, %d muted", a, b)
		}
		ann.Mute(false)
		pass(time.Second)
		bob.wantHeard(t, "after", -27, -17)
	})
}

func TestOnHoldNeitherHears(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		bob.mouth.say(long())
		pass(time.Second)
		ann.Hold(true)
		pass(time.Second)
		ann.wantHeard(t, "ann holds", media.Floor, silence)
		bob.wantHeard(t, "bob is held", media.Floor, silence)
		ann.Hold(false)
		pass(time.Second)
		ann.wantHeard(t, "ann is back", -27, -17)
		bob.wantHeard(t, "bob is back", -27, -17)
	})
}

func TestPushToTalkOpensWithTheKeyAndClosesAfterTheLastSyllable(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		ann.PushToTalk(true)
		pass(time.Second)
		bob.wantHeard(t, "key up", media.Floor, silence)
		ann.Talk(true)
		pass(time.Second)
		bob.wantHeard(t, "key down", -27, -17)
		ann.Talk(false)
		pass(150 * time.Millisecond)
		if level := media.Level(bob.ear.last(50 * time.Millisecond)); level < -27 {
			t.Errorf("cut off at once: %.1f dBFS", level)
		}
		pass(time.Second)
		bob.wantHeard(t, "key up again", media.Floor, silence)
		ann.PushToTalk(false)
		pass(time.Second)
		bob.wantHeard(t, "without a key", -27, -17)
	})
}

func TestVolumeIsForTheEarHereAlone(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		bob.mouth.say(long())
		bob.Volume(-20)
		pass(2 * time.Second)
		bob.wantHeard(t, "turned down", -43, -37)
		ann.wantHeard(t, "the other way", -27, -17)
		bob.Volume(40) // as far as it goes
		pass(time.Second)
		bob.wantHeard(t, "turned up too far", -6, 0)
		if peak := media.Peak(bob.ear.last(500 * time.Millisecond)); peak > 0 {
			t.Errorf("clipped at %.1f dBFS", peak)
		}
	})
}

func TestTypingIsNotHeard(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		pass(2 * time.Second)
		for range 10 {
			ann.Typing()
			pass(100 * time.Millisecond)
		}
		bob.wantHeard(t, "typing", media.Floor, -40)
		pass(time.Second)
		bob.wantHeard(t, "after typing", -27, -17)
	})
}

func TestLevelsShowBothVoices(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		ann.mouth.say(long())
		ann.Mute(true)
		pass(time.Second)
		if mine, _ := ann.Levels(); mine < -23 || mine > -17 {
			t.Errorf("ann's own meter shows %.1f dBFS while muted", mine)
		}
		ann.Mute(false)
		pass(time.Second)
		const looks = 20 // a tone that went through the codec is now louder, now less so
		sum := 0.0
		for range looks {
			pass(50 * time.Millisecond)
			mine, theirs := bob.Levels()
			if mine > silence {
				t.Errorf("bob's own meter shows %.1f dBFS", mine)
			}
			sum += theirs
		}
		if theirs := sum / looks; theirs < -23 || theirs > -17 {
			t.Errorf("bob's meter of ann shows %.1f dBFS", theirs)
		}
	})
}

// wantNotice waits for a notice of a kind.
func (p *person) wantNotice(t *testing.T, kind voice.NoticeKind, within time.Duration) voice.Notice {
	t.Helper()
	late := time.After(within)
	for {
		for i, n := range p.seen {
			if n.Kind == kind {
				p.seen = append(p.seen[:i], p.seen[i+1:]...)
				return n
			}
		}
		select {
		case n := <-p.Notices():
			p.seen = append(p.seen, n)
		case <-late:
			t.Errorf("no notice %q within %v, but %v", kind, within, p.seen)
			return voice.Notice{}
		}
	}
}

// wantNoNotice says that nothing was told that the test has not seen.
func (p *person) wantNoNotice(t *testing.T) {
	t.Helper()
	select {
	case n := <-p.Notices():
		t.Errorf("told of %q: %v", n.Kind, n.Err)
	default:
	}
}

func TestWhoSpeaksWhileMutedIsTold(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, _ *person) {
		ann.Mute(true)
		ann.mouth.say(speech())
		ann.wantNotice(t, voice.MutedSpeech, 4*time.Second)
	})
}

func TestAMicrophoneThatClipsIsNoticed(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, bob *person) {
		loudest := tone(3 * time.Second)
		for i := range loudest {
			loudest[i] *= 50
		}
		ann.mouth.say(loudest)
		ann.wantNotice(t, voice.MicrophoneClips, 2*time.Second)
		pass(time.Second)
		if peak := media.Peak(bob.ear.last(time.Second)); peak > 0 {
			t.Errorf("bob hears %.1f dBFS", peak)
		}
	})
}

func TestAMicrophoneThatGivesZerosIsNoticed(t *testing.T) {
	call(t, quietLAN, func(t *testing.T, ann, _ *person) {
		ann.wantNotice(t, voice.MicrophoneSilent, 6*time.Second)
	})
}
