package rtc

import (
	"encoding/binary"
	"sync"
	"time"
)

// longWay is how often a packet of sound passes through ICE all the same, so
// that ICE knows which path brings something.
const longWay = 100 * time.Millisecond

// shortcut hands packets of sound from a socket to the leg that they are for,
// by the SSRC that was announced to it. Through ICE they would wait in two more
// queues, and wake three more goroutines each.
type shortcut struct {
	mu   sync.Mutex
	legs map[uint32]*Leg
}

// open lets a leg have the packets of a source; who came first keeps it.
func (s *shortcut) open(ssrc uint32, l *Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.legs[ssrc] == nil {
		s.legs[ssrc] = l
	}
}

func (s *shortcut) shut(ssrc uint32, l *Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.legs[ssrc] == l {
		delete(s.legs, ssrc)
	}
}

// took says whether b was a packet of sound that a leg has taken. What is
// anything else, or for nobody, is ICE's to look at.
func (s *shortcut) took(b []byte) bool {
	if !sound(b) {
		return false
	}
	s.mu.Lock()
	l := s.legs[binary.BigEndian.Uint32(b[8:])]
	s.mu.Unlock()
	return l != nil && l.tookShort(b, time.Now())
}

// sound says whether b is RTP, and not RTCP (RFC 7983 §7, RFC 5761 §4).
func sound(b []byte) bool {
	return len(b) >= 12 && b[0] >= 128 && b[0] <= 191 && (b[1] < 192 || b[1] > 223)
}

// tookShort takes a packet, unless it has to go the long way.
func (l *Leg) tookShort(b []byte, now time.Time) bool {
	l.mu.Lock()
	long := l.state != Connected || now.Sub(l.long) >= longWay
	if long {
		l.long = now
	}
	l.mu.Unlock()
	if !long {
		l.took(b, now)
	}
	return !long
}
