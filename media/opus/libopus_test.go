//go:build libopus && cgo

package opus_test

import (
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

func TestBothEnginesDecodeTheSameSound(t *testing.T) {
	for _, talker := range opus.Engines() {
		for _, c := range []opus.Config{{}, {Frame: media.Tick}, {Bitrate: 16000}, {Bitrate: 64000, Loss: 20}} {
			c.Engine = talker
			packets := encode(t, c, speech())
			a, b := decodeAll(t, opus.Libopus, packets), decodeAll(t, opus.Gopus, packets)
			if agreement := snr(a, b); agreement < 45 {
				t.Errorf("%+v: the decoders agree to %.1f dB only", c, agreement)
			}
		}
	}
}

func TestBothEnginesRecoverTheSameFrames(t *testing.T) {
	for _, talker := range opus.Engines() {
		packets := encode(t, opus.Config{Engine: talker, Loss: 20}, speech())
		recovered := map[opus.Engine]int{}
		for _, listener := range opus.Engines() {
			d, err := opus.NewDecoderOn(listener)
			if err != nil {
				t.Fatal(err)
			}
			pcm := make([]float32, opus.MaxSamples)
			for i := 0; i+1 < len(packets); i++ {
				if i%4 != 3 {
					if _, err := d.Decode(packets[i], pcm); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if ok, err := d.DecodeFEC(packets[i+1], pcm[:media.Frame]); err == nil && ok {
					recovered[listener]++
				}
			}
		}
		if n := recovered[opus.Libopus]; n < 8 || n != recovered[opus.Gopus] {
			t.Errorf("%s talks: %v frames recovered", talker, recovered)
		}
	}
}
