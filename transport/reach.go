package transport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	reserveTimeout    = 10 * time.Second
	relayDialTime     = 3 * time.Second // a try that began while the network was away asks ever more seldom
	firstReserveRetry = time.Second
	lastReserveRetry  = 2 * time.Minute
	punchReady        = 2 * time.Second
)

// relaysOf reads the addresses of relays, grouped by relay.
func relaysOf(texts []string) ([]peer.AddrInfo, error) {
	var addrs []ma.Multiaddr
	for _, text := range texts {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, fmt.Errorf("relay %q: %w", clip(text), err)
		}
		if _, id := peer.SplitAddr(a); id == "" {
			return nil, fmt.Errorf("relay %q: it names no peer (/p2p/…)", clip(text))
		}
		addrs = append(addrs, a)
	}
	infos, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil {
		return nil, fmt.Errorf("read relays: %w", err)
	}
	return infos, nil
}

// stayReserved keeps a reservation at a relay (circuit v2 RESERVE) until the
// host closes, and the addresses that lead through it among the host's own.
func (h *Host) stayReserved(ctx context.Context, r peer.AddrInfo) {
	events, stop := h.Watch()
	defer stop()
	h.p2p.ConnManager().Protect(r.ID, relayTag)
	defer h.letGo(r.ID)
	pause := firstReserveRetry
	for {
		next, err := h.reserve(ctx, r)
		if err == nil {
			pause = firstReserveRetry
		} else {
			h.log.Debug("relay does not take us", "peer", Peer(r.ID.String()), "err", err)
			next, pause = pause, min(2*pause, lastReserveRetry)
		}
		if !h.waitReserved(ctx, events, r.ID, next) {
			return
		}
	}
}

// waitReserved waits until the reservation has to be made anew; false means that
// ctx or the host ends.
func (h *Host) waitReserved(ctx context.Context, events <-chan Event, relay peer.ID, next time.Duration) bool {
	t := time.NewTimer(next)
	defer t.Stop()
	for {
		select {
		case <-h.quit:
			return false
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case e, ok := <-events:
			if !ok {
				return false
			}
			lost := e.Kind == Disconnected && e.Peer == Peer(relay.String())
			if lost {
				h.setCircuits(relay, circuits{})
			}
			if lost || e.Kind == NetworkChanged {
				return true
			}
		}
	}
}

// reserve makes a reservation and says how long until it is to be made anew.
func (h *Host) reserve(ctx context.Context, r peer.AddrInfo) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, reserveTimeout)
	defer cancel()
	known := h.Connected(Peer(r.ID.String()))
	h.swarm.Backoff().Clear(r.ID)
	err := h.dialRelay(ctx, r)
	h.noteImpostor(r.ID, err != nil && h.chosen(r.ID) && h.impostor(ctx, r))
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	if !known {
		h.awaitPuncher(ctx)
	}
	got, err := h.askReservation(ctx, r.ID)
	if err != nil {
		return 0, fmt.Errorf("reserve: %w", err)
	}
	through := circuits{small: got.small}
	for _, a := range r.Addrs {
		c, err := ma.NewMultiaddr(a.String() + "/p2p/" + r.ID.String() + "/p2p-circuit")
		if err != nil {
			return 0, errors.Join(errors.New("compose address"), err)
		}
		through.addrs = append(through.addrs, c)
	}
	h.setCircuits(r.ID, through)
	return got.renew, nil
}

// chosen says whether a relay is one of Config and may be called directly.
func (h *Host) chosen(relay peer.ID) bool {
	return h.isNamed(relay) && h.mayRoute(relay, "") && (h.cfg.Allow == nil || h.cfg.Allow(Peer(relay.String())))
}

func (h *Host) dialRelay(ctx context.Context, r peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, relayDialTime)
	defer cancel()
	if h.isClosed() { // libp2p does not bear a direct dial while it closes
		return ErrClosed
	}
	return h.p2p.Connect(network.WithForceDirectDial(ctx, "a relay is reached directly"), r)
}

// awaitPuncher waits until libp2p can punch holes: it does so only for callers
// who come after it has learnt, from the relay, how we look from outside. Where
// it never learns that, nothing can be punched anyway.
func (h *Host) awaitPuncher(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, punchReady)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !slices.Contains(h.p2p.Mux().Protocols(), holepunch.Protocol) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// DropRelayed closes the connections to p that run through a relay, if there is
// a direct one.
func (h *Host) DropRelayed(p Peer) {
	id, err := p.id()
	if err != nil || h.Path(p).Kind == Relay {
		return
	}
	for _, c := range h.swarm.ConnsToPeer(id) {
		if viaRelay(c.RemoteMultiaddr()) {
			_ = c.Close()
		}
	}
}
