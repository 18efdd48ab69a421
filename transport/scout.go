package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"
)

const (
	// scoutAgent says nothing about the program: strangers need not know it.
	scoutAgent = "libp2p"
	// wakeTimeout is how long the first nodes may take to answer.
	wakeTimeout = 10 * time.Second
	// maxKnown is how many nodes of the table are remembered while it is not used.
	maxKnown = 24
	// fewKnown is how many of them are tried at first.
	fewKnown = 8
	// clockOff is by how much the clocks of others must differ from ours before
	// ours is thought to be wrong.
	clockOff = 36 * time.Hour
	// boardClockPause is how long after a relay's clock was believed none is.
	boardClockPause = time.Hour
	// clockWitnesses is how many others must have told theirs.
	clockWitnesses = 4
	// provePause is how long a node that answers may take to show that it is one
	// of the table.
	provePause = time.Second
)

// scout speaks to strangers in the host's place: under a name that it made up
// and that ends with it, on a socket of its own. What strangers learn from it
// is this machine's address, and not which device or person is there.
type scout struct {
	p2p      host.Host
	table    *table // nil without a table
	serves   bool
	answered atomic.Int32 // of the nodes to begin with
	work     sync.WaitGroup

	introduced event.Subscription

	mu     sync.Mutex
	signed map[peer.ID]uint64 // Unix nanoseconds
}

// openScout starts a scout and lets it look for the table d; nil is none. It takes until the
// first node has answered, or none did.
func (h *Host) openScout(ctx context.Context, d *DHT, known []peer.AddrInfo) (*scout, error) {
	s := &scout{serves: d != nil && !d.Serve && h.isPublic()}
	opts, err := h.scoutOptions(d, s.serves)
	if err != nil {
		return nil, err
	}
	if s.p2p, err = libp2p.New(opts...); err != nil {
		return nil, fmt.Errorf("start scout: %w", err)
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.p2p.Close())
	}
	if d == nil {
		return s, nil
	}
	begin, err := d.bootstrap()
	if err == nil {
		s.table, err = d.openTable(s.p2p, s.serves, begin)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.meet(ctx, begin, known)
	return s, nil
}

// scoutOptions build a host that strangers learn nothing from.
func (h *Host) scoutOptions(d *DHT, serves bool) ([]libp2p.Option, error) {
	limits, err := resourceManager()
	if err != nil {
		return nil, err
	}
	conns, err := connManager()
	if err != nil {
		return nil, errors.Join(err, limits.Close())
	}
	opts := []libp2p.Option{
		libp2p.RandomIdentity, libp2p.DisableMetrics(), libp2p.Ping(false), libp2p.DisableRelay(),
		libp2p.UserAgent(scoutAgent), libp2p.ProtocolVersion(protocolVersion),
		libp2p.ResourceManager(limits), libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(scoutGater{anyAddr: d == nil || d.AnyAddr}),
		libp2p.Security(libp2ptls.ID, libp2ptls.New), libp2p.Security(noise.ID, noise.New),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.QUICReuse(openScoutQUIC, h.quicOptions()...),
		libp2p.DisableIdentifyAddressDiscovery(),
	}
	switch w := h.cfg.World; {
	case w == nil:
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport))
	case w.DialTCP != nil:
		opts = append(opts, libp2p.Transport(w.newTCP))
	}
	switch {
	case !serves:
		opts = append(opts, libp2p.NoListenAddrs, libp2p.ForceReachabilityPrivate())
	case h.cfg.World != nil:
		opts = append(opts, libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/%v/udp/0/quic-v1", h.cfg.World.IP())), libp2p.ForceReachabilityPublic())
	default:
		opts = append(opts, libp2p.ListenAddrStrings("/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"), libp2p.ForceReachabilityPublic())
	}
	return opts, nil
}

func openScoutQUIC(key quic.StatelessResetKey, token quic.TokenGeneratorKey, life fx.Lifecycle, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
	cm, err := quicreuse.NewConnManager(key, token, opts...)
	if err != nil {
		return nil, fmt.Errorf("open QUIC: %w", err)
	}
	smallPackets(cm.ClientConfig())
	life.Append(fx.StopHook(cm.Close))
	return cm, nil
}

// isPublic says whether one of this machine's own IPv4 addresses can be reached
// from everywhere. IPv6 does not count: most routers let nobody in by it.
func (h *Host) isPublic() bool {
	return slices.ContainsFunc(h.listening(), func(a ma.Multiaddr) bool {
		ip, ok := addrIP(a)
		return ok && ip.Is4() && manet.IsPublicAddr(a)
	})
}

// meet connects to the nodes to begin with and to some of those known from
// before, and returns when one is in the routing table, or none answers. Whoever
// has not answered then may do so later. If nobody has after a while, the others
// known are tried too (each handshake costs what ten questions do), and the first
// once more: who has too much to do hangs up.
func (s *scout) meet(ctx context.Context, begin, known []peer.AddrInfo) {
	bound, cancel := context.WithTimeout(ctx, wakeTimeout)
	var asked sync.WaitGroup
	connect := func(to []peer.AddrInfo, counts bool) {
		for _, info := range to {
			asked.Go(func() {
				if s.p2p.Connect(bound, info) == nil && counts {
					s.answered.Add(1)
				}
			})
		}
	}
	connect(begin, true)
	some := known[:min(len(known), fewKnown)]
	connect(some, false)
	asked.Go(func() {
		select {
		case <-time.After(provePause):
		case <-bound.Done():
		}
		if s.table.dht.RoutingTable().Size() == 0 {
			connect(slices.Concat(begin, known), false)
		}
	})
	over := make(chan struct{})
	s.work.Go(func() {
		defer cancel()
		defer close(over)
		asked.Wait()
	})
	s.await(over)
}

// await returns when the table knows a node, or a while after all were asked:
// who answered still has to show that it is one.
func (s *scout) await(over <-chan struct{}) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	var late <-chan time.Time
	for s.table.dht.RoutingTable().Size() == 0 {
		select {
		case <-over:
			over, late = nil, time.After(provePause)
		case <-late:
			return
		case <-look.C:
		}
	}
}

// peers lists up to maxKnown nodes of the table to begin with next time.
func (s *scout) peers() []peer.AddrInfo {
	var out []peer.AddrInfo
	if s.table == nil {
		return nil
	}
	for _, id := range s.table.dht.RoutingTable().ListPeers() {
		if info := s.p2p.Peerstore().PeerInfo(id); len(info.Addrs) > 0 && len(out) < maxKnown {
			out = append(out, info)
		}
	}
	return out
}

// size is how many nodes of the table it knows.
func (s *scout) size() int {
	if s.table == nil {
		return 0
	}
	return s.table.dht.RoutingTable().Size()
}

// listen notes when those who introduce themselves last signed their own
// addresses: each says what time it is at least.
func (s *scout) listen() error {
	sub, err := s.p2p.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted), eventbus.Name("entrenous scout"))
	if err != nil {
		return fmt.Errorf("follow introductions: %w", err)
	}
	s.introduced = sub
	s.signed = map[peer.ID]uint64{}
	s.work.Go(func() {
		for e := range sub.Out() {
			if of, ok := e.(event.EvtPeerIdentificationCompleted); ok {
				s.note(of.Peer, of.SignedPeerRecord)
			}
		}
	})
	return nil
}

func (s *scout) note(id peer.ID, envelope *record.Envelope) {
	var r peer.PeerRecord
	if envelope == nil || envelope.TypedRecord(&r) != nil || r.PeerID != id {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.signed) < maxKnown {
		s.signed[id] = r.Seq
	}
}

// clock is what time it is at least, judged by when others last signed their
// own addresses; zero if too few did. One liar does not count.
func (s *scout) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.signed) < clockWitnesses {
		return time.Time{}
	}
	seen := slices.Sorted(maps.Values(s.signed))
	return time.Unix(0, int64(min(seen[len(seen)-2], 1<<62)))
}

// close ends all that the scout does.
func (s *scout) close() error {
	var err error
	if s.table != nil {
		err = s.table.dht.Close()
	}
	err = errors.Join(err, s.introduced.Close(), s.p2p.Close())
	s.work.Wait()
	return err
}

// scoutGater keeps strangers from making us knock at doors of our own network.
type scoutGater struct{ anyAddr bool }

var _ connmgr.ConnectionGater = scoutGater{}

// InterceptPeerDial lets every name pass.
func (scoutGater) InterceptPeerDial(peer.ID) bool { return true }

// InterceptAddrDial lets only public addresses pass, unless the table is private.
func (g scoutGater) InterceptAddrDial(_ peer.ID, a ma.Multiaddr) bool {
	return g.anyAddr || manet.IsPublicAddr(a)
}

// InterceptAccept lets everybody in: the limits decide.
func (scoutGater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured lets everybody in.
func (scoutGater) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

// InterceptUpgraded lets everything pass that came this far.
func (scoutGater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
