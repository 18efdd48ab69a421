//go:build cgo

package device_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startPipeWire starts a private PipeWire with one virtual cable, and gives the
// process by which it speaks PulseAudio's protocol.
func startPipeWire(t *testing.T, cable string) *pulse {
	t.Helper()
	for _, tool := range []string{"dbus-daemon", "pipewire", "wireplumber", "pipewire-pulse", "pactl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	dir, err := os.MkdirTemp("", "pw") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "pulse"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		t.Setenv(k, dir)
	}
	bus := filepath.Join(dir, "bus")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+bus)
	t.Setenv("PULSE_RUNTIME_PATH", filepath.Join(dir, "pulse"))
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(dir, "pulse", "native"))
	below := &pulse{t: t}
	server := &pulse{t: t}
	t.Cleanup(func() {
		server.stop()
		below.stop()
		_ = os.RemoveAll(dir)
	})
	below.run(exec.Command("dbus-daemon", "--session", "--nofork", "--address=unix:path="+bus))
	awaitFile(t, bus)
	below.run(exec.Command("pipewire"))
	awaitFile(t, filepath.Join(dir, "pipewire-0"))
	below.run(exec.Command("wireplumber")) // without it no stream meets a device
	server.serveFromPipeWire(cable)
	return server
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		pause(t, 1)
	}
	t.Fatalf("nobody made %s", path)
}

// serveFromPipeWire begins, or begins again.
func (p *pulse) serveFromPipeWire(cable string) {
	p.t.Helper()
	p.run(exec.Command("pipewire-pulse"))
	for range 200 {
		if exec.Command("pactl", "info").Run() == nil {
			p.pactl("load-module", "module-null-sink", "sink_name="+cable, "rate=48000", "channels=1", "channel_map=mono")
			return
		}
		pause(p.t, 2)
	}
	p.t.Fatal("pipewire-pulse does not answer")
}

func TestACallOutlivesARestartOfPipeWire(t *testing.T) {
	p := startPipeWire(t, "wire")
	outlivesRestart(t, p, func() { p.serveFromPipeWire("wire") }, 500, 500)
}
