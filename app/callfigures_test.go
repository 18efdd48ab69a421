package app_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// measureCalling calls often, and takes two times: until it rings at the
// friend, and from the answer until the caller hears something.
func measureCalling(t *testing.T) []figure {
	ana, bo, _ := callers(t, false)
	a, b := ana.api(), bo.api()
	news, err := b.Watch(t.Context(), false)
	must(t, err)
	const count = 21
	var ring, sound []time.Duration
	for range count {
		begin := time.Now()
		made, err := a.Call(t.Context(), bo.id)
		must(t, err)
		for {
			ch, err := news.Next()
			must(t, err)
			if ch.Type != control.ChangeCall {
				continue
			}
			if x, err := b.CallNow(t.Context(), made.ID); err == nil && x.State == control.CallRinging {
				break
			}
		}
		ring = append(ring, time.Since(begin))
		_, err = b.Answer(t.Context(), made.ID)
		must(t, err)
		eventually(t, "the caller hears something", func() bool {
			x, err := a.CallNow(t.Context(), made.ID)
			must(t, err)
			if x.Quality == nil || x.Quality.FirstAudio == 0 {
				return false
			}
			sound = append(sound, time.Duration(x.Quality.FirstAudio*float64(time.Millisecond)))
			return true
		})
		_, err = a.HangUp(t.Context(), made.ID)
		must(t, err)
	}
	slices.Sort(ring)
	slices.Sort(sound)
	return []figure{
		{"call → it rings at the friend, p50 (worst)", "≤ 10 ms", "Jami 7.6 ms, Tox client 30 ms", fmt.Sprintf("%.1f ms (%.1f)", ms(ring[count/2]), ms(ring[count-1]))},
		{"answer → first sound at the caller, p50 (worst)", "≤ 120 ms", "Jami 2,000 ms, Tox 180 ms", fmt.Sprintf("%.0f ms (%.0f)", ms(sound[count/2]), ms(sound[count-1]))},
	}
}

// measureCallCost has two daemons talk over virtual sound cards, with all that
// cleans a voice, as people do at loudspeakers.
func measureCallCost(t *testing.T) []figure {
	ana, bo, voice := atVirtualSound(t, "Ana", "Bo", "--auto-answer")
	a := ana.api()
	made, err := a.Call(t.Context(), bo.id)
	must(t, err)
	start(t, exec.Command("bash", "-c", "while paplay -d mic1 "+voice+" && paplay -d mic2 "+voice+"; do :; done"))
	eventually(t, "they talk", func() bool {
		x, err := a.CallNow(t.Context(), made.ID)
		return err == nil && x.State == control.CallActive && x.Seconds > 6
	})
	cost := func() string {
		const watched = 20 * time.Second
		was, err := a.CallNow(t.Context(), made.ID)
		must(t, err)
		before := []time.Duration{cpuOf(t, ana), cpuOf(t, bo)}
		<-time.After(watched)
		most := max(cpuOf(t, ana)-before[0], cpuOf(t, bo)-before[1])
		x, err := a.CallNow(t.Context(), made.ID)
		must(t, err)
		return fmt.Sprintf("%.2f %% (%s, %.0f kbit/s, made up %d samples)", 100*most.Seconds()/watched.Seconds(), x.Quality.Word, float64(x.Quality.SentBytes)*8/1000/x.Seconds, x.Quality.MadeUp-was.Quality.MadeUp)
	}
	const goal, others = "≤ 6 % of a core", "Jami 7.5 % + 2 % sound server; without a canceller Tox 3 %, baresip 2.55 %"
	quiet := cost()
	noise := roomNoise(t)
	for _, mic := range []string{"mic1", "mic2"} {
		start(t, exec.Command("paplay", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "-d", mic, noise))
	}
	noisy := cost()
	memory := max(residentMiB(t, ana), residentMiB(t, bo))
	return []figure{
		{"a call of two daemons with everything on: CPU of the busier side", goal, others, quiet},
		{"the same with noise of -58 dBFS in both rooms", goal, others, noisy},
		{"memory of a daemon in it", "≤ 96 MiB", "Jami 101 MiB", fmt.Sprintf("%d MiB", memory)},
	}
}

// roomNoise gives a file with a minute of white noise at -58 dBFS.
func roomNoise(t *testing.T) string {
	t.Helper()
	const sigma = 41 // of 32,768
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for range 60 * 48000 {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(sigma*r.NormFloat64())))
	}
	file := filepath.Join(t.TempDir(), "noise")
	must(t, os.WriteFile(file, b, 0o600))
	return file
}

// atVirtualSound makes two friends whose daemons run at a sound server of their
// own; more is for the second one's. voice is a file for their microphones.
func atVirtualSound(t *testing.T, one, other string, more ...string) (a, b *person, voice string) {
	t.Helper()
	socket, voice := virtualSound(t)
	a, b = newPerson(t, one), newPerson(t, other)
	a.sound, b.sound = socket, socket
	a.wake("--audio", "pulse:mic1.monitor,spk1")
	b.wake(append([]string{"--audio", "pulse:mic2.monitor,spk2"}, more...)...)
	befriend(a, b)
	return a, b, voice
}

// virtualSound starts a sound server with the cables mic1, spk1, mic2 and spk2,
// for this test alone, and gives its socket and a file with some seconds of speech.
func virtualSound(t *testing.T) (socket, speech string) {
	t.Helper()
	for _, tool := range []string{"pulseaudio", "pactl", "paplay", "espeak-ng"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	dir, err := os.MkdirTemp("", "pa") // t.TempDir is too long a path for a socket
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, speech = filepath.Join(dir, "native"), filepath.Join(dir, "speech.wav")
	must(t, exec.CommandContext(t.Context(), "espeak-ng", "-w", speech, "Between us there is nothing but air. The quick brown fox jumps over the lazy dog.").Run())
	for _, k := range []string{"RUNTIME", "STATE", "CONFIG"} {
		t.Setenv("PULSE_"+k+"_PATH", dir)
	}
	t.Setenv("PULSE_SERVER", "unix:"+socket)
	args := []string{
		"-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--log-level=error",
		"-L", "module-native-protocol-unix socket=" + socket + " auth-anonymous=1",
	}
	for _, cable := range []string{"mic1", "spk1", "mic2", "spk2"} {
		args = append(args, "-L", "module-null-sink sink_name="+cable+" rate=48000 channels=1 channel_map=mono norewinds=1")
	}
	start(t, exec.Command("pulseaudio", args...))
	eventually(t, "the sound server answers", func() bool { return exec.CommandContext(t.Context(), "pactl", "info").Run() == nil })
	return socket, speech
}
