package jitter_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/jitter"
)

// hush is a Decoder to which every packet is 20 ms of silence.
type hush struct{}

func (hush) Decode(_ []byte, pcm []float32) (int, error) {
	clear(pcm[:media.Frame])
	return media.Frame, nil
}

func (hush) DecodeFEC(_ []byte, pcm []float32) (bool, error) { return false, hush{}.Conceal(pcm) }

func (hush) Conceal(pcm []float32) error {
	clear(pcm)
	return nil
}

func TestAnHourOfSilenceNeitherDriftsNorGrows(t *testing.T) {
	const skew = 100e-6 // the sender's clock is slow: over an hour, by 360 ms
	b := jitter.New(hush{}, jitter.Config{})
	out := make([]float32, media.Tick)
	sent, now := 0, time.Duration(0)
	minute := func() {
		for range 60 * 100 {
			for at := time.Duration(float64(sent) * 20e6 * (1 + skew)); at <= now; {
				b.Push(jitter.Packet{Sequence: uint16(sent), Timestamp: uint32(sent) * media.Frame, Payload: label(sent), Arrival: at})
				sent++
				at = time.Duration(float64(sent) * 20e6 * (1 + skew))
			}
			b.Pull(out, now)
			now += 10 * time.Millisecond
		}
	}
	minute()
	var before, after runtime.MemStats
	runtime.GC() // what is counted is kept, not garbage
	runtime.ReadMemStats(&before)
	first := b.Stats()
	for range 59 {
		minute()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(b)
	s := b.Stats()
	late := (s.JitterBufferDelay - first.JitterBufferDelay) / time.Duration(s.JitterBufferEmittedCount-first.JitterBufferEmittedCount)
	if late > 25*time.Millisecond || s.PacketsDiscarded > 0 || s.PacketsLost > 0 {
		t.Errorf("after an hour: %v late, %d packets dropped, %d lost", late, s.PacketsDiscarded, s.PacketsLost)
	}
	if made := s.ConcealedSamples - s.SilentConcealedSamples; made > s.TotalSamplesReceived/1000 {
		t.Errorf("%d of %d samples made up", made, s.TotalSamplesReceived)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("grown by %d bytes", grown)
	}
}
