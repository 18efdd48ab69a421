package ui

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// A block is a strip of a fixed height.
type block struct {
	name string
	high float32
}

func (b *block) key() string            { return b.name }
func (b *block) kind() string           { return "block" }
func (b *block) height(float32) float32 { return b.high }

func (b *block) draw(old fyne.CanvasObject) fyne.CanvasObject {
	if old != nil {
		return old
	}
	return &canvas.Rectangle{}
}

func blocks(from, to int, high float32) []strip {
	var all []strip
	for i := from; i < to; i++ {
		all = append(all, &block{fmt.Sprint("b", i), high})
	}
	return all
}

func testReel(foot bool) *reel {
	test.NewApp()
	r := newReel(foot)
	r.Resize(fyne.NewSize(300, 200))
	return r
}

// topOf is where a block stands in the window.
func topOf(t *testing.T, r *reel, key string) float32 {
	t.Helper()
	o, ok := r.drawn[key]
	if !ok {
		t.Fatalf("%s is not in sight", key)
	}
	return o.Position().Y
}

func TestAReelDrawsOnlyWhatIsInSight(t *testing.T) {
	r := testReel(false)
	r.set(blocks(0, 10_000, 30))
	if n := len(r.inView); n > 8 {
		t.Errorf("%d of 10,000 strips are drawn", n)
	}
	r.scrollTo(150_000)
	if y := topOf(t, r, "b5000"); y != 0 {
		t.Errorf("strip 5,000 stands at %v", y)
	}
}

func TestAReelKeepsItsPlaceWhenSomethingIsAdded(t *testing.T) {
	r := testReel(false)
	r.set(blocks(100, 200, 30))
	r.scrollTo(70)
	was := topOf(t, r, "b103")
	for name, with := range map[string][]strip{
		"above":  blocks(0, 200, 30),
		"below":  blocks(100, 300, 30),
		"both":   blocks(50, 250, 30),
		"higher": append(blocks(90, 102, 55), blocks(102, 200, 30)...),
	} {
		r.set(with)
		if now := topOf(t, r, "b103"); now != was {
			t.Errorf("%s: what was at %v is at %v", name, was, now)
		}
	}
}

func TestAReelWithAFootStaysAtItsEnd(t *testing.T) {
	r := testReel(true)
	r.set(blocks(0, 3, 30))
	if y := topOf(t, r, "b2"); y != 170 {
		t.Errorf("few strips stand at %v, not at the foot", y)
	}
	r.set(blocks(0, 50, 30))
	if y := topOf(t, r, "b49"); y != 170 {
		t.Errorf("the last strip stands at %v", y)
	}
	r.Resize(fyne.NewSize(300, 120))
	if y := topOf(t, r, "b49"); y != 90 {
		t.Errorf("in a lower window the last strip stands at %v", y)
	}
	r.scrollTo(r.offset - 300)
	top := r.offset
	r.set(blocks(0, 60, 30))
	if r.offset != top {
		t.Error("what came at the end moved what was being read")
	}
}

func TestAReelScrollsNoFartherThanItsEnds(t *testing.T) {
	r := testReel(true)
	r.set(blocks(0, 50, 30))
	for _, y := range []float32{-1000, 1e6} {
		r.scrollTo(y)
		if r.offset < 0 || r.offset > r.end() {
			t.Errorf("scrolled to %v it stands at %v", y, r.offset)
		}
	}
	r.bar.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, -1e6)})
	if r.offset != 0 {
		t.Errorf("its bar dragged to the top, it stands at %v", r.offset)
	}
}

func TestAReelAsksForMoreNearItsEnds(t *testing.T) {
	r := testReel(false)
	asked := make(map[int]int)
	r.edge = func(side int) { asked[side]++ }
	r.set(blocks(0, 100, 30))
	if asked[-1] == 0 || asked[1] != 0 {
		t.Errorf("at the top it asked for %v", asked)
	}
	clear(asked)
	r.scrollTo(1500)
	if len(asked) != 0 {
		t.Errorf("in the middle it asked for %v", asked)
	}
	r.toEnd()
	if asked[1] == 0 || asked[-1] != 0 {
		t.Errorf("at the end it asked for %v", asked)
	}
}

func TestAReelRevealsWhatIsAskedFor(t *testing.T) {
	r := testReel(false)
	r.set(blocks(0, 1000, 30))
	for _, key := range []string{"b500", "b501", "b498", "b999", "b0", "b7"} {
		r.reveal(key)
		if y := topOf(t, r, key); y < 0 || y > 170 {
			t.Errorf("%s stands at %v", key, y)
		}
	}
	r.reveal("nothing of that name")
}
