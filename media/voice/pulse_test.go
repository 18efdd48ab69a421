package voice_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// pulse is a private PulseAudio with one virtual cable for each name: what is
// played into sink x is heard on source x.monitor.
type pulse struct {
	t      testing.TB
	socket string
	cables []string // how to load each
	cmds   []*exec.Cmd
}

// startPulse starts one. A cable of blocks up to two seconds has to be kept
// awake; one "name norewinds=1" needs no keeping.
func startPulse(t testing.TB, cables ...string) *pulse {
	t.Helper()
	if _, err := exec.LookPath("pulseaudio"); err != nil {
		t.Skip("pulseaudio is not installed")
	}
	dir, err := os.MkdirTemp("", "pa") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"RUNTIME": "run", "STATE": "state", "CONFIG": "cfg"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PULSE_"+k+"_PATH", filepath.Join(dir, v))
	}
	p := &pulse{t: t, socket: filepath.Join(dir, "native"), cables: cables}
	t.Setenv("PULSE_SERVER", "unix:"+p.socket)
	t.Cleanup(func() {
		p.stop()
		_ = os.RemoveAll(dir)
	})
	p.start()
	return p
}

func (p *pulse) start() {
	p.t.Helper()
	args := []string{
		"-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--log-level=error",
		"-L", "module-native-protocol-unix socket=" + p.socket + " auth-anonymous=1",
	}
	for _, c := range p.cables {
		args = append(args, "-L", strings.Join(cable(c), " "))
	}
	p.run("pulseaudio", args...)
	for range 100 {
		if exec.Command("pactl", "info").Run() == nil {
			// It has taken its first thread out of real time again.
			_ = exec.Command("chrt", "--all-tasks", "--rr", "--pid", "5", strconv.Itoa(p.cmds[0].Process.Pid)).Run()
			return
		}
		sleep(p.t, 50*time.Millisecond)
	}
	p.t.Fatal("pulseaudio does not answer")
}

// cable is how to load one.
func cable(name string) []string {
	name, more, _ := strings.Cut(name, " ")
	return strings.Fields("module-null-sink sink_name=" + name + " rate=48000 channels=1 channel_map=mono " + more)
}

// stop ends what was started, by its process, and waits for it.
func (p *pulse) stop() {
	for _, c := range p.cmds {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	p.cmds = nil
}

func (p *pulse) run(name string, args ...string) {
	p.t.Helper()
	cmd := promptly(name, args...)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmds = append(p.cmds, cmd)
}

// keepAwake holds the cables at blocks of 5 ms, as a sound card has: the first
// sound would otherwise wait for blocks of 2 s. Who plays with 20 ms makes such blocks.
func (p *pulse) keepAwake() {
	for _, n := range p.cables {
		p.run("pacat", "-p", "--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=20", "-d", n, "/dev/zero")
		p.run("parec", "--raw", "--rate=48000", "--channels=1", "--latency-msec=5", "-d", n+".monitor", "/dev/null")
	}
	sleep(p.t, 2500*time.Millisecond)
}

// promptly is a command in real time, if that is allowed here.
func promptly(name string, args ...string) *exec.Cmd {
	if realTime() {
		return exec.Command("chrt", append([]string{"--rr", "5", name}, args...)...)
	}
	return exec.Command(name, args...)
}

var realTime = sync.OnceValue(func() bool { return exec.Command("chrt", "--rr", "5", "true").Run() == nil })
