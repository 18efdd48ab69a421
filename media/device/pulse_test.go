//go:build cgo

package device_test

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// pulse is a private PulseAudio with one virtual cable for each name: what is
// played into sink x is heard on source x.monitor. Without rewinds a cable holds 50 ms, else two seconds.
type pulse struct {
	t     testing.TB
	dir   string
	names []string
	cmds  []*exec.Cmd
}

func startPulse(t testing.TB, names ...string) *pulse {
	t.Helper()
	if _, err := exec.LookPath("pulseaudio"); err != nil {
		t.Skip("pulseaudio is not installed: real devices are not tested")
	}
	dir, err := os.MkdirTemp("", "pa") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	p := &pulse{t: t, dir: dir, names: names}
	for k, v := range map[string]string{"RUNTIME": "run", "STATE": "state", "CONFIG": "cfg"} {
		path := filepath.Join(dir, v)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PULSE_"+k+"_PATH", path)
	}
	t.Setenv("PULSE_SERVER", "unix:"+p.socket())
	t.Cleanup(func() {
		p.stop()
		_ = os.RemoveAll(dir)
	})
	p.start()
	return p
}

func (p *pulse) socket() string { return filepath.Join(p.dir, "native") }

func (p *pulse) start() {
	p.t.Helper()
	args := []string{
		"-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--log-level=error",
		"-L", "module-native-protocol-unix socket=" + p.socket() + " auth-anonymous=1",
	}
	for _, n := range p.names {
		args = append(args, "-L", cable(n))
	}
	p.run(exec.Command("pulseaudio", args...))
	for range 200 {
		if exec.Command("pactl", "info").Run() == nil {
			return
		}
		pause(p.t, 2)
	}
	p.t.Fatal("pulseaudio does not answer")
}

func cable(name string) string {
	return "module-null-sink sink_name=" + name + " rate=48000 channels=1 channel_map=mono norewinds=1"
}

func (p *pulse) run(cmd *exec.Cmd) {
	p.t.Helper()
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmds = append(p.cmds, cmd)
}

// stop ends what was started, by its process, and waits for it.
func (p *pulse) stop() {
	for _, c := range p.cmds {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	p.cmds = nil
}

func (p *pulse) pactl(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("pactl", args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("pactl %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// pause lets ticks of real time pass, at the pace of a fake device.
func pause(t testing.TB, ticks int) {
	t.Helper()
	clock := device.NewNull()
	for range ticks {
		if err := clock.Write(make([]float32, media.Tick)); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, spec string) (device.Mic, device.Speaker) {
	t.Helper()
	mic, speaker, err := device.Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = mic.Close()
		_ = speaker.Close()
	})
	return mic, speaker
}

// hears plays a tone and says whether the microphone hears it within some ticks.
// Errors that mean "call again" are collected.
func hears(t *testing.T, mic device.Mic, speaker device.Speaker, ticks int) (bool, []error) {
	t.Helper()
	out, in := make([]float32, media.Tick), make([]float32, media.Tick)
	var errs []error
	loud := 0
	for k := range ticks {
		for i := range out {
			out[i] = float32(0.25 * math.Sin(2*math.Pi*500*float64(k*media.Tick+i)/media.Rate))
		}
		if err := speaker.Write(out); err != nil {
			errs = append(errs, err)
		}
		if err := mic.Read(in); err != nil {
			errs = append(errs, err)
		}
		if l := media.Level(in); l > -17 && l < -13 {
			loud++
		}
		if loud >= 5 {
			return true, errs
		}
	}
	return false, errs
}

func wantAmong(t *testing.T, errs []error, want error) {
	t.Helper()
	for _, e := range errs {
		if errors.Is(e, want) {
			return
		}
	}
	t.Errorf("no %q among %v", want, errs)
}

func TestSoundRunsThroughARealDevice(t *testing.T) {
	startPulse(t, "wire")
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	if ok, errs := hears(t, mic, speaker, 300); !ok {
		t.Fatalf("nothing heard; %v", errs)
	}
	for _, d := range []time.Duration{mic.Latency(), speaker.Latency()} {
		if d < 5*time.Millisecond || d > 300*time.Millisecond {
			t.Errorf("a latency of %v", d)
		}
	}
	if mic.Name() == "" || speaker.Name() == "" {
		t.Errorf("names %q and %q", mic.Name(), speaker.Name())
	}
}

func TestADeviceKnowsWhatItWentOnWithout(t *testing.T) {
	startPulse(t, "wire")
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	tick := make([]float32, media.Tick)
	for range 20 {
		if err := errors.Join(speaker.Write(tick), mic.Read(tick)); err != nil {
			t.Fatal(err)
		}
	}
	skipped := func(d any) time.Duration { return media.Duration(d.(device.Skipper).Skipped()) }
	skipped(mic)
	skipped(speaker)
	pause(t, 40)   // nobody writes or reads for 400 ms
	for range 12 { // some ticks were here already
		if err := errors.Join(speaker.Write(tick), mic.Read(tick)); err != nil {
			t.Fatal(err)
		}
	}
	if d := skipped(speaker); d < 200*time.Millisecond || d > 2*time.Second {
		t.Errorf("the loudspeaker played %v of silence", d)
	}
	if d := skipped(mic); d < 200*time.Millisecond || d > 2*time.Second {
		t.Errorf("the microphone dropped %v", d)
	}
	if d := skipped(speaker); d > 100*time.Millisecond {
		t.Errorf("the loudspeaker tells twice: %v", d)
	}
}

// driven is a loudspeaker that nobody has to wait for.
type driven interface {
	Driven() bool
	Drive(tick []float32, fill func(tick []float32)) bool
	Sense()
}

func TestWhoComesByOftenKeepsALoudspeakerGoing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sockets are quiet on Linux only")
	}
	startPulse(t, "wire")
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	d, ok := speaker.(driven)
	if !ok {
		t.Fatal("it cannot be driven")
	}
	tick, made := make([]float32, media.Tick), 0
	tone := func(out []float32) {
		for i := range out {
			out[i] = float32(0.25 * math.Sin(2*math.Pi*500*float64(made*media.Tick+i)/media.Rate))
		}
		made++
	}
	for k := 0; !d.Driven(); k++ {
		if k == 300 {
			t.Fatal("it never moves")
		}
		if err := speaker.Write(tick); err != nil {
			t.Fatal(err)
		}
	}
	const visits = 200
	loud := 0
	for i := range visits {
		if err := mic.Read(tick); err != nil {
			t.Fatal(err)
		}
		if i%50 == 25 {
			d.Sense()
		}
		if l := media.Level(tick); l > -17 && l < -13 {
			loud++
		}
		if !d.Drive(tick, tone) {
			if err := speaker.Write(tick); err != nil { // it stood still for long
				t.Fatal(err)
			}
		}
	}
	if made < visits/2 || made > visits+30 { // the device, and how many it wants, is its own
		t.Errorf("in %d visits %d ticks were wanted", visits, made)
	}
	if loud < visits/4 {
		t.Errorf("of %d ticks %d were loud", visits, loud)
	}
	if d.Drive(tick[:1], tone) {
		t.Error("it takes what is no tick")
	}
	if err := speaker.Close(); err != nil {
		t.Error(err)
	}
	if d.Drive(tick, tone) || d.Driven() {
		t.Error("it is driven when it is closed")
	}
}

func TestALoudspeakerOfLowLatencyIsWaitedFor(t *testing.T) {
	startPulse(t, "wire")
	s := parsed(t, "pulse:,wire")
	s.LowLatency = true
	speaker, err := s.OpenSpeaker()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = speaker.Close() })
	for range 50 {
		if err := speaker.Write(make([]float32, media.Tick)); err != nil {
			t.Fatal(err)
		}
	}
	if d, ok := speaker.(driven); ok && d.Driven() {
		t.Error("it is driven, which would be later")
	}
}

func TestDevicesOfAnyRateAndFormatAreHeard(t *testing.T) {
	p := startPulse(t)
	for name, format := range map[string][]string{
		"disc":  {"rate=44100", "channels=2", "format=s16le"},
		"phone": {"rate=8000", "channels=1", "format=s16le"},
		"lab":   {"rate=96000", "channels=2", "format=s24le"},
		"hall":  {"rate=192000", "channels=6", "format=s32be"},
	} {
		p.pactl(append([]string{"load-module", "module-null-sink", "sink_name=" + name, "norewinds=1"}, format...)...)
		mic, speaker := open(t, "pulse:"+name+".monitor,"+name)
		if ok, errs := hears(t, mic, speaker, 300); !ok {
			t.Errorf("%s of %v: nothing heard; %v", name, format, errs)
		}
	}
}

func TestARealDeviceKeepsTheContract(t *testing.T) {
	p := startPulse(t, "wire")
	keepsContract(t, "pulse:wire.monitor,wire")
	if _, err := parsed(t, "system").OpenMic(); !errors.Is(err, device.ErrNoDevice) {
		t.Errorf("what the loudspeaker plays is taken for a microphone: %v", err)
	}
	p.pactl("load-module", "module-null-source", "source_name=mic")
	keepsContract(t, "system")
}

func TestLowLatencyIsSoonerAtTheLoudspeaker(t *testing.T) {
	startPulse(t, "wire")
	latency := map[bool]time.Duration{}
	for _, low := range []bool{false, true} {
		s := parsed(t, "pulse:,wire")
		s.LowLatency = low
		speaker, err := s.OpenSpeaker()
		if err != nil {
			t.Fatal(err)
		}
		latency[low] = speaker.Latency()
		piece := speaker.(device.Nimble).Piece()
		if want := map[bool]int{false: media.Tick, true: media.Tick / 2}[low]; piece != want {
			t.Errorf("it would have %d samples at once instead of %d", piece, want)
		}
		for _, n := range []int{piece, media.Tick, piece - 1} {
			if err := speaker.Write(make([]float32, n)); (err == nil) != (n >= piece) {
				t.Errorf("%d samples: %v", n, err)
			}
		}
		if err := speaker.Close(); err != nil {
			t.Error(err)
		}
	}
	if latency[false] < 20*time.Millisecond || latency[true] != latency[false]/2 {
		t.Errorf("bites of 10 ms twice are %v, with low latency %v", latency[false], latency[true])
	}
}

func TestAMissingDeviceIsNamedInTheError(t *testing.T) {
	startPulse(t, "wire")
	_, _, err := device.Open("pulse:nobody,wire")
	if !errors.Is(err, device.ErrNoDevice) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("got %v", err)
	}
	_, err = parsed(t, "pulse:,elsewhere").OpenSpeaker()
	if !errors.Is(err, device.ErrNoDevice) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutASoundServerThereIsNoDevice(t *testing.T) {
	p := startPulse(t)
	p.stop()
	if _, _, err := device.Open("pulse:,"); !errors.Is(err, device.ErrNoDevice) {
		t.Errorf("got %v", err)
	}
}

func TestTheListShowsDevicesAndTheDefault(t *testing.T) {
	p := startPulse(t, "left", "right")
	p.pactl("set-default-sink", "right")
	infos, err := device.List()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, i := range infos {
		if i.Kind == device.Loudspeaker {
			got[i.ID] = i.Default
		}
	}
	if d, ok := got["left"]; !ok || d {
		t.Errorf("left: there %v, default %v", ok, d)
	}
	if !got["right"] {
		t.Errorf("right is not the default: %v", infos)
	}
}

func TestTwoDevicesOfOneNameAreToldApart(t *testing.T) {
	p := startPulse(t, "house")
	for _, id := range []string{"b", "a"} {
		p.pactl("load-module", "module-null-sink", "sink_name="+id, "sink_properties=device.description=Headset")
	}
	infos, err := device.List()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range infos {
		got[i.ID] = i.Name
	}
	if got["a"] != "Headset (1)" || got["b"] != "Headset (2)" || got["a.monitor"] != "Monitor of Headset (1)" || got["house"] != "Null Output" {
		t.Errorf("got %v", got)
	}
}

func TestAWatchTellsWhatIsPluggedIn(t *testing.T) {
	p := startPulse(t, "house")
	w := device.Watch{Every: 20 * time.Millisecond}
	before, err := w.Next(t.Context())
	if err != nil || len(before) != 2 {
		t.Fatalf("%v, %v", before, err)
	}
	p.pactl("load-module", "module-null-sink", "sink_name=headset")
	for {
		now, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(now, func(i device.Info) bool { return i.ID == "headset" }) {
			return
		}
	}
}

func TestAnUnpluggedDeviceIsReplacedByTheDefaultAndComesBack(t *testing.T) {
	p := startPulse(t, "house")
	p.pactl("set-default-sink", "house")
	p.pactl("load-module", "module-null-source", "source_name=quiet") // so that the cable is meant as a microphone
	p.pactl("set-default-source", "house.monitor")
	module := p.pactl("load-module", "module-null-sink", "sink_name=headset", "rate=48000", "channels=1", "channel_map=mono", "norewinds=1")
	mic, speaker := open(t, "pulse:headset.monitor,headset")
	if ok, errs := hears(t, mic, speaker, 300); !ok {
		t.Fatalf("nothing heard at first; %v", errs)
	}
	p.pactl("unload-module", module)
	ok, errs := hears(t, mic, speaker, 500)
	for i := 0; i < 3 && (len(errs) == 0 || !ok); i++ {
		var more []error
		ok, more = hears(t, mic, speaker, 500)
		errs = append(errs, more...)
	}
	wantAmong(t, errs, device.ErrMoved)
	if !ok {
		t.Fatalf("nothing heard after the headset was unplugged; %v", errs)
	}
	p.pactl("load-module", "module-null-sink", "sink_name=headset", "rate=48000", "channels=1", "channel_map=mono", "norewinds=1")
	errs = nil
	for i := 0; i < 2000 && len(errs) < 2; i++ {
		_, more := hears(t, mic, speaker, 1)
		errs = append(errs, more...)
	}
	if ok, _ := hears(t, mic, speaker, 300); !ok || len(errs) < 2 {
		t.Errorf("back on the headset: heard %v, told %v", ok, errs)
	}
}

func TestACallOutlivesARestartOfTheSoundServer(t *testing.T) {
	p := startPulse(t, "wire")
	outlivesRestart(t, p, p.start, 300, 400)
}

// outlivesRestart stops the server of the cable "wire" while somebody speaks and
// hears, and begins it again; first and again are how many ticks to listen before
// and after.
func outlivesRestart(t *testing.T, p *pulse, begin func(), first, again int) {
	t.Helper()
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	if ok, errs := hears(t, mic, speaker, first); !ok {
		t.Fatalf("nothing heard at first; %v", errs)
	}
	p.stop()
	if ok, errs := hears(t, mic, speaker, 3); ok {
		t.Error("heard without a server")
	} else {
		wantAmong(t, errs, device.ErrLost)
	}
	begin()
	ok, errs := hears(t, mic, speaker, again)
	if !ok {
		t.Fatalf("nothing heard after the restart; %v", errs)
	}
	wantAmong(t, errs, device.ErrMoved)
}

func TestTheDefaultDeviceIsFollowed(t *testing.T) {
	p := startPulse(t, "first", "second")
	p.pactl("set-default-sink", "first")
	speaker, err := parsed(t, "pulse:,").OpenSpeaker()
	if err != nil {
		t.Fatal(err)
	}
	defer speaker.Close()
	mic, err := parsed(t, "pulse:second.monitor,").OpenMic()
	if err != nil {
		t.Fatal(err)
	}
	defer mic.Close()
	if ok, _ := hears(t, mic, speaker, 30); ok {
		t.Fatal("the second sink plays while the first is the default")
	}
	p.pactl("set-default-sink", "second")
	if ok, errs := hears(t, mic, speaker, 500); !ok {
		t.Errorf("the new default plays nothing; %v", errs)
	}
}

func TestAHungSoundServerHoldsNobodyForEver(t *testing.T) {
	p := startPulse(t, "wire")
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	if ok, errs := hears(t, mic, speaker, 300); !ok {
		t.Fatalf("nothing heard at first; %v", errs)
	}
	server := p.cmds[0].Process
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	tick := make([]float32, media.Tick)
	var err error
	for err == nil {
		err = mic.Read(tick)
	}
	if !errors.Is(err, device.ErrLost) {
		t.Errorf("got %v", err)
	}
	_ = mic.Close() // says that the server does not answer
	_ = speaker.Close()
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v to give up", took)
	}
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

func TestTheRingHasItsOwnDevice(t *testing.T) {
	startPulse(t, "headset", "desk")
	_, voice := open(t, "system:headset.monitor,headset")
	ring, err := parsed(t, "system:,desk").OpenSpeaker()
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	onDesk, err := parsed(t, "system:desk.monitor,").OpenMic()
	if err != nil {
		t.Fatal(err)
	}
	defer onDesk.Close()
	if ok, _ := hears(t, onDesk, voice, 30); ok {
		t.Error("the voice is heard on the desk")
	}
	if ok, errs := hears(t, onDesk, ring, 300); !ok {
		t.Errorf("the ring is not heard on the desk: %v", errs)
	}
}

// What sound costs this process: the sound server's own work is not counted.
func BenchmarkRealDevicesForASecond(b *testing.B) {
	startPulse(b, "wire")
	mic, speaker, err := device.Open("pulse:wire.monitor,wire")
	if err != nil {
		b.Fatal(err)
	}
	defer mic.Close()
	defer speaker.Close()
	tick := make([]float32, media.Tick)
	before := cpu(b)
	for b.Loop() {
		for range 100 {
			if err := errors.Join(speaker.Write(tick), mic.Read(tick)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(100*(cpu(b)-before).Seconds()/b.Elapsed().Seconds(), "%core")
}

func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestCloseEndsABlockedReadOfARealDevice(t *testing.T) {
	p := startPulse(t, "wire")
	mic, speaker := open(t, "pulse:wire.monitor,wire")
	p.stop()
	done := make(chan error)
	go func() {
		tick := make([]float32, media.Tick)
		for {
			if err := mic.Read(tick); errors.Is(err, device.ErrClosed) {
				done <- err
				return
			}
		}
	}()
	if err := mic.Close(); err != nil {
		t.Error(err)
	}
	if err := speaker.Close(); err != nil {
		t.Error(err)
	}
	<-done
	if err := speaker.Write(make([]float32, media.Tick)); !errors.Is(err, device.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
}

func TestALoudspeakerKnowsWhetherItIsWorn(t *testing.T) {
	p := startPulse(t)
	for name, c := range map[string]struct {
		properties string
		worn       bool
	}{
		"one": {"device.form_factor=headset", true},
		"two": {"device.form_factor=headphone device.description=Jabra", true},
		"tri": {"device.form_factor=speaker device.description=headset-stand", false},
		"for": {"device.description=USB-Headset", true},
		"fiv": {"device.description=Desk", false},
	} {
		p.pactl("load-module", "module-null-sink", "sink_name="+name, "norewinds=1", "sink_properties="+strconv.Quote(c.properties))
		_, speaker := open(t, "pulse:"+name+".monitor,"+name)
		if got := speaker.(device.Wearable).Worn(); got != c.worn {
			t.Errorf("with %s it is worn: %v", c.properties, got)
		}
	}
}

func TestASoundServerThatIsAwayCostsNoOpenFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("open files are counted on Linux")
	}
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(t.TempDir(), "native"))
	shared := func() (n int) {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.Contains(to, "memfd:pulseaudio") {
				n++
			}
		}
		return n
	}
	before := shared()
	for _, text := range []string{"pulse:here,there", "system"} {
		for range 3 {
			mic, speaker, err := device.Open(text)
			if err == nil { // another sound system is there
				_ = mic.Close()
				_ = speaker.Close()
			} else if !errors.Is(err, device.ErrNoDevice) {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	if n := shared() - before; n > 0 {
		t.Errorf("%d files stay open after six tries", n)
	}
}
