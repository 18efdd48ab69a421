package voice_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/dsp"
	"github.com/entrenous/entrenous/media/voice"
)

// room lets the microphone hear the loudspeaker, later and quieter.
type room struct {
	mu    sync.Mutex
	air   []float32
	gain  float32
	heard *ear
	said  *mouth
}

func newRoom(delay time.Duration, gain float32) *room {
	return &room{air: make([]float32, media.Samples(delay)), gain: gain, heard: newEar(), said: newMouth(nil)}
}

// roomEar and roomMouth are the devices in it.
type (
	roomEar   struct{ *room }
	roomMouth struct{ *room }
)

func (r roomEar) Write(tick []float32) error {
	err := r.heard.Write(tick)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.air = append(r.air, tick...)
	return err
}

func (r roomMouth) Read(tick []float32) error {
	err := r.said.Read(tick)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(tick), len(r.air))
	for i, v := range r.air[:n] {
		tick[i] += r.gain * v
	}
	r.air = r.air[n:]
	return err
}

func (r roomEar) Latency() time.Duration   { return 10 * time.Millisecond }
func (r roomEar) Name() string             { return "a loudspeaker" }
func (r roomEar) Close() error             { return r.heard.Close() }
func (r roomMouth) Latency() time.Duration { return 10 * time.Millisecond }
func (r roomMouth) Name() string           { return "a microphone" }
func (r roomMouth) Close() error           { return r.said.Close() }

// tested runs an echo test in a room, speaking when asked to.
func tested(t *testing.T, delay time.Duration, gain float32, change func(*voice.EchoTestConfig)) (report voice.EchoReport, steps []voice.EchoStep, heard []float32) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(delay, gain)
		cfg := voice.EchoTestConfig{Mic: roomMouth{r}, Speaker: roomEar{r}, Step: func(s voice.EchoStep) {
			steps = append(steps, s)
			if s == voice.EchoRecords {
				r.said.say(append(make([]float32, media.Rate), speech()...))
			}
		}}
		if change != nil {
			change(&cfg)
		}
		var err error
		if report, err = voice.EchoTest(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		heard = r.heard.heard
	})
	return report, steps, heard
}

func TestTheEchoTestMeasuresARoom(t *testing.T) {
	slowly(t)
	if dsp.CancellerName() == "" {
		t.Skip("no canceller in this build")
	}
	report, steps, played := tested(t, 80*time.Millisecond, 0.3, func(c *voice.EchoTestConfig) { c.Speak = 10 * time.Second })
	if !slices.Equal(steps, []voice.EchoStep{voice.EchoListens, voice.EchoRecords, voice.EchoPlayback}) {
		t.Errorf("steps %v", steps)
	}
	if !report.Heard || report.Delay < 70*time.Millisecond || report.Delay > 110*time.Millisecond {
		t.Errorf("heard %v, delay %v instead of some 90 ms", report.Heard, report.Delay)
	}
	if report.Room < 8 || report.Room > 13 {
		t.Errorf("the room takes %.1f dB instead of 10.5", report.Room)
	}
	if report.EchoReturn < report.Room+10 {
		t.Errorf("the canceller takes the echo from %.1f to %.1f dB only", report.Room, report.EchoReturn)
	}
	if report.Voice < -30 || report.Concealed > 0.02 {
		t.Errorf("voice at %.1f dBFS, %.3f made up", report.Voice, report.Concealed)
	}
	if got := report.Findings(); got[0] == voice.EchoNone || got[1] != voice.VoiceFine {
		t.Errorf("finds %q", got)
	}
	said := speech()
	heard, _ := align(said, played, len(played)-len(said))
	if q := stoi(said, heard); q < 0.8 {
		t.Errorf("the playback is understood by %.3f", q)
	}
}

func TestWithHeadphonesNoEchoIsFound(t *testing.T) {
	report, _, _ := tested(t, 0, 0, func(c *voice.EchoTestConfig) { c.Listen, c.Headphones = time.Second, true })
	if got := report.Findings(); report.Heard || got[0] != voice.EchoNone {
		t.Errorf("finds %q", got)
	}
}

func TestWhatWasSaidIsHeardAfterALongerSound(t *testing.T) {
	report, _, _ := tested(t, 0, 0, func(c *voice.EchoTestConfig) {
		c.Listen, c.Speak, c.Headphones = 2*time.Second, time.Second, true
	})
	if report.Concealed > 0.05 || report.Quality < voice.QualityGood {
		t.Errorf("%.3f of the playback made up: %v", report.Concealed, report.Quality)
	}
}

func TestTheEchoTestShowsABadLine(t *testing.T) {
	slowly(t)
	report, _, _ := tested(t, 0, 0, func(c *voice.EchoTestConfig) {
		c.Listen, c.Loss, c.Delay = 100*time.Millisecond, 0.4, 300*time.Millisecond
	})
	if report.Concealed < 0.05 || report.MouthToEar < 300*time.Millisecond || report.Quality > voice.QualityPoor {
		t.Errorf("%.3f made up, %v, %v", report.Concealed, report.MouthToEar, report.Quality)
	}
}

func TestAnEchoTestCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r := newRoom(0, 0)
		_, err := voice.EchoTest(ctx, voice.EchoTestConfig{Mic: roomMouth{r}, Speaker: roomEar{r}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := r.said.Read(make([]float32, media.Tick)); !errors.Is(err, device.ErrClosed) {
			t.Errorf("the microphone gives %v", err)
		}
	})
}

func TestAnEchoTestWithoutDevicesSaysSo(t *testing.T) {
	if _, err := voice.EchoTest(t.Context(), voice.EchoTestConfig{}); err == nil {
		t.Error("no error")
	}
}

func TestFindingsFollowFromTheFigures(t *testing.T) {
	for want, r := range map[voice.Finding]voice.EchoReport{
		voice.EchoGood:    {Heard: true, EchoReturn: 38},
		voice.EchoFair:    {Heard: true, EchoReturn: 20},
		voice.EchoBad:     {Heard: true, EchoReturn: 5},
		voice.EchoNone:    {EchoReturn: 5},
		voice.VoiceSilent: {Voice: -90},
		voice.VoiceQuiet:  {Voice: -50},
		voice.VoiceLoud:   {Voice: -1},
		voice.VoiceNoisy:  {Voice: -20, Noise: -30},
		voice.VoiceFine:   {Voice: -20, Noise: -70},
		voice.WayHere:     {},
	} {
		if got := r.Findings(); !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	for want, back := range map[voice.Finding]time.Duration{
		voice.ReturnNone: 0, voice.ReturnGood: 200 * time.Millisecond, voice.ReturnSlow: time.Second,
	} {
		if got := (voice.EchoReport{Return: back}).FarFindings(); !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if !(voice.EchoReport{Voice: -20}).Good() || (voice.EchoReport{Voice: -50}).Good() || (voice.EchoReport{Voice: -20, Heard: true, EchoReturn: 20}).Good() {
		t.Error("good and bad are mixed up")
	}
}

// line carries packets to an engine that returns them, with a delay each way.
func line(t *testing.T, delay time.Duration) *voice.Line {
	t.Helper()
	type due struct {
		p  *rtp.Packet
		at time.Time
	}
	there, back := make(chan due, 1000), make(chan due, 1000)
	far, err := voice.NewReturn(voice.Config{PayloadType: 96, Send: func(p *rtp.Packet) error {
		back <- due{p, time.Now().Add(delay)}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	wait := func(ctx context.Context, d due) {
		select {
		case <-time.After(time.Until(d.at)):
		case <-ctx.Done():
		}
	}
	carry := func(ctx context.Context) {
		for {
			select {
			case d := <-there:
				wait(ctx, d)
				far.Receive(d.p, time.Now())
			case <-ctx.Done():
				return
			}
		}
	}
	var once sync.Once
	return &voice.Line{
		Send: func(p *rtp.Packet) error {
			there <- due{p, time.Now().Add(delay)}
			return nil
		},
		Receive: func(ctx context.Context) (*rtp.Packet, time.Time, error) {
			once.Do(func() {
				go carry(ctx)
				go func() { _ = far.Run(ctx) }()
			})
			select {
			case d := <-back:
				wait(ctx, d)
				return d.p, time.Now(), nil
			case <-ctx.Done():
				return nil, time.Time{}, ctx.Err()
			}
		},
		Network: func() (float64, time.Duration) { return 0, 2 * delay },
	}
}

func TestTheEchoTestOverALineMeasuresTheWayBack(t *testing.T) {
	slowly(t)
	report, _, played := tested(t, 0, 0, func(c *voice.EchoTestConfig) {
		c.Listen, c.Speak, c.Headphones = time.Second, 4*time.Second, true
		c.Line = line(t, 40*time.Millisecond)
	})
	if report.Return < 80*time.Millisecond || report.Return > 250*time.Millisecond {
		t.Errorf("sound was under way for %v, over a line of 80 ms and two machines", report.Return)
	}
	if level := media.Level(played); level < -50 || report.Concealed > 0.05 {
		t.Errorf("heard at %.0f dBFS, %.3f made up", level, report.Concealed)
	}
}

func TestAnEchoTestOverADeadLineSaysThatNothingCameBack(t *testing.T) {
	report, _, _ := tested(t, 0, 0, func(c *voice.EchoTestConfig) {
		c.Listen, c.Speak, c.Headphones = 100*time.Millisecond, 100*time.Millisecond, true
		c.Line = &voice.Line{
			Send: func(*rtp.Packet) error { return errors.New("no way") },
			Receive: func(ctx context.Context) (*rtp.Packet, time.Time, error) {
				<-ctx.Done()
				return nil, time.Time{}, ctx.Err()
			},
			Network: func() (float64, time.Duration) { return 1, 0 },
		}
	})
	if report.Return != 0 || report.FarFindings()[2] != voice.ReturnNone {
		t.Errorf("returned after %v", report.Return)
	}
}
