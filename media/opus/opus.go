// Package opus turns sound into Opus packets (RFC 6716) and back: 48 kHz, one
// channel, 10 or 20 ms a packet. It hides which codec does it:
//
//   - calls are coded by thesyncim/gopus, pure Go, or by the system's libopus
//     in a build with cgo and `-tags libopus`;
//   - voice notes are played by pion/opus, which also steps in when the live
//     decoder fails, so that one codec's bug is a crackle and not a crash.
//
// It also holds the two wrappings packets travel in: RED (RFC 2198) on a bad
// line, and Ogg (RFC 7845) in a file.
//
// Delay: the encoder waits for one frame (10 or 20 ms) and looks 6.5 ms ahead
// (Lookahead), or 2.5 with LowDelay; the decoder adds none.
package opus

import (
	"fmt"

	"github.com/entrenous/entrenous/media"
)

const (
	// MaxPacket is the size in bytes that no packet of ours and no acceptable
	// packet of a peer exceeds: one Opus frame (RFC 6716 §3.2.1).
	MaxPacket = 1275
	// MaxSamples is what one packet can hold at most: 120 ms.
	MaxSamples = 6 * media.Frame
	// Lookahead is the part of the encoder's delay beyond the frame itself, in
	// samples: 6.5 ms. A file says so as its pre-skip.
	Lookahead = 312
	// DefaultBitrate is 32 kbit/s: speech up to 20 kHz with its FEC inside.
	DefaultBitrate = 32000

	lowLookahead = 120 // 2.5 ms, with LowDelay
	minBitrate   = 6000
	maxBitrate   = 128000
	// minLoss is the loss the encoder is told at least, in percent. Below it
	// the codec leaves out the in-band copies, and the first lost packet of a
	// good line would be heard.
	minLoss = 10
	// More costs a fifth of the time more, for at most 0.001 of STOI. Less, or a
	// smaller minLoss, makes the codec leave the upper half of the band out in
	// short frames at 32 kbit/s, which STOI does not hear, but people do.
	complexity = 6
	// With LowDelay, more costs up to twice the time (54 µs at 0, 76 at 2, 107 at
	// 5 for 10 ms at 64 kbit/s) and helps nobody: STOI is 0.9955 at 0 and 0.9939
	// to 0.9948 above, the noise 14.3 dB and 14.1 to 14.3 below the voice, the
	// spectrum's form 1.8 and 1.6 to 1.7 dB off.
	lowComplexity = 0
)

// Engine names a codec implementation.
type Engine string

const (
	// Gopus is the pure Go codec, in every build.
	Gopus Engine = "gopus"
	// Libopus is the system's C library, in builds with `-tags libopus`.
	Libopus Engine = "libopus"
)

// Config says how to encode. The zero value is a call's: 32 kbit/s in frames
// of 20 ms, every packet of the same size.
type Config struct {
	// Bitrate in bits/s, 6,000 to 128,000; 0 is DefaultBitrate.
	Bitrate int
	// Frame is the number of samples a packet: media.Frame or media.Tick; 0 is
	// media.Frame.
	Frame int
	// Loss is the packet loss to expect, in percent, 0 to 100. In-band FEC is
	// on whatever it says.
	Loss int
	// SaveBandwidth lets packets vary in size and stops them in silence (VBR
	// with DTX). Off by default: sizes and pauses reveal what is being said
	// even to someone who cannot decrypt it.
	SaveBandwidth bool
	// LowDelay leaves out the model of speech that looks ahead (SILK), which
	// saves 4 ms and three quarters of the time to encode, for twice the bits.
	// With it go the in-band copies of lost frames: Redundancy has to bring
	// them. It cannot be changed later.
	LowDelay bool
	// Engine is the codec to use; "" is the best one of this build.
	Engine Engine

	gapless bool // no DTX: a file has no place for packets that are not there
}

func (c Config) withDefaults() Config {
	if c.Bitrate == 0 {
		c.Bitrate = DefaultBitrate
	}
	if c.Frame == 0 {
		c.Frame = media.Frame
	}
	if c.Engine == "" {
		c.Engine = Engines()[0]
	}
	return c
}

// effort is how hard the codec tries, and the loss that it is told.
func (c Config) effort() (complex, loss int) {
	if c.LowDelay { // no in-band copies hang on the loss
		return lowComplexity, c.Loss
	}
	return complexity, max(c.Loss, minLoss)
}

// Lookahead is how many samples an encoder for c looks ahead.
func (c Config) Lookahead() int {
	if c.LowDelay {
		return lowLookahead
	}
	return Lookahead
}

func (c Config) check() error {
	if c.Bitrate < minBitrate || c.Bitrate > maxBitrate {
		return fmt.Errorf("bitrate %d is outside %d to %d", c.Bitrate, minBitrate, maxBitrate)
	}
	if c.Frame != media.Frame && c.Frame != media.Tick {
		return fmt.Errorf("frame of %d samples is neither %d nor %d", c.Frame, media.Frame, media.Tick)
	}
	if c.Loss < 0 || c.Loss > 100 {
		return fmt.Errorf("loss of %d %% is no percentage", c.Loss)
	}
	return nil
}

// encoding is one codec's encoder: gopus or libopus.
type encoding interface {
	// configure takes over everything in c but the engine.
	configure(c Config) error
	// encode codes exactly one frame and returns the packet's size.
	encode(pcm []float32, packet []byte) (int, error)
}

// decoding is one codec's decoder: gopus or libopus.
type decoding interface {
	// decode decodes packet; a nil packet fills pcm with concealment.
	decode(packet []byte, pcm []float32) (int, error)
	// recover fills pcm with what packet says about the frame before it.
	recover(packet []byte, pcm []float32) (int, error)
}
