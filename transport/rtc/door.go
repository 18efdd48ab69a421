package rtc

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"

	"github.com/pion/ice/v4"
)

const (
	// eager is how many checks an address gets that has never answered, and
	// lazy the part of those after that are sent: ICE asks all pairs as long as
	// a call lasts, and most of them never work.
	eager = 60
	lazy  = 16
)

// door is a leg's way out: the device's port, and the leg's own tunnel.
type door struct {
	port   *Port
	tunnel *tunnel
	only   bool // the tunnel

	mu    sync.Mutex
	known map[netip.AddrPort]*checks
	ends  map[netip.AddrPort]bool // of the other end: those it named, and those that asked
}

// checks counts what was asked of an address.
type checks struct {
	answered bool
	sent     int
}

var _ ice.UDPMux = (*door)(nil)

// GetListenAddresses gives one address for each socket, and the tunnel's. It
// implements ice.UDPMux.
func (d *door) GetListenAddresses() []net.Addr {
	if d.only {
		return []net.Addr{d.tunnel.local}
	}
	return append(d.port.GetListenAddresses(), d.tunnel.local)
}

// GetConn gives what belongs to this leg. It implements ice.UDPMux.
func (d *door) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	if u, ok := addr.(*net.UDPAddr); ok && tunnelled(u.AddrPort().Addr()) {
		return newMouth(d.tunnel), nil
	}
	c, err := d.port.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	return sparing{c, d}, nil
}

// RemoveConnByUfrag lets go of what belonged to a round of gathering. It
// implements ice.UDPMux.
func (d *door) RemoveConnByUfrag(ufrag string) { d.port.RemoveConnByUfrag(ufrag) }

// Close does nothing: the port is not the leg's.
func (d *door) Close() error { return nil }

// hope lets every address be asked eagerly again.
func (d *door) hope() {
	d.tunnel.hope()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = map[netip.AddrPort]*checks{}
}

func (d *door) ofLocked(a netip.AddrPort) *checks {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	c := d.known[a]
	if c == nil && len(d.known) < 4*maxCandidates {
		c = &checks{}
		d.known[a] = c
	}
	return c
}

// worth says whether one more check of an address should be sent.
func (d *door) worth(a netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.ofLocked(a)
	if c == nil || c.answered {
		return c != nil
	}
	c.sent++
	return c.sent <= eager || c.sent%lazy == 0
}

func (d *door) heard(a netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.ofLocked(a); c != nil {
		c.answered = true
	}
}

// expect lets an address ask that the other end named.
func (d *door) expect(a netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends[a] = true
}

// forget is called when ICE forgets the other end's addresses.
func (d *door) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends = map[netip.AddrPort]bool{}
}

// admits says whether ICE may hear of one more address that asks. It would keep
// each, and try it from each of ours, without a bound; and whoever has seen one
// check can send it from anywhere.
func (d *door) admits(a netip.AddrPort) bool {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ends[a] && len(d.ends) >= maxTried {
		return false
	}
	d.ends[a] = true
	return true
}

// sparing is a leg's part of a socket. It lets no packet for a tunnel out, and
// few checks of addresses that do not answer.
type sparing struct {
	net.PacketConn
	door *door
}

// WriteTo sends a packet, or loses it.
func (c sparing) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok || tunnelled(u.AddrPort().Addr()) || asks(b) && !c.door.worth(u.AddrPort()) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

// ReadFrom reads the next packet.
func (c sparing) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		u, ok := from.(*net.UDPAddr)
		switch {
		case err != nil || !ok:
		case answers(b[:n]):
			c.door.heard(u.AddrPort())
		case asks(b[:n]) && !c.door.admits(u.AddrPort()):
			continue
		}
		return n, from, err
	}
}

// Types of STUN messages (RFC 8489 §5), and the cookie that all carry.
const (
	stunRequest    = 0x0001
	stunIndication = 0x0011
	stunSuccess    = 0x0101
	stunCookie     = 0x2112A442
	stunHeader     = 20
)

func asks(b []byte) bool    { return stunType(b) == stunRequest }
func answers(b []byte) bool { return stunType(b) == stunSuccess }

// stunType gives the type of a STUN message, 0 for anything else.
func stunType(b []byte) uint16 {
	if len(b) < stunHeader || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}
