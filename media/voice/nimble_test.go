package voice_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/voice"
)

// nimble is an ear that takes half a tick at a time.
type nimble struct{ *ear }

const half = media.Tick / 2

func (nimble) Piece() int { return half }

func (n nimble) Write(piece []float32) error {
	time.Sleep(media.Duration(len(piece)))
	n.ear.mu.Lock()
	defer n.ear.mu.Unlock()
	n.ear.heard = append(n.ear.heard, piece...)
	return nil
}

// Packets come 4 ms before a bite, which is too short to be relied upon: they wait
// for the next, 14 ms where bites are ticks and 9 where they are halves.
func TestNoSoundWaitsForTheOtherHalfOfATick(t *testing.T) {
	onset := map[bool]int{}
	for _, halves := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			line := newShim(6*time.Millisecond, 0, 0)
			ann := newPerson(t, line, nil)
			bob := newPerson(t, newShim(0, 0, 0), func(c *voice.Config) {
				if e := c.Speaker.(*ear); halves {
					c.Speaker = nimble{e}
				}
			})
			line.to = bob.Engine
			stop := run(t, ann, bob)
			pass(4 * time.Second) // the buffer finds out how good the line is
			ann.mouth.say(tone(2 * time.Second))
			pass(time.Second)
			s := bob.Stats()
			stop()
			if got := s.TotalSamplesDuration; got < 4.9 || got > 5.1 {
				t.Errorf("after 5 s the ear was given %.2f s", got)
			}
			for i, v := range bob.ear.heard {
				if v > 0.05 {
					onset[halves] = i
					break
				}
			}
		})
	}
	if sooner := onset[false] - onset[true]; onset[true] == 0 || sooner < media.Tick*4/10 || sooner > media.Tick*6/10 {
		t.Errorf("the tone begins at sample %d, in halves at %d", onset[false], onset[true])
	}
}
