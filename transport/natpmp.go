package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

const (
	pmpPort = 5351
	// pmpLife is how long a mapping is asked for (RFC 6886 §3.3); it is renewed
	// after half of that.
	pmpLife  = 2 * time.Hour
	pmpRetry = 10 * time.Minute // when the router does not answer
	pmpFirst = 250 * time.Millisecond
	pmpTries = 4 // with pauses that double, some 4 s in all
)

// Opcodes of NAT-PMP (RFC 6886 §3).
const (
	pmpAddress = 0
	pmpUDP     = 1
	pmpTCP     = 2
	pmpAnswer  = 128
)

// errNoGateway means that the router does not speak NAT-PMP.
var errNoGateway = errors.New("the router does not answer")

// gateway asks one router for ports, by NAT-PMP.
type gateway struct{ at netip.AddrPort }

// outside asks for the router's own address.
func (g gateway) outside(ctx context.Context) (netip.Addr, error) {
	b, err := g.ask(ctx, []byte{0, pmpAddress}, 12)
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4([4]byte(b[8:12])), nil
}

// open asks for a port of the router that leads to ours, and closes it if life
// is zero. It gives the port and how long it stays open.
func (g gateway) open(ctx context.Context, op byte, port uint16, life time.Duration) (uint16, time.Duration, error) {
	q := make([]byte, 12)
	q[1] = op
	binary.BigEndian.PutUint16(q[4:], port)
	if life > 0 {
		binary.BigEndian.PutUint16(q[6:], port)
		binary.BigEndian.PutUint32(q[8:], uint32(life/time.Second))
	}
	b, err := g.ask(ctx, q, 16)
	if err != nil {
		return 0, 0, err
	}
	if binary.BigEndian.Uint16(b[8:]) != port {
		return 0, 0, fmt.Errorf("ask for a port: the answer is for another one")
	}
	return binary.BigEndian.Uint16(b[10:]), time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Second, nil
}

// ask sends a question until an answer of size bytes comes (RFC 6886 §3.1).
func (g gateway) ask(ctx context.Context, q []byte, size int) ([]byte, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp4", g.at.String())
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
	defer stop()
	b := make([]byte, 64)
	for i := range pmpTries {
		if _, err := c.Write(q); err != nil {
			return nil, fmt.Errorf("ask the router: %w", err)
		}
		if err := c.SetReadDeadline(time.Now().Add(pmpFirst << i)); err != nil || ctx.Err() != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		n, err := c.Read(b)
		if err != nil {
			continue
		}
		if n < size || b[0] != 0 || b[1] != q[1]|pmpAnswer {
			return nil, fmt.Errorf("ask the router: %d bytes that make no sense", n)
		}
		if code := binary.BigEndian.Uint16(b[2:]); code != 0 {
			return nil, fmt.Errorf("ask the router: it refuses (%d)", code)
		}
		return b[:n], nil
	}
	return nil, errNoGateway
}
