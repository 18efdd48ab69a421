package rtc

import (
	"time"

	"github.com/pion/rtp"
)

// Tries counts where ICE believes that the other end may be reached.
func (l *Leg) Tries() (int, error) {
	all, err := l.agent.GetRemoteCandidates()
	return len(all), err
}

// SetSource gives a leg another SSRC, before it is described.
func (l *Leg) SetSource(ssrc uint32) { l.local.SSRC, l.meter.ssrc = ssrc, ssrc }

// LeapsTakenForLoss is the loss that a leg believes in, at worst, while as many
// packets come, each so many numbers after the one before, and all are heard of.
func LeapsTakenForLoss(packets int, leap uint16) (worst float64) {
	m, n := meter{}, uint16(0)
	for i := range packets {
		m.received(&rtp.Header{SequenceNumber: n}, 0, time.Time{})
		m.stats.PacketsReceived += uint64(leap) - 1
		n += leap
		if i%100 == 0 {
			m.block(0, time.Time{})
			worst = max(worst, m.stats.LossHere)
		}
	}
	return worst
}
