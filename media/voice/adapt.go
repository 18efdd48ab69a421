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
	frame   int // samples
	bitrate int // bits/s
	loss    int // percent, for the in-band copies
	copies  int // older packets in each (RED)
	low     bool
}

// planner turns what is known of the line into a plan. It is slow to go back,
// so that a line at the edge of something does not flap.
type planner struct {
	red  bool
	save bool
	low  bool // for as long as the line is good
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
	// those of 10. Speech has a STOI of 0.992 in long frames, 0.988 in short ones.
	bitrate      = opus.DefaultBitrate
	lowBitrate   = 48000 // without looking ahead the codec needs more
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
	p.now.Store(&plan{frame: frame, bitrate: p.most(false)})
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
	next.copies = p.copies(next.copies)
	next.frame = p.frame(next.frame, lan)
	next.low = p.low && next.frame == media.Tick
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

func (p *planner) copies(now int) int {
	switch {
	case !p.red:
		return 0
	case p.loss > moreOn, now == 2 && p.loss > moreOff:
		return 2
	case p.loss > copiesOn, now > 0 && p.loss > copiesOff:
		return 1
	}
	return 0
}

// frame is 10 ms on a good line. A worse one needs the in-band copies of whole
// frames, and gets fewer packets.
func (p *planner) frame(now int, lan bool) int {
	near := lan || p.rtt < shortRTT
	if near && p.loss < goodLoss || near && p.loss < fairLoss && now == media.Tick {
		return media.Tick
	}
	return media.Frame
}

// bitrate falls quickly where packets queue, and rises slowly again. Loss
// alone does not make it fall: on radio it means no congestion.
func (p *planner) bitrate(before, next plan) int {
	most := p.most(next.low)
	switch {
	case p.rtt > p.least+queueing || p.loss > 2*moreOn:
		return max(before.bitrate*3/4, leastBitrate)
	case p.rtt > p.least+queueing/2:
		return min(before.bitrate, most)
	case before.bitrate == p.most(before.low):
		return most
	}
	return min(before.bitrate+2000, most)
}

func (p *planner) most(low bool) int {
	switch {
	case p.save:
		return saveBitrate
	case low:
		return lowBitrate
	}
	return bitrate
}
