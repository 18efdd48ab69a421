package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	p2p "github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	ma "github.com/multiformats/go-multiaddr"
)

// hops dials through relays (circuit v2 CONNECT). libp2p's client asks one relay
// after another for the same peer and waits a minute for each, whoever gave up
// meanwhile: a relay that swallows what it is asked holds everybody. Here each
// relay is asked by a client of its own, so that several are asked side by side
// (libp2p begins them a quarter of a second apart), and an answer is awaited for
// as long as the caller cares, five seconds at most. Who comes to us through
// relays is taken by libp2p's client as ever.
type hops struct {
	h  *Host
	up p2p.Upgrader
	in *client.Client // takes those who come; nil until listen

	mu      sync.Mutex
	clients map[peer.ID]*hop
}

// hop is one relay that is being asked.
type hop struct {
	client *client.Client
	asking int
}

var (
	_ p2p.Transport    = (*hops)(nil)
	_ p2p.SkipResolver = (*hops)(nil)
	_ io.Closer        = (*hops)(nil)
)

// newHops is called for the host, and once more for what libp2p dials back with
// where the host lends.
func (h *Host) newHops(up p2p.Upgrader, id peer.ID) *hops {
	t := &hops{h: h, up: up, clients: map[peer.ID]*hop{}}
	if Peer(id.String()) == h.self {
		h.hops = t
	}
	return t
}

// listen takes those who come through relays. It is called when the host stands.
func (t *hops) listen() error {
	c, err := client.New(t.h.p2p, t.up)
	if err != nil {
		return fmt.Errorf("make circuit client: %w", err)
	}
	t.in = c
	if err := t.h.swarm.Listen(ma.StringCast("/p2p-circuit")); err != nil {
		return fmt.Errorf("listen for circuits: %w", err)
	}
	c.Start()
	return nil
}

// Dial connects to a peer through the relay that a names.
func (t *hops) Dial(ctx context.Context, a ma.Multiaddr, p peer.ID) (p2p.CapableConn, error) {
	relay, err := relayIn(a).id()
	if err != nil {
		return nil, fmt.Errorf("dial %v: %w", a, err)
	}
	c, done, err := t.through(relay)
	if err != nil {
		return nil, err
	}
	defer done()
	return c.Dial(ctx, a, p) //nolint:wrapcheck // the swarm looks at what the client says
}

// through gives the client of one relay; the caller calls done.
func (t *hops) through(relay peer.ID) (c *client.Client, done func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.clients[relay] == nil {
		c, err := client.New(impatient{t.h.p2p}, t.up)
		if err != nil {
			return nil, nil, fmt.Errorf("make circuit client: %w", err)
		}
		t.clients[relay] = &hop{client: c}
	}
	h := t.clients[relay]
	h.asking++
	return h.client, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if h.asking--; h.asking == 0 {
			delete(t.clients, relay)
		}
	}, nil
}

// CanDial says whether an address leads through a relay.
func (t *hops) CanDial(a ma.Multiaddr) bool { return viaRelay(a) }

// Protocols names circuits.
func (t *hops) Protocols() []int { return []int{ma.P_CIRCUIT} }

// Proxy is true: somebody stands between.
func (t *hops) Proxy() bool { return true }

// SkipResolve is true: who dials the relay looks its name up.
func (t *hops) SkipResolve(context.Context, ma.Multiaddr) bool { return true }

// Listen is for libp2p.
func (t *hops) Listen(a ma.Multiaddr) (p2p.Listener, error) {
	if t.in == nil {
		return nil, errors.New("listen for circuits: the host does not stand yet")
	}
	return t.in.Listen(a) //nolint:wrapcheck // nothing to add
}

// Close ends what came and what is being dialled.
func (t *hops) Close() error {
	if t.in == nil {
		return nil
	}
	return t.in.Close() //nolint:wrapcheck // nothing to add
}

// impatient is the host that a circuit client works on: its streams end with the
// context they were opened under, until the relay has answered.
type impatient struct{ host.Host }

// NewStream is for the circuit client.
func (h impatient) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	s, err := h.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err //nolint:wrapcheck // the client looks at what libp2p says
	}
	return &hopStream{Stream: s, leave: context.AfterFunc(ctx, func() { _ = s.Reset() })}, nil
}

type hopStream struct {
	network.Stream
	leave func() bool
}

// SetDeadline is taken away by the client when the relay has answered.
func (s *hopStream) SetDeadline(t time.Time) error {
	if t.IsZero() {
		s.leave()
	}
	return s.Stream.SetDeadline(t) //nolint:wrapcheck // nothing to add
}
