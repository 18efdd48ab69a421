package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	pmpPort  = 5351
	pmpFirst = 250 * time.Millisecond
	pmpTries = 3 // with pauses that double, some 2 s in all
	// maxRouterAnswer is the longest answer of PCP (RFC 6887 §7).
	maxRouterAnswer = 1100
)

// Opcodes of NAT-PMP (RFC 6886 §3); those of answers are 128 higher.
const (
	pmpAddress = 0
	pmpUDP     = 1
	pmpTCP     = 2
	pmpAnswer  = 128
)

var (
	// errNoGateway means that the router does not speak the protocol.
	errNoGateway = errors.New("the router does not answer")
	// errRefused means that the router answers, and gives no port.
	errRefused = errors.New("the router refuses")
)

// natPMP asks a router for ports by NAT-PMP (RFC 6886).
type natPMP struct {
	r       router
	outside netip.Addr // the router's own address, once it has said it
}

// open implements way.
func (p *natPMP) open(ctx context.Context, d door, life time.Duration) (netip.AddrPort, time.Duration, error) {
	if life > 0 {
		b, err := p.r.ask(ctx, []byte{0, pmpAddress}, readPMP)
		if err != nil {
			return netip.AddrPort{}, 0, err
		}
		if p.outside, err = pmpOutside(b); err != nil {
			return netip.AddrPort{}, 0, err
		}
	}
	b, err := p.r.ask(ctx, pmpQuestion(d, life), readPMP)
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	port, lasts, err := pmpMapped(b, d)
	return netip.AddrPortFrom(p.outside, port), lasts, err
}

// pmpQuestion asks for a mapping (RFC 6886 §3.3).
func pmpQuestion(d door, life time.Duration) []byte {
	q := make([]byte, 12)
	q[1] = pmpTCP
	if d.udp {
		q[1] = pmpUDP
	}
	binary.BigEndian.PutUint16(q[4:], d.port)
	if life > 0 {
		binary.BigEndian.PutUint16(q[6:], d.port)
		binary.BigEndian.PutUint32(q[8:], uint32(life/time.Second))
	}
	return q
}

// readPMP looks whether an answer is one to a question.
func readPMP(q, b []byte) error {
	if len(b) < 8 || b[0] != 0 || b[1] != q[1]|pmpAnswer {
		return fmt.Errorf("%d bytes that make no sense", len(b))
	}
	if code := binary.BigEndian.Uint16(b[2:]); code != 0 {
		return fmt.Errorf("%w (NAT-PMP %d)", errRefused, code)
	}
	return nil
}

// pmpOutside reads the router's own address (RFC 6886 §3.2).
func pmpOutside(b []byte) (netip.Addr, error) {
	if len(b) < 12 {
		return netip.Addr{}, fmt.Errorf("an answer of %d bytes", len(b))
	}
	return netip.AddrFrom4([4]byte(b[8:12])), nil
}

// pmpMapped reads what port was opened for d, and for how long.
func pmpMapped(b []byte, d door) (uint16, time.Duration, error) {
	if len(b) < 16 || binary.BigEndian.Uint16(b[8:]) != d.port {
		return 0, 0, errors.New("an answer about another port")
	}
	return binary.BigEndian.Uint16(b[10:]), time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Second, nil
}

// ask sends a question until an answer comes (RFC 6886 §3.1, RFC 6887 §8.1.1),
// and gives it if it is one that read likes.
func (r router) ask(ctx context.Context, q []byte, read func(q, b []byte) error) ([]byte, error) {
	c, err := r.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
	defer stop()
	b := make([]byte, maxRouterAnswer)
	for i := range pmpTries {
		if _, err := c.Write(q); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoGateway, err)
		}
		if err := c.SetReadDeadline(time.Now().Add(pmpFirst << i)); err != nil || ctx.Err() != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		n, err := c.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoGateway, err) // its port is closed
		}
		if err := read(q, b[:n]); err != nil {
			return nil, fmt.Errorf("ask the router: %w", err)
		}
		return b[:n], nil
	}
	return nil, errNoGateway
}

func (r router) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if r.self.Is6() { // PCP is about the address that asks (RFC 6887 §8.1)
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.self, 0))
	}
	c, err := d.DialContext(ctx, "udp", r.at.String())
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	return c, nil
}
