package simnet

import (
	"fmt"
	"strings"
	"time"

	"github.com/pion/transport/v4/vnet"
)

// NAT is how a local network is joined to the internet.
type NAT int

// The kinds of network, the most open first. NATs are those of RFC 4787.
const (
	// Public is no NAT: every machine has an address of its own.
	Public NAT = iota
	// Dual is Public with an address of IPv6 besides.
	Dual
	// FullCone lets anybody in by a port that was used once.
	FullCone
	// AddressRestricted lets in the addresses that were written to.
	AddressRestricted
	// PortRestricted lets in the addresses and ports that were written to.
	PortRestricted
	// CarrierGrade is PortRestricted behind the same at the carrier's (RFC 6888).
	CarrierGrade
	// IPv6Only has no IPv4 at all, and a firewall that lets in the addresses and
	// ports that were written to.
	IPv6Only
	// Symmetric besides uses a new port for each address and port written to.
	Symmetric
	// NoUDP lets nothing but TCP out.
	NoUDP
	// Captive answers every call to the internet by TCP itself, with a page to
	// log in; everything else is lost.
	Captive
)

// Kinds returns the kinds that people live behind, and their names.
func Kinds() (kinds []NAT) {
	for k := FullCone; k <= NoUDP; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// String names the kind as a table does.
func (n NAT) String() string {
	names := [...]string{
		"public", "public, both IP", "endpoint-independent", "address-restricted", "port-restricted",
		"carrier's NAT over NAT", "IPv6 only", "symmetric", "UDP blocked", "captive portal",
	}
	if n < 0 || int(n) >= len(names) {
		return fmt.Sprintf("NAT(%d)", int(n))
	}
	return names[n]
}

// mappingLife is how long a NAT remembers a machine that is silent.
const mappingLife = 2 * time.Minute

func behaviour(kind NAT) *vnet.NATType {
	n := &vnet.NATType{MappingLifeTime: mappingLife}
	switch kind {
	case Public, Dual, IPv6Only, FullCone:
	case AddressRestricted:
		n.FilteringBehavior = vnet.EndpointAddrDependent
	case PortRestricted, CarrierGrade, NoUDP, Captive:
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	case Symmetric:
		n.MappingBehavior = vnet.EndpointAddrPortDependent
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	}
	return n
}

// Carrier is a provider that has fewer addresses than customers: all of them
// share one, behind a NAT of its own.
type Carrier struct {
	world  *World
	router *vnet.Router
	place  string
	net    string // the first three parts of its addresses
	public string
	homes  int
}

// Carrier returns a new provider. Its NAT is PortRestricted and turns packets
// of one customer to another back (hairpinning), as RFC 6888 wants it to.
func (w *World) Carrier() *Carrier {
	w.t.Helper()
	n := w.nextNet()
	c := &Carrier{world: w, place: fmt.Sprintf("carrier %d", n), net: fmt.Sprintf("100.64.%d", n), public: fmt.Sprintf("8.1.%d.1", n)}
	c.router = w.join(w.core, c.place, c.net, c.public, PortRestricted)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.carriers[c.place] = spot{internet, c.public}
	return c
}

// LAN returns a new customer's network behind a NAT of that kind.
func (c *Carrier) LAN(kind NAT) *LAN {
	c.world.t.Helper()
	c.homes++
	return c.world.home(c.router, c.place, fmt.Sprintf("%s.%d", c.net, c.homes+1), kind)
}

// NoHairpin makes the carrier's NAT lose what one customer sends to another by
// the address that they share.
func (c *Carrier) NoHairpin() { c.world.noHairpin(spot{internet, c.public}) }

func (w *World) noHairpin(s spot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.oneWay[s] = true
}

// LAN returns a new local network behind a NAT of that kind.
func (w *World) LAN(kind NAT) *LAN {
	w.t.Helper()
	switch kind {
	case Public:
		return &LAN{world: w, kind: kind, router: w.core}
	case Dual:
		return &LAN{world: w, kind: kind, router: w.core, router6: w.core6}
	case IPv6Only:
		return &LAN{world: w, kind: kind, router6: w.core6}
	case CarrierGrade:
		return w.Carrier().LAN(PortRestricted)
	case FullCone, AddressRestricted, PortRestricted, Symmetric, NoUDP, Captive:
	}
	return w.home(w.core, internet, fmt.Sprintf("8.1.%d.1", w.nextNet()), kind)
}

// home makes a network behind a NAT of its own, which is at an address of parent's.
func (w *World) home(parent *vnet.Router, above, public string, kind NAT) *LAN {
	w.t.Helper()
	n := w.nextNet()
	l := &LAN{world: w, kind: kind, place: fmt.Sprintf("home %d", n), net: fmt.Sprintf("192.168.%d", n%256), door: spot{above, public}}
	if w.cfg.SameHomes {
		l.net = "192.168.1"
	}
	l.router = w.join(parent, l.place, l.net, public, kind)
	if kind == NoUDP || kind == Captive {
		l.router.AddChunkFilter(func(c vnet.Chunk) bool { return strings.HasPrefix(addrIP(c.DestinationAddr()), l.net+".") })
	}
	return l
}

func (w *World) join(parent *vnet.Router, place, net, public string, kind NAT) *vnet.Router {
	w.t.Helper()
	r := w.router(place, &vnet.RouterConfig{CIDR: net + ".0/24", StaticIPs: []string{public}, NATType: behaviour(kind)})
	w.must(parent.AddRouter(r))
	w.must(r.Start())
	return r
}
