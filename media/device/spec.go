package device

import (
	"fmt"
	"strings"
)

// Spec says which microphone and loudspeaker to open. In text:
//
//	system                   the default devices, following when they change
//	system:MIC,SPEAKER       devices by their ID from List; an empty one is the default
//	pulse:SOURCE,SINK        the same, on PulseAudio or PipeWire only
//	file:IN.wav,OUT.wav      speak IN, then silence; record what arrives into OUT; either may be empty
//	tone                     a 440 Hz tone, and nobody listening
//	null                     silence, and nobody listening
type Spec struct {
	Scheme  string // one of the words above
	Mic     string // ID or file, empty for the default or none
	Speaker string
	// LowLatency has a loudspeaker of the system take bites of 5 ms instead of
	// 10, each of them a Piece of its own. It saves some 13 ms and wakes the
	// processor three times as often. It has no text.
	LowLatency bool
}

const specMost = 8192 // bytes

// ParseSpec reads a Spec from text; its errors are ErrSpec and say what is wrong.
func ParseSpec(text string) (Spec, error) {
	if len(text) > specMost {
		return Spec{}, fmt.Errorf("%w: longer than %d bytes", ErrSpec, specMost)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return Spec{}, fmt.Errorf("%w: control character at byte %d", ErrSpec, i)
	}
	scheme, rest, pair := strings.Cut(text, ":")
	switch scheme {
	case "null", "tone":
		if pair {
			return Spec{}, fmt.Errorf("%w: nothing may follow %q", ErrSpec, scheme)
		}
		return Spec{Scheme: scheme}, nil
	case "system":
		if !pair {
			return Spec{Scheme: scheme}, nil
		}
	case "file", "pulse":
		if !pair {
			return Spec{}, fmt.Errorf("%w: %q needs two names, as in %q", ErrSpec, scheme, scheme+":A,B")
		}
	default:
		return Spec{}, fmt.Errorf("%w: %q is none of system, pulse, file, tone, null", ErrSpec, scheme)
	}
	mic, speaker, two := strings.Cut(rest, ",")
	if !two || strings.Contains(speaker, ",") {
		return Spec{}, fmt.Errorf("%w: %q needs two names with one comma between them", ErrSpec, scheme)
	}
	if scheme == "file" && mic == "" && speaker == "" {
		return Spec{}, fmt.Errorf("%w: file needs a name, else say null", ErrSpec)
	}
	return Spec{Scheme: scheme, Mic: mic, Speaker: speaker}, nil
}

// String is the text that ParseSpec reads.
func (s Spec) String() string {
	switch s.Scheme {
	case "file", "pulse":
		return s.Scheme + ":" + s.Mic + "," + s.Speaker
	case "system":
		if s.Mic != "" || s.Speaker != "" {
			return s.Scheme + ":" + s.Mic + "," + s.Speaker
		}
	}
	return s.Scheme
}

// Open opens the microphone and the loudspeaker that text says; see Spec. The
// caller closes both.
func Open(text string) (Mic, Speaker, error) {
	spec, err := ParseSpec(text)
	if err != nil {
		return nil, nil, err
	}
	return spec.Open()
}

// Open opens the microphone and the loudspeaker. The caller closes both.
func (s Spec) Open() (Mic, Speaker, error) { return s.open(false) }

// Expect is Open for devices of the system that need not be there yet, or be
// free: Read and Write say why there is no sound, and wait for it.
func (s Spec) Expect() (Mic, Speaker, error) { return s.open(true) }

func (s Spec) open(waits bool) (Mic, Speaker, error) {
	mic, err := openMic(s, waits)
	if err != nil {
		return nil, nil, err
	}
	speaker, err := openSpeaker(s, waits)
	if err != nil {
		_ = mic.Close()
		return nil, nil, err
	}
	return mic, speaker, nil
}

// OpenMic opens only the microphone, for a level meter in the settings.
func (s Spec) OpenMic() (Mic, error) { return openMic(s, false) }

// OpenSpeaker opens only the loudspeaker: where it rings may be another than where one talks.
func (s Spec) OpenSpeaker() (Speaker, error) { return openSpeaker(s, false) }

func openMic(s Spec, waits bool) (Mic, error) {
	switch {
	case s.Scheme == "tone":
		return NewTone(440, -20), nil
	case s.Scheme == "file" && s.Mic != "":
		return openFileMic(s.Mic)
	case s.Scheme == "null" || s.Scheme == "file":
		return NewSilence(), nil
	}
	return openSystemMic(s, waits)
}

func openSpeaker(s Spec, waits bool) (Speaker, error) {
	switch {
	case s.Scheme == "file" && s.Speaker != "":
		return openFileSpeaker(s.Speaker)
	case s.Scheme == "null" || s.Scheme == "tone" || s.Scheme == "file":
		return NewNull(), nil
	}
	return openSystemSpeaker(s, waits)
}
