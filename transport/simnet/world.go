// Package simnet is a make-believe internet for tests: local networks behind
// NATs of several kinds and carriers with NATs of their own, IPv4 and IPv6, UDP
// and TCP, delay, loss, small packets, cables to cut, and machines that move
// from one network to another. It hides pion's vnet, and runs inside
// testing/synctest, where a minute of its time takes no time at all.
package simnet

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
)

// Config is what the internet is like. The zero value is instant and loses nothing.
type Config struct {
	// Delay is how long a packet takes across, one way. On one local network it takes none.
	Delay time.Duration
	// Seed begins the row of lost packets.
	Seed uint64
	// TCP gives machines TCP besides UDP. Each host costs more then.
	TCP bool
	// SameHomes makes all networks behind NATs use one and the same range of
	// addresses, as those of most homes do.
	SameHomes bool
}

// World is an internet. Its methods are safe for concurrent use; those that
// cannot do what they are asked end the test.
type World struct {
	t     testing.TB
	cfg   Config
	core  *vnet.Router // IPv4
	core6 *vnet.Router // IPv6
	logs  logging.LoggerFactory
	pumps sync.WaitGroup // of streams and sockets

	mu       sync.Mutex
	rng      *rand.Rand
	loss     float64
	mtu      int
	hosts    []*Host
	nets     int
	public   int
	spots    map[spot]tenant // who is where
	cut      map[spot]bool   // cables that are cut
	oneWay   map[spot]bool   // NATs that do not turn packets back
	flows    map[string]bool // IPv6 from and to that was sent behind a firewall
	streams  map[*stream]struct{}
	carriers map[string]spot // where the NATs of carriers are
	asked    map[string]bool // probes under way, and whether a closed port was met
}

// spot is an address on one network: addresses of homes repeat.
type spot struct{ place, ip string }

// tenant is who is at a spot.
type tenant struct {
	host *Host
	lan  *LAN
}

// walled says whether a firewall stands before an address of IPv6.
func (t tenant) walled() bool { return t.lan != nil && t.lan.kind == IPv6Only }

// New returns an empty world, which ends with the test.
func New(t testing.TB, cfg Config) *World {
	t.Helper()
	w := &World{
		t: t, cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 1)),
		spots: map[spot]tenant{}, cut: map[spot]bool{}, oneWay: map[spot]bool{}, flows: map[string]bool{}, streams: map[*stream]struct{}{}, carriers: map[string]spot{}, asked: map[string]bool{},
		logs: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	}
	w.core = w.router(internet, &vnet.RouterConfig{CIDR: "8.0.0.0/8", MinDelay: cfg.Delay})
	w.core6 = w.router(internet, &vnet.RouterConfig{CIDR: "2a00::/12", MinDelay: cfg.Delay})
	for _, r := range []*vnet.Router{w.core, w.core6} {
		w.must(r.Start())
		t.Cleanup(func() { _ = r.Stop() })
	}
	t.Cleanup(w.end)
	return w
}

// end closes what is still open.
func (w *World) end() {
	w.mu.Lock()
	streams, hosts := slices.Collect(maps.Keys(w.streams)), w.hosts
	w.mu.Unlock()
	for _, s := range streams {
		s.in.fail(net.ErrClosed)
		s.out.fail(net.ErrClosed)
	}
	for _, h := range hosts {
		h.closeSockets()
	}
	w.pumps.Wait()
}

// internet is the place between all networks.
const internet = ""

// SetLoss makes the internet lose that part of all packets, from 0 to 1. Local
// networks lose none.
func (w *World) SetLoss(part float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = part
}

// SetMTU makes the internet drop packets of IP longer than that many bytes, and
// say nothing about it; 0 lets all pass.
func (w *World) SetMTU(bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mtu = bytes
}

func (w *World) router(place string, cfg *vnet.RouterConfig) *vnet.Router {
	w.t.Helper()
	cfg.LoggerFactory = w.logs
	r, err := vnet.NewRouter(cfg)
	w.must(err)
	r.AddChunkFilter(func(c vnet.Chunk) bool { return w.carries(c, place) })
	return r
}

// carries decides about a packet at a router.
func (w *World) carries(c vnet.Chunk, place string) bool {
	return w.passes(c, place) && !w.meets(c, place)
}

func (w *World) passes(c vnet.Chunk, place string) bool {
	from, to := addrIP(c.SourceAddr()), addrIP(c.DestinationAddr())
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.cut[spot{place, from}] || w.cut[spot{place, to}]:
		return false
	case from == to && w.oneWay[spot{place, from}]:
		return false
	case place != internet:
		return true
	case !w.passesLocked(c, from, to):
		return false
	case w.mtu > 0 && len(c.UserData())+overhead(to) > w.mtu:
		return false
	}
	return !w.losesLocked()
}

func (w *World) losesLocked() bool { return w.loss > 0 && w.rng.Float64() < w.loss }

// passesLocked is the firewall of homes with IPv6 (RFC 6092): it lets in what
// answers something that went out.
func (w *World) passesLocked(c vnet.Chunk, from, to string) bool {
	if w.spots[spot{internet, from}].walled() {
		w.flows[c.SourceAddr().String()+" "+c.DestinationAddr().String()] = true
	}
	if w.spots[spot{internet, to}].walled() {
		return w.flows[c.DestinationAddr().String()+" "+c.SourceAddr().String()]
	}
	return true
}

// overhead is what UDP and IP put before each packet, in bytes.
func overhead(ip string) int {
	if net.ParseIP(ip).To4() == nil {
		return 40 + 8
	}
	return 20 + 8
}

func (w *World) setCut(s spot, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cut {
		w.cut[s] = true
		return
	}
	delete(w.cut, s)
}

// nextIP gives an address of the internet to a machine, and one of IPv6.
func (w *World) nextIP() (ip, ip6 string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.public++
	return fmt.Sprintf("8.8.%d.%d", w.public/200, w.public%200+1), fmt.Sprintf("2a00:8::%x", w.public)
}

func (w *World) nextNet() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nets++
	return w.nets
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("simnet: %v", err)
	}
}

func addrIP(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}
