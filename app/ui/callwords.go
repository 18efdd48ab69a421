package ui

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// noticeTime is how long something about the sound is told.
const noticeTime = 12 * time.Second

// callTitle says what a call is, as "In call with Ana".
func (w *Window) callTitle(c control.Call) string {
	switch {
	case c.State == control.CallEnded:
		return w.tr("bar.over", c.Name)
	case c.Outgoing && c.Answered.IsZero():
		return w.tr("bar.calling", c.Name)
	}
	return w.tr("bar.in", c.Name)
}

// callLine says how it goes, and in which ink.
func (w *Window) callLine(c control.Call) (string, fyne.ThemeColorName) {
	length := w.words.length(time.Duration(c.Seconds * float64(time.Second)))
	switch c.State {
	case control.CallCalling, control.CallRinging, control.CallConnecting:
		return w.tr("state." + c.State), colorMuted
	case control.CallReconnecting:
		return w.tr("state.reconnecting") + " · " + length, colorWarn
	case control.CallEnded:
		return w.endWords(c, length), colorMuted
	}
	switch {
	case c.Held:
		return length + " · " + w.tr("state.held"), colorMuted
	case c.HeldThere:
		return length + " · " + w.tr("state.heldthere", c.Name), colorMuted
	}
	parts := []string{length}
	if q := c.Quality; q != nil {
		if word := w.soundsWord(q.Word); word != "" {
			parts = append(parts, word)
		}
		if q.Path == "lan" || q.Path == "direct" || q.Path == "relay" {
			parts = append(parts, w.tr("way."+q.Path))
		}
		if q.MouthToEar >= 1 {
			parts = append(parts, w.tr("bar.delay", int(math.Round(q.MouthToEar))))
		}
	}
	return strings.Join(parts, " · "), colorMuted
}

// soundsWord is the node's word for the quality as part of a sentence.
func (w *Window) soundsWord(word string) string {
	switch word {
	case "excellent", "good", "fair", "poor", "bad":
		return w.tr("sounds." + word)
	case "no sound":
		return w.tr("sounds.none")
	}
	return ""
}

// endWords says why a call ended.
func (w *Window) endWords(c control.Call, length string) string {
	switch c.Reason {
	case control.EndCompleted:
		if c.Connected.IsZero() {
			return w.tr("end.ended")
		}
		return w.tr("end.after", length)
	case control.EndMissed:
		if c.ByUs {
			return w.tr("end.ended")
		}
		return w.tr("end.missed", c.Name)
	case control.EndAway, control.EndDeclined, control.EndBusy, control.EndFailed, control.EndLost, control.EndElsewhere, control.EndStale, control.EndBroken:
		return w.tr("end."+c.Reason, c.Name)
	}
	return w.tr("end.ended")
}

// callNotice is what the person should know about the call now: whether it is
// recorded, and what ails the sound; empty when all is well.
func (w *Window) callNotice(c control.Call) string {
	if c.State == control.CallEnded {
		return ""
	}
	said := []string{w.soundNotice(c)}
	switch {
	case w.recordingBroke(c):
		said = []string{w.tr("notice.recording-ended")}
	case c.RecordingThere:
		said = append([]string{w.tr("record.there", c.Name)}, said...)
	case c.Recording:
		said = append([]string{w.tr("record.here", c.Name)}, said...)
	}
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " · ")
}

// soundNotice is what ails the sound now. The newest counts of what was told of
// each device: a loudspeaker that changes brings no microphone back.
func (w *Window) soundNotice(c control.Call) string {
	told := map[string]bool{}
	for _, n := range slices.Backward(c.Notices) {
		device, _, _ := strings.Cut(n.What, "-")
		if told[device] {
			continue
		}
		told[device] = true
		if s := w.noticeWords(c, n); s != "" {
			return s
		}
	}
	return ""
}

// noticeWords says something that was told about the sound, if it still holds.
func (w *Window) noticeWords(c control.Call, n control.CallNotice) string {
	lasting := []string{"microphone-lost", "microphone-absent", "microphone-busy", "speaker-lost", "speaker-absent", "speaker-busy"}
	if !slices.Contains(lasting, n.What) && w.now().Sub(n.Time) > noticeTime {
		return ""
	}
	switch n.What {
	case "microphone-changed", "speaker-changed":
		if n.Device != "" {
			return w.tr("notice."+n.What, n.Device)
		}
	case "microphone-silent", "microphone-clips":
		return w.tr("notice." + n.What)
	case "muted-speech":
		if c.Muted {
			return w.tr("notice."+n.What, w.keyName("Ctrl M"))
		}
	case "headset-found":
		if !c.Headphones {
			return w.tr("notice."+n.What, n.Device)
		}
	default:
		if slices.Contains(lasting, n.What) {
			return w.tr("notice." + n.What)
		}
	}
	return ""
}

// headsetFound says whether to offer that no echo is removed: a headset was
// found, and nobody has said yet whether it is worn.
func (w *Window) headsetFound(c control.Call) bool {
	if len(c.Notices) == 0 || c.Headphones || c.State == control.CallEnded {
		return false
	}
	n := c.Notices[len(c.Notices)-1]
	return n.What == "headset-found" && w.now().Sub(n.Time) <= noticeTime
}

// recordingBroke says whether a recording of ours has just broken off.
func (w *Window) recordingBroke(c control.Call) bool {
	return !c.Recording && slices.ContainsFunc(c.Notices, func(n control.CallNotice) bool {
		return n.What == "recording-ended" && w.now().Sub(n.Time) <= noticeTime
	})
}

// A fact is one figure of a call.
type fact struct{ name, value string }

// callFigures are the figures behind the words.
func (w *Window) callFigures(c control.Call) []fact {
	q := c.Quality
	if q == nil {
		return nil
	}
	ms := func(x float64) string { return w.tr("path.rtt", int(math.Round(x))) }
	way := w.tr("fact.noway")
	if q.Path == "lan" || q.Path == "direct" || q.Path == "relay" {
		way = w.tr("fact.way." + q.Path)
		if q.Addr != "" {
			way += " · " + q.Addr
		}
	}
	facts := []fact{
		{w.tr("fact.path"), way},
		{w.tr("fact.rtt"), ms(q.RTT)},
		{w.tr("fact.loss"), w.tr("fact.loss.both", w.percent(q.Loss), w.percent(q.LossThere))},
		{w.tr("fact.ear"), w.tr("fact.ear.both", ms(q.MouthToEar), ms(q.Buffer))},
		{w.tr("fact.made"), w.percent(q.Concealed)},
		{w.tr("fact.stream"), w.tr("fact.stream.both", (q.Bitrate+500)/1000, int(math.Round(q.Frame)))},
	}
	if q.EchoRemoved >= 1 {
		facts = append(facts, fact{w.tr("fact.echo"), w.tr("fact.decibel", int(math.Round(q.EchoRemoved)))})
	}
	return facts
}

// percent is a part of one as people write it.
func (w *Window) percent(part float64) string {
	tenths := int(math.Round(part * 1000))
	point := "."
	if w.words.lang == "fr" {
		point = ","
	}
	if tenths%10 == 0 || tenths >= 100 {
		return w.tr("percent", (tenths+5)/10)
	}
	return w.tr("percent", strconv.Itoa(tenths/10)+point+strconv.Itoa(tenths%10))
}
