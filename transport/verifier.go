package transport

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// verifyRetry is when others are asked again, where nobody could be asked: a
	// relay dials once in two minutes.
	verifyRetry = 10 * time.Second
	verifyLife  = time.Hour        // how long a success holds
	verifyFail  = 10 * time.Minute // and a failure
)

// verifier has relays dial the ports that the router says it opened (AutoNAT
// v2). libp2p's own tracker believes an address after two successes, which
// takes minutes with one relay; here the first one is enough: whoever came in
// has shown that it is possible.
type verifier struct {
	wake chan struct{} // a token: there may be something to verify

	mu    sync.Mutex
	known map[string]verdict // by multiaddr
}

// verdict is what became of dialling an address.
type verdict struct {
	reached bool
	at      time.Time
}

// dialled begins to learn which peers dial back.
func dialled(p host.Host) (*autonatv2.AutoNAT, error) {
	// It would serve others through a host of its own, and closes that at the
	// end: it is handed this one, which may be closed twice, and serves nobody.
	nat, err := autonatv2.New(p)
	if err == nil {
		err = nat.Start(p)
	}
	if err != nil {
		return nil, fmt.Errorf("ask whether ports are open: %w", err)
	}
	p.RemoveStreamHandler(autonatv2.DialProtocol)
	return nat, nil
}

// verifyPorts has the router's ports verified until ctx ends.
func (h *Host) verifyPorts(ctx context.Context) {
	v := h.verifier
	nat, err := dialled(h.p2p)
	if err != nil {
		h.log.Warn("nobody can be asked whether ports of the router are open", "err", err)
		return
	}
	defer nat.Close()
	events, stop := h.Watch()
	defer stop()
	next := time.NewTimer(verifyRetry)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-events: // a relay may have come
			if !ok {
				events = nil
			}
		case <-v.wake:
		case <-next.C:
		}
		pause, news := v.look(ctx, nat, h.mapped())
		if news {
			h.networkChanged() // there is an address to tell that was not known before
		}
		next.Reset(pause)
	}
}

// look has the addresses verified that nobody has verified lately, the first
// first, and says when to look again and whether one is reached now that was
// not before.
func (v *verifier) look(ctx context.Context, nat *autonatv2.AutoNAT, addrs []ma.Multiaddr) (next time.Duration, news bool) {
	var due []autonatv2.Request
	for _, a := range v.due(addrs) {
		due = append(due, autonatv2.Request{Addr: a, SendDialData: true})
	}
	if len(due) == 0 {
		return verifyFail, false
	}
	got, err := nat.GetReachability(ctx, due)
	if err != nil || got.AllAddrsRefused || got.Reachability == network.ReachabilityUnknown {
		return verifyRetry, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.known[got.Addr.String()]
	reached := got.Reachability == network.ReachabilityPublic
	v.known[got.Addr.String()] = verdict{reached, time.Now()}
	return verifyRetry, reached != before.reached
}

// due lists the addresses to verify, and forgets what is none of them any more.
func (v *verifier) due(addrs []ma.Multiaddr) (out []ma.Multiaddr) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for known := range v.known {
		if !slices.ContainsFunc(addrs, func(a ma.Multiaddr) bool { return a.String() == known }) {
			delete(v.known, known)
		}
	}
	for _, a := range addrs {
		if ip, ok := addrIP(a); !ok || !Public(ip) {
			continue // a router behind another one: nobody outside can try that
		}
		k, known := v.known[a.String()]
		age := time.Since(k.at)
		if !known || k.reached && age > verifyLife || !k.reached && age > verifyFail {
			out = append(out, a)
		}
	}
	return out
}

// verdicts says which of the addresses were reached, and which were not.
func (v *verifier) verdicts(addrs []ma.Multiaddr) (reached, not []ma.Multiaddr) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range addrs {
		switch k, known := v.known[a.String()]; {
		case known && k.reached:
			reached = append(reached, a)
		case known:
			not = append(not, a)
		}
	}
	return reached, not
}

// verifies prepares what verifyPorts does, on a host that asks its router.
func (h *Host) verifies() {
	if h.mapper == nil || h.cfg.Lend != nil { // who lends has libp2p's, which serves as well
		return
	}
	h.verifier = &verifier{wake: make(chan struct{}, 1), known: map[string]verdict{}}
	h.mapper.tell(h.verifier.wake)
}
