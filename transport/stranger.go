package transport

import (
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// friendTag and relayTag name our protection in libp2p's connection manager.
const (
	friendTag = "friend"
	relayTag  = "relay"
)

// reservedTag is how libp2p's relay marks who has a reservation.
const reservedTag = "relay-reservation"

// Protect says whether connections to p are kept whatever happens. Those of
// others are closed when there are too many, or after a minute without streams.
func (h *Host) Protect(p Peer, on bool) {
	id, err := p.id()
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if on {
		h.friends[p] = true
		h.p2p.ConnManager().Protect(id, friendTag)
	} else {
		delete(h.friends, p)
		h.p2p.ConnManager().Unprotect(id, friendTag)
	}
	h.watchIdleLocked(p, h.Connected(p))
}

// keptLocked says whether p is a friend, or a relay that we are reached through.
func (h *Host) keptLocked(p Peer) bool {
	id, err := p.id()
	if err != nil {
		return false
	}
	_, borrowed := h.borrowed[id]
	return borrowed || h.friends[p] || h.namedLocked(id)
}

// letGo ends the protection of a relay that no more passes on for us.
func (h *Host) letGo(relay peer.ID) {
	p := Peer(relay.String())
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, again := h.borrowed[relay]; again {
		return
	}
	h.p2p.ConnManager().Unprotect(relay, relayTag)
	h.watchIdleLocked(p, h.Connected(p))
}

// watchIdleLocked sets or stops the clock for p. Only connected strangers have
// one, so an idle host has none.
func (h *Host) watchIdleLocked(p Peer, connected bool) {
	t := h.idle[p]
	if h.closed || !connected || h.keptLocked(p) {
		if t != nil {
			t.Stop()
			delete(h.idle, p)
		}
		return
	}
	if t == nil {
		h.idle[p] = time.AfterFunc(strangerIdle, func() { h.dropIdle(p) })
	}
}

// dropIdle closes the connection to a stranger who does nothing with it.
func (h *Host) dropIdle(p Peer) {
	if !h.begin() {
		return
	}
	defer h.wg.Done()
	idle := !h.busy(p)
	h.mu.Lock()
	t := h.idle[p]
	if t == nil { // became a friend, or left
		h.mu.Unlock()
		return
	}
	if !idle {
		t.Reset(strangerIdle)
		h.mu.Unlock()
		return
	}
	delete(h.idle, p)
	h.mu.Unlock()
	h.log.Debug("closing a stranger's idle connection", "peer", p)
	if err := h.Disconnect(p); err != nil {
		h.log.Debug("close idle connection", "peer", p, "err", err)
	}
}

// busy reports whether a stream of the application's is open, or, at a relay,
// whether the peer may be called through it. Streams of libp2p itself (identify)
// and those that never said what they are for do not count.
func (h *Host) busy(p Peer) bool {
	id, err := p.id()
	if err != nil {
		return false
	}
	if h.cfg.Lend != nil {
		if tags := h.p2p.ConnManager().GetTagInfo(id); tags != nil && tags.Tags[reservedTag] > 0 { // nil: it has just left
			return true
		}
	}
	for _, c := range h.swarm.ConnsToPeer(id) {
		for _, s := range c.GetStreams() {
			if proto := string(s.Protocol()); proto != "" && !strings.HasPrefix(proto, "/ipfs/") {
				return true
			}
		}
	}
	return false
}
