package voice

import (
	"context"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
	"github.com/entrenous/entrenous/media/jitter"
	"github.com/entrenous/entrenous/media/opus"
)

// listener is the way from the line to the loudspeaker.
type listener struct {
	e      *Engine
	buffer *jitter.Buffer
	meter  meter

	visits visits // of the microphone's goroutine alone
	resting

	turn    sync.Mutex // of what follows, and of the port's pass and drive
	tick    [media.Tick]float32
	volume  dsp.Volume
	limiter dsp.Limiter
	beeper  beeper
	second  int // samples since the last second was noted

	mu       sync.Mutex
	door     door
	got      got
	first    time.Time // when the first sound went to the loudspeaker
	recently recently
}

// got are the counters of what came in.
type got struct {
	packets, bytes, refused uint64
	jitter                  float64   // RFC 3550 §6.4.1, in samples
	transit                 float64   // of the last packet
	last                    time.Time // when the last packet came
}

func newListener(e *Engine) (*listener, error) {
	dec, err := opus.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &listener{e: e, buffer: jitter.New(dec, jitter.Config{}), resting: newResting()}, nil
}

// Receive takes a packet from the line; arrival is when it came. It never
// blocks, and no packet harms it: what is too large, too many, or of an unknown
// kind or source is counted and dropped. The packet is not kept.
func (e *Engine) Receive(p *rtp.Packet, arrival time.Time) { e.listen.receive(p, arrival) }

func (l *listener) receive(p *rtp.Packet, arrival time.Time) {
	if p == nil {
		return
	}
	at := l.e.since(arrival)
	payload, older, ok := l.admit(p, arrival, at)
	if !ok {
		return
	}
	for i, o := range older {
		l.buffer.Push(jitter.Packet{
			Sequence:  p.SequenceNumber - uint16(len(older)-i),
			Timestamp: p.Timestamp - uint32(o.Offset),
			Payload:   o.Packet, Arrival: at, Copy: true,
		})
	}
	l.buffer.Push(jitter.Packet{Sequence: p.SequenceNumber, Timestamp: p.Timestamp, Payload: payload, Arrival: at})
}

// admit looks at a packet before anything is made of it.
func (l *listener) admit(p *rtp.Packet, arrival time.Time, at time.Duration) (payload []byte, older []opus.Older, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	payload, ok = p.Payload, l.door.opens(p.SSRC, at) && len(p.Payload) <= jitter.MaxPayload
	switch {
	case !ok:
	case p.PayloadType == l.e.cfg.PayloadType:
		ok = len(payload) > 0
	case p.PayloadType == l.e.cfg.REDPayloadType && p.PayloadType != 0:
		var err error
		payload, older, err = opus.UnpackRED(payload, l.e.cfg.PayloadType)
		ok = err == nil
	default:
		ok = false
	}
	if !ok {
		l.got.refused++
		return nil, nil, false
	}
	l.got.count(p, arrival, at)
	return payload, older, true
}

func (g *got) count(p *rtp.Packet, arrival time.Time, at time.Duration) {
	g.packets++
	g.bytes += uint64(len(p.Payload))
	g.last = arrival
	transit := float64(uint32(media.Samples(at)) - p.Timestamp)
	if d := transit - g.transit; g.packets > 1 && d < media.Rate && d > -media.Rate {
		g.jitter += (max(d, -d) - g.jitter) / 16
	}
	g.transit = transit
}

// run plays until the engine ends.
func (l *listener) run(ctx context.Context) {
	defer l.alone.Stop()
	for ctx.Err() == nil {
		switch l.pass() {
		case ended:
			return
		case fresh:
			l.e.realign()
		case steady:
			l.mayRest(ctx)
		case absent:
		}
	}
}

func (l *listener) pass() passed {
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.e.out.pass(l.tick[:], l.fill)
}

// fill makes the next tick for the loudspeaker, or a piece of it.
func (l *listener) fill(tick []float32) {
	if l.e.cfg.Look != nil {
		l.e.cfg.Look()
	}
	now := time.Now()
	set := l.e.settings()
	l.buffer.Pull(tick, l.e.since(now))
	l.volume.Set(set.volume)
	l.volume.Mute(set.held)
	l.volume.Apply(tick)
	l.limiter.Apply(tick)
	l.meter.add(tick)
	l.e.tape.theirs(tick)
	l.beeper.add(tick, set.waiting)
	l.e.chain.Skipped(l.e.out.skipped(), 0)
	l.e.chain.Far(tick)
	l.note(now, len(tick))
}

// note remembers when sound began, and how the last seconds went.
func (l *listener) note(now time.Time, samples int) {
	l.second += samples
	second := l.second >= media.Rate
	if !second && !l.awaited() {
		return
	}
	s := l.buffer.Stats()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() && s.JitterBufferEmittedCount > 0 {
		l.first = now
	}
	if second {
		l.second = 0
		l.recently.add(s)
	}
}

func (l *listener) awaited() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first.IsZero() && l.got.packets > 0
}

// door lets one source in, at a pace no honest sender exceeds.
type door struct {
	source  uint32
	known   bool
	rival   uint32 // another source, and how often it came in a row
	rivals  int
	tokens  float64
	counted time.Duration
}

const (
	doorPace  = 200.0 // packets a second: twice those of frames of 10 ms
	doorBurst = 300.0 // packets that may have been held up somewhere
	doorRival = 20    // packets in a row after which another source is believed
)

func (d *door) opens(source uint32, at time.Duration) bool {
	if !d.known {
		d.known, d.source, d.tokens, d.counted = true, source, doorBurst, at
	}
	if source != d.source && !d.prevails(source) {
		return false
	}
	if source == d.source {
		d.rivals = 0
	}
	if at > d.counted {
		d.tokens = min(d.tokens+(at-d.counted).Seconds()*doorPace, doorBurst)
		d.counted = at
	}
	if d.tokens < 1 {
		return false
	}
	d.tokens--
	return true
}

// prevails says whether a new source has taken the place of the known one, as
// after a restart of the other side.
func (d *door) prevails(source uint32) bool {
	if source != d.rival {
		d.rival, d.rivals = source, 0
	}
	if d.rivals++; d.rivals < doorRival {
		return false
	}
	d.source, d.rivals = source, 0
	return true
}
