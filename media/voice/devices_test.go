package voice_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// circle is a call in which what bob says goes through ann's loudspeaker and
// microphone, on a sound server of their own, back to his ear.
type circle struct {
	*pulse
	ann, bob *person
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	c := &circle{pulse: startPulse(t, "wire norewinds=1", "house norewinds=1 sink_properties=device.description=house")}
	c.pactl(t, "load-module", "module-null-source", "source_name=quiet") // so that a cable that is chosen is meant
	c.join(t, "pulse:wire.monitor,wire")
	c.wantHeard(t, "at first")
	c.ann.wantNoNotice(t)
	return c
}

// join begins the call, with these devices for ann. Bob does not stop speaking.
func (c *circle) join(t *testing.T, text string) {
	t.Helper()
	spec, err := device.ParseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	mic, speaker, err := spec.Expect()
	if err != nil {
		t.Fatal(err)
	}
	c.ann = newPerson(t, quietLAN(), func(c *voice.Config) { c.Mic, c.Speaker = mic, speaker })
	c.bob = newPerson(t, quietLAN(), nil)
	c.ann.line.to, c.bob.line.to = c.bob.Engine, c.ann.Engine
	t.Cleanup(run(t, c.ann, c.bob))
	c.bob.mouth.say(tone(2 * time.Minute))
}

// plug brings a microphone that hears a loudspeaker.
func (c *circle) plug(t *testing.T, mic, loudspeaker string) {
	t.Helper()
	c.pactl(t, "load-module", "module-remap-source", "source_name="+mic, "master="+loudspeaker+".monitor", "source_properties=device.description="+mic)
}

// wantHeard waits until bob hears himself.
func (c *circle) wantHeard(t *testing.T, when string) {
	t.Helper()
	var level float64
	for range 200 {
		if level = media.Level(c.bob.ear.last(300 * time.Millisecond)); level > -27 {
			return
		}
		sleep(t, 50*time.Millisecond)
	}
	t.Fatalf("%s: nothing is heard, %.0f dBFS", when, level)
}

func (c *circle) pactl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("pactl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("pactl %v: %v: %s", args, err, out)
	}
	return string(out)
}

func TestACallOutlivesItsSoundServer(t *testing.T) {
	slowly(t)
	c := newCircle(t)
	c.stop()
	c.ann.wantNotice(t, voice.MicrophoneLost, 5*time.Second)
	c.ann.wantNotice(t, voice.SpeakerLost, 5*time.Second)
	before := c.bob.Stats().PacketsReceived
	sleep(t, time.Second)
	if n := c.bob.Stats().PacketsReceived - before; n < 30 {
		t.Errorf("%d packets in a second without a sound server", n)
	}
	c.start()
	c.ann.wantNotice(t, voice.MicrophoneChanged, 10*time.Second)
	c.ann.wantNotice(t, voice.SpeakerChanged, 10*time.Second)
	c.wantHeard(t, "after the restart")
}

func TestAnUnpluggedDeviceIsReplacedInTheCall(t *testing.T) {
	slowly(t)
	c := newCircle(t)
	c.pactl(t, "set-default-sink", "house")
	c.pactl(t, "set-default-source", "house.monitor")
	for _, module := range strings.Split(c.pactl(t, "list", "short", "modules"), "\n") {
		if strings.Contains(module, "sink_name=wire") {
			c.pactl(t, "unload-module", strings.Fields(module)[0])
		}
	}
	for _, kind := range []voice.NoticeKind{voice.MicrophoneChanged, voice.SpeakerChanged} {
		if n := c.ann.wantNotice(t, kind, 5*time.Second); !strings.Contains(n.Device, "house") {
			t.Errorf("%s: to %q", kind, n.Device)
		}
	}
	c.wantHeard(t, "on the default devices")
	c.pactl(t, append([]string{"load-module"}, cable("wire norewinds=1")...)...)
	c.ann.wantNotice(t, voice.MicrophoneChanged, 10*time.Second)
	c.ann.wantNotice(t, voice.SpeakerChanged, 10*time.Second)
	c.wantHeard(t, "back on the chosen devices")
}

func TestAMicrophoneTurnedAllTheWayIsTold(t *testing.T) {
	slowly(t)
	c := newCircle(t)
	c.pactl(t, "set-source-volume", "wire.monitor", "500%")
	c.ann.wantNotice(t, voice.MicrophoneClips, 5*time.Second)
	c.pactl(t, "set-source-volume", "wire.monitor", "0")
	c.ann.wantNotice(t, voice.MicrophoneSilent, 10*time.Second)
	c.pactl(t, "set-source-volume", "wire.monitor", "100%")
	c.wantHeard(t, "at an ordinary loudness")
}

func TestWithoutAMicrophoneOneHearsAndOneThatComesIsTaken(t *testing.T) {
	slowly(t)
	c := &circle{pulse: startPulse(t, "house norewinds=1")}
	c.join(t, "system")
	if n := c.ann.wantNotice(t, voice.MicrophoneAbsent, 5*time.Second); n.Err == nil {
		t.Error("nothing says why")
	}
	room, err := device.Spec{Scheme: "pulse", Mic: "house.monitor"}.OpenMic()
	if err != nil {
		t.Fatal(err)
	}
	defer room.Close()
	heard := make([]float32, 0, media.Rate)
	for tick := make([]float32, media.Tick); len(heard) < media.Rate; heard = append(heard, tick...) {
		if err := room.Read(tick); err != nil {
			t.Fatal(err)
		}
	}
	if level := media.Level(heard); level < -27 {
		t.Errorf("ann's loudspeaker plays %.0f dBFS", level)
	}
	if level := media.Level(c.bob.ear.last(300 * time.Millisecond)); level > -60 {
		t.Errorf("bob hears himself at %.0f dBFS: what the loudspeaker plays is taken for a microphone", level)
	}
	c.plug(t, "headset", "house")
	if n := c.ann.wantNotice(t, voice.MicrophoneChanged, 5*time.Second); !strings.Contains(n.Device, "headset") {
		t.Errorf("the microphone is now %q", n.Device)
	}
	c.wantHeard(t, "with the new microphone")
}

// A sound server suspends a device that another program holds.
func TestADeviceThatIsHeldByOthersIsTakenWhenItIsFree(t *testing.T) {
	slowly(t)
	c := &circle{pulse: startPulse(t, "house norewinds=1")}
	c.plug(t, "headset", "house")
	c.pactl(t, "suspend-source", "headset", "1")
	c.pactl(t, "suspend-sink", "house", "1")
	c.join(t, "system")
	c.ann.wantNotice(t, voice.MicrophoneBusy, 5*time.Second)
	c.ann.wantNotice(t, voice.SpeakerBusy, 5*time.Second)
	c.pactl(t, "suspend-sink", "house", "0")
	c.ann.wantNotice(t, voice.SpeakerChanged, 5*time.Second)
	c.pactl(t, "suspend-source", "headset", "0")
	c.ann.wantNotice(t, voice.MicrophoneChanged, 5*time.Second)
	c.wantHeard(t, "when both are free")
	c.pactl(t, "suspend-source", "headset", "1")
	c.ann.wantNotice(t, voice.MicrophoneBusy, 5*time.Second)
	c.pactl(t, "suspend-source", "headset", "0")
	c.ann.wantNotice(t, voice.MicrophoneChanged, 5*time.Second)
	c.wantHeard(t, "when it is free again")
}

func TestALoudspeakerTurnedAllTheWayDownIsOnlySilent(t *testing.T) {
	slowly(t)
	c := newCircle(t)
	c.pactl(t, "set-sink-volume", "wire", "0")
	c.ann.wantNotice(t, voice.MicrophoneSilent, 10*time.Second) // it hears nothing else here
	before := c.bob.Stats().PacketsReceived
	sleep(t, time.Second)
	if n := c.bob.Stats().PacketsReceived - before; n < 30 {
		t.Errorf("%d packets in a second", n)
	}
	c.pactl(t, "set-sink-volume", "wire", "100%")
	c.wantHeard(t, "at an ordinary loudness")
	c.ann.wantNoNotice(t)
}
