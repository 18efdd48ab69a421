package voice

import (
	"errors"
	"sync"

	"github.com/entrenous/entrenous/media/device"
)

// NoticeKind says what a Notice is about. Its text is a stable word for
// programs, not a sentence for people.
type NoticeKind string

// What there is to be noticed during a call.
const (
	MicrophoneLost    NoticeKind = "microphone-lost"    // unplugged or forbidden; silence is sent, here and below
	MicrophoneAbsent  NoticeKind = "microphone-absent"  // there is none
	MicrophoneBusy    NoticeKind = "microphone-busy"    // another program does not share it
	MicrophoneChanged NoticeKind = "microphone-changed" // Device is in use now
	MicrophoneSilent  NoticeKind = "microphone-silent"  // it has given nothing but zeros for 5 s: perhaps a switch on it
	MicrophoneClips   NoticeKind = "microphone-clips"   // too loud for its input
	MutedSpeech       NoticeKind = "muted-speech"       // somebody speaks into a muted microphone
	SpeakerLost       NoticeKind = "speaker-lost"
	SpeakerAbsent     NoticeKind = "speaker-absent"
	SpeakerBusy       NoticeKind = "speaker-busy"
	SpeakerChanged    NoticeKind = "speaker-changed"
	RecordingEnded    NoticeKind = "recording-ended" // because of Err
	HeadsetFound      NoticeKind = "headset-found"   // Device seems to be worn on the ears, and nobody has said whether it is
)

// Notice is something that a person in the call would want to know.
type Notice struct {
	Kind   NoticeKind
	Device string // its name, where there is one
	Err    error  // why, for the log; nil where nothing failed
}

const noticesKept = 16

// noticeboard keeps the last notices for whoever reads them, and never waits.
type noticeboard struct {
	mu     sync.Mutex
	out    chan Notice
	closed bool
}

func (b *noticeboard) init() { b.out = make(chan Notice, noticesKept) }

// put adds a notice; the oldest gives way.
func (b *noticeboard) put(n Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed {
		select {
		case b.out <- n:
			return
		default:
		}
		select {
		case <-b.out:
		default:
		}
	}
}

func (b *noticeboard) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.out)
	}
}

// Notices is where the engine tells what people should know. The 16 latest are
// kept; the channel is closed when Run returns.
func (e *Engine) Notices() <-chan Notice { return e.notices.out }

func (e *Engine) tell(n Notice) {
	e.log.Debug("notice in a call", "kind", string(n.Kind), "device", n.Device, "err", n.Err)
	e.notices.put(n)
}

// deviceNotice says what err means for the people in the call.
func deviceNotice(kind device.Kind, dev *opened, err error) Notice {
	n := Notice{Err: err}
	if dev != nil {
		n.Device = dev.device.Name()
	}
	lost, absent, busy, changed := MicrophoneLost, MicrophoneAbsent, MicrophoneBusy, MicrophoneChanged
	if kind == device.Loudspeaker {
		lost, absent, busy, changed = SpeakerLost, SpeakerAbsent, SpeakerBusy, SpeakerChanged
	}
	switch {
	case errors.Is(err, device.ErrMoved):
		n.Kind = changed
	case errors.Is(err, device.ErrBusy):
		n.Kind = busy
	case errors.Is(err, device.ErrNoDevice):
		n.Kind = absent
	default:
		n.Kind = lost
	}
	return n
}
