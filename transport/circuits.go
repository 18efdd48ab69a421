package transport

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// relayRace is how long several relays may take to show which of them lives.
const relayRace = 400 * time.Millisecond

// living sorts out addresses that lead through relays that do not answer, where
// there are others: libp2p tries the circuits to one peer one after another, and
// a dead relay would hold up the rest for seconds.
func (h *Host) living(ctx context.Context, addrs []ma.Multiaddr) (first, later []ma.Multiaddr) {
	relays := map[peer.ID][]ma.Multiaddr{}
	for _, a := range addrs {
		if !viaRelay(a) {
			continue
		}
		if id, err := relayIn(a).id(); err == nil {
			relays[id] = append(relays[id], beforeCircuit(a))
		}
	}
	if len(relays) < 2 {
		return addrs, nil
	}
	if !h.anyConnected(relays) {
		h.race(ctx, relays)
	}
	if !h.anyConnected(relays) {
		return addrs, nil
	}
	for _, a := range addrs {
		if id, err := relayIn(a).id(); viaRelay(a) && err == nil && !h.reaches(id) {
			later = append(later, a)
			continue
		}
		first = append(first, a)
	}
	return first, later
}

// beforeCircuit is where the relay of a circuit address is dialled.
func beforeCircuit(a ma.Multiaddr) ma.Multiaddr {
	before, _ := ma.SplitFunc(a, func(c ma.Component) bool { return c.Protocol().Code == ma.P_CIRCUIT })
	at, _ := peer.SplitAddr(before)
	return at
}

// reaches says whether there is a direct connection to a peer.
func (h *Host) reaches(id peer.ID) bool { return h.swarm.Connectedness(id) == network.Connected }

func (h *Host) anyConnected(relays map[peer.ID][]ma.Multiaddr) bool {
	for id := range relays {
		if h.reaches(id) {
			return true
		}
	}
	return false
}

// race dials relays side by side until one of them answers.
func (h *Host) race(ctx context.Context, relays map[peer.ID][]ma.Multiaddr) {
	ctx, cancel := context.WithTimeout(ctx, relayRace)
	defer cancel()
	won := make(chan bool, len(relays))
	asked := 0
	for id, at := range relays {
		if !h.begin() {
			break
		}
		asked++
		at = slices.Clone(at)
		go func() {
			defer h.wg.Done()
			won <- h.p2p.Connect(network.WithForceDirectDial(ctx, "a relay is reached directly"), peer.AddrInfo{ID: id, Addrs: at}) == nil
		}()
	}
	for range asked {
		if <-won {
			return
		}
	}
}

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
// a change as of any other change of address.
func (h *Host) setCircuits(relay peer.ID, c circuits) {
	h.mu.Lock()
	before := len(h.circuits[relay].addrs)
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
