package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Host is this device in the network: it listens, dials, and carries streams.
// All methods are safe for concurrent use.
type Host struct {
	self Peer
	cfg  Config
	log  *slog.Logger

	p2p   host.Host
	swarm *swarm.Swarm
	// quic owns the UDP sockets. What is not QUIC on them (WebRTC) is had by
	// quic.SharedNonQUICPacketConn.
	quic        *quicreuse.ConnManager
	quicSockets quicSockets  // those that we opened for it
	sockets     sockets      // the same, where they are this machine's
	relay       *relay.Relay // nil unless the host lends
	hops        *hops        // through relays; nil: neither in nor out
	mapper      *mapper      // asks the router for ports; nil: nobody does
	// verifier has others try them; nil: nobody does, or libp2p's own does.
	verifier *verifier

	quit    chan struct{} // closed by Close
	stopped chan struct{} // closed when Close is done
	refresh chan struct{} // a token: LAN tags changed
	seek    chan struct{} // a token: Find is to ask its caller again
	wg      sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	friends  map[Peer]bool        // protected peers
	idle     map[Peer]*time.Timer // connected strangers: when to look whether they do anything
	watchers map[*watcher]struct{}
	named    []peer.AddrInfo // relays of the configuration
	borrowed map[peer.ID]borrowed
	circuits map[peer.ID]circuits  // that lead to us through a relay
	seen     map[peer.ID]sighting  // where others see us
	ends     map[peer.ID]time.Time // since when those are gone that hung up
	came     map[peer.ID]time.Time // who came through a relay, and when

	impostors map[peer.ID]bool // relays in whose place something else answers

	moves     int        // how often the machine has moved
	seekAgain bool       // besides, everything put off is due
	finding   FindStatus // how Find goes
}

// Listen starts a host. It returns an error that wraps ErrAddrInUse if another
// program holds an address asked for. The caller closes the host.
func Listen(ctx context.Context, cfg Config) (*Host, error) {
	self, err := peerOfKey(cfg.Key)
	if err != nil {
		return nil, err
	}
	h := &Host{
		self: self, cfg: cfg, log: cfg.Log,
		quit: make(chan struct{}), stopped: make(chan struct{}), refresh: make(chan struct{}, 1), seek: make(chan struct{}, 1),
		friends: map[Peer]bool{}, idle: map[Peer]*time.Timer{}, watchers: map[*watcher]struct{}{}, circuits: map[peer.ID]circuits{}, borrowed: map[peer.ID]borrowed{},
		seen: map[peer.ID]sighting{}, ends: map[peer.ID]time.Time{}, came: map[peer.ID]time.Time{}, impostors: map[peer.ID]bool{},
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if err := h.build(ctx); err != nil {
		return nil, fmt.Errorf("start host: %w", err)
	}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.p2p.Close(), h.quicSockets.close())
	}
	return h, nil
}

// start binds the addresses and sets the host's own goroutines going.
func (h *Host) start(ctx context.Context) error {
	relays, err := relaysOf(h.cfg.Relays)
	if err != nil {
		return err
	}
	changed, err := h.subscribe()
	if err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	if err := h.bind(ctx); err != nil {
		return errors.Join(err, changed.Close())
	}
	life := h.lifetime(ctx)
	h.p2p.SetStreamHandler(seenProtocol, h.answerSeen)
	h.swarm.Notify(&network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { h.back(c); h.cameBy(c); h.joined(life, c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { h.parted(c) }, //nolint:contextcheck // a connection has its own
	})
	h.wg.Go(func() { h.followPeers(changed) })
	h.wg.Go(func() { h.followNetwork(life) })
	if h.verifier != nil {
		h.wg.Go(func() { h.verifyPorts(life) })
	}
	if err := errors.Join(h.serveOthers(life), h.serveRelay(life)); err != nil {
		return err
	}
	if h.cfg.LANOnly {
		return nil
	}
	h.mu.Lock()
	h.named = relays
	h.mu.Unlock()
	for _, r := range relays {
		h.wg.Go(func() { h.stayReserved(life, r) })
	}
	return nil
}

// lifetime gives a context that ends when the host closes.
func (h *Host) lifetime(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.wg.Go(func() {
		<-h.quit
		cancel()
	})
	return ctx
}

// Close ends all connections and streams, and waits until every handler,
// watcher and worker of the host has returned. Further calls wait likewise.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		<-h.stopped
		return nil
	}
	h.closed = true
	for _, t := range h.idle {
		t.Stop()
	}
	h.mu.Unlock()
	defer close(h.stopped)
	close(h.quit)
	if h.relay != nil {
		_ = h.relay.Close() // it has no way to fail
	}
	err := errors.Join(h.p2p.Close(), h.quicSockets.close())
	h.wg.Wait()
	if err != nil {
		return fmt.Errorf("close host: %w", err)
	}
	return nil
}

// begin counts one more goroutine that Close has to wait for. It reports false
// if the host is closed; else the caller calls h.wg.Done when it is through.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.wg.Add(1)
	return true
}

// Peer returns the host's own peer id.
func (h *Host) Peer() Peer { return h.self }

// Addrs returns the multiaddrs at which this host listens now, QUIC first, each
// with /p2p/ and its peer id; addresses of all interfaces are spelled out.
func (h *Host) Addrs() []string {
	var out []string
	for _, a := range slices.Concat(h.listening(), h.confirmed(), h.circuitAddrs()) {
		out = append(out, a.String()+"/p2p/"+string(h.self))
	}
	return out
}

// listening returns the addresses without the peer id.
func (h *Host) listening() []ma.Multiaddr {
	// Not swarm.InterfaceListenAddresses: its answer may be a minute old, and
	// after a network change that is too old.
	bound := h.swarm.ListenAddresses()
	if len(bound) == 0 {
		return nil
	}
	all, err := manet.ResolveUnspecifiedAddresses(bound, nil)
	if err != nil {
		h.log.Debug("list listen addresses", "err", err)
		return nil
	}
	all = h.published(all)
	slices.SortFunc(all, func(a, b ma.Multiaddr) int { // QUIC is /udp/: reversed, it leads
		if c := cmp.Compare(transportOf(b), transportOf(a)); c != 0 {
			return c
		}
		return strings.Compare(a.String(), b.String())
	})
	return all
}

func transportOf(a ma.Multiaddr) string {
	if _, err := a.ValueForProtocol(ma.P_UDP); err == nil {
		return "udp"
	}
	return "tcp"
}

// published drops what nobody else can dial, and what a LAN-only host keeps to
// itself. Loopback is of use only where there is nothing else.
func (h *Host) published(addrs []ma.Multiaddr) []ma.Multiaddr {
	var out, loopback []ma.Multiaddr
	for _, a := range addrs {
		if h.cfg.World != nil {
			a = h.cfg.World.present(a)
		}
		ip, ok := addrIP(a)
		switch {
		case !ok || ip.IsUnspecified():
		case ip.Is6() && ip.IsLinkLocalUnicast(): // needs a zone, which is ours
		case h.cfg.LANOnly && !nearby(ip):
		case ip.IsLoopback():
			loopback = append(loopback, a)
		default:
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return loopback
	}
	return out
}

// Port returns the UDP port of QUIC, 0 if the host does not listen on UDP.
func (h *Host) Port() int { return portOf(h.swarm.ListenAddresses(), ma.P_UDP) }

// Open opens a stream for protocol on an existing connection; it never dials.
// The error wraps ErrNotConnected if there is no connection.
func (h *Host) Open(ctx context.Context, p Peer, proto string) (*Stream, error) {
	id, err := p.id()
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	if !h.Connected(p) {
		return nil, fmt.Errorf("open stream to %v: %w", p.Short(), ErrNotConnected)
	}
	ctx = network.WithNoDial(network.WithAllowLimitedConn(ctx, "any path will do"), "the caller dials")
	s, err := h.p2p.NewStream(ctx, id, protocol.ID(proto))
	if err != nil {
		return nil, fmt.Errorf("open stream to %v: %w", p.Short(), plainStreamError(err))
	}
	return &Stream{s: s, host: h, peer: p}, nil
}

// Handle serves streams of protocol that others open: each in a goroutine of
// its own that Close waits for. The stream is closed when f returns. Handle
// replaces an earlier handler of the same protocol.
func (h *Host) Handle(proto string, f func(*Stream)) {
	h.p2p.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		if !h.begin() {
			_ = s.Reset()
			return
		}
		defer h.wg.Done()
		st := &Stream{s: s, host: h, peer: Peer(s.Conn().RemotePeer().String())}
		defer func() { _ = st.Close() }()
		f(st)
	})
}

// Connected reports whether there is a connection to p by any path.
func (h *Host) Connected(p Peer) bool {
	id, err := p.id()
	if err != nil {
		return false
	}
	c := h.swarm.Connectedness(id)
	return c == network.Connected || c == network.Limited
}

// Disconnect closes every connection to p.
func (h *Host) Disconnect(p Peer) error {
	id, err := p.id()
	if err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	if err := h.swarm.ClosePeer(id); err != nil {
		return fmt.Errorf("disconnect %v: %w", p.Short(), err)
	}
	return nil
}
