package voice

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

// plan is how to encode now.
type plan struct {
	frame   int  // samples
	bitrate int  // bits/s
	loss    int  // percent, for the in-band copies
	copies  int  // older packets in each (RED)
	low     bool // what looks ahead for speech is left out
}

// planner turns what is known of the line into a plan. It is slow to go back,
// so that a line at the edge of something does not flap.
type planner struct {
	red  bool
	save bool
	low  bool // asked for, for as long as the line is good
	now  atomic.Pointer[plan]

	mu    sync.Mutex
	loss  float64 // smoothed
	least time.Duration
	rtt   time.Duration
	begun bool
}

const (
	// For the codec, without what packets cost around it: 12 bytes of RTP, 8 of
	// UDP, 20 of IP and 14 of SRTP are 22 kbit/s in frames of 20 ms, and 43 in
	// those of 10. The shorter a frame, the less it has in common with itself:
	// these rates give speech a STOI of 0.993, 0.992 and 0.997 before all else.
	bitrate      = opus.DefaultBitrate
	shortBitrate = 40000
	lowBitrate   = 64000 // without looking ahead
	saveBitrate  = 20000
	leastBitrate = 16000
	copiesOn     = 0.05 // loss above which packets carry the one before
	copiesOff    = 0.03
	moreOn       = 0.15 // loss above which they carry two
	moreOff      = 0.10
	queueing     = 150 * time.Millisecond // round trip above the least: the line is full
	shortRTT     = 60 * time.Millisecond  // below it, short frames are worth their packets
	goodLoss     = 0.01
	fairLoss     = 0.02
)

func newPlanner(cfg Config) *planner {
	p := &planner{red: cfg.REDPayloadType != 0, save: cfg.SaveBandwidth, low: cfg.LowLatency}
	frame := media.Samples(cfg.Frame)
	p.now.Store(&plan{frame: frame, bitrate: p.most(plan{frame: frame})})
	return p
}

// adapt takes one look at the line.
func (p *planner) adapt(loss float64, rtt time.Duration, lan bool) plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if math.IsNaN(loss) {
		loss = 0
	}
	p.learn(min(max(loss, 0), 1), max(rtt, 0))
	next := *p.now.Load()
	next.loss = int(math.Ceil(p.loss * 100))
	next.frame = p.frame(next.frame, lan)
	next.low = next.frame == media.Tick && p.lower(lan)
	next.copies = p.copies(next)
	next.bitrate = p.bitrate(*p.now.Load(), next)
	p.now.Store(&next)
	return next
}

func (p *planner) learn(loss float64, rtt time.Duration) {
	p.rtt = rtt
	if !p.begun {
		p.begun, p.loss, p.least = true, loss, rtt
		return
	}
	weight := 0.25
	if loss > p.loss { // believe bad news sooner
		weight = 0.5
	}
	p.loss += weight * (loss - p.loss)
	p.least = min(p.least+p.least/200, rtt) // forget a route that is gone
}

// lower says whether to leave out what looks ahead for speech, where the line
// is good. On a LAN the bits that this costs are nobody's; it spares three
// quarters of the codec's work. Lost frames must come again in either way.
func (p *planner) lower(lan bool) bool {
	return p.low || lan && p.red && !p.save
}

func (p *planner) copies(now plan) int {
	switch {
	case !p.red:
		return 0
	case p.loss > moreOn, now.copies == 2 && p.loss > moreOff:
		return 2
	case now.low, p.loss > copiesOn, now.copies > 0 && p.loss > copiesOff:
		return 1
	}
	return 0
}

// frame is 10 ms on a good line. A worse one needs the in-band copies of whole
// frames, and gets fewer packets.
func (p *planner) frame(now int, lan bool) int {
	near := p.rtt < shortRTT || lan && p.rtt < p.least+queueing
	if near && p.loss < goodLoss || near && p.loss < fairLoss && now == media.Tick {
		return media.Tick
	}
	return media.Frame
}

// bitrate falls quickly where packets queue, and rises slowly again. Loss
// alone does not make it fall: on radio it means no congestion.
func (p *planner) bitrate(before, next plan) int {
	most := p.most(next)
	switch {
	case p.rtt > p.least+queueing || p.loss > 2*moreOn:
		return max(min(before.bitrate, most)*3/4, leastBitrate)
	case p.rtt > p.least+queueing/2:
		return min(before.bitrate, most)
	case before.bitrate == p.most(before):
		return most
	}
	return min(before.bitrate+2000, most)
}

func (p *planner) most(now plan) int {
	switch {
	case p.save:
		return saveBitrate
	case now.low:
		return lowBitrate
	case now.frame == media.Tick:
		return shortBitrate
	}
	return bitrate
}
