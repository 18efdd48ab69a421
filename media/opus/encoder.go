package opus

import (
	"errors"
	"fmt"
)

// Encoder turns frames into packets. It is not safe for concurrent use.
type Encoder struct {
	cfg   Config
	codec encoding
	clean []float32
}

// NewEncoder returns an encoder for c.
func NewEncoder(c Config) (*Encoder, error) {
	e := &Encoder{cfg: c.withDefaults()}
	if err := e.restart(); err != nil {
		return nil, fmt.Errorf("new opus encoder: %w", err)
	}
	return e, nil
}

// Frame returns the number of samples that Encode wants.
func (e *Encoder) Frame() int { return e.cfg.Frame }

// Lookahead is how many samples the encoder looks ahead.
func (e *Encoder) Lookahead() int { return e.cfg.Lookahead() }

// Encode codes one frame of pcm (see Frame) into packet, which should have room
// for MaxPacket bytes, and returns the packet's size. 0 means that nothing
// needs to be sent for this frame; it happens only with SaveBandwidth, in
// silence.
func (e *Encoder) Encode(pcm []float32, packet []byte) (int, error) {
	if len(pcm) != e.cfg.Frame {
		return 0, fmt.Errorf("encode %d samples: a frame is %d", len(pcm), e.cfg.Frame)
	}
	e.clean = append(e.clean[:0], pcm...)
	clip(e.clean)
	n, err := e.guarded(e.clean, packet[:min(len(packet), MaxPacket)])
	if err != nil {
		return 0, fmt.Errorf("encode frame: %w", err)
	}
	if e.cfg.SaveBandwidth && !e.cfg.gapless && n <= 2 {
		return 0, nil // DTX: a packet of one or two bytes need not be sent
	}
	return n, nil
}

// SetBitrate changes the bitrate in bits/s from the next frame on.
func (e *Encoder) SetBitrate(bits int) error {
	c := e.cfg
	c.Bitrate = bits
	return e.change(c)
}

// SetLoss tells the encoder the packet loss to expect, in percent.
func (e *Encoder) SetLoss(percent int) error {
	c := e.cfg
	c.Loss = percent
	return e.change(c)
}

// SetFrame changes the frame to media.Frame or media.Tick samples.
func (e *Encoder) SetFrame(samples int) error {
	c := e.cfg
	c.Frame = samples
	return e.change(c)
}

// SetSaveBandwidth switches between packets of one size and VBR with DTX.
func (e *Encoder) SetSaveBandwidth(on bool) error {
	c := e.cfg
	c.SaveBandwidth = on
	return e.change(c)
}

func (e *Encoder) change(c Config) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("set opus encoder: %w", err)
	}
	if err := e.codec.configure(c); err != nil {
		return fmt.Errorf("set opus encoder: %w", err)
	}
	e.cfg = c
	return nil
}

func (e *Encoder) restart() error {
	if err := e.cfg.check(); err != nil {
		return err
	}
	codec, err := newEncoding(e.cfg)
	if err != nil {
		return err
	}
	e.codec = codec
	return codec.configure(e.cfg)
}

// guarded encodes behind a recover: the codec is not ours, and a call should
// lose a frame by its bugs rather than the process. A codec that panicked is in
// an unknown state, so the next frame meets a new one.
func (e *Encoder) guarded(pcm []float32, packet []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, errors.Join(fmt.Errorf("codec panicked: %v", r), e.restart())
		}
	}()
	return e.codec.encode(pcm, packet)
}

// clip keeps samples within [-1, 1] and turns NaN into silence.
func clip(x []float32) {
	for i, v := range x {
		if v >= -1 && v <= 1 {
			continue
		}
		x[i] = min(max(v, -1), 1)
		if v != v {
			x[i] = 0
		}
	}
}
