package transport

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// circuits are the addresses that lead to us through one relay.
type circuits struct {
	addrs []ma.Multiaddr
	small bool // it passes on too little for a call
}

// A circuit that lasts less, or carries less, is good for texts and for meeting
// in the middle only (public relays allow 2 minutes and 128 KiB).
const (
	enoughTime = 5 * time.Minute
	enoughData = 4 * mib
)

// small says whether limits of a relay, 0 for none, are too small for a call.
func small(last time.Duration, bytes uint64) bool {
	return last > 0 && last < enoughTime || bytes > 0 && bytes < enoughData
}

// setCircuits says which addresses lead to us through a relay; watchers hear of
// a change as of any other change of address. Nothing leads to us through one
// that was given back meanwhile.
func (h *Host) setCircuits(relay peer.ID, c circuits) {
	h.mu.Lock()
	before := len(h.circuits[relay].addrs)
	if _, borrowed := h.borrowed[relay]; !borrowed && !h.namedLocked(relay) {
		c = circuits{}
	}
	if len(c.addrs) == 0 {
		delete(h.circuits, relay)
	} else {
		h.circuits[relay] = c
	}
	h.mu.Unlock()
	if before != len(c.addrs) {
		h.networkChanged()
	}
}

// circuitAddrs lists the addresses that lead through relays, those of friends
// first and those of strangers last.
func (h *Host) circuitAddrs() []ma.Multiaddr {
	h.mu.Lock()
	defer h.mu.Unlock()
	relays := slices.SortedFunc(maps.Keys(h.circuits), func(a, b peer.ID) int {
		return cmp.Or(cmp.Compare(h.originLocked(a).rank(), h.originLocked(b).rank()), cmp.Compare(a, b))
	})
	var out []ma.Multiaddr
	for _, id := range relays {
		out = append(out, h.circuits[id].addrs...)
	}
	return out
}
