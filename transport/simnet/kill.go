package simnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/pion/transport/v4/vnet"
)

// Kill ends the machine's program as kill -9 does: nobody is told anything by
// it, and it opens nothing more until Revive. Its system goes on: connections of
// TCP are reset, and what comes for a port of UDP is answered that nobody listens
// there.
func (h *Host) Kill() {
	h.mu.Lock()
	h.killed = true
	listeners := slices.Collect(maps.Values(h.listeners))
	h.mu.Unlock()
	h.closeSockets()
	for _, l := range listeners {
		_ = l.Close()
	}
	h.world.mu.Lock()
	streams := slices.Collect(maps.Keys(h.world.streams))
	h.world.mu.Unlock()
	for _, s := range streams {
		if r := s.out.route; r.from == h || r.to == h {
			s.in.fail(syscall.ECONNRESET)
			s.out.fail(syscall.ECONNRESET)
		}
	}
}

// Revive lets a program run on the machine again.
func (h *Host) Revive() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.killed = false
}

// errKilled is what a program is told that was killed and does not know it yet.
var errKilled = errors.New("simnet: killed")

// Refuses reports whether the machine at an address answers that nobody listens
// there, asked through the NATs that the machine's own socket has opened.
func (h *Host) Refuses(ctx context.Context, at netip.AddrPort) bool {
	w := h.world
	w.mu.Lock()
	w.public++
	probe := fmt.Sprintf("is anybody there? %d", w.public)
	w.asked[probe] = false
	w.mu.Unlock()
	h.mu.Lock()
	sockets := slices.Collect(maps.Keys(h.sockets))
	h.mu.Unlock()
	for _, s := range sockets {
		_, _ = s.WriteTo([]byte(probe), net.UDPAddrFromAddrPort(at))
	}
	t := time.NewTimer(2*w.cfg.Delay + time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer delete(w.asked, probe)
	return w.asked[probe]
}

// meets notes that a probe has come to a machine whose port is closed; then it
// goes no farther.
func (w *World) meets(c vnet.Chunk, place string) bool {
	w.mu.Lock()
	_, asked := w.asked[string(c.UserData())]
	there := w.spots[spot{place, addrIP(c.DestinationAddr())}].host
	w.mu.Unlock()
	if !asked || there == nil {
		return false
	}
	at, err := netip.ParseAddrPort(c.DestinationAddr().String())
	if err != nil || there.listens(at) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[string(c.UserData())] = true
	return true
}

// listens says whether a socket of UDP is open.
func (h *Host) listens(at netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sockets {
		if s.local.Port == int(at.Port()) && (s.local.IP.To4() != nil) == at.Addr().Unmap().Is4() {
			return true
		}
	}
	return false
}
