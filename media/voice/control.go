package voice

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// settings are what people in the call have set.
type settings struct {
	muted, held bool
	byKey       bool // push-to-talk
	keyDown     bool
	keyUp       time.Time // when it was let go
	volume      float64   // dB
	waiting     bool      // another call waits
}

// keyHang is how long one is still heard after letting the key go, so that the
// last syllable is not cut off.
const keyHang = 200 * time.Millisecond

// open says whether the microphone is to be heard by the other side.
func (s settings) open(now time.Time) bool {
	if s.muted || s.held {
		return false
	}
	return !s.byKey || s.keyDown || now.Sub(s.keyUp) < keyHang
}

func (e *Engine) change(f func(*settings)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.set)
}

func (e *Engine) settings() settings {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Mute sends silence instead of the microphone until it is called with false.
// Nobody on the line can tell the one from the other.
func (e *Engine) Mute(on bool) { e.change(func(s *settings) { s.muted = on }) }

// Hold sends silence and plays none of what arrives until it is called with false.
func (e *Engine) Hold(on bool) { e.change(func(s *settings) { s.held = on }) }

// CallWaiting beeps softly every few seconds, in the loudspeaker of this call, even
// on hold, until it is called with false: somebody else calls. The canceller takes
// the beep for sound of the other side, so that it does not get there as an echo;
// it is in no recording. It is not for the device that rings: whoever speaks
// listens to that of the call, and may have it on the head.
func (e *Engine) CallWaiting(on bool) { e.change(func(s *settings) { s.waiting = on }) }

// PushToTalk opens the microphone only while Talk says so.
func (e *Engine) PushToTalk(on bool) {
	e.change(func(s *settings) { s.byKey, s.keyDown, s.keyUp = on, false, time.Time{} })
}

// Talk says that the key of push-to-talk is down, or up again.
func (e *Engine) Talk(down bool) {
	e.change(func(s *settings) {
		if s.keyDown && !down {
			s.keyUp = time.Now()
		}
		s.keyDown = down
	})
}

// Typing says that a key was pressed just now: the microphone is pressed down
// for 150 ms, so that the other side does not hear the keyboard.
func (e *Engine) Typing() { e.chain.Typing() }

// Volume sets how loud the other side is heard here, by dB, from -40 to +20.
func (e *Engine) Volume(db float64) { e.change(func(s *settings) { s.volume = db }) }

// Headphones says that no echo can come back, or that it can again.
func (e *Engine) Headphones(on bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cfg.Headphones == on {
		return nil
	}
	e.cfg.Headphones = on
	return e.chain.Configure(e.chainConfig())
}

// Wears says whether the Engine goes by it that no echo can come back.
func (e *Engine) Wears() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cfg.Headphones
}

// Levels are the loudness of the microphone, muted or not, and of what is
// heard, in dBFS, falling slowly as meters do.
func (e *Engine) Levels() (mine, theirs float64) { return e.talk.meter.level(), e.listen.meter.level() }

// Network says how the line is: the share of packets lost (0 to 1), the round
// trip, and whether both ends are on one LAN. The codec is adapted to it.
func (e *Engine) Network(loss float64, rtt time.Duration, lan bool) {
	plan := e.plans.adapt(loss, rtt, lan)
	e.log.Debug("voice adapted", "loss", loss, "rtt", rtt, "frame", media.Duration(plan.frame),
		"bitrate", plan.bitrate, "copies", plan.copies)
}
