package voice_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/voice"
)

// dozing is a microphone and a loudspeaker of a machine that stands still now
// and then: neither moves before it is awake.
type dozing struct {
	*mouth
	*ear
	mu    sync.Mutex
	awake time.Time
}

func (d *dozing) doze(long time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.awake = time.Now().Add(long)
}

func (d *dozing) wait() {
	d.mu.Lock()
	left := time.Until(d.awake)
	d.mu.Unlock()
	if left > 0 {
		time.Sleep(left)
	}
}

func (d *dozing) Read(tick []float32) error {
	d.wait()
	return d.mouth.Read(tick)
}

func (d *dozing) Write(tick []float32) error {
	d.wait()
	return d.ear.Write(tick)
}

func (d *dozing) Latency() time.Duration { return 20 * time.Millisecond }
func (d *dozing) Name() string           { return "dozing" }
func (d *dozing) Close() error           { return d.mouth.Close() }

// withADozer is a call of ann, whose machine dozes, and bob.
func withADozer(t *testing.T, f func(t *testing.T, d *dozing, ann, bob *person)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &dozing{mouth: newMouth(nil), ear: newEar()}
		ann := newPerson(t, quietLAN(), func(c *voice.Config) { c.Mic, c.Speaker = d, d })
		bob := newPerson(t, quietLAN(), nil)
		ann.line.to, bob.line.to = bob.Engine, ann.Engine
		defer run(t, ann, bob)()
		f(t, d, ann, bob)
	})
}

func TestAMachineThatSleptGoesOnWithTheCall(t *testing.T) {
	withADozer(t, func(t *testing.T, d *dozing, ann, bob *person) {
		pass(time.Second)
		bob.line.set(1) // nothing reaches a machine that sleeps
		d.doze(30 * time.Second)
		pass(30 * time.Second)
		bob.line.set(0)
		d.mouth.say(long())
		bob.mouth.say(long())
		pass(2 * time.Second)
		bob.wantHeard(t, "ann, who slept", -27, -17)
		if level := media.Level(d.last(500 * time.Millisecond)); level < -27 {
			t.Errorf("ann hears %.1f dBFS after her sleep", level)
		}
		for name, s := range map[string]voice.Stats{"ann": ann.Stats(), "bob": bob.Stats()} {
			if s.JitterDelay > 100*time.Millisecond {
				t.Errorf("%s hears everything %v late", name, s.JitterDelay)
			}
		}
	})
}

func TestAThirdOfTheProcessorStolenIsHeardThrough(t *testing.T) {
	withADozer(t, func(t *testing.T, d *dozing, _, bob *person) {
		d.mouth.say(tone(5 * time.Second))
		for range 40 {
			pass(70 * time.Millisecond)
			d.doze(30 * time.Millisecond)
			pass(30 * time.Millisecond)
		}
		bob.wantHeard(t, "ann, whose machine is busy", -27, -17)
		s := bob.Stats()
		if s.Concealed > 0.02 || s.JitterDelay > 120*time.Millisecond {
			t.Errorf("%.3f of it is made up, and it is %v late", s.Concealed, s.JitterDelay)
		}
	})
}
