package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// mdnsPort is where multicast DNS lives, RFC 6762 §3; groups 224.0.0.251 and ff02::fb.
const mdnsPort = 5353

// link is a network interface where others may be found.
type link struct {
	net.Interface
	prefixes []netip.Prefix
}

// links returns the interfaces that are up, carry multicast and have an
// address. Loopback has nobody on it, and a tunnel is not a local network.
func links() ([]link, error) {
	ifaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	const must = net.FlagUp | net.FlagMulticast
	const mustNot = net.FlagLoopback | net.FlagPointToPoint
	var out []link
	for _, i := range ifaces {
		if i.Flags&must != must || i.Flags&mustNot != 0 {
			continue
		}
		if l := (link{i, prefixesOf(i)}); len(l.prefixes) > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

func prefixesOf(i net.Interface) []netip.Prefix {
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// onLink reports whether ip is a neighbour's address on this interface, one
// that can be dialled: IPv6 link-local addresses need a zone and cannot.
func (l link) onLink(ip netip.Addr) bool {
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLoopback() || (ip.Is6() && ip.IsLinkLocalUnicast()) {
		return false
	}
	for _, p := range l.prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// reachesUs reports whether a packet from ip came over this link (RFC 6762 §11).
func (l link) reachesUs(ip netip.Addr) bool {
	return ip.IsLinkLocalUnicast() || l.onLink(ip)
}

// mdns is a pair of sockets in the mDNS groups of some links.
type mdns struct {
	links []link
	v4    *ipv4.PacketConn
	v6    *ipv6.PacketConn
}

// joinMDNS opens the sockets, shared with whatever else speaks mDNS here. One
// of the two families is enough.
func joinMDNS(on []link) (*mdns, error) {
	m := &mdns{links: on}
	err4, err6 := m.join4(), m.join6()
	if err4 != nil && err6 != nil {
		return nil, fmt.Errorf("join multicast groups: %w", errors.Join(err4, err6))
	}
	return m, nil
}

func group4() *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: mdnsPort}
}

func group6() *net.UDPAddr {
	return &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: mdnsPort}
}

func (m *mdns) join4() error {
	// Go binds a multicast address as the wildcard, with the port shared.
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(224, 0, 0, 0), Port: mdnsPort})
	if err != nil {
		return err
	}
	p := ipv4.NewPacketConn(c)
	err = m.join(func(on *net.Interface) error { return p.JoinGroup(on, group4()) }, p.SetMulticastTTL(255), p.SetMulticastLoopback(true))
	if err != nil {
		return errors.Join(fmt.Errorf("IPv4: %w", err), c.Close())
	}
	_ = p.SetControlMessage(ipv4.FlagInterface, true) // not on Windows: links are then told apart by address
	m.v4 = p
	return nil
}

func (m *mdns) join6() error {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.ParseIP("ff02::"), Port: mdnsPort})
	if err != nil {
		return err
	}
	p := ipv6.NewPacketConn(c)
	err = m.join(func(on *net.Interface) error { return p.JoinGroup(on, group6()) }, p.SetMulticastHopLimit(255), p.SetMulticastLoopback(true))
	if err != nil {
		return errors.Join(fmt.Errorf("IPv6: %w", err), c.Close())
	}
	_ = p.SetControlMessage(ipv6.FlagInterface, true)
	m.v6 = p
	return nil
}

// join joins a group on each link; one that takes part is enough, if the socket
// could be set up as well.
func (m *mdns) join(group func(*net.Interface) error, set ...error) error {
	joined := false
	for _, l := range m.links {
		joined = group(&l.Interface) == nil || joined
	}
	if !joined {
		set = append(set, errors.New("no interface takes part in multicast"))
	}
	return errors.Join(set...)
}

func (m *mdns) close() {
	if m.v4 != nil {
		_ = m.v4.Close()
	}
	if m.v6 != nil {
		_ = m.v6.Close()
	}
}

// send multicasts packet on one link. A network that is going away refuses
// packets; its end is told elsewhere.
func (m *mdns) send(l link, packet []byte) {
	perPacket := runtime.GOOS != "windows"
	if m.v4 != nil {
		cm := &ipv4.ControlMessage{IfIndex: l.Index}
		if !perPacket {
			cm = nil
			_ = m.v4.SetMulticastInterface(&l.Interface)
		}
		_, _ = m.v4.WriteTo(packet, cm, group4())
	}
	if m.v6 != nil {
		cm := &ipv6.ControlMessage{IfIndex: l.Index}
		if !perPacket {
			cm = nil
			_ = m.v6.SetMulticastInterface(&l.Interface)
		}
		_, _ = m.v6.WriteTo(packet, cm, group6())
	}
}

// receive4 and receive6 pass on packets of neighbours until the sockets close.
func (m *mdns) receive4(got func(link, netip.Addr, []byte)) {
	buf := make([]byte, maxPacket)
	for {
		n, cm, from, err := m.v4.ReadFrom(buf)
		if err != nil {
			return
		}
		index := 0
		if cm != nil {
			index = cm.IfIndex
		}
		m.pass(buf[:n], index, from, got)
	}
}

func (m *mdns) receive6(got func(link, netip.Addr, []byte)) {
	buf := make([]byte, maxPacket)
	for {
		n, cm, from, err := m.v6.ReadFrom(buf)
		if err != nil {
			return
		}
		index := 0
		if cm != nil {
			index = cm.IfIndex
		}
		m.pass(buf[:n], index, from, got)
	}
}

// pass finds the link a packet came over. Packets from elsewhere, or not from
// the mDNS port (RFC 6762 §6), are dropped.
func (m *mdns) pass(packet []byte, index int, from net.Addr, got func(link, netip.Addr, []byte)) {
	u, ok := from.(*net.UDPAddr)
	if !ok || u.Port != mdnsPort {
		return
	}
	ip := u.AddrPort().Addr().Unmap().WithZone("")
	for _, l := range m.links {
		if (index == 0 || index == l.Index) && l.reachesUs(ip) {
			got(l, ip, packet)
			return
		}
	}
}
