package voice_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// headset is a loudspeaker that is worn on the ears.
type headset struct{ *device.Null }

func (headset) Worn() bool   { return true }
func (headset) Name() string { return "headset" }

func TestAHeadsetIsToldOfUntilSomebodySaysWhetherItIsWorn(t *testing.T) {
	for name, c := range map[string]struct {
		worn      bool // on the ears
		on, known bool
		hint      bool
	}{
		"a headset":                  {true, false, false, true},
		"one that is worn":           {true, true, true, false},
		"one that is not worn":       {true, false, true, false},
		"a loudspeaker":              {false, false, false, false},
		"one said to be headphones":  {false, true, true, false},
		"one said to be none at all": {false, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ann := newPerson(t, quietLAN(), func(cfg *voice.Config) {
					cfg.Speaker, cfg.Headphones = device.NewNull(), false
					if c.worn {
						cfg.Speaker = headset{device.NewNull()}
					}
					cfg.Worn = func(string, string) (bool, bool) { return c.on, c.known }
				})
				stop := run(t, ann)
				defer stop()
				pass(time.Second)
				if ann.Wears() != c.on {
					t.Errorf("no echo can come back: %v", ann.Wears())
				}
				stop()
				var hints []voice.Notice
				for n := range ann.Notices() {
					if n.Kind == voice.HeadsetFound {
						hints = append(hints, n)
					}
				}
				if c.hint && !slices.Equal(hints, []voice.Notice{{Kind: voice.HeadsetFound, Device: "headset"}}) || !c.hint && hints != nil {
					t.Errorf("told %v", hints)
				}
			})
		})
	}
}

func TestAnotherLoudspeakerIsNotTakenForHeadphones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := newPerson(t, quietLAN(), func(cfg *voice.Config) {
			cfg.Speaker, cfg.Headphones = headset{device.NewNull()}, false
			cfg.Worn = func(_, speaker string) (bool, bool) { return speaker == "headset", speaker == "headset" }
		})
		stop := run(t, ann)
		defer stop()
		pass(time.Second)
		if !ann.Wears() {
			t.Error("the headset is not remembered")
		}
		if err := ann.Swap(nil, device.NewNull()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if ann.Wears() {
			t.Error("what a loudspeaker plays is not removed")
		}
	})
}
