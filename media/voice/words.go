package voice

import "time"

// Finding is one thing that an echo test found. Its text is a stable word for
// programs, not a sentence for people; the figures to it are in the report.
type Finding string

// What an echo test can find: of each group one, except that nothing is said
// of a line where there was none.
const (
	EchoNone Finding = "echo.none" // headphones, or a loudspeaker that is off
	EchoGood Finding = "echo.good" // nobody hears it
	EchoFair Finding = "echo.fair" // friends may hear themselves faintly
	EchoBad  Finding = "echo.bad"  // friends will hear themselves

	VoiceSilent Finding = "voice.silent" // switched off, or another microphone is in use
	VoiceQuiet  Finding = "voice.quiet"
	VoiceLoud   Finding = "voice.loud"
	VoiceNoisy  Finding = "voice.noisy" // fine, but the room is loud
	VoiceFine   Finding = "voice.fine"

	WayHere Finding = "way" // how long from mouth to ear, and how that sounds

	ReturnNone Finding = "return.none" // nothing came back from the other machine
	ReturnGood Finding = "return.good" // one can talk
	ReturnSlow Finding = "return.slow" // one interrupts the other
)

// Bounds of the findings.
const (
	echoIsGood  = 30.0                   // dB that the echo is below the voice
	echoIsFair  = 15.0                   // dB
	voiceSilent = -60.0                  // dBFS
	voiceQuiet  = -40.0                  // dBFS
	voiceLoud   = -3.0                   // dBFS
	roomHums    = -45.0                  // dBFS
	returnSlow  = 600 * time.Millisecond // there and back: 300 ms one way (ITU-T G.114 wants less than 400)
)

// Findings say what was measured.
func (r EchoReport) Findings() []Finding {
	return []Finding{r.echoFound(), r.voiceFound(), WayHere}
}

// FarFindings are those of a test over a Line.
func (r EchoReport) FarFindings() []Finding {
	back := ReturnGood
	switch {
	case r.Return == 0:
		back = ReturnNone
	case r.Return > returnSlow:
		back = ReturnSlow
	}
	return []Finding{r.echoFound(), r.voiceFound(), back}
}

// Good says whether one can call like this: an echo that nobody hears, a voice
// that everybody does.
func (r EchoReport) Good() bool {
	echo, voice := r.echoFound(), r.voiceFound()
	return (echo == EchoNone || echo == EchoGood) && voice != VoiceSilent && voice != VoiceQuiet
}

func (r EchoReport) echoFound() Finding {
	switch {
	case !r.Heard:
		return EchoNone
	case r.EchoReturn >= echoIsGood:
		return EchoGood
	case r.EchoReturn >= echoIsFair:
		return EchoFair
	}
	return EchoBad
}

func (r EchoReport) voiceFound() Finding {
	switch {
	case r.Voice < voiceSilent:
		return VoiceSilent
	case r.Voice < voiceQuiet:
		return VoiceQuiet
	case r.Voice > voiceLoud:
		return VoiceLoud
	case r.Noise > roomHums:
		return VoiceNoisy
	}
	return VoiceFine
}
