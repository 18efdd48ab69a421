package simnet

import (
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	pion "github.com/pion/transport/v4"

	"github.com/entrenous/entrenous/transport"
)

// Host is a machine: one network interface, with one address of each family
// that its network has.
type Host struct {
	world   *World
	changed chan struct{}
	traffic atomic.Int64

	mu        sync.Mutex
	killed    bool // its program may open nothing
	lan       *LAN
	v4, v6    address
	sockets   map[*socket]struct{}
	listeners map[door]*listener
}

// IP returns the machine's address of IPv4 now, nil if it has none.
func (h *Host) IP() net.IP {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.v4.ip.To4()
}

// IP6 returns the machine's address of IPv6 now, nil if it has none.
func (h *Host) IP6() net.IP {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.v6.ip
}

// Net returns the machine's network of IPv4 in pion's words. It is another one
// after Move.
func (h *Host) Net() pion.Net {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.v4.net
}

// Changed carries a token after each Move.
func (h *Host) Changed() <-chan struct{} { return h.changed }

// Traffic is how many bytes of packets the machine has sent and received by UDP,
// those of IP's and UDP's heads among them.
func (h *Host) Traffic() int64 { return h.traffic.Load() }

// carries counts a packet from or to somebody.
func (h *Host) carries(bytes int, peer net.Addr) {
	h.traffic.Add(int64(bytes + overhead(addrIP(peer))))
}

// World is the machine's network as a libp2p host wants it.
func (h *Host) World() *transport.World {
	w := &transport.World{ListenUDP: h.ListenUDP, IP: h.IP, IP6: h.IP6, Refuses: h.Refuses, Changed: h.Changed()}
	if h.world.cfg.TCP {
		w.DialTCP, w.ListenTCP = h.DialTCP, h.ListenTCP
	}
	return w
}

// Cut pulls the machine's cable.
func (h *Host) Cut() { h.setCut(true) }

// Mend plugs it in again.
func (h *Host) Mend() { h.setCut(false) }

func (h *Host) setCut(cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.spotsLocked() {
		h.world.setCut(s, cut)
	}
}

// Move takes the machine to another network, or to another address on the
// same one. What was on its way to the old address is lost.
func (h *Host) Move(to *LAN) {
	h.world.t.Helper()
	h.join(to)
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

func (h *Host) join(l *LAN) {
	h.world.t.Helper()
	v4, v6 := l.addresses()
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.spotsLocked()
	h.lan, h.v4, h.v6 = l, v4, v6
	h.world.settle(h, l, before, h.spotsLocked())
	for s := range h.sockets {
		h.world.must(s.rebind(h.addressOf(s.local.IP)))
	}
}

// settle notes where a machine is.
func (w *World) settle(h *Host, l *LAN, before, now []spot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range before {
		delete(w.spots, s)
	}
	for _, s := range now {
		w.spots[s] = tenant{h, l}
	}
}

func (h *Host) spotsLocked() (out []spot) {
	for _, a := range []address{h.v4, h.v6} {
		if a.ip != nil {
			out = append(out, spot{h.lan.place, a.ip.String()})
		}
	}
	return out
}

// speaks says whether the machine has an address of an address's family.
func (h *Host) speaks(ip net.IP) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addressOf(ip).ip != nil
}

func (h *Host) addressOf(ip net.IP) address {
	if ip != nil && ip.To4() == nil {
		return h.v6
	}
	return h.v4
}

func (h *Host) closeSockets() {
	h.mu.Lock()
	sockets := slices.Collect(maps.Keys(h.sockets))
	h.mu.Unlock()
	for _, s := range sockets {
		_ = s.Close()
	}
}

func (h *Host) forget(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
}
