package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

func TestHeadphonesAreRememberedByTheirPairOfDevices(t *testing.T) {
	path := filepath.Join(t.TempDir(), soundFile)
	first := &sound{path: path, log: slog.New(slog.DiscardHandler)}
	for _, on := range []bool{true, false} {
		first.remember("desk", "Jabra", on)
		next := &sound{path: path}
		if err := next.load(); err != nil {
			t.Fatal(err)
		}
		if worn, known := next.worn("desk", "Jabra"); worn != on || !known {
			t.Errorf("of what was said to be %v it is remembered: %v, %v", on, worn, known)
		}
		if _, known := next.worn("desk", "another"); known {
			t.Error("another loudspeaker is known too")
		}
	}
}

// nowhere loses what is sent.
func nowhere[Packet any](Packet) error { return nil }

func TestACallGoesByWhatIsRememberedOfItsDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec, err := device.ParseSpec("tone")
		if err != nil {
			t.Fatal(err)
		}
		s := &sound{path: filepath.Join(t.TempDir(), soundFile), log: slog.New(slog.DiscardHandler), spec: spec}
		cfg := voice.Config{PayloadType: 111}
		cfg.Send = nowhere
		e, err := s.open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		mic, speaker := e.Devices()
		if mic == "" || speaker == "" || !e.Wears() {
			t.Fatalf("a call with %q and %q cancels echo before anybody said so", mic, speaker)
		}
		s.remember(mic, speaker, false)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- e.Run(ctx) }()
		time.Sleep(time.Second)
		if e.Wears() {
			t.Error("what somebody said of these devices is not asked for")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
