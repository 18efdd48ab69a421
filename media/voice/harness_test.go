package voice_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
)

// The harness measures two engines in two processes that talk over UDP on this
// machine, with virtual sound cards of a PulseAudio of their own. It takes
// minutes, so it runs only with ENTRENOUS_VOICE=1, which gives medians, or, in less
// than a minute, ENTRENOUS_VOICE=short: that one fails only where no sound arrives or an echo
// comes back, however loaded the machine is. Where it may, it gives all
// of them real-time priority, so that what else the machine does is not measured.

// scenario is one kind of call and what it should reach.
type scenario struct {
	name   string
	peer   peerConfig
	p95    float64 // ms from mouth to ear, 0 for no target
	stoi   float64
	cpu    float64 // percent of a core and side
	chirps int
}

func scenarios() []scenario {
	return []scenario{
		{name: "default on a LAN", peer: peerConfig{LAN: true, Headphones: true}, p95: 50, stoi: 0.99, cpu: 6, chirps: 30},
		{name: "everything on", peer: peerConfig{LAN: true, Clean: true}, p95: 65, cpu: 6, chirps: 30},
		{name: "low latency", peer: peerConfig{LAN: true, Headphones: true, Low: true}, p95: 35, cpu: 6, chirps: 30},
		{name: "frames of 20 ms", peer: peerConfig{Headphones: true}, stoi: 0.99, cpu: 6, chirps: 15},
		{name: "10 % loss", peer: peerConfig{Headphones: true, Loss: 0.1}, stoi: 0.97, cpu: 6, chirps: 15},
	}
}

func TestTheHarness(t *testing.T) {
	mode := os.Getenv("ENTRENOUS_VOICE")
	if mode == "" {
		t.Skip("set ENTRENOUS_VOICE=1 to measure calls on virtual sound cards")
	}
	p := startPulse(t, "mic1", "spk1", "mic2", "spk2")
	p.keepAwake()
	defer p.echo(t)
	t.Logf("%-18s %9s %9s %7s | %7s %6s | %6s %6s | %s", "call", "p50 ms", "p95 ms", "target", "STOI", "target", "CPU %", "target", "RSS MiB, heard by the engine")
	for i, s := range scenarios() {
		if mode == "short" {
			s.chirps = 8
		}
		if mode == "short" && i > 0 {
			break
		}
		if only := os.Getenv("ENTRENOUS_VOICE_ONLY"); only != "" && !strings.Contains(s.name, only) {
			continue
		}
		if mode == "short" {
			measure(t, p, s)
		} else {
			often(t, p, s)
		}
	}
}

// often measures until three times nothing but the call was measured, five times
// at most, and prints the medians: of those, or of all where there are fewer.
func often(t *testing.T, p *pulse, s scenario) {
	t.Helper()
	var calm, all []figures
	for len(calm) < 3 && len(all) < 5 {
		f := measure(t, p, s)
		all = append(all, f)
		if f.still < stillness {
			calm = append(calm, f)
		}
	}
	if len(calm) < 3 {
		calm = all
	}
	median := func(of func(figures) float64) float64 {
		var v []float64
		for _, f := range calm {
			v = append(v, of(f))
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	t.Logf("%-18s %9.1f %9.1f %7s | %7.4f %6s | %6.2f %6s | medians of %d\n", s.name,
		median(func(f figures) float64 { return f.p50 }), median(func(f figures) float64 { return f.p95 }), target(s.p95),
		median(func(f figures) float64 { return f.stoi }), target(s.stoi), median(func(f figures) float64 { return f.cpu }), target(s.cpu), len(calm))
}

// figures are what one measurement gives.
type figures struct {
	p50, p95  float64 // ms from mouth to ear
	stoi, cpu float64
	still     time.Duration // the longest time in which the machine ran nothing
}

// stillness is for how long the machine may run nothing at all in a
// measurement. A virtual one is stopped by its host for 100 ms now and then:
// such a hole in both sound cards is no call's doing, so it is measured again.
const stillness = 20 * time.Millisecond

// watchStillness finds the longest time in which nothing ran until it is stopped.
func watchStillness() (stop func() time.Duration) {
	done, most := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		var longest time.Duration
		for last := time.Now(); ; {
			select {
			case <-done:
				most <- longest
				return
			case <-tick.C:
				now := time.Now()
				longest, last = max(longest, now.Sub(last)), now
			}
		}
	}()
	return func() time.Duration {
		close(done)
		return <-most
	}
}

// measure prints one line.
func measure(t *testing.T, p *pulse, s scenario) (f figures) {
	t.Helper()
	words := speech()
	long := time.Duration(s.chirps)*chirpEvery + media.Duration(len(words)) + 7*time.Second
	peers := startPeers(t, s.peer, long)
	sleep(t, 3*time.Second)
	said, heard := p.record(t, "mic1.monitor"), p.record(t, "spk2.monitor")
	stop := watchStillness()
	p.play(t, "mic1", append(chirps(s.chirps), words...))
	f.still = stop()
	said.stop()
	heard.stop()
	delays := match(said.find(), heard.find())
	if len(delays) < s.chirps/2 {
		t.Errorf("%s: only %d of %d chirps arrived", s.name, len(delays), s.chirps)
		return f
	}
	slices.Sort(delays)
	f.p50, f.p95 = delays[len(delays)/2], delays[(len(delays)*95+99)/100-1]
	f.stoi = said.clarity(heard, len(words))
	a, b := peers[0].wait(t), peers[1].wait(t)
	f.cpu = max(a.CPU, b.CPU)
	t.Logf("%-18s %9.1f %9.1f %7s | %7.4f %6s | %6.2f %6s | %.0f, jitter %v, mouth to ear %v, concealed %d, stretched +%d -%d, %s, the machine stood still for %v", s.name, f.p50, f.p95, target(s.p95),
		f.stoi, target(s.stoi), f.cpu, target(s.cpu), max(a.RSS, b.RSS),
		b.Stats.JitterDelay.Round(100*time.Microsecond), b.Stats.MouthToEar.Round(100*time.Microsecond), b.Stats.ConcealedSamples,
		b.Stats.InsertedSamplesForDeceleration, b.Stats.RemovedSamplesForAcceleration, b.Stats.Quality, f.still.Round(time.Millisecond))
	return f
}

// echo has the second peer hear its own loudspeaker, as loud as it is, and says
// how much of what the first one says comes back to it once the canceller has
// learnt.
func (p *pulse) echo(t *testing.T) {
	t.Helper()
	words := speech()
	peers := startPeers(t, peerConfig{LAN: true, Echo: true}, 2*media.Duration(len(words))+7*time.Second)
	sleep(t, 3*time.Second)
	heard, back := p.record(t, "spk2.monitor"), p.record(t, "spk1.monitor")
	p.play(t, "mic1", append(append([]float32(nil), words...), words...))
	heard.stop()
	back.stop()
	for _, p := range peers {
		p.wait(t)
	}
	there, here := heard.second(len(words)), back.second(len(words))
	t.Logf("echo: the friend's loudspeaker plays at %.1f dBFS, %.1f dBFS of it come back", there, here)
	switch {
	case there < -35:
		t.Errorf("speech at -20 dBFS is heard at %.1f", there)
	case here > there-15:
		t.Errorf("an echo comes back, only %.1f dB below the voice", there-here)
	}
}

// second is the level of the last seconds that hold the second half of twice n
// samples and what came after.
func (r *recording) second(n int) float64 {
	return media.Level(r.pcm[max(0, len(r.pcm)-n-media.Rate):])
}

func target(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprint(v)
}

func sleep(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test ends")
	case <-time.After(d):
	}
}

const (
	chirpEvery = 350 * time.Millisecond
	chirpLong  = 1920 // samples, 40 ms
)

// chirp sweeps through the band of speech.
func chirp() []float32 {
	x := make([]float32, chirpLong)
	for i := range x {
		t := float64(i) / media.Rate
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/chirpLong)
		x[i] = float32(0.37 * w * math.Sin(2*math.Pi*(400*t+0.5*3000/0.04*t*t)))
	}
	return x
}

// chirps is n of them at uneven intervals, and a second of quiet.
func chirps(n int) []float32 {
	quiet := func(samples int) []float32 { return loud(whisper(samples), -70) }
	out := quiet(media.Rate / 2)
	for i := range n {
		out = append(out, chirp()...)
		out = append(out, quiet(media.Samples(chirpEvery)-chirpLong+i*37%4800-2400)...)
	}
	return append(out, quiet(media.Rate)...)
}

// recording is what parec heard, with the wall time of its first sample: the
// earliest that any of its samples can have come.
type recording struct {
	cmd   *exec.Cmd
	done  sync.WaitGroup
	begin time.Time
	pcm   []float32
	first time.Duration
}

func (p *pulse) record(t *testing.T, source string) *recording {
	t.Helper()
	r := &recording{begin: epoch(), first: math.MaxInt64}
	r.cmd = promptly("parec", "--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=5", "-d", source)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.done.Go(func() {
		buf := make([]byte, 480)
		for {
			n, err := out.Read(buf)
			for i := 0; i+1 < n; i += 2 {
				r.pcm = append(r.pcm, float32(int16(uint16(buf[i])|uint16(buf[i+1])<<8))/32768)
			}
			r.first = min(r.first, time.Since(r.begin)-media.Duration(len(r.pcm)))
			if err != nil {
				return
			}
		}
	})
	return r
}

var epoch = sync.OnceValue(time.Now)

func (r *recording) stop() {
	_ = r.cmd.Process.Kill()
	r.done.Wait()
	_ = r.cmd.Wait()
}

// find says when chirps were heard, in ms.
func (r *recording) find() []float64 {
	c := chirp()
	energy := media.Energy(c)
	scores := make([]float64, max(0, (len(r.pcm)-len(c))/4))
	for i := range scores {
		sum := 0.0
		for k := 0; k < len(c); k += 3 {
			sum += float64(c[k] * r.pcm[4*i+k])
		}
		scores[i] = math.Abs(sum) * 3 / energy
	}
	var at []float64
	const reach = 1800 // 150 ms
	for i, s := range scores {
		if s > 0.25 && s >= slices.Max(scores[max(0, i-reach):min(len(scores), i+reach)]) {
			at = append(at, float64(4*i)/48+float64(r.first)/1e6)
		}
	}
	return at
}

// match pairs chirps said with those heard within 300 ms.
func match(said, heard []float64) (delays []float64) {
	for _, a := range said {
		for _, b := range heard {
			if b > a-5 && b < a+300 {
				delays = append(delays, b-a)
				break
			}
		}
	}
	return delays
}

// clarity is the intelligibility of the last n samples said, but for the rumble
// that is taken away on purpose.
func (r *recording) clarity(heard *recording, n int) float64 {
	after, _ := align(speech(), r.pcm, len(r.pcm)-n)
	said := filtered(after[:min(n, len(after))])
	from := len(r.pcm) - len(after) + media.Samples(r.first-heard.first)
	if from < 0 || from >= len(heard.pcm) {
		return 0
	}
	got := heard.pcm[from:]
	_, late := align(said, got, media.Rate/2)
	return stoi(said, follow(said, got, late, media.Rate/4))
}

// play plays pcm into a sink and waits until it has been heard.
func (p *pulse) play(t *testing.T, sink string, pcm []float32) {
	t.Helper()
	raw := make([]byte, 0, 2*len(pcm))
	for _, v := range append(pcm, make([]float32, media.Rate)...) {
		i := int16(v * 32767)
		raw = append(raw, byte(i), byte(uint16(i)>>8))
	}
	cmd := promptly("pacat", "--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=20", "-d", sink)
	cmd.Stdin = bytes.NewReader(raw)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

// peer is an engine in a process of its own.
type peer struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func startPeers(t *testing.T, c peerConfig, long time.Duration) [2]*peer {
	t.Helper()
	ports := freePorts(t)
	var peers [2]*peer
	for i := range peers {
		c := c
		c.Listen, c.Dial = ports[i], ports[1-i]
		c.Spec = fmt.Sprintf("pulse:mic%d.monitor,spk%d", i+1, i+1)
		if c.Echo && i == 1 {
			c.Spec = "pulse:spk2.monitor,spk2"
		}
		c.Seconds = long.Seconds()
		spec, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		p := &peer{cmd: promptly(os.Args[0], "-test.run=^TestAPeerOfTheHarness$", "-test.v")}
		p.cmd.Env = append(os.Environ(), "ENTRENOUS_VOICE_PEER="+string(spec))
		p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		peers[i] = p
	}
	return peers
}

func (p *peer) wait(t *testing.T) (r peerReport) {
	t.Helper()
	err := p.cmd.Wait()
	_, line, ok := strings.Cut(p.out.String(), "REPORT ")
	line, _, _ = strings.Cut(line, "\n")
	if err != nil || !ok || json.Unmarshal([]byte(line), &r) != nil {
		t.Fatalf("peer: %v\n%s", err, p.out.String())
	}
	return r
}
