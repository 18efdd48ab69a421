package simnet

import (
	"fmt"
	"net"
	"sync"

	"github.com/pion/transport/v4/vnet"
)

// LAN is a local network: machines on it reach each other at once, and the
// internet through its NAT. A Public, Dual or IPv6Only one is a place for
// machines with addresses of their own.
type LAN struct {
	world   *World
	kind    NAT
	place   string
	router  *vnet.Router // nil where there is no IPv4
	router6 *vnet.Router // nil where there is no IPv6
	net     string       // the first three parts of its addresses
	door    spot         // the NAT's address

	mu    sync.Mutex
	hosts int
}

// Host returns a new machine on the network.
func (l *LAN) Host() *Host {
	l.world.t.Helper()
	h := &Host{world: l.world, changed: make(chan struct{}, 1), sockets: map[*socket]struct{}{}, listeners: map[door]*listener{}}
	h.join(l)
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.hosts = append(l.world.hosts, h)
	return h
}

// PublicIP returns the address of the network's NAT, nil if it has none.
func (l *LAN) PublicIP() net.IP { return net.ParseIP(l.door.ip) }

// Cut cuts the cable between the network and the internet. One without a NAT
// has none.
func (l *LAN) Cut() { l.setCut(true) }

// Mend joins what Cut parted.
func (l *LAN) Mend() { l.setCut(false) }

// NoHairpin makes the NAT lose what comes from inside to its own address.
func (l *LAN) NoHairpin() { l.world.noHairpin(l.door) }

func (l *LAN) setCut(cut bool) {
	if l.door.ip != "" {
		l.world.setCut(l.door, cut)
	}
}

// address is where a machine is on one family of IP.
type address struct {
	net *vnet.Net
	ip  net.IP // nil where the family is missing
}

// nowhere is where sockets listen on a machine without a network.
const nowhere = "127.0.0.1"

// listen opens a socket; where the family is missing it hears nothing.
func (a address) listen(port int) (net.PacketConn, error) {
	ip := a.ip
	if ip == nil {
		ip = net.ParseIP(nowhere)
	}
	return a.net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port})
}

// addresses gives a machine its addresses here.
func (l *LAN) addresses() (a4, a6 address) {
	l.world.t.Helper()
	ip, ip6 := l.nextIP()
	return l.address(l.router, ip), l.address(l.router6, ip6)
}

func (l *LAN) address(r *vnet.Router, ip string) address {
	l.world.t.Helper()
	if r == nil {
		n, err := vnet.NewNet(&vnet.NetConfig{})
		l.world.must(err)
		return address{net: n}
	}
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	l.world.must(err)
	l.world.must(r.AddNet(n))
	return address{net: n, ip: net.ParseIP(ip)}
}

func (l *LAN) nextIP() (ip, ip6 string) {
	if l.net == "" {
		return l.world.nextIP()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts++
	return fmt.Sprintf("%s.%d", l.net, l.hosts+1), ""
}
