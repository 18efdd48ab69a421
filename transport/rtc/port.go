package rtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
)

// Port is where all legs of a device meet the network: the UDP sockets that
// the host shares, and the addresses by which others can reach them now.
//
// Two legs at once between the same two ports cannot be told apart; a new one
// waits until an old one has let go.
type Port struct {
	sockets  []socket
	addrs    func() []netip.AddrPort
	shortcut shortcut
	leaving  sync.RWMutex // read-locked by legs that are closing
}

// socket is one UDP socket and the legs on it, told apart by the user name in
// ICE's checks, and then by the other end's address.
type socket struct {
	local net.UDPAddr
	conn  beside
	mux   *ice.UDPMuxDefault
}

// errNoSocket means that no socket is of the address's family.
var errNoSocket = errors.New("no socket for this address")

// NewPort makes a Port of UDP sockets. It owns them: its Close closes them.
// addrs lists the addresses that others can reach now, each with the port of
// one of the sockets; it is called for every leg anew.
func NewPort(conns []net.PacketConn, addrs func() []netip.AddrPort) (*Port, error) {
	p := &Port{addrs: addrs, shortcut: shortcut{sockets: conns, legs: map[uint32][]*Leg{}, hands: map[*Leg]bool{}}}
	for _, c := range conns {
		local, ok := c.LocalAddr().(*net.UDPAddr)
		if !ok {
			return nil, errors.Join(fmt.Errorf("a socket on %v is not one of UDP", c.LocalAddr()), p.Close())
		}
		conn := beside{c, pseudonym(*local), &p.shortcut}
		p.sockets = append(p.sockets, socket{local: *local, conn: conn, mux: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: silent{}})})
	}
	return p, nil
}

// GetListenAddresses gives one address for each socket, one that can be reached
// now if there is any: ICE pairs sockets, not addresses, and a socket without
// may have one later in the call.
func (p *Port) GetListenAddresses() []net.Addr {
	var out []net.Addr
	seen := map[*socket]bool{}
	for _, a := range p.addrs() {
		s := p.socketOf(a)
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		out = append(out, net.UDPAddrFromAddrPort(a))
	}
	for i := range p.sockets {
		if s := &p.sockets[i]; !seen[s] {
			out = append(out, s.conn.local)
		}
	}
	return out
}

// GetConn gives the part of a socket that belongs to one leg.
func (p *Port) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	u, ok := addr.(*net.UDPAddr)
	if !ok {
		return nil, errNoSocket
	}
	s := p.socketOf(u.AddrPort())
	if s == nil {
		return nil, errNoSocket
	}
	return s.mux.GetConn(ufrag, s.mux.LocalAddr())
}

// socketOf finds the socket that an address belongs to: the one bound to it,
// else one of its family and port that is bound to all, or was to an address
// that the device had before.
func (p *Port) socketOf(a netip.AddrPort) *socket {
	var best *socket
	ip := a.Addr().Unmap()
	for i := range p.sockets {
		s := &p.sockets[i]
		local, _ := netip.AddrFromSlice(s.local.IP)
		local = local.Unmap()
		if s.local.Port != int(a.Port()) || local.Is4() != ip.Is4() {
			continue
		}
		if local == ip {
			return s
		}
		if best == nil || local.IsUnspecified() {
			best = s
		}
	}
	return best
}

// straight is the way out of the socket that an address belongs to, past ICE; nil if
// there is none.
func (p *Port) straight(a netip.AddrPort) parter {
	if s := p.socketOf(a); s != nil {
		if c, ok := s.conn.PacketConn.(parter); ok {
			return c
		}
	}
	return nil
}

// RemoveConnByUfrag lets go of what belongs to a leg.
func (p *Port) RemoveConnByUfrag(ufrag string) {
	for _, s := range p.sockets {
		s.mux.RemoveConnByUfrag(ufrag)
	}
}

// Close lets go of the sockets. All legs are closed before.
func (p *Port) Close() error {
	var errs []error
	for _, s := range p.sockets {
		errs = append(errs, s.mux.Close())
	}
	return errors.Join(errs...)
}

// mute makes pion say nothing: what matters is an error or a change of state.
type mute struct{}

// NewLogger gives a logger that discards.
func (mute) NewLogger(string) logging.LeveledLogger { return silent{} }

type silent struct{}

func (silent) Trace(string)          {}
func (silent) Tracef(string, ...any) {}
func (silent) Debug(string)          {}
func (silent) Debugf(string, ...any) {}
func (silent) Info(string)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Warn(string)           {}
func (silent) Warnf(string, ...any)  {}
func (silent) Error(string)          {}
func (silent) Errorf(string, ...any) {}
