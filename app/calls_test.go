package app_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/media/device"
)

// callers are two friends with sound; the second answers by itself if auto.
func callers(t *testing.T, auto bool) (ana, bo *person, heard string) {
	t.Helper()
	ana, bo = newPerson(t, "Ana"), newPerson(t, "Bo")
	heard = filepath.Join(t.TempDir(), "heard.wav")
	ana.wake("--audio", "file:,"+heard)
	if auto {
		bo.wake("--audio", "tone", "--auto-answer")
	} else {
		bo.wake("--audio", "tone")
	}
	befriend(ana, bo)
	return ana, bo, heard
}

// event is a line of “call --json”.
type event struct {
	Type string  `json:"type"`
	At   float64 `json:"at_ms"`
	control.Call
}

// types lists the kinds of events, without the statistics.
func types(t *testing.T, lines []string) (kinds []string, all []event) {
	t.Helper()
	for _, l := range lines {
		var e event
		must(t, json.Unmarshal([]byte(l), &e))
		all = append(all, e)
		if e.Type != "stats" {
			kinds = append(kinds, e.Type)
		}
	}
	return kinds, all
}

// loudest is the highest level of any 10 ms of a file, in dBFS.
func loudest(t *testing.T, path string) float64 {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	sound, err := device.ReadWAV(f)
	must(t, err)
	var top float32
	for _, v := range sound {
		top = max(top, v, -v)
	}
	return 20 * math.Log10(float64(top)+1e-9)
}

func TestACallBetweenTwoProcessesIsHeardAndKept(t *testing.T) {
	ana, bo, heard := callers(t, true)
	kinds, all := types(t, ana.lines("call", "Bo", "--for", "2s", "--json"))
	if got := strings.Join(kinds, " "); got != "calling ringing connected first_audio ended" && got != "ringing connected first_audio ended" {
		t.Errorf("events are %q", got)
	}
	last := all[len(all)-1]
	if last.Reason != control.EndCompleted || !last.ByUs || last.Seconds < 1.9 || last.Seconds > 4 {
		t.Errorf("the end is %+v", last)
	}
	var page control.Page
	eventually(t, "bo's log tells of the call, with both reports", func() bool {
		var err error
		page, err = bo.api().Messages(t.Context(), ana.id, control.PageQuery{Limit: 1})
		return err == nil && len(page.Rows) == 1 && page.Rows[0].Call != nil && page.Rows[0].Call.Callee != nil && page.Rows[0].Call.Caller != nil
	})
	if c := page.Rows[0].Call; c.Outgoing || c.Reason != "ended" || c.Seconds < 2 || c.Caller.Path != "lan" {
		t.Errorf("the row is %+v", c)
	}
	if level := loudest(t, heard); level < -30 {
		t.Errorf("ana's loudspeaker recorded at most %.0f dBFS", level)
	}
}

func TestCallsAreAnsweredMutedAndEndedByCommands(t *testing.T) {
	ana, bo, _ := callers(t, false)
	call := start(t, ana.command("call", "Bo", "--json"))
	ringing := func() bool {
		all, err := bo.api().Calls(t.Context())
		return err == nil && len(all) > 0 && all[len(all)-1].State == control.CallRinging
	}
	eventually(t, "it rings", ringing)
	bo.ok("decline")
	<-call.done
	if code := call.cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("a declined call ends with %d: %s", code, call.err)
	}
	call = start(t, ana.command("call", "Bo", "--json"))
	eventually(t, "it rings", ringing)
	bo.ok("answer")
	now := func(p *person) control.Call {
		c, err := p.api().CallNow(t.Context(), control.CurrentCall)
		if err != nil {
			return control.Call{}
		}
		return c
	}
	eventually(t, "they hear each other", func() bool { return now(ana).State == control.CallActive && now(bo).State == control.CallActive })
	if got := ana.ok("mute"); !now(ana).Muted || got != "Bo: active, muted\n" {
		t.Errorf("ana is not muted: %s", got)
	}
	ana.ok("mute", "--off")
	if got := bo.ok("hold"); got != "Ana: active, on hold\n" {
		t.Errorf("hold says %q", got)
	}
	eventually(t, "ana sees that she is held", func() bool { return now(ana).HeldThere })
	bo.ok("hold", "--off")
	var taped control.Call
	bo.json(&taped, "record")
	eventually(t, "ana sees that bo records", func() bool { return now(ana).RecordingThere })
	bo.ok("hangup")
	<-call.done
	if code := call.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the call ended with %d: %s", code, call.err)
	}
	found, err := filepath.Glob(filepath.Join(bo.dir, "recordings", "*.opus"))
	must(t, err)
	if len(found) != 1 || taped.RecordingFile != found[0] {
		t.Errorf("recordings: %v, told of %q", found, taped.RecordingFile)
	}
	if f := bo.fails(4, "answer", "--json"); f.Code != control.CodeNotFound {
		t.Errorf("answering nothing: %+v", f)
	}
}

func TestACallWithAKilledProcessIsLostWithinFiveSeconds(t *testing.T) {
	ana, bo, _ := callers(t, true)
	call := start(t, ana.command("call", "Bo", "--json"))
	eventually(t, "they hear each other", func() bool {
		c, err := ana.api().CallNow(t.Context(), control.CurrentCall)
		return err == nil && c.Quality != nil && c.Quality.FirstAudio > 0
	})
	bo.daemon.end(syscall.SIGKILL)
	killed := time.Now()
	<-call.done
	if took := time.Since(killed); took > 5*time.Second {
		t.Errorf("noticed after %v", took)
	}
	all, err := ana.api().Calls(t.Context())
	must(t, err)
	if c := all[len(all)-1]; c.Reason != control.EndLost {
		t.Errorf("the call ended because %q", c.Reason)
	}
}

func TestWhoseOwnNodeIsKilledInACallIsToldWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	ana, bo, _ := callers(t, true)
	for lang, want := range map[string][2]string{
		"en": {"Your node ended in the middle of the call with Bo, and the call with it", "Start it again with “entrenous daemon”, then “entrenous call Bo”"},
		"fr": {"Votre nœud s’est arrêté pendant l’appel avec Bo", "Relancez-le avec « entrenous daemon », puis « entrenous call Bo »"},
	} {
		set, err := ana.api().Settings(t.Context())
		must(t, err)
		set.Language = lang
		_, err = ana.api().PutSettings(t.Context(), set)
		must(t, err)
		call := start(t, ana.command("call", "Bo"))
		eventually(t, "they are in a call", func() bool {
			c, err := ana.api().CallNow(t.Context(), control.CurrentCall)
			return err == nil && c.State == control.CallActive
		})
		ana.die()
		<-call.done
		if code := call.cmd.ProcessState.ExitCode(); code != 3 {
			t.Errorf("in %s the command ended with %d", lang, code)
		}
		for _, w := range want {
			if !strings.Contains(call.err.String(), w) {
				t.Errorf("in %s it does not say %q: %s", lang, w, call.err)
			}
		}
		ana.wake("--audio", "null")
		ana.sees(bo, control.Friend, control.Online)
	}
}

func TestAScriptWhoseOwnNodeIsKilledIsToldThatTheCallEnded(t *testing.T) {
	t.Parallel()
	for why, answered := range map[string]bool{control.EndLost: true, control.EndMissed: false} {
		ana, _, _ := callers(t, answered)
		call := start(t, ana.command("call", "Bo", "--json"))
		eventually(t, "the call has come to Bo, and the script knows it", func() bool {
			return strings.Contains(call.out.String(), map[bool]string{true: `"connected"`, false: `"ringing"`}[answered])
		})
		ana.die()
		<-call.done
		if code := call.cmd.ProcessState.ExitCode(); code != 3 {
			t.Errorf("the command ended with %d", code)
		}
		lines := strings.Split(strings.TrimSpace(call.out.String()), "\n")
		if _, all := types(t, lines[len(lines)-1:]); all[0].Type != control.CallEnded || all[0].State != control.CallEnded || all[0].Reason != why {
			t.Errorf("the last that it was told is %+v, want %q", all[0], why)
		}
		if f := (answer{err: call.err.String()}).failure(t); f.Code != control.CodeNotHere {
			t.Errorf("the failure is %+v", f)
		}
	}
}

func TestAFriendsMachineIsTestedWithByCommand(t *testing.T) {
	ana, bo, _ := callers(t, false)
	if f := ana.fails(7, "call", "--test", "Bo", "--json"); !strings.Contains(f.Hint, "allow-echo") {
		t.Errorf("without consent: %+v", f)
	}
	var c control.Contact
	must(t, json.Unmarshal([]byte(bo.ok("allow-echo", "Ana", "--json")), &c))
	if !c.Echo {
		t.Errorf("after allow-echo Ana is %+v", c)
	}
	var r control.EchoReport
	must(t, json.Unmarshal([]byte(ana.ok("call", "--test", "Bo", "--json")), &r))
	if r.Far == nil || r.Far.Return <= 0 || r.Far.Name != "Bo" || r.Far.Path != "lan" || len(r.Findings) != 3 {
		t.Errorf("the report is %+v, far %+v", r, r.Far)
	}
	c = control.Contact{}
	must(t, json.Unmarshal([]byte(bo.ok("allow-echo", "Ana", "--off", "--json")), &c))
	if c.Echo {
		t.Error("the consent stays")
	}
	if calls := bo.ok("calls"); calls != "" {
		t.Errorf("bo has calls: %s", calls)
	}
	if f := ana.fails(2, "volume", "Bo", "NaN"); !strings.Contains(f.Message, "no volume") {
		t.Errorf("what is no number: %+v", f)
	}
	if out := ana.ok("volume", "Bo", "--", "-6"); !strings.Contains(out, "-6 dB") {
		t.Errorf("volume says %q", out)
	}
}

// spoken writes a file with a second of a tone after half a second of silence.
func spoken(t *testing.T) string {
	t.Helper()
	sound := make([]float32, 72_000)
	for i := 24_000; i < len(sound); i++ {
		sound[i] = 0.3 * float32(math.Sin(2*math.Pi*700*float64(i)/48_000))
	}
	path := filepath.Join(t.TempDir(), "in.wav")
	f, err := os.Create(path)
	must(t, err)
	w, err := device.NewWAVWriter(f)
	must(t, err)
	must(t, w.Write(sound))
	must(t, f.Close())
	return path
}

func TestItRingsAtTheLoudspeakerThatWasChosenForIt(t *testing.T) {
	socket, _ := virtualSound(t)
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	bo.sound = socket
	ana.wake("--audio", "null")
	bo.wake("--audio", "pulse:mic2.monitor,spk2")
	befriend(ana, bo)
	if got := bo.ok("devices", "--ring", "spk1"); !strings.Contains(got, "rings") {
		t.Errorf("the devices are\n%s", got)
	}
	heard := map[string]func() float64{}
	for _, cable := range []string{"spk1", "spk2"} {
		file := filepath.Join(t.TempDir(), "heard.wav")
		start(t, exec.Command("parec", "--file-format=wav", "--format=s16le", "--rate=48000", "--channels=1", "-d", cable+".monitor", file))
		heard[cable] = func() float64 {
			if f, err := os.Stat(file); err != nil || f.Size() < 1024 {
				return -127
			}
			return loudest(t, file)
		}
	}
	start(t, ana.command("call", "Bo"))
	eventually(t, "it is heard at the loudspeaker that was chosen", func() bool { return heard["spk1"]() > -40 })
	if got := heard["spk2"](); got > -60 {
		t.Errorf("it rings where calls are heard, at %.0f dBFS", got)
	}
}

func TestWhoFollowsACallInWordsIsToldOfRecordingAndHold(t *testing.T) {
	ana, bo, _ := callers(t, true)
	call := start(t, ana.command("call", "Bo"))
	told := func(line string) func() bool {
		return func() bool { return strings.Contains(call.out.String(), line+"\n") }
	}
	eventually(t, "they hear each other", told("Bo connected"))
	bo.ok("record")
	eventually(t, "ana reads that bo records", told("Bo is recording this call"))
	bo.ok("record", "--off")
	eventually(t, "ana reads that bo does not any more", told("Bo no longer records this call"))
	bo.ok("hold")
	eventually(t, "ana reads that bo holds", told("Bo put you on hold"))
	bo.ok("hold", "--off")
	eventually(t, "ana reads that bo is back", told("Bo is back in the call"))
	bo.ok("hold")
	if got := bo.ok("hangup"); !strings.HasPrefix(got, "Ana: ended\n") {
		t.Errorf("hanging up says %q", got)
	}
	<-call.done
	if got := strings.TrimSpace(call.out.String()); strings.HasSuffix(got, ": ended") || !strings.Contains(got, "\nEnded after ") {
		t.Errorf("the end is told so: %q", got)
	}
	if f := ana.fails(2, "call", "Bo", "--for=-3s"); !strings.Contains(f.Message, "cannot last") {
		t.Errorf("a call of less than nothing: %+v", f)
	}
}

func TestACallWithFilesIsHeardEachWayAndToldEachSecond(t *testing.T) {
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	heard := filepath.Join(t.TempDir(), "heard.wav")
	ana.wake("--audio", "file:"+spoken(t)+",")
	bo.wake("--audio", "file:,"+heard, "--auto-answer")
	befriend(ana, bo)
	_, all := types(t, ana.lines("call", "Bo", "--for", "4s", "--json"))
	last, stats := 0.0, 0
	for _, e := range all {
		if e.At < last {
			t.Errorf("%s at %v ms comes after %v ms", e.Type, e.At, last)
		}
		last = e.At
		if e.Type != "stats" {
			continue
		}
		stats++
		if e.Quality == nil || e.Quality.Path != "lan" || e.Quality.Sent == 0 || e.Quality.Word == "" {
			t.Errorf("stats are %+v", e.Quality)
		}
	}
	if stats < 2 || stats > 5 {
		t.Errorf("%d lines of stats in four seconds", stats)
	}
	if level := loudest(t, heard); level < -20 {
		t.Errorf("bo heard ana's file at %.0f dBFS at most", level)
	}
	type row struct {
		Kind string           `json:"kind"`
		Call *control.CallRow `json:"call"`
	}
	var told row
	eventually(t, "bo's history tells how the call was at both ends", func() bool {
		for _, line := range bo.lines("history", "Ana") {
			must(t, json.Unmarshal([]byte(line), &told))
		}
		return told.Call != nil && told.Call.Caller != nil && told.Call.Callee != nil
	})
	if c := told.Call; told.Kind != control.KindCall || c.Outgoing || c.Reason != control.EndCompleted || c.Seconds < 3 || c.Callee.Path != "lan" || c.Callee.MouthToEar <= 0 || c.Callee.Quality == "" {
		t.Errorf("the history tells %+v, callee %+v", c, c.Callee)
	}
	if u := ana.ok("contacts", "--json"); strings.Contains(u, `"unread":1`) {
		t.Errorf("an answered call is unread: %s", u)
	}
	if u := bo.ok("contacts", "--json"); strings.Contains(u, `"unread":1`) {
		t.Errorf("an answered call is unread at the callee: %s", u)
	}
}

func TestAFileToSpeakThatIsNotThereIsSaidAtTheStart(t *testing.T) {
	ana := newPerson(t, "Ana")
	if f := ana.fails(2, "daemon", "--audio", "file:"+filepath.Join(t.TempDir(), "nothing.wav")+","); !strings.Contains(f.Message, "nothing.wav") || f.Hint == "" {
		t.Errorf("it is said %+v", f)
	}
}

func TestChoicesOfCallsAreOnOrOffAndKept(t *testing.T) {
	ana := newPerson(t, "Ana")
	ana.wake("--audio", "null")
	for _, name := range []string{"low-latency", "save-bandwidth"} {
		var is struct {
			On bool `json:"on"`
		}
		for _, want := range []string{"", "on", "", "off"} {
			ana.json(&is, strings.Fields(name+" "+want)...)
			if is.On != (want == "on") && want != "" {
				t.Errorf("%s %s: on is %v", name, want, is.On)
			}
		}
		ana.ok(name, "on")
	}
	ana.sleep()
	ana.wake("--audio", "null")
	set, err := ana.api().Settings(t.Context())
	must(t, err)
	if !set.LowLatency || !set.SaveBandwidth {
		t.Errorf("after another start: %+v", set)
	}
	ana.fails(2, "low-latency", "perhaps")
}

func TestWhoFollowsACallIsToldItsEndByADaemonThatStops(t *testing.T) {
	ana, bo, _ := callers(t, true)
	call := start(t, ana.command("call", "Bo", "--json"))
	eventually(t, "they are connected", func() bool {
		c, err := ana.api().CallNow(t.Context(), control.CurrentCall)
		return err == nil && c.State == control.CallActive
	})
	if f := ana.fails(7, "call", "--test"); f.Reason != "talking" || f.Hint == "" {
		t.Errorf("a test of the sound meanwhile: %+v", f)
	}
	ana.sleep()
	<-call.done
	lines := strings.Split(strings.TrimSpace(call.out.String()), "\n")
	_, all := types(t, lines[len(lines)-1:])
	if last := all[0]; last.Type != control.CallEnded || last.Reason != control.EndCompleted || !last.ByUs {
		t.Errorf("ana is told %+v", last)
	}
	if code := call.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the command ends with %d: %s", code, call.err)
	}
	eventually(t, "bo's call has ended, as by a hang-up", func() bool {
		all, err := bo.api().Calls(t.Context())
		return err == nil && len(all) == 1 && all[0].Reason == control.EndCompleted
	})
}

func TestADaemonThatStopsWhileItRingsLetsNobodyWait(t *testing.T) {
	t.Parallel()
	for _, caller := range []bool{true, false} {
		ana, bo, _ := callers(t, false)
		start(t, ana.command("call", "Bo"))
		eventually(t, "it rings", func() bool {
			c, err := bo.api().CallNow(t.Context(), control.RingingCall)
			return err == nil && c.State == control.CallRinging
		})
		stops, stays := bo, ana
		if caller {
			stops, stays = ana, bo
		}
		must(t, stops.daemon.cmd.Process.Signal(syscall.SIGTERM))
		within(t, time.Second, "it rings no more at the other end", func() bool {
			all, err := stays.api().Calls(t.Context())
			return err == nil && len(all) == 1 && all[0].State == control.CallEnded && all[0].Reason == control.EndMissed
		})
		<-stops.daemon.done
		if code := stops.daemon.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("%s's daemon ended with %d: %s", stops.name, code, stops.daemon.err)
		}
	}
}

func TestALoudspeakerIsChosenWhileTheMicrophoneIsGone(t *testing.T) {
	socket, _ := virtualSound(t)
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.sound = socket
	ana.wake("--audio", "pulse:mic1.monitor,spk1")
	bo.wake("--audio", "tone", "--auto-answer")
	befriend(ana, bo)
	start(t, ana.command("call", "Bo"))
	told := func(what string) func() bool {
		return func() bool {
			c, err := ana.api().CallNow(t.Context(), control.CurrentCall)
			return err == nil && slices.ContainsFunc(c.Notices, func(n control.CallNotice) bool { return n.What == what })
		}
	}
	eventually(t, "they hear each other", func() bool {
		c, err := ana.api().CallNow(t.Context(), control.CurrentCall)
		return err == nil && c.Quality != nil && c.Quality.FirstAudio > 0
	})
	must(t, exec.CommandContext(t.Context(), "pactl", "unload-module", module(t, "sink_name=mic1")).Run())
	eventually(t, "the microphone is gone", told("microphone-lost"))
	ana.ok("devices", "--speaker", "spk2")
	eventually(t, "the loudspeaker is the other one", told("speaker-changed"))
}

// module is the number of the module of the sound server that was loaded so.
func module(t *testing.T, so string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "pactl", "list", "short", "modules").Output()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, so) {
			return strings.Fields(line)[0]
		}
	}
	t.Fatalf("no module was loaded with %s", so)
	return ""
}
