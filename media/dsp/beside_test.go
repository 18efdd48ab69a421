package dsp_test

import (
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
)

// The library runs on stacks that are not Go's: whatever looks at stacks or stops
// goroutines meanwhile must not mind.
func TestFourCallsAreCleanedWhileGarbageIsCollectedAndAProfileTaken(t *testing.T) {
	if err := pprof.StartCPUProfile(new(nowhere)); err != nil {
		t.Skip("somebody else profiles:", err)
	}
	defer pprof.StopCPUProfile()

	ends := make(chan struct{})
	var others, calls sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-ends:
				return
			case <-time.After(time.Millisecond):
				runtime.GC()
				runtime.Stack(make([]byte, 1<<16), true)
			}
		}
	})
	for range 4 {
		calls.Go(func() { clean(t, 300) })
	}
	calls.Wait()
	close(ends)
	others.Wait()
}

// clean has a chain clean so many ticks, from a depth where Go's stack has to grow.
func clean(t *testing.T, ticks int) {
	c, err := dsp.New(dsp.Config{Noise: dsp.NoiseModerate})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for i := range ticks {
		if err := deep(c, i, i%64); err != nil {
			t.Error(err)
			return
		}
	}
}

func deep(c *dsp.Chain, tick, depth int) error {
	var sound [media.Tick]float32
	if depth > 0 {
		return deep(c, tick, depth-1)
	}
	for i := range sound {
		sound[i] = 0.3 * float32((i*7919+tick*104729)%2000-1000) / 1000
	}
	c.Far(sound[:])
	return c.Near(sound[:])
}

type nowhere struct{}

func (*nowhere) Write(b []byte) (int, error) { return len(b), nil }
