package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// sounding gives a node devices and calls in the past.
func sounding() *talkNode {
	n := harbour()
	n.exchange.devices = []control.SoundDevice{
		{ID: "m1", Name: "Built-in microphone", Kind: microphone, Default: true, Chosen: true},
		{ID: "m2", Name: "Jabra Evolve 65 headset, the one from the workshop upstairs", Kind: microphone},
		{ID: "s1", Name: "Built-in loudspeakers", Kind: loudspeaker, Default: true},
		{ID: "s2", Name: "Jabra Evolve 65", Kind: loudspeaker, Chosen: true},
	}
	for _, c := range []control.CallRow{
		{Reason: control.EndMissed}, {Reason: control.EndCompleted, Outgoing: true, Seconds: 761, Caller: &control.CallReport{Path: "direct", Quality: "excellent", RTT: 12, Loss: 0.004, MouthToEar: 38}},
	} {
		n.say(harbourAna, harbourAna, "", 0).Kind = control.KindCall
		n.rows[harbourAna][len(n.rows[harbourAna])-1].Call = &c
	}
	return n
}

// TestCallsLookAsDrawn takes the pictures that people compare with the drawing,
// and checks that everything keeps inside the window.
func TestCallsLookAsDrawn(t *testing.T) {
	for _, look := range []struct {
		name, lang, colours string
		width, text         float32
	}{
		{"light", "en", "light", 1200, 1},
		{"dark", "en", "dark", 1200, 1},
		{"french", "fr", "light", 1200, 1},
		{"narrow", "fr", "dark", 480, 1},
		{"tiny", "en", "light", 360, 1},
		{"large", "fr", "contrast", 1200, 1.6},
		{"largest", "en", "dark", 480, 1.6},
	} {
		t.Run(look.name, func(t *testing.T) {
			n := sounding()
			n.settings.Language, n.settings.Appearance, n.settings.TextSize = look.lang, look.colours, float64(look.text)
			withWindow(t, n, func(t *testing.T) {
				n.size(look.width, 780)
				n.w.openConversation(harbourAna, "")
				n.call("c1", harbourAna, active)
				n.call("c1", harbourAna, func(c *control.Call) { c.RecordingThere = true })
				n.wait(time.Second)
				bar := n.w.phone.bars[0]
				wantInside(t, "the bar", bar, bar.Size().Width)
				for _, o := range bar.buttons() {
					if x := o.Position().X; x < callPad {
						t.Errorf("a button begins at %v", x)
					}
				}
				n.shot(t, "calls-"+look.name)
				bar.label.MouseIn(nil)
				wantInside(t, "the figures", n.w.phone.facts, n.w.phone.facts.Size().Width)
				n.shot(t, "calls-"+look.name+"-figures")
				bar.label.MouseOut()
				bar.devices.Tapped(nil)
				n.settle()
				wantInside(t, "the devices", n.top(), look.width)
				n.shot(t, "calls-"+look.name+"-devices")
				n.w.closeModal()
				bar.more.Tapped(nil)
				n.shot(t, "calls-"+look.name+"-more")
				n.w.closeModal()
				n.call("c2", "long-id-9", func(*control.Call) {})
				n.wait(time.Second)
				wantInside(t, "the card", n.top(), look.width)
				n.shot(t, "calls-"+look.name+"-waiting")
			})
		})
	}
}

func TestTheFiguresOfACallComeUpUnderThePointer(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.settle()
		label := n.w.phone.bars[0].label
		label.MouseIn(nil)
		for _, want := range []string{"Direct · 192.0.2.17:41820", "12 ms", "0.4 % here, 0 % there", "38 ms, of which 14 ms waiting", "0.1 %", "32 kbit/s, 10 ms a packet", "34 dB"} {
			wantWords(t, n.w.shell.float, want)
		}
		label.MouseOut()
		if n.w.phone.facts != nil {
			t.Error("the figures stay without the pointer")
		}
		label.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		label.MouseIn(nil)
		label.MouseOut()
		wantWords(t, n.w.shell.float, "Round trip")
		n.call("c1", harbourAna, ended(control.EndCompleted))
		n.wait(goodbye + time.Second)
		if got := wordsOn(n.w.shell.float); got != "" {
			t.Errorf("the figures outlive the call: %s", got)
		}
	})
}

func TestWordsThatGrowAreNotCut(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, func(c *control.Call) { active(c); c.Seconds = 4 })
		n.wait(time.Second)
		n.call("c1", harbourAna, func(c *control.Call) { c.Seconds, c.Quality.MouthToEar = 7261, 238 })
		n.wait(time.Second)
		label := n.w.phone.bars[0].label
		if label.Size().Width < label.natural() {
			t.Errorf("%q is cut", label.line.words)
		}
	})
}

func TestADeviceIsChosenInACall(t *testing.T) {
	n := sounding()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.settle()
		n.press(t, n.w.shell.chat.call, "Devices ▾")
		n.press(t, n.top(), "Jabra Evolve 65 headset, the one from the workshop upstairs")
		if d := n.exchange.devices; !d[1].Chosen || d[0].Chosen || !d[3].Chosen {
			t.Errorf("the devices are %+v", d)
		}
		n.press(t, n.top(), "Built-in loudspeakers · the system’s choice")
		if d := n.exchange.devices; !d[1].Chosen || !d[2].Chosen || d[3].Chosen {
			t.Errorf("the devices are %+v", d)
		}
		n.press(t, n.top(), "I wear headphones")
		if got := n.exchange.edits; len(got) != 1 || got[0] != `{"headphones":true}` {
			t.Errorf("the node was told %q", got)
		}
	})
}

func TestACallIsHeldRecordedAndKeyed(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.settle()
		more := func(words string) {
			t.Helper()
			n.press(t, n.w.shell.chat.call, "More")
			n.press(t, n.top(), words)
		}
		more("Record this call")
		wantWords(t, n.top(), "Both voices are kept in a plain file, in the folder “recordings” of your profile. Ana sees that you record.")
		n.press(t, n.top(), "Record")
		wantBar(t, n, "You are recording. Ana can see it")
		more("Stop recording")
		more("Push to talk (F8)")
		wantBar(t, n, "Hold to talk")
		more("Always listen to me")
		more("Put on hold")
		wantBar(t, n, "on hold", "Resume")
		want := `{"recording":true} {"recording":false} {"push_to_talk":true} {"push_to_talk":false} {"held":true}`
		if got := strings.Join(n.exchange.edits, " "); got != want {
			t.Errorf("the node was told %s", got)
		}
	})
}

func TestWhereARecordingIsIsSaidWhenItEnds(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.settle()
		record := func(words string) {
			t.Helper()
			n.press(t, n.w.shell.chat.call, "More")
			n.press(t, n.top(), words)
		}
		wantToast := func(when string, shown bool) {
			t.Helper()
			if shown != n.w.toast.Visible() {
				t.Errorf("%s a toast is shown: %t", when, !shown)
			}
			if shown {
				wantWords(t, n.w.toast, "Saved")
				wantWords(t, n.w.toast, recordingFile)
				shelf := n.w.phone.shelf
				if end := fyne.CurrentApp().Driver().AbsolutePositionForObject(shelf).Y + shelf.Size().Height; n.w.toast.Position().Y < end {
					t.Errorf("%s the toast, at %v, lies over the bar of the call, which ends at %v", when, n.w.toast.Position().Y, end)
				}
			}
		}
		record("Record this call")
		n.press(t, n.top(), "Record")
		wantToast("while it is recorded", false)
		record("Stop recording")
		wantToast("when it was stopped", true)
		n.wait(toastTime)
		wantToast("later", false)

		record("Record this call")
		n.press(t, n.top(), "Record")
		n.call("c1", harbourAna, func(c *control.Call) { ended(control.EndCompleted)(c); c.Recording, c.RecordingFile = false, "" })
		n.settle()
		wantToast("when the call ends", true)
	})
}

func TestWhatAilsTheSoundIsSaid(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		for _, c := range []struct {
			notice control.CallNotice
			want   string
		}{
			{control.CallNotice{What: "microphone-lost"}, "Your microphone is gone. Choose another under Devices"},
			{control.CallNotice{What: "speaker-changed", Device: "Jabra", Time: talkNow()}, "Now using the loudspeaker Jabra"},
			{control.CallNotice{What: "microphone-silent", Time: talkNow()}, "Your microphone gives no sound. It may have a switch"},
			{control.CallNotice{What: "muted-speech", Time: talkNow()}, "You are muted. Ctrl M lets you be heard"},
			{control.CallNotice{What: "muted-speech", Time: talkNow().Add(-time.Minute)}, ""},
			{control.CallNotice{What: "recording-ended", Time: talkNow()}, "The recording has stopped, the disk may be full"},
			{control.CallNotice{What: "recording-ended", Time: talkNow().Add(-time.Minute)}, ""},
			{control.CallNotice{What: "invented later", Time: talkNow()}, ""},
		} {
			n.call("c1", harbourAna, func(x *control.Call) { x.Muted, x.Notices = true, []control.CallNotice{c.notice} })
			n.wait(time.Second)
			if got := n.w.phone.bars[0].notice.words; got != c.want {
				t.Errorf("%q says %q, not %q", c.notice.What, got, c.want)
			}
		}
		n.call("c1", harbourAna, func(x *control.Call) {
			x.Notices = []control.CallNotice{{What: "microphone-lost"}, {What: "speaker-changed", Device: "Jabra", Time: talkNow().Add(-time.Minute)}}
		})
		n.wait(time.Second)
		if got, want := n.w.phone.bars[0].notice.words, "Your microphone is gone. Choose another under Devices"; got != want {
			t.Errorf("after the loudspeaker changed it says %q, not %q", got, want)
		}
		n.call("c1", harbourAna, func(x *control.Call) {
			x.RecordingThere, x.Notices = true, []control.CallNotice{{What: "microphone-lost"}}
		})
		n.wait(time.Second)
		if got, want := n.w.phone.bars[0].notice.words, "Ana is recording this call · Your microphone is gone. Choose another under Devices"; got != want {
			t.Errorf("in a recorded call it says %q, not %q", got, want)
		}
	})
}

func TestAHeadsetThatIsFoundOffersItsSwitch(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.wait(time.Second)
		wantNoWords(t, n.w.phone.bars[0], "I wear headphones")
		n.call("c1", harbourAna, func(x *control.Call) {
			x.Notices = []control.CallNotice{{What: "headset-found", Device: "Jabra", Time: talkNow()}}
		})
		n.wait(time.Second)
		wantWords(t, n.w.phone.bars[0], "Jabra looks like a headset")
		n.press(t, n.w.phone.bars[0], "I wear headphones")
		if got := strings.Join(n.exchange.edits, " "); got != `{"headphones":true}` {
			t.Errorf("the node was told %s", got)
		}
		n.wait(time.Second)
		wantNoWords(t, n.w.phone.bars[0], "headset")
		wantNoWords(t, n.w.phone.bars[0], "I wear headphones")
	})
}

func TestAMissedCallIsReturnedFromItsPill(t *testing.T) {
	n := sounding()
	withWindow(t, n, func(t *testing.T) {
		var missed, spoken *noteRow
		each(n.w.shell.chat.timeline, func(o fyne.CanvasObject) {
			if r, ok := o.(*noteRow); ok && r.n.tap != nil && r.n.act != nil {
				missed = r
			} else if ok && r.n.tap != nil {
				spoken = r
			}
		})
		spoken.Tapped(&fyne.PointEvent{Position: spoken.ground.Position().AddXY(8, 8)})
		n.settle()
		for _, want := range []string{"Outgoing call · 12:41", "How it was here", "sounds great", "38 ms", "Call Ana"} {
			wantWords(t, n.top(), want)
		}
		n.shot(t, "calls-row")
		n.w.closeModal()
		missed.Tapped(&fyne.PointEvent{Position: missed.verb.Position().AddXY(4, 4)})
		wantBar(t, n, "Calling Ana")
	})
}

func TestTheSoundIsTestedAndTheFindingSaid(t *testing.T) {
	for name, c := range map[string]struct {
		report control.EchoReport
		want   []string
	}{
		"good": {control.EchoReport{Good: true, Heard: true, Echo: 38, Findings: []string{"echo.good", "voice.fine", "way"}, Voice: -20, Noise: -60, MouthToEar: 31, Quality: "excellent"}, []string{"You can call", "Your echo returns at −38 dB: good.", "Your voice is fine.", "Sound takes 31 ms from mouth to ear here: sounds great."}},
		"echo": {control.EchoReport{Heard: true, Echo: 8, Findings: []string{"echo.bad", "voice.noisy"}}, []string{"This needs a look first", "Your echo returns at −8 dB: friends will hear themselves. Use headphones.", "the room is noisy"}},
		"mute": {control.EchoReport{Findings: []string{"echo.none", "voice.silent"}}, []string{"No echo comes back: headphones, or a loudspeaker that is off.", "The microphone hears nothing."}},
	} {
		t.Run(name, func(t *testing.T) {
			n := sounding()
			n.exchange.echo = c.report
			withWindow(t, n, func(t *testing.T) {
				n.w.showSettings()
				n.settle()
				wantWords(t, n.top(), "Microphone")
				n.press(t, n.top(), "Test the sound")
				n.shot(t, "test-"+name+"-first")
				n.press(t, n.top(), "Begin")
				for _, want := range c.want {
					wantWords(t, n.top(), want)
				}
				n.shot(t, "test-"+name)
			})
		})
	}
}
