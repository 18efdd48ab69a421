package app

import (
	"log/slog"
	"path/filepath"
	"testing"
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
