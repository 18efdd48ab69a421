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
	shown []shower

	mu   sync.Mutex
	legs map[uint32]*Leg
}

// shower is a socket that shows what arrives before it is sorted.
type shower interface {
	Ahead(take func(packet []byte) bool)
}

// open lets a leg have the packets of a source. Who came first keeps it; what that
// one cannot open goes the long way, to whoever can.
func (s *shortcut) open(ssrc uint32, l *Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.legs[ssrc] == nil {
		s.legs[ssrc] = l
	}
	for _, c := range s.shown {
		c.Ahead(s.tookFramed)
	}
}

func (s *shortcut) shut(ssrc uint32, l *Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.legs[ssrc] == l {
		delete(s.legs, ssrc)
	}
	if len(s.legs) > 0 {
		return
	}
	for _, c := range s.shown {
		c.Ahead(nil)
	}
}

// tookFramed is took of a packet as it travels.
func (s *shortcut) tookFramed(b []byte) bool {
	return len(b) > 1 && b[0] == behind && s.took(b[1:])
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
	return !long && l.took(b, now)
}
