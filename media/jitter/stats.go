package jitter

import (
	"time"

	"github.com/entrenous/entrenous/media"
)

// Stats counts what a Buffer did since New. The names are those of WebRTC's
// RTCInboundRtpStreamStats; sums of delays are to be divided by
// JitterBufferEmittedCount.
type Stats struct {
	PacketsReceived  uint64 // duplicates included
	PacketsLost      int64  // never there when they were due
	PacketsDiscarded uint64 // too late, doubled or senseless

	JitterBufferDelay        time.Duration // from arrival to being heard, summed over samples
	JitterBufferTargetDelay  time.Duration // what was aimed at, summed over samples
	JitterBufferEmittedCount uint64        // samples decoded from packets of their own

	TotalSamplesReceived           uint64 // all samples but the silence before the first packet
	ConcealedSamples               uint64 // made up because a packet was lost or late
	SilentConcealedSamples         uint64 // those of them that were silent, or a pause of the talker
	ConcealmentEvents              uint64 // how often concealment began
	InsertedSamplesForDeceleration uint64 // repeated to lengthen the delay
	RemovedSamplesForAcceleration  uint64 // left out to shorten it

	// RecoveredSamples were lost and decoded from the next packet's copy (not
	// in WebRTC's list; not counted as concealed there either).
	RecoveredSamples uint64
	// Target is the delay aimed at now.
	Target time.Duration
}

// MeanDelay is the mean time from a sample's arrival to its being heard.
func (s Stats) MeanDelay() time.Duration {
	if s.JitterBufferEmittedCount == 0 {
		return 0
	}
	return s.JitterBufferDelay / time.Duration(s.JitterBufferEmittedCount)
}

// Stats returns what was counted so far.
func (b *Buffer) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats.Stats
	s.Target = media.Duration(int(b.delay.target()))
	s.JitterBufferDelay = b.stats.delay.sum()
	s.JitterBufferTargetDelay = b.stats.target.sum()
	return s
}

// counters are Stats in the making. Delays are summed in samples times
// samples, and only turned into time when asked for.
type counters struct {
	Stats
	delay, target product
}

// product sums n samples of d samples of delay each.
type product struct{ whole float64 }

func (p *product) add(n int, d int64) { p.whole += float64(n) * float64(d) }
func (p *product) sum() time.Duration {
	return time.Duration(p.whole / media.Rate * float64(time.Second))
}

func (c *counters) emitted(n int, waited, aim int64) {
	c.TotalSamplesReceived += uint64(n)
	c.JitterBufferEmittedCount += uint64(n)
	c.delay.add(n, waited)
	c.target.add(n, aim)
}

func (c *counters) recovered(n int) {
	c.TotalSamplesReceived += uint64(n)
	c.RecoveredSamples += uint64(n)
}

func (c *counters) quiet(n int) {
	c.TotalSamplesReceived += uint64(n)
	c.SilentConcealedSamples += uint64(n)
}

// pardon counts n concealed samples as a pause after all.
func (c *counters) pardon(n int) {
	c.ConcealedSamples -= min(uint64(n), c.ConcealedSamples)
	c.ConcealmentEvents -= min(1, c.ConcealmentEvents)
	c.SilentConcealedSamples += uint64(n)
}

func (c *counters) concealed(n int, begins, silent bool) {
	c.TotalSamplesReceived += uint64(n)
	c.ConcealedSamples += uint64(n)
	if begins {
		c.ConcealmentEvents++
	}
	if silent {
		c.SilentConcealedSamples += uint64(n)
	}
}
