package transport

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Origin is why a relay passes on for this host.
type Origin string

// The origins, in the order of preference.
const (
	OriginFriend Origin = "friend" // a friend's device, which offered it
	OriginNamed  Origin = "named"  // one of Config.Relays
	OriginOpen   Origin = "open"   // a stranger's, offered to everybody in the table
	OriginPublic Origin = "public" // a stranger's libp2p node, for a first word only
)

func (o Origin) rank() int {
	return slices.Index([]Origin{OriginFriend, OriginNamed, OriginOpen, OriginPublic}, o)
}

// stranger says whether nobody whom we know stands behind the relay.
func (o Origin) stranger() bool { return o == OriginOpen || o == OriginPublic }

// borrowed is somebody's device that passes on for us, and is not in Config.
type borrowed struct {
	at   peer.AddrInfo
	from Origin
	stop context.CancelFunc
}

// Borrow makes the host reachable through a friend's relay from now on, besides
// those of its Config: addrs are its multiaddrs with /p2p/. What is borrowed
// already stays as it is, unless it was a stranger's.
func (h *Host) Borrow(ctx context.Context, addrs []string) error {
	relays, err := relaysOf(addrs)
	if err != nil || h.cfg.LANOnly {
		return err
	}
	for _, r := range relays {
		if err := h.borrow(ctx, r, OriginFriend); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) borrow(ctx context.Context, r peer.AddrInfo, from Origin) error {
	if !h.begin() {
		return fmt.Errorf("borrow a relay: %w", ErrClosed)
	}
	defer h.wg.Done()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	b, has := h.borrowed[r.ID]
	switch {
	case has || h.namedLocked(r.ID):
		stop()
		if has && from == OriginFriend { // a stranger's until now
			b.from = from
			h.borrowed[r.ID] = b
		}
	default:
		h.borrowed[r.ID] = borrowed{r, from, stop}
		h.wg.Go(func() { h.stayReserved(life, r) })
	}
	return nil
}

// GiveBack ends what Borrow began.
func (h *Host) GiveBack(relay Peer) {
	if id, err := relay.id(); err == nil {
		h.giveBack(id)
	}
}

// giveBack ends a relay's passing on, and that its addresses are told, at once:
// one that leads to us still would be taken for one of Config, which needs no
// stranger beside it.
func (h *Host) giveBack(id peer.ID) {
	h.mu.Lock()
	b, ok := h.borrowed[id]
	_, led := h.circuits[id]
	if ok {
		delete(h.borrowed, id)
		delete(h.circuits, id)
	}
	h.mu.Unlock()
	if !ok {
		return
	}
	b.stop()
	if led {
		h.networkChanged()
	}
}

// relaysNow are the relays named in Config, and those borrowed.
func (h *Host) relaysNow() []peer.AddrInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := slices.Clone(h.named)
	for _, b := range h.borrowed {
		out = append(out, b.at)
	}
	slices.SortStableFunc(out, func(a, b peer.AddrInfo) int { return h.originLocked(a.ID).rank() - h.originLocked(b.ID).rank() })
	return out
}

// isNamed says whether a relay is one of Config.
func (h *Host) isNamed(id peer.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.namedLocked(id)
}

func (h *Host) namedLocked(id peer.ID) bool {
	return slices.ContainsFunc(h.named, func(n peer.AddrInfo) bool { return n.ID == id })
}

func (h *Host) originLocked(id peer.ID) Origin {
	if b, ok := h.borrowed[id]; ok {
		return b.from
	}
	return OriginNamed
}
