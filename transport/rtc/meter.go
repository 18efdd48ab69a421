package rtc

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// clockRate is that of the sound's timestamps, in Hz (RFC 7587 §4.1).
const clockRate = 48000

// reportEvery is the pause between two reports of ours: 90 bytes each.
const reportEvery = time.Second

// Stats are what both ends have counted.
type Stats struct {
	RTT             time.Duration // of the last report; 0 while unknown
	Loss            float64       // part of our packets that the other end lacked lately, 0 to 1
	LossHere        float64       // part of its packets that we lacked lately
	Jitter          time.Duration // of what arrives (RFC 3550 §6.4.1)
	PacketsSent     uint64
	PacketsReceived uint64
	PacketsLost     uint64 // never arrived here, or too late to count
	BytesSent       uint64 // of sound, without headers
	BytesReceived   uint64
	Reports         uint64 // that the other end sent
}

// meter counts what RTCP reports (RFC 3550 §6.4, §A.3, §A.8). Guarded by Leg.mu.
type meter struct {
	ssrc  uint32 // ours
	stats Stats

	lastTime uint32 // RTP timestamp of the last packet sent
	lastSent time.Time

	begun           bool
	base, highest   uint64 // sequence numbers, extended so far that they do not begin anew
	transit, jitter float64
	expectedBefore  uint64
	receivedBefore  uint64

	senderReport uint32 // middle 32 bits of the other end's last NTP time
	reportedAt   time.Time
}

func (m *meter) sent(timestamp uint32, size int) {
	m.stats.PacketsSent++
	m.stats.BytesSent += uint64(size)
	m.lastTime, m.lastSent = timestamp, time.Now()
}

func (m *meter) received(h *rtp.Header, size int, now time.Time) {
	m.stats.PacketsReceived++
	m.stats.BytesReceived += uint64(size)
	if !m.begun {
		m.begun, m.base, m.highest = true, uint64(h.SequenceNumber), uint64(h.SequenceNumber)
	}
	if ahead := int16(h.SequenceNumber - uint16(m.highest)); ahead > 0 {
		m.highest += uint64(ahead)
	}
	at := float64(now.UnixNano()%int64(time.Hour)) / float64(time.Second) * clockRate
	transit := at - float64(h.Timestamp)
	if d := transit - m.transit; m.transit != 0 && d < clockRate && d > -clockRate {
		m.jitter += (max(d, -d) - m.jitter) / 16
	}
	m.transit = transit
}

func (m *meter) expected() uint64 {
	if !m.begun {
		return 0
	}
	return m.highest - m.base + 1
}

// snapshot completes the counters.
func (m *meter) snapshot() Stats {
	s := m.stats
	s.Jitter = time.Duration(m.jitter / clockRate * float64(time.Second))
	if e := m.expected(); e > s.PacketsReceived {
		s.PacketsLost = e - s.PacketsReceived
	}
	return s
}

// block is our report on what arrives, and begins the next interval.
func (m *meter) block(ssrc uint32, now time.Time) rtcp.ReceptionReport {
	expected, received := m.expected()-m.expectedBefore, m.stats.PacketsReceived-m.receivedBefore
	m.expectedBefore, m.receivedBefore = m.expected(), m.stats.PacketsReceived
	m.stats.LossHere = 0
	if expected > received {
		m.stats.LossHere = float64(expected-received) / float64(expected)
	}
	r := rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: uint8(m.stats.LossHere * 255), TotalLost: uint32(min(m.snapshot().PacketsLost, 1<<23-1)),
		LastSequenceNumber: uint32(m.highest), Jitter: uint32(m.jitter), LastSenderReport: m.senderReport,
	}
	if !m.reportedAt.IsZero() {
		r.Delay = uint32(now.Sub(m.reportedAt).Seconds() * 65536)
	}
	return r
}

// ntp is a time as RTCP writes it: seconds since 1900 in 32.32 bits.
func ntp(t time.Time) uint64 {
	const from1900 = 2208988800
	seconds := uint64(t.Unix() + from1900)
	return seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// report sends what we counted, each second until the leg ends.
func (l *Leg) report() {
	tick := time.NewTimer(reportEvery / 4)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		tick.Reset(reportEvery)
		l.sendReport(time.Now())
	}
}

// sendReport sends one; a lost one matters little (RFC 5506: without SDES).
func (l *Leg) sendReport(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.path {
		return
	}
	m := &l.meter
	sr := rtcp.SenderReport{
		SSRC: m.ssrc, NTPTime: ntp(now), PacketCount: uint32(m.stats.PacketsSent), OctetCount: uint32(m.stats.BytesSent),
		RTPTime: m.lastTime + uint32(now.Sub(m.lastSent).Seconds()*clockRate),
		Reports: []rtcp.ReceptionReport{m.block(l.remote.SSRC, now)},
	}
	b, err := sr.Marshal()
	if err != nil {
		return
	}
	if b, err = l.out.EncryptRTCP(nil, b, nil); err == nil {
		_, _ = l.conn.Write(b)
	}
}

// tookReport opens a report of the other end.
func (l *Leg) tookReport(b []byte, now time.Time) {
	l.opening.Lock()
	defer l.opening.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inward == nil {
		return
	}
	plain, err := l.inward.DecryptRTCP(nil, b, nil)
	if err != nil {
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		return
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == l.remote.SSRC {
			l.meter.heard(sr, now)
		}
	}
}

func (m *meter) heard(sr *rtcp.SenderReport, now time.Time) {
	m.stats.Reports++
	m.senderReport, m.reportedAt = uint32(sr.NTPTime>>16), now
	for _, r := range sr.Reports {
		if r.SSRC != m.ssrc {
			continue
		}
		m.stats.Loss = float64(r.FractionLost) / 255
		if r.LastSenderReport == 0 {
			continue
		}
		trip := uint32(ntp(now)>>16) - r.LastSenderReport - r.Delay // RFC 3550 §6.4.1
		if trip < 60<<16 {
			m.stats.RTT = time.Duration(trip) * time.Second >> 16
		}
	}
}

// Stats gives what was counted so far.
func (l *Leg) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meter.snapshot()
}
