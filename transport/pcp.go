package transport

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Numbers of PCP (RFC 6887 §7, §11).
const (
	pcpVersion = 2
	pcpMap     = 1 // opcode
	pcpHeader  = 24
	pcpSize    = pcpHeader + 36 // of a MAP without options

	pcpUnsuppVersion = 1 // result codes (RFC 6887 §7.4)
	pcpUnsuppOpcode  = 4

	protoTCP = 6
	protoUDP = 17
)

// pcp asks a router for ports by the MAP of PCP (RFC 6887 §11). The epoch of an
// answer (§8.5) says that a router has forgotten all; the mapper asks for all
// again in any case, so that nothing else is to be done.
type pcp struct {
	r     router
	nonce [12]byte // by which the router knows whose mappings they are
}

func newPCP(r router) (*pcp, error) {
	p := &pcp{r: r}
	_, err := rand.Read(p.nonce[:])
	return p, err
}

// open implements way.
func (p *pcp) open(ctx context.Context, d door, life time.Duration) (netip.AddrPort, time.Duration, error) {
	b, err := p.r.ask(ctx, p.question(d, life), readPCP)
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	return pcpMapped(b)
}

// question asks for a mapping (RFC 6887 §11.1).
func (p *pcp) question(d door, life time.Duration) []byte {
	q := make([]byte, pcpSize)
	q[0], q[1] = pcpVersion, pcpMap
	binary.BigEndian.PutUint32(q[4:], uint32(life/time.Second))
	self := p.r.self.As16()
	copy(q[8:], self[:])
	m := q[pcpHeader:]
	copy(m, p.nonce[:])
	m[12] = protoTCP
	if d.udp {
		m[12] = protoUDP
	}
	binary.BigEndian.PutUint16(m[16:], d.port)
	anywhere := netip.IPv6Unspecified().As16()
	if p.r.self.Is4() {
		anywhere = netip.AddrFrom4([4]byte{}).As16()
	}
	copy(m[20:], anywhere[:])
	if life > 0 {
		binary.BigEndian.PutUint16(m[18:], d.port)
	}
	return q
}

// readPCP looks whether an answer is one to a question (RFC 6887 §8.3, §11.4).
func readPCP(q, b []byte) error {
	if len(b) < 4 || b[1] != q[1]|0x80 {
		return fmt.Errorf("%d bytes that make no sense", len(b))
	}
	if b[0] != pcpVersion { // NAT-PMP says so in its own version
		return fmt.Errorf("%w: it speaks version %d", errNoGateway, b[0])
	}
	switch code := b[3]; {
	case code == pcpUnsuppVersion, code == pcpUnsuppOpcode:
		return fmt.Errorf("%w: PCP %d", errNoGateway, code)
	case code != 0:
		return fmt.Errorf("%w (PCP %d)", errRefused, code)
	}
	if len(b) < pcpSize || len(b) > maxRouterAnswer || len(b)%4 != 0 {
		return fmt.Errorf("an answer of %d bytes", len(b))
	}
	asked, got := q[pcpHeader:], b[pcpHeader:]
	if [13]byte(asked) != [13]byte(got) || [2]byte(asked[16:]) != [2]byte(got[16:]) { // nonce, protocol, port
		return errors.New("an answer about another port")
	}
	return nil
}

// pcpMapped reads what was opened, and for how long, from an answer that
// readPCP liked.
func pcpMapped(b []byte) (netip.AddrPort, time.Duration, error) {
	m := b[pcpHeader:]
	at := netip.AddrFrom16([16]byte(m[20:])).Unmap()
	life := time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second
	return netip.AddrPortFrom(at, binary.BigEndian.Uint16(m[18:])), life, nil
}
