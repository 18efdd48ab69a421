package opus

import (
	"math"
	"testing"

	"github.com/entrenous/entrenous/media"
)

// broken is a live decoder that panics from the given call on.
type broken struct {
	decoding
	calls int
}

func (b *broken) decode(packet []byte, pcm []float32) (int, error) {
	if b.calls--; b.calls < 0 {
		panic("index out of range")
	}
	return b.decoding.decode(packet, pcm)
}

func (b *broken) recover(packet []byte, pcm []float32) (int, error) {
	return b.decode(packet, pcm)
}

func TestTheCallGoesOnWhenTheLiveDecoderPanics(t *testing.T) {
	e, err := NewEncoder(Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	d.codec = &broken{d.codec, 20}
	x, packet, pcm := make([]float32, media.Frame), make([]byte, MaxPacket), make([]float32, MaxSamples)
	for i := range 60 {
		for k := range x {
			x[k] = float32(0.3 * math.Sin(2*math.Pi*300*float64(i*media.Frame+k)/media.Rate))
		}
		n, err := e.Encode(x, packet)
		if err != nil {
			t.Fatal(err)
		}
		n, err = d.Decode(packet[:n], pcm)
		if err != nil || n != media.Frame {
			t.Fatalf("frame %d: %d samples, %v", i, n, err)
		}
		if level := media.Level(pcm[:n]); i > 25 && math.Abs(level-media.Level(x)) > 2 {
			t.Errorf("frame %d is at %.1f dBFS", i, level)
		}
	}
	if err := d.Conceal(pcm[:media.Frame]); err != nil || media.Level(pcm[:media.Frame]) < -40 {
		t.Errorf("nothing was concealed by the spare: %v", err)
	}
	if ok, err := d.DecodeFEC(packet[:80], pcm[:media.Frame]); ok || err != nil {
		t.Errorf("the spare recovered a frame: %v, %v", ok, err)
	}
}

// mute is an encoder that panics once.
type mute struct{ encoding }

func (m mute) encode([]float32, []byte) (int, error) { panic("nil map") }

func TestTheCallGoesOnWhenTheEncoderPanics(t *testing.T) {
	e, err := NewEncoder(Config{Bitrate: 24000})
	if err != nil {
		t.Fatal(err)
	}
	e.codec = mute{e.codec}
	packet := make([]byte, MaxPacket)
	if _, err := e.Encode(make([]float32, media.Frame), packet); err == nil {
		t.Error("a panic went unnoticed")
	}
	if n, err := e.Encode(make([]float32, media.Frame), packet); err != nil || n != 60 {
		t.Errorf("the frame after: %d bytes, %v", n, err)
	}
}
