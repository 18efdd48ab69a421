package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// soundFile is where a profile keeps which devices were chosen, and what calls
// have learnt of them.
const soundFile = "sound.json"

// maxLearnt is how many pairs of devices are remembered.
const maxLearnt = 32

// sound opens the devices for calls. It is safe for concurrent use.
type sound struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	spec device.Spec
	kept keptSound
}

// keptSound is the content of soundFile.
type keptSound struct {
	Mic     string                   `json:"mic,omitempty"`
	Speaker string                   `json:"speaker,omitempty"`
	Ring    string                   `json:"ring,omitempty"` // empty: where calls are heard
	Learnt  map[string]voice.Profile `json:"learnt,omitempty"`
	Worn    map[string]bool          `json:"worn,omitempty"` // by pair, as Learnt: whether they are headphones
}

// newSound makes what a node needs to call, from the text of --audio, and what
// opens the loudspeaker that rings: nil where nobody would hear it.
func newSound(dir, text string, log *slog.Logger) (node.Sound, func() (device.Speaker, error), error) {
	spec, err := device.ParseSpec(text)
	if err != nil {
		return node.Sound{}, nil, &control.Failure{Message: control.Sentence(err.Error()), Hint: "Say --audio system, null, tone, file:IN.wav,OUT.wav or pulse:SOURCE,SINK", Code: control.CodeInvalid}
	}
	if spec.Scheme == "file" && spec.Mic != "" { // said now, and not by the first call that breaks
		if _, err := os.Stat(spec.Mic); err != nil {
			return node.Sound{}, nil, &control.Failure{Message: control.Sentence("cannot speak the file of --audio: " + err.Error()), Hint: "Give a WAV file that is there, or file:,OUT.wav to say nothing", Code: control.CodeInvalid}
		}
	}
	s := &sound{path: filepath.Join(dir, soundFile), log: log, spec: spec}
	if err := s.load(); err != nil {
		log.Warn("read which sound devices were chosen", "err", err)
	}
	out := node.Sound{Open: s.open, Closed: s.closed, Wear: s.wear, Test: s.test}
	if !s.system() {
		return out, nil, nil
	}
	if spec.Mic == "" && spec.Speaker == "" {
		s.spec.Mic, s.spec.Speaker = s.kept.Mic, s.kept.Speaker
	}
	out.List, out.Choose = s.list, s.choose
	return out, s.speaker, nil
}

// speaker opens what rings. One that is not there now must not keep a call
// from being heard: then it is the loudspeaker of calls.
func (s *sound) speaker() (device.Speaker, error) {
	s.mu.Lock()
	calls, ring := s.spec, s.spec
	if s.kept.Ring != "" {
		ring.Speaker = s.kept.Ring
	}
	s.mu.Unlock()
	out, err := ring.OpenSpeaker()
	if err == nil || ring == calls {
		return out, err
	}
	s.log.Warn("open what rings", "err", err)
	return calls.OpenSpeaker()
}

// system says whether there are devices to choose from.
func (s *sound) system() bool { return s.spec.Scheme == "system" || s.spec.Scheme == "pulse" }

// open opens both devices. One of the system's that is not there, or in use,
// does not keep a call from being made: the engine tells of it, and takes it up
// when it is there.
func (s *sound) open(cfg voice.Config) (*voice.Engine, error) {
	s.mu.Lock()
	s.spec.LowLatency = cfg.LowLatency
	spec, system := s.spec, s.system()
	s.mu.Unlock()
	var err error
	if cfg.Mic, cfg.Speaker, err = spec.Expect(); err != nil {
		return nil, err
	}
	if !system { // nobody sits in a file's room
		cfg.Headphones, cfg.NoiseSuppression, cfg.GainControl = true, false, false
	}
	cfg.Recall, cfg.Worn = s.recall, s.worn
	e, err := voice.New(cfg)
	if err != nil {
		return nil, errors.Join(err, closeDevices(cfg))
	}
	return e, nil
}

// test lets one hear oneself, over a line to another machine if there is one.
func (s *sound) test(ctx context.Context, step func(voice.EchoStep), line *voice.Line) (voice.EchoReport, error) {
	s.mu.Lock()
	spec, system := s.spec, s.system()
	s.mu.Unlock()
	mic, speaker, err := spec.Open()
	if err != nil {
		return voice.EchoReport{}, &control.Failure{Message: control.Sentence(err.Error()), Hint: "List the devices with “entrenous devices”", Code: control.CodeState, Reason: "device"}
	}
	cfg := voice.EchoTestConfig{Mic: mic, Speaker: speaker, Headphones: !system, Step: step, Line: line, Log: s.log}
	switch {
	case !system: // nobody is there who would speak
		cfg.Listen, cfg.Speak = time.Second, time.Second
	case line != nil: // their machine answers for some seconds only
		cfg.Listen, cfg.Speak = 3*time.Second, 4*time.Second
	}
	return voice.EchoTest(ctx, cfg)
}

func closeDevices(cfg voice.Config) error {
	var errs []error
	if cfg.Mic != nil {
		errs = append(errs, cfg.Mic.Close())
	}
	if cfg.Speaker != nil {
		errs = append(errs, cfg.Speaker.Close())
	}
	return errors.Join(errs...)
}

func pairOf(mic, speaker string) string { return mic + "\x00" + speaker }

// recall gives what was learnt of two devices.
func (s *sound) recall(mic, speaker string) voice.Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Learnt[pairOf(mic, speaker)]
}

// closed keeps what a call has learnt.
func (s *sound) closed(e *voice.Engine) {
	mic, speaker, p, ok := e.Learnt()
	if !ok || !s.system() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.Learnt == nil || len(s.kept.Learnt) >= maxLearnt {
		s.kept.Learnt = map[string]voice.Profile{}
	}
	s.kept.Learnt[pairOf(mic, speaker)] = p
	s.keepLocked()
}

// worn says whether a person said that two devices are headphones.
func (s *sound) worn(mic, speaker string) (on, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on, known = s.kept.Worn[pairOf(mic, speaker)]
	return on, known
}

// wear keeps that for the next call with them.
func (s *sound) wear(e *voice.Engine, on bool) {
	if mic, speaker := e.Devices(); mic != "" && speaker != "" && s.system() {
		s.remember(mic, speaker, on)
	}
}

func (s *sound) remember(mic, speaker string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.Worn == nil || len(s.kept.Worn) >= maxLearnt {
		s.kept.Worn = map[string]bool{}
	}
	s.kept.Worn[pairOf(mic, speaker)] = on
	s.keepLocked()
}

// list names the devices, and which are chosen.
func (s *sound) list() ([]node.SoundDevice, error) {
	all, err := device.List()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]node.SoundDevice, len(all))
	for i, d := range all {
		chosen := s.spec.Speaker
		if d.Kind == device.Microphone {
			chosen = s.spec.Mic
		}
		out[i] = node.SoundDevice{
			ID: d.ID, Name: d.Name, Mic: d.Kind == device.Microphone, Default: d.Default,
			Chosen: chosen == d.ID || chosen == "" && d.Default,
		}
		if d.Kind == device.Loudspeaker {
			out[i].Rings = out[i].Chosen && s.kept.Ring == "" || s.kept.Ring == d.ID
		}
	}
	return out, nil
}

// choose takes other devices, and changes to them in the call that goes on.
func (s *sound) choose(e *voice.Engine, c node.SoundChoice) error {
	if err := known(c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.spec
	take(&next.Mic, c.Mic)
	take(&next.Speaker, c.Speaker)
	if e != nil && next != s.spec {
		m, l, err := next.Expect() // the other one, which stays, may be gone or in use
		if err != nil {
			return &control.Failure{Message: control.Sentence(err.Error()), Hint: "List the devices with “entrenous devices”", Code: control.CodeState, Reason: "device"}
		}
		if err := e.Swap(m, l); err != nil {
			return fmt.Errorf("change devices: %w", err)
		}
	}
	s.spec = next
	take(&s.kept.Mic, c.Mic)
	take(&s.kept.Speaker, c.Speaker)
	take(&s.kept.Ring, c.Ring)
	s.keepLocked()
	return nil
}

func take(to, from *string) {
	if from != nil {
		*to = *from
	}
}

// known refuses devices that are not there.
func known(c node.SoundChoice) error {
	all, err := device.List()
	if err != nil {
		return err
	}
	for _, x := range []struct {
		kind device.Kind
		id   *string
	}{{device.Microphone, c.Mic}, {device.Loudspeaker, c.Speaker}, {device.Loudspeaker, c.Ring}} {
		if x.id != nil && *x.id != "" && !slices.ContainsFunc(all, func(d device.Info) bool { return d.Kind == x.kind && d.ID == *x.id }) {
			return &control.Failure{Message: "There is no " + x.kind.String() + " “" + *x.id + "” now", Hint: "List the devices with “entrenous devices”", Code: control.CodeNotFound, Reason: "device"}
		}
	}
	return nil
}

func (s *sound) load() error {
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &s.kept)
}

// keepLocked writes the file; without it only a choice is forgotten.
func (s *sound) keepLocked() {
	b, err := json.Marshal(s.kept)
	if err == nil {
		err = os.WriteFile(s.path+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err != nil {
		s.log.Warn("keep which sound devices were chosen", "err", err)
	}
}
