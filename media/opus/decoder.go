package opus

import (
	"errors"
	"fmt"

	pion "github.com/pion/opus"

	"github.com/entrenous/entrenous/media"
)

// Decoder turns packets into sound. Packets may come from anyone: none makes
// it panic, and what it returns is within [-1, 1]. It is not safe for
// concurrent use.
type Decoder struct {
	codec  decoding // nil once it has panicked
	spare  pion.Decoder
	recent []float32 // up to one frame that was decoded last, for the spare's concealment
}

// NewDecoder returns a decoder on the best engine of this build.
func NewDecoder() (*Decoder, error) {
	return NewDecoderOn(Engines()[0])
}

// NewDecoderOn returns a decoder on the named engine.
func NewDecoderOn(engine Engine) (*Decoder, error) {
	codec, err := newDecoding(engine)
	if err != nil {
		return nil, fmt.Errorf("new opus decoder: %w", err)
	}
	d := &Decoder{codec: codec, recent: make([]float32, 0, media.Frame)}
	if err := d.spare.Init(media.Rate, 1); err != nil {
		return nil, fmt.Errorf("new spare opus decoder: %w", err)
	}
	return d, nil
}

// Decode decodes packet into pcm, which should have room for MaxSamples, and
// returns the number of samples.
func (d *Decoder) Decode(packet []byte, pcm []float32) (int, error) {
	if len(packet) == 0 || len(packet) > MaxPacket {
		return 0, fmt.Errorf("decode packet of %d bytes: outside 1 to %d", len(packet), MaxPacket)
	}
	n, err := d.live(func(c decoding) (int, error) { return c.decode(packet, pcm) })
	if err != nil {
		var spareErr error
		if n, spareErr = d.standIn(packet, pcm); spareErr != nil {
			return 0, fmt.Errorf("decode packet: %w", errors.Join(err, spareErr))
		}
	}
	d.keep(pcm[:n])
	return n, nil
}

// DecodeFEC fills pcm, as long as the lost frame was, with the copy of it that
// the next packet carries. It returns false, and pcm holds concealment instead,
// if next carries none.
func (d *Decoder) DecodeFEC(next []byte, pcm []float32) (bool, error) {
	if len(next) == 0 || len(next) > MaxPacket || !wholeStep(len(pcm)) {
		return false, d.Conceal(pcm)
	}
	n, err := d.live(func(c decoding) (int, error) {
		if !carriesFEC(next) {
			return 0, errNoCopy
		}
		return c.recover(next, pcm)
	})
	if err != nil || n != len(pcm) {
		return false, d.Conceal(pcm)
	}
	d.keep(pcm)
	return true, nil
}

// Conceal fills pcm, at most MaxSamples in whole steps of 2.5 ms, with a
// continuation of what was decoded last, fading to background noise over some
// 100 ms.
func (d *Decoder) Conceal(pcm []float32) error {
	if !wholeStep(len(pcm)) {
		clear(pcm)
		return fmt.Errorf("conceal %d samples: not in steps of 2.5 ms up to 120", len(pcm))
	}
	n, err := d.live(func(c decoding) (int, error) { return c.decode(nil, pcm) })
	if err != nil || n != len(pcm) {
		d.echo(pcm)
	}
	d.keep(pcm)
	return nil
}

var (
	errNoCodec = errors.New("the live decoder is out of order")
	errNoCopy  = errors.New("the packet carries no copy")
)

// live runs f on the live decoder behind a recover. A decoder that panicked is
// never asked again: its state is unknown and the same peer is still sending.
func (d *Decoder) live(f func(decoding) (int, error)) (n int, err error) {
	if d.codec == nil {
		return 0, errNoCodec
	}
	defer func() {
		if r := recover(); r != nil {
			d.codec = nil
			n, err = 0, fmt.Errorf("live decoder panicked: %v", r)
		}
	}()
	return f(d.codec)
}

// standIn decodes with pion's decoder.
func (d *Decoder) standIn(packet []byte, pcm []float32) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("spare decoder panicked: %v", r)
			d.spare = pion.NewDecoder()
		}
	}()
	return d.spare.DecodeToFloat32(packet, pcm)
}

// keep cleans pcm and remembers its end.
func (d *Decoder) keep(pcm []float32) {
	clip(pcm)
	d.recent = append(d.recent[:0], pcm[max(0, len(pcm)-media.Frame):]...)
}

// echo conceals without a codec: the last sound backwards (so that it goes on
// where it stopped), at half its loudness.
func (d *Decoder) echo(pcm []float32) {
	for i := range pcm {
		pcm[i] = 0
		if i < len(d.recent) {
			pcm[i] = d.recent[len(d.recent)-1-i] / 2
		}
	}
}

// wholeStep says whether a codec can make n samples at once.
func wholeStep(n int) bool {
	return n > 0 && n <= MaxSamples && n%120 == 0
}

// Samples returns how many samples packet says it holds (RFC 6716 §3.1), 0 if
// it is no packet.
func Samples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	frames := 1
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 63)
	}
	n := frames * frameSamples(packet[0]>>3)
	if n > MaxSamples {
		return 0
	}
	return n
}

// frameSamples is the table of RFC 6716 §3.1: SILK 10 to 60 ms, hybrid 10 or
// 20 ms, CELT 2.5 to 20 ms.
func frameSamples(config byte) int {
	switch {
	case config < 12:
		return [...]int{480, 960, 1920, 2880}[config%4]
	case config < 16:
		return [...]int{480, 960}[config%2]
	default:
		return [...]int{120, 240, 480, 960}[config%4]
	}
}
