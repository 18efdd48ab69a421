// Package jitter turns packets that arrive when they please into sound that is
// due every 10 ms. It hides lateness, loss, reordering, duplicates, the drift
// between two sound cards' clocks, and whatever a hostile sender makes up.
//
// The network side calls Push, the speaker side calls Pull, and the Buffer
// keeps as little sound waiting as the line allows: the delay that 95 % of
// the time would have been enough. It grows and shrinks by leaving out or repeating a pitch
// period where nobody hears it. It has no clock: every time is handed in, so a
// day of calls is tested in seconds.
//
// Delay: the 0.95 quantile of the worst lateness in 200 ms, in steps of 5 ms,
// at least 5 ms, plus up to one tick (10 ms) because frames do not end where ticks do.
// On a quiet LAN that is below 15 ms. Decoded sound that waits for the next
// Pull is part of this figure, see Stats.
package jitter

import (
	"math"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

const (
	// MaxPayload is the largest payload accepted, in bytes.
	MaxPayload = 1500

	maxDecoded = 6 * media.Frame // 120 ms, the most that one packet may hold
	history    = 2 * media.Frame // samples kept behind the play position to splice from
	maxGap     = 4 * media.Rate  // samples that may be missing between two packets of one stream
	muteAfter  = 3 * media.Rate  // samples of starvation after which the talker counts as gone
	fadeFrom   = 60 * 48         // concealment begins to fade here
	fadeTo     = 200 * 48        // and is silent here
	mergeLen   = 240             // 5 ms of cross-fade from concealment back to sound
)

// Decoder makes sound from payloads. opus.Decoder is one. pcm belongs to the
// caller. Sound is media.Rate, one channel.
type Decoder interface {
	// Decode decodes payload into pcm, which holds 120 ms, and returns the
	// number of samples.
	Decode(payload []byte, pcm []float32) (int, error)
	// DecodeFEC fills pcm with the lost frame that came before payload, or
	// returns false with concealment in pcm.
	DecodeFEC(next []byte, pcm []float32) (bool, error)
	// Conceal fills pcm with a continuation of what came last.
	Conceal(pcm []float32) error
}

// Packet is what an RTP packet says, and when it came.
type Packet struct {
	Sequence  uint16
	Timestamp uint32 // of its first sample, in samples
	Payload   []byte // copied by Push
	// Arrival is the time since any moment that stays the same for this
	// Buffer, on the clock that Pull is given.
	Arrival time.Duration
	// Copy marks a packet unpacked from a later one (RED): it can fill a hole.
	Copy bool
}

// Config adjusts a Buffer; the zero value is right for calls.
type Config struct {
	// Start is the delay before anything is known of the line; 0 is 40 ms.
	Start time.Duration
	// Least is the smallest delay aimed at; 0 is 5 ms.
	Least time.Duration
	// Most is the delay above which sound is skipped at once; 0 is 1 s. Half
	// of it is the largest delay aimed at.
	Most time.Duration
}

// Buffer is the jitter buffer of one incoming stream. It is safe for
// concurrent use. Memory is bounded: 128 packets and 0.3 s of sound.
type Buffer struct {
	mu    sync.Mutex
	dec   Decoder
	most  int64
	store store
	delay estimator
	stats counters

	playing  bool
	next     int64 // sequence number to be played next
	time     int64 // timestamp of the sample to be decoded next
	tick     int   // samples asked for by the last Pull
	frame    int   // samples in the last packet
	starved  int   // samples made up since packets ran out, for which time did not advance
	made     int   // samples made up since the last real sound
	cooldown int   // samples to be decoded before the next splice

	line    []float32 // history, then sound that waits to be pulled
	head    int       // where waiting sound begins in line
	scratch [maxDecoded]float32
	spill   [media.Tick]float32
	slack   slack
}

// New returns an empty Buffer that decodes by dec.
func New(dec Decoder, c Config) *Buffer {
	orDefault := func(d, otherwise time.Duration) int64 {
		if d <= 0 {
			d = otherwise
		}
		return int64(media.Samples(d))
	}
	b := &Buffer{
		dec:   dec,
		most:  orDefault(c.Most, time.Second),
		frame: media.Frame,
		tick:  media.Tick,
		line:  make([]float32, history, 4*history+2*maxDecoded),
		head:  history,
		next:  math.MinInt64,
	}
	b.delay.start = orDefault(c.Start, 40*time.Millisecond)
	b.delay.least = orDefault(c.Least, 5*time.Millisecond)
	b.delay.most = b.most / 2
	return b
}

// Push takes in a packet. Late, doubled and nonsensical ones are counted and
// dropped.
func (b *Buffer) Push(p Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.PacketsReceived++
	if len(p.Payload) == 0 || len(p.Payload) > MaxPayload {
		b.stats.PacketsDiscarded++
		return
	}
	switch seq, ts, verdict := b.store.place(p); verdict {
	case fits:
		b.insert(p, seq, ts)
	case restarts:
		b.restart(p)
	case doubtful:
	case useless:
		b.stats.PacketsDiscarded++
	}
}

func (b *Buffer) insert(p Packet, seq, ts int64) {
	arrival := int64(media.Samples(p.Arrival))
	b.learn(p, seq, ts, arrival)
	if b.playing && seq < b.next {
		b.stats.PacketsDiscarded++
		return
	}
	if !b.store.put(p, seq, ts, arrival) {
		b.stats.PacketsDiscarded++
		return
	}
	if oldest := b.store.highest - int64(len(b.store.slots)) + 1; b.playing && b.next < oldest {
		b.skipTo(b.store.first(oldest))
	}
}

// learn takes in how late sound can be had. What is lost and comes again inside
// a later packet was late by as much as that packet: to wait so long costs
// less than to make it up.
func (b *Buffer) learn(p Packet, seq, ts, arrival int64) {
	if p.Copy {
		if !b.store.has(seq) {
			b.delay.observe(arrival, ts)
		}
		return
	}
	if seq > b.store.highest+1 {
		b.delay.observe(arrival, ts-int64(b.frame))
	}
	b.delay.observe(arrival, ts)
}

// restart begins a new stream with the packet that was held back as doubtful
// and p, which confirms it.
func (b *Buffer) restart(p Packet) {
	held := b.store.restart()
	b.delay.forgetBase()
	b.playing, b.next = false, math.MinInt64
	for _, q := range []Packet{held, p} {
		if seq, ts, verdict := b.store.place(q); verdict == fits {
			b.insert(q, seq, ts)
		}
	}
}

// Pull fills out, usually media.Tick samples, with what is to be heard next.
// now is on the clock of Packet.Arrival.
func (b *Buffer) Pull(out []float32, now time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(out) > 0 {
		part := out[:min(len(out), media.Frame)]
		b.tick = len(part)
		for b.waiting() < len(part) {
			b.advance(int64(media.Samples(now)))
		}
		b.head += copy(part, b.line[b.head:])
		now += media.Duration(len(part))
		out = out[len(part):]
		if b.head > 3*history {
			n := copy(b.line, b.line[b.head-history:])
			b.line, b.head = b.line[:n], history
		}
	}
}

// waiting is the number of decoded samples not yet pulled.
func (b *Buffer) waiting() int { return len(b.line) - b.head }

// advance adds at least 2.5 ms of sound to the line.
func (b *Buffer) advance(now int64) {
	p := b.store.first(b.next)
	if p == nil || !b.playing && !b.begin(p, now) {
		b.starve()
		return
	}
	if late := now - p.time - b.delay.base(); late > b.most {
		p = b.catchUp(p, now)
	}
	gap := int(p.time - b.time)
	switch {
	case gap < codecStep || gap > maxGap || gap-codecStep < b.starved && p.seq > b.next:
		b.play(p, now) // no hole, or no sane one, or what was made up has filled it
	case p.seq == b.next:
		b.pause(gap, now)
	default:
		b.bridge(p, gap)
	}
}

// begin starts to play once the first packet has waited as long as the delay
// aimed at.
func (b *Buffer) begin(p *slot, now int64) bool {
	if now-p.arrival < b.delay.target() {
		return false
	}
	b.playing = true
	b.next, b.time = p.seq, p.time
	return true
}

// catchUp skips what is too old to be heard.
func (b *Buffer) catchUp(p *slot, now int64) *slot {
	for {
		q := b.store.first(p.seq + 1)
		if q == nil || now-p.time-b.delay.base() <= b.delay.target() {
			b.skipTo(p)
			return p
		}
		p = q
	}
}

func (b *Buffer) skipTo(p *slot) {
	b.stats.PacketsDiscarded += uint64(b.store.dropBefore(p.seq))
	b.next, b.time = p.seq, p.time
}
