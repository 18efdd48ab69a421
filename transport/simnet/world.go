// Package simnet is a make-believe internet for tests: local networks behind
// NATs of several kinds, delay, loss, cables to cut, and machines that move
// from one network to another. It hides pion's vnet, and runs inside
// testing/synctest, where a minute of its time takes no time at all. Only UDP
// over IPv4 exists in it.
package simnet

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
)

// NAT is how a local network is joined to the internet.
type NAT int

// The kinds of NAT (RFC 4787), the most open first.
const (
	// Public is no NAT: every machine has an address of its own.
	Public NAT = iota
	// FullCone lets anybody in by a port that was used once.
	FullCone
	// AddressRestricted lets in the addresses that were written to.
	AddressRestricted
	// PortRestricted lets in the addresses and ports that were written to.
	PortRestricted
	// Symmetric besides uses a new port for each address and port written to.
	Symmetric
)

// mappingLife is how long a NAT remembers a machine that is silent.
const mappingLife = 2 * time.Minute

// Config is what the internet is like. The zero value is instant and loses nothing.
type Config struct {
	// Delay is how long a packet takes across, one way. On one local network it takes none.
	Delay time.Duration
	// Seed begins the row of lost packets.
	Seed uint64
}

// World is an internet. Its methods are safe for concurrent use; those that
// cannot do what they are asked end the test.
type World struct {
	t    testing.TB
	core *vnet.Router
	logs logging.LoggerFactory

	mu     sync.Mutex
	rng    *rand.Rand
	loss   float64
	lans   int
	public int
	cut    map[string]bool // IP addresses whose cable is cut
}

// New returns an empty world, which ends with the test.
func New(t testing.TB, cfg Config) *World {
	t.Helper()
	w := &World{
		t: t, rng: rand.New(rand.NewPCG(cfg.Seed, 1)), cut: map[string]bool{},
		logs: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	}
	w.core = w.router(&vnet.RouterConfig{CIDR: "8.0.0.0/8", MinDelay: cfg.Delay})
	w.must(w.core.Start())
	t.Cleanup(func() { _ = w.core.Stop() })
	return w
}

// LAN returns a new local network behind a NAT of that kind.
func (w *World) LAN(kind NAT) *LAN {
	w.t.Helper()
	if kind == Public {
		return &LAN{world: w, router: w.core}
	}
	w.mu.Lock()
	w.lans++
	n := w.lans
	w.mu.Unlock()
	l := &LAN{world: w, net: fmt.Sprintf("192.168.%d", n), public: fmt.Sprintf("8.1.%d.1", n)}
	l.router = w.router(&vnet.RouterConfig{
		CIDR: l.net + ".0/24", StaticIPs: []string{l.public}, NATType: behaviour(kind),
	})
	w.must(w.core.AddRouter(l.router))
	w.must(l.router.Start())
	return l
}

// SetLoss makes the internet lose that part of all packets, from 0 to 1. Local
// networks lose none.
func (w *World) SetLoss(part float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = part
}

func (w *World) router(cfg *vnet.RouterConfig) *vnet.Router {
	w.t.Helper()
	cfg.LoggerFactory = w.logs
	r, err := vnet.NewRouter(cfg)
	w.must(err)
	r.AddChunkFilter(func(c vnet.Chunk) bool { return w.carries(c, cfg.NATType == nil) })
	return r
}

// carries decides about a packet at a router; core is the internet's own.
func (w *World) carries(c vnet.Chunk, core bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut[addrIP(c.SourceAddr())] || w.cut[addrIP(c.DestinationAddr())] {
		return false
	}
	return !core || w.loss == 0 || w.rng.Float64() >= w.loss
}

func (w *World) setCut(ip string, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cut {
		w.cut[ip] = true
		return
	}
	delete(w.cut, ip)
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("simnet: %v", err)
	}
}

func behaviour(kind NAT) *vnet.NATType {
	n := &vnet.NATType{MappingLifeTime: mappingLife}
	switch kind {
	case Public, FullCone:
	case AddressRestricted:
		n.FilteringBehavior = vnet.EndpointAddrDependent
	case PortRestricted:
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	case Symmetric:
		n.MappingBehavior = vnet.EndpointAddrPortDependent
		n.FilteringBehavior = vnet.EndpointAddrPortDependent
	}
	return n
}

func addrIP(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}

// LAN is a local network: machines on it reach each other at once, and the
// internet through its NAT. A Public one is a place for machines with addresses
// of their own.
type LAN struct {
	world  *World
	router *vnet.Router
	net    string // the first three parts of its addresses
	public string // the NAT's address

	mu    sync.Mutex
	hosts int
}

// Host returns a new machine on the network.
func (l *LAN) Host() *Host {
	l.world.t.Helper()
	h := &Host{world: l.world, changed: make(chan struct{}, 1), sockets: map[*socket]struct{}{}}
	h.join(l)
	return h
}

// PublicIP returns the address by which the internet knows the network, nil if it is Public.
func (l *LAN) PublicIP() net.IP { return net.ParseIP(l.public) }

// Cut cuts the cable between the network and the internet. A Public network has none.
func (l *LAN) Cut() { l.setCut(true) }

// Mend joins what Cut parted.
func (l *LAN) Mend() { l.setCut(false) }

func (l *LAN) setCut(cut bool) {
	if l.public != "" {
		l.world.setCut(l.public, cut)
	}
}

// newNet gives a machine an address here.
func (l *LAN) newNet() (*vnet.Net, net.IP) {
	l.world.t.Helper()
	ip := l.nextIP()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	l.world.must(err)
	l.world.must(l.router.AddNet(n))
	return n, net.ParseIP(ip).To4()
}

func (l *LAN) nextIP() string {
	if l.net == "" {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		l.world.public++
		return fmt.Sprintf("8.8.%d.%d", l.world.public/200, l.world.public%200+1)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts++
	return fmt.Sprintf("%s.%d", l.net, l.hosts+1)
}
