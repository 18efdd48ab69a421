package opus

import (
	"errors"
	"fmt"
	"io"

	pion "github.com/pion/opus"
	"github.com/pion/opus/pkg/oggreader"

	"github.com/entrenous/entrenous/media"
)

const (
	// NoteBitrate is that of a voice note, in bits/s.
	NoteBitrate = 24000
	// MaxNote is the size in bytes beyond which a voice note is not read: some
	// 90 minutes.
	MaxNote = 16 << 20
)

// Recorder writes a voice note: an Ogg Opus file (RFC 7845) that any player
// plays. It is not safe for concurrent use.
type Recorder struct {
	pages pageWriter
	enc   *Encoder
	part  []float32 // less than a frame
	heard int64     // samples written by the caller
	sent  int64     // samples in packets so far
}

// NewRecorder writes the headers of a note to w.
func NewRecorder(w io.Writer) (*Recorder, error) {
	enc, err := NewEncoder(Config{Bitrate: NoteBitrate, SaveBandwidth: true, gapless: true})
	if err != nil {
		return nil, err
	}
	r := &Recorder{pages: pageWriter{w: w}, enc: enc}
	if err := r.pages.headers(); err != nil {
		return nil, fmt.Errorf("begin voice note: %w", err)
	}
	return r, nil
}

// Write records any number of samples. Up to 1 s is written only later.
func (r *Recorder) Write(pcm []float32) error {
	r.heard += int64(len(pcm))
	for len(pcm) > 0 {
		n := min(media.Frame-len(r.part), len(pcm))
		r.part, pcm = append(r.part, pcm[:n]...), pcm[n:]
		if len(r.part) < media.Frame {
			break
		}
		if err := r.frame(false); err != nil {
			return err
		}
	}
	return nil
}

// Close writes the rest and the end; it does not close what the note was
// written to.
func (r *Recorder) Close() error {
	for r.sent+media.Frame < r.heard+Lookahead {
		if err := r.frame(false); err != nil {
			return err
		}
	}
	return r.frame(true)
}

// frame encodes the part, filled up with silence.
func (r *Recorder) frame(last bool) error {
	pcm := append(r.part, make([]float32, media.Frame-len(r.part))...)
	r.part = r.part[:0]
	packet := make([]byte, MaxPacket)
	n, err := r.enc.Encode(pcm, packet)
	if err != nil {
		return fmt.Errorf("record voice note: %w", err)
	}
	r.sent += media.Frame
	granule := r.sent
	if last { // where the note ends within the last packet (RFC 7845 §4.4)
		granule = r.heard + Lookahead
	}
	if err := r.pages.packet(packet[:n], granule, last); err != nil {
		return fmt.Errorf("record voice note: %w", err)
	}
	return nil
}

// Player reads a voice note, from anyone. It is not safe for concurrent use.
type Player struct {
	ogg  *oggreader.OggReader
	dec  pion.Decoder
	skip int // samples of the encoder's delay still to be left out
	gain float32
	buf  [MaxSamples]float32
	rest []float32 // decoded, not yet read
	at   int64     // samples decoded
}

// NewPlayer reads the headers of the note in r.
func NewPlayer(r io.Reader) (p *Player, err error) {
	defer notOurs(&err)
	ogg, head, err := oggreader.NewWith(io.LimitReader(r, MaxNote))
	if err != nil {
		return nil, fmt.Errorf("open voice note: %w", err)
	}
	if head.Channels < 1 || head.Channels > 2 || head.ChannelMap != 0 {
		return nil, fmt.Errorf("open voice note: %d channels, mapping %d", head.Channels, head.ChannelMap)
	}
	p = &Player{ogg: ogg, dec: pion.NewDecoder(), skip: int(head.PreSkip)}
	p.gain = float32(media.Amplitude(float64(int16(head.OutputGain)) / 256))
	if _, _, err := ogg.ParseNextPacket(); err != nil { // OpusTags
		return nil, fmt.Errorf("open voice note: %w", err)
	}
	return p, nil
}

// Read fills pcm with the next samples and returns how many there were; io.EOF
// after the last.
func (p *Player) Read(pcm []float32) (int, error) {
	for len(p.rest) == 0 {
		if err := p.packet(); err != nil {
			return 0, err
		}
	}
	n := copy(pcm, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// packet decodes the next packet into rest.
func (p *Player) packet() (err error) {
	defer notOurs(&err)
	packet, page, err := p.ogg.ParseNextPacket()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return fmt.Errorf("read voice note: %w", err)
	}
	n, err := p.dec.DecodeToFloat32(packet, p.buf[:])
	if err != nil {
		n = Samples(packet) // a broken packet is a hole, not the end
		clear(p.buf[:n])
	}
	start := p.at
	p.at += int64(n)
	pcm := p.buf[:n]
	if end := int64(page.GranulePosition); end > start && end < p.at {
		pcm = pcm[:end-start]
	}
	skip := min(p.skip, len(pcm))
	p.skip -= skip
	p.rest = pcm[skip:]
	for i := range p.rest {
		p.rest[i] *= p.gain
	}
	clip(p.rest)
	return nil
}

// notOurs turns a panic of a reader of foreign bytes into an error.
func notOurs(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("read voice note: %v", r)
	}
}
