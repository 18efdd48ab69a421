package rtc

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// longWay is how often a packet of sound passes through ICE all the same, where it is
// not kept apart, so that ICE knows which path brings something.
const longWay = 100 * time.Millisecond

// shortcut hands packets of sound from a socket to the leg that they are for,
// by the SSRC that was announced to it. Through ICE they would wait in two more
// queues, and wake three more goroutines each.
//
// Where a socket can keep them apart, and a leg hands on what it gets, they wake
// nobody at all: who wants sound looks whether there is some (Leg.Look).
type shortcut struct {
	sockets []net.PacketConn
	looked  atomic.Int64 // when what is kept apart was last looked at, ns since 1970

	mu    sync.Mutex
	legs  map[uint32][]*Leg // replaced as a whole, never changed
	hands map[*Leg]bool     // those that hand on what they get
}

// shower is a socket that shows what arrives before it is sorted.
type shower interface {
	Ahead(take func(packet []byte) bool)
}

// parter is a socket that keeps packets of a kind apart, which then wake nobody, and
// sends others' without a detour.
type parter interface {
	Part(kind [][][2]byte) bool
	Look(take func(packet []byte, from netip.AddrPort, at time.Time))
	Post(packet []byte, to netip.AddrPort) bool
}

// open lets a leg have the packets of a source.
func (s *shortcut) open(ssrc uint32, l *Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.legs[ssrc] = append(slices.Clip(s.legs[ssrc]), l)
	s.arrangeLocked()
}

// shut ends that, and what hand began.
func (s *shortcut) shut(ssrc uint32, l *Leg) {
	s.mu.Lock()
	left := slices.DeleteFunc(slices.Clone(s.legs[ssrc]), func(x *Leg) bool { return x == l })
	if s.legs[ssrc] = left; len(left) == 0 {
		delete(s.legs, ssrc)
	}
	delete(s.hands, l)
	s.arrangeLocked()
	s.mu.Unlock()
	s.look(time.Now())
}

// hand is told whether a leg hands on what it gets. What was kept apart until now
// is still to be looked at.
func (s *shortcut) hand(l *Leg, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.hands, l); on {
		s.hands[l] = true
	}
	s.arrangeLocked()
}

// arrangeLocked keeps sound apart while a leg hands it on, and has it shown ahead
// while one only receives, or where a socket cannot do better.
func (s *shortcut) arrangeLocked() {
	for _, c := range s.sockets {
		var kind [][][2]byte
		if len(s.hands) > 0 {
			kind = soundAsSent()
		}
		p, ok := c.(parter)
		apart := ok && p.Part(kind)
		if c, ok := c.(shower); ok && len(s.legs) > 0 && !apart {
			c.Ahead(s.tookFramed)
		} else if ok {
			c.Ahead(nil)
		}
	}
}

// look hands over what was kept apart, to all legs. It waits for nothing; when it
// returns all that had come has been handed over.
func (s *shortcut) look(now time.Time) {
	s.looked.Store(now.UnixNano())
	for _, c := range s.sockets {
		if p, ok := c.(parter); ok {
			p.Look(s.tookApart)
		}
	}
}

// lookAgain looks unless somebody else has within a time.
func (s *shortcut) lookAgain(now time.Time, within time.Duration) {
	if now.UnixNano()-s.looked.Load() >= int64(within) {
		s.look(now)
	}
}

// tookApart takes a packet as it travels.
func (s *shortcut) tookApart(b []byte, from netip.AddrPort, at time.Time) {
	if len(b) == 0 || b[0] != behind || !sound(b[1:]) {
		return
	}
	for _, l := range s.of(b[1:]) {
		if l.took(b[1:], from, at) {
			return
		}
	}
}

// tookFramed is took of a packet as it travels.
func (s *shortcut) tookFramed(b []byte) bool {
	return len(b) > 1 && b[0] == behind && s.took(b[1:])
}

// took says whether b was a packet of sound that a leg has taken. What is
// anything else, or for nobody, is ICE's to look at.
func (s *shortcut) took(b []byte) bool {
	return sound(b) && slices.ContainsFunc(s.of(b), func(l *Leg) bool { return l.tookShort(b, time.Now()) })
}

// of lists the legs that a packet may be for.
func (s *shortcut) of(b []byte) []*Leg {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.legs[binary.BigEndian.Uint32(b[8:])]
}

// What the first two bytes of RTP and RTCP may be (RFC 7983 §7, RFC 5761 §4).
const (
	rtpFrom, rtpTo   = 128, 191
	rtcpFrom, rtcpTo = 192, 223
)

// sound says whether b is RTP, and not RTCP.
func sound(b []byte) bool {
	return len(b) >= 12 && b[0] >= rtpFrom && b[0] <= rtpTo && (b[1] < rtcpFrom || b[1] > rtcpTo)
}

// soundAsSent lists what the first bytes of a packet of sound may be as it travels.
func soundAsSent() [][][2]byte {
	return [][][2]byte{{{behind, behind}}, {{rtpFrom, rtpTo}}, {{0, rtcpFrom - 1}, {rtcpTo + 1, 255}}}
}

// tookShort takes a packet, unless it has to go the long way.
func (l *Leg) tookShort(b []byte, now time.Time) bool {
	l.mu.Lock()
	long := l.state != Connected || now.Sub(l.long) >= longWay
	if long {
		l.long = now
	}
	l.mu.Unlock()
	return !long && l.took(b, netip.AddrPort{}, now)
}
