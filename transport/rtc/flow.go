package rtc

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
)

// maxPacket is the longest packet that is read; sound needs 400 bytes.
const maxPacket = 1500

// sealOver is what sealing adds to a packet (RFC 7714 §5.1).
const sealOver = 16

// Arrival is a packet and when it came.
type Arrival struct {
	Packet *rtp.Packet
	At     time.Time
}

// Send encrypts a packet and sends it, with the leg's own SSRC. It does not
// block; while the leg is not Connected it gives ErrNotConnected and the
// packet is lost. The packet is the caller's again afterwards.
func (l *Leg) Send(p *rtp.Packet) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == Closed {
		return ErrClosed
	}
	if l.out == nil {
		return ErrNotConnected
	}
	l.leaving = rtp.Packet{Header: p.Header, Payload: p.Payload}
	l.leaving.Version, l.leaving.SSRC = 2, l.local.SSRC
	l.meter.sent(p.Timestamp, len(p.Payload))
	if !l.path {
		return ErrNotConnected
	}
	framed, err := l.sealLocked()
	if err != nil {
		return err
	}
	if l.straight != nil && l.straight.Post(framed, l.using) {
		return nil
	}
	if _, err := l.conn.Write(framed[1:]); err != nil {
		return fmt.Errorf("send packet: %w", err)
	}
	return nil
}

// sealLocked encrypts what is leaving in the leg's own buffer, as it travels.
func (l *Leg) sealLocked() ([]byte, error) {
	p := &l.leaving
	size := p.MarshalSize()
	l.sealed = slices.Grow(append(l.sealed[:0], behind), size+sealOver)
	plain := l.sealed[1 : 1+size]
	if _, err := p.MarshalTo(plain); err != nil {
		return nil, fmt.Errorf("encode packet: %w", err)
	}
	sealed, err := l.out.EncryptRTP(plain, plain, &p.Header)
	if err != nil {
		return nil, fmt.Errorf("seal packet: %w", err)
	}
	return append(l.sealed[:1], sealed...), nil // where it is already
}

// Heard is when the last sound came, zero if none has.
func (l *Leg) Heard() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

// Receive waits for the next packet of the other end. It gives ErrClosed when
// the leg was closed, or ctx's error.
func (l *Leg) Receive(ctx context.Context) (Arrival, error) {
	select {
	case a := <-l.in:
		return a, nil
	default:
	}
	select {
	case a := <-l.in:
		return a, nil
	case <-l.done:
		return Arrival{}, ErrClosed
	case <-ctx.Done():
		return Arrival{}, ctx.Err()
	}
}

// Hand gives what waits to be received, and then all that arrives, to a function
// in the place of Receive: from where packets are read, so that it must not block,
// nor keep the packet. nil ends that; when Hand returns no call is under way.
//
// Whoever hands on should Look before each use of what came: where the system lets
// it, packets wake nobody from now on, and what nobody looks for comes late, by
// steerEvery.
func (l *Leg) Hand(to func(Arrival)) {
	l.handTo(to)
	l.mu.Lock()
	l.cfg.Port.shortcut.hand(l, to != nil && l.state != Closed)
	l.mu.Unlock()
	l.Look()
}

func (l *Leg) handTo(to func(Arrival)) {
	l.opening.Lock()
	defer l.opening.Unlock()
	l.to = to
	for to != nil {
		select {
		case a := <-l.in:
			to(a)
		default:
			return
		}
	}
}

// Look hands over what has arrived for all legs of the Port that Hand was called of.
// It waits for nothing. It is not called from the function given to Hand.
func (l *Leg) Look() { l.cfg.Port.shortcut.look(time.Now()) }

// read takes everything that arrives and tells by the first byte what it is
// (RFC 7983 §7, RFC 5761 §4).
func (l *Leg) read(conn *ice.Conn, shake *handshake) {
	defer shake.Close()
	b := make([]byte, maxPacket)
	for {
		n, err := conn.Read(b)
		now := time.Now()
		switch {
		case err != nil && l.ended():
			return
		case err != nil || n < 12: // too long for b, or too short to mean anything
		case b[0] >= 20 && b[0] <= 63:
			shake.put(b[:n])
		case b[0] < 128 || b[0] > 191:
		case sound(b[:n]):
			l.took(b[:n], netip.AddrPort{}, now)
		default:
			l.tookReport(b[:n], now)
		}
	}
}

func (l *Leg) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// took opens one packet that came at a time from an address, if that is known, and
// says whether it was for this leg: a forged, repeated or foreign one is dropped.
func (l *Leg) took(b []byte, from netip.AddrPort, at time.Time) bool {
	l.opening.Lock()
	defer l.opening.Unlock()
	l.mu.Lock()
	in, ssrc := l.inward, l.remote.SSRC
	l.mu.Unlock()
	var h rtp.Header
	size, err := h.Unmarshal(b)
	if in == nil || err != nil || h.SSRC != ssrc {
		return false // an unknown SSRC costs no state
	}
	p, buf := &l.packet, l.opened[:0]
	if l.to == nil { // who receives keeps what it gets
		p, buf = &rtp.Packet{}, nil
	}
	plain, err := in.DecryptRTP(buf, b, &h)
	if err != nil {
		return false
	}
	*p = rtp.Packet{}
	if p.Unmarshal(plain) != nil || len(plain) < size {
		return true
	}
	l.mu.Lock()
	l.heard = at
	if from.IsValid() {
		l.from, l.came = from, at
	}
	l.meter.received(&p.Header, len(p.Payload), at)
	l.mu.Unlock()
	if l.to != nil {
		l.to(Arrival{p, at})
		return true
	}
	select {
	case l.in <- Arrival{p, at}:
	default:
	}
	return true
}
