package rtc

import (
	"context"
	"fmt"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
)

// maxPacket is the longest packet that is read; sound needs 400 bytes.
const maxPacket = 1500

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
	h := p.Header
	h.Version, h.SSRC = 2, l.local.SSRC
	l.meter.sent(h.Timestamp, len(p.Payload))
	if !l.path {
		return ErrNotConnected
	}
	plain, err := (&rtp.Packet{Header: h, Payload: p.Payload}).Marshal()
	if err != nil {
		return fmt.Errorf("encode packet: %w", err)
	}
	sealed, err := l.out.EncryptRTP(nil, plain, &h)
	if err != nil {
		return fmt.Errorf("seal packet: %w", err)
	}
	if _, err := l.conn.Write(sealed); err != nil {
		return fmt.Errorf("send packet: %w", err)
	}
	return nil
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
// in the place of Receive: at once, from where packets are read, so that it must
// not block. nil ends that; when Hand returns no call is under way.
func (l *Leg) Hand(to func(Arrival)) {
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
			l.took(b[:n], now)
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

// took opens one packet, and says whether it was for this leg: a forged, repeated
// or foreign one is dropped.
func (l *Leg) took(b []byte, now time.Time) bool {
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
	plain, err := in.DecryptRTP(nil, b, &h)
	if err != nil {
		return false
	}
	p := &rtp.Packet{}
	if p.Unmarshal(plain) != nil || len(plain) < size {
		return true
	}
	l.mu.Lock()
	l.heard = now
	l.meter.received(&p.Header, len(p.Payload), now)
	l.mu.Unlock()
	if l.to != nil {
		l.to(Arrival{p, now})
		return true
	}
	select {
	case l.in <- Arrival{p, now}:
	default:
	}
	return true
}
