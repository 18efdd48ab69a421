package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/util"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"
)

// Meter counts what a relay passes on, and for whom. It is safe for concurrent
// use; the zero value counts, and allows any amount.
type Meter struct {
	capped atomic.Bool
	left   atomic.Int64 // bytes that may still be passed on, where capped

	total        atomic.Int64
	circuits     atomic.Int64 // open now
	opened       atomic.Int64
	reservations atomic.Int64 // held now
	refused      atomic.Int64 // requests

	mu   sync.Mutex
	each map[Peer]int64 // since it was last asked for
}

// Reading is what a Meter shows.
type Reading struct {
	Bytes        int64 // passed on since the start, each counted once
	Circuits     int64 // connections open now
	Opened       int64 // connections since the start
	Reservations int64 // people who can be reached through the relay now
	Refused      int64 // requests refused since the start
}

// Read shows what was counted.
func (m *Meter) Read() Reading {
	return Reading{
		Bytes: m.total.Load(), Circuits: m.circuits.Load(), Opened: m.opened.Load(),
		Reservations: m.reservations.Load(), Refused: m.refused.Load(),
	}
}

// Take gives the bytes that went to and came from each peer since it was last
// asked, through this relay. Whoever was refused is not among them: anybody can
// ask under any number of names.
func (m *Meter) Take() map[Peer]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.each
	m.each = nil
	return out
}

// Allow sets how many bytes may be passed on from now. What is under way when
// they are used up ends. A negative number is no limit.
func (m *Meter) Allow(bytes int64) {
	m.left.Store(bytes)
	m.capped.Store(bytes >= 0)
}

// spent says whether all that was allowed is used up.
func (m *Meter) spent() bool { return m.capped.Load() && m.left.Load() <= 0 }

func (m *Meter) count(p Peer, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.each == nil {
		m.each = map[Peer]int64{}
	}
	m.each[p] += int64(bytes)
}

// RelayStatus is for libp2p.
func (m *Meter) RelayStatus(bool) {}

// ConnectionOpened is for libp2p.
func (m *Meter) ConnectionOpened() { m.circuits.Add(1); m.opened.Add(1) }

// ConnectionClosed is for libp2p.
func (m *Meter) ConnectionClosed(time.Duration) { m.circuits.Add(-1) }

// ConnectionRequestHandled is for libp2p.
func (m *Meter) ConnectionRequestHandled(s pb.Status) { m.handled(s) }

// ReservationAllowed is for libp2p.
func (m *Meter) ReservationAllowed(renewed bool) {
	if !renewed {
		m.reservations.Add(1)
	}
}

// ReservationClosed is for libp2p.
func (m *Meter) ReservationClosed(n int) { m.reservations.Add(-int64(n)) }

// ReservationRequestHandled is for libp2p.
func (m *Meter) ReservationRequestHandled(s pb.Status) { m.handled(s) }

// BytesTransferred is for libp2p; lent streams count for themselves.
func (m *Meter) BytesTransferred(int) {}

func (m *Meter) handled(s pb.Status) {
	if s != pb.Status_OK {
		m.refused.Add(1)
	}
}

var _ relay.MetricsTracer = (*Meter)(nil)

// errSpent ends a circuit of a relay that may pass on no more.
var errSpent = errors.New("the relay may pass on no more this month")

// lender is the host that the relay service works on: the streams it gets are
// counted and slowed down.
type lender struct {
	host.Host
	meter *Meter
	slow  *rate.Limiter // nil: as fast as it goes
	tap   func(Peer, []byte)
	quit  <-chan struct{}
}

// wait makes room for n bytes; false means that the host closes.
func (l *lender) wait(n int) bool {
	if l.slow == nil {
		return true
	}
	pause := l.slow.ReserveN(time.Now(), min(n, l.slow.Burst())).Delay()
	if pause == 0 {
		return true
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.quit:
		return false
	}
}

// SetStreamHandler is for the relay service.
func (l *lender) SetStreamHandler(id protocol.ID, f network.StreamHandler) {
	l.Host.SetStreamHandler(id, func(s network.Stream) { f(l.lent(s, false)) })
}

// NewStream is for the relay service.
func (l *lender) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	s, err := l.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err //nolint:wrapcheck // the service looks at what libp2p says
	}
	return l.lent(s, true), nil // to somebody who has a reservation
}

func (l *lender) lent(s network.Stream, granted bool) network.Stream {
	out := &lentStream{Stream: s, l: l, of: Peer(s.Conn().RemotePeer().String())}
	out.granted.Store(granted)
	return out
}

// lentStream is one half of a circuit, or a request for something.
type lentStream struct {
	network.Stream
	l       *lender
	of      Peer
	granted atomic.Bool // what it asks for: its peer is counted from then on
	answer  []byte      // as far as it is written, until it is granted
}

// Read takes what its peer sends: that is counted once in all.
func (s *lentStream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	if n == 0 {
		return n, err //nolint:wrapcheck // io.EOF must stay what it is
	}
	if s.granted.Load() {
		s.l.meter.count(s.of, n)
	}
	s.l.meter.total.Add(int64(n))
	if s.l.meter.capped.Load() && s.l.meter.left.Add(-int64(n)) < 0 {
		return 0, errSpent
	}
	if !s.l.wait(n) {
		return 0, ErrClosed
	}
	if s.l.tap != nil {
		s.l.tap(s.of, b[:n])
	}
	return n, err //nolint:wrapcheck // as above
}

// Write passes on what its peer is sent: first, whether what it asked for is
// granted.
func (s *lentStream) Write(b []byte) (int, error) {
	n, err := s.Stream.Write(b)
	if s.granted.Load() || s.grants(b) {
		s.l.meter.count(s.of, n)
	}
	return n, err //nolint:wrapcheck // as above
}

// maxStatus is how long an answer may be, in bytes.
const maxStatus = 4 << 10

// grants notices the answer that is no refusal, circuit v2 STATUS. It is written
// in parts.
func (s *lentStream) grants(b []byte) bool {
	s.answer = append(s.answer, b...)
	r := util.NewDelimitedReader(bytes.NewReader(s.answer), maxStatus)
	defer r.Close()
	var m pb.HopMessage
	if r.ReadMsg(&m) != nil || m.GetType() != pb.HopMessage_STATUS || m.GetStatus() != pb.Status_OK {
		return false
	}
	s.answer = nil
	s.granted.Store(true)
	return true
}

// who says whom a relay serves.
type who struct {
	lend  *Lend
	meter *Meter
}

var _ relay.ACLFilter = who{}

// AllowReserve is for the relay service.
func (w who) AllowReserve(p peer.ID, _ ma.Multiaddr) bool {
	return !w.meter.spent() && (w.lend.For == nil || w.lend.For(Peer(p.String())))
}

// AllowConnect is for the relay service.
func (w who) AllowConnect(from peer.ID, _ ma.Multiaddr, _ peer.ID) bool {
	return !w.meter.spent() && (w.lend.From == nil || w.lend.From(Peer(from.String())))
}

// serveRelay starts to pass on, if the host lends.
func (h *Host) serveRelay(ctx context.Context) error {
	lend := h.cfg.Lend
	if lend == nil || h.cfg.LANOnly {
		return nil
	}
	meter := lend.Meter
	if meter == nil {
		meter = &Meter{}
	}
	l := &lender{Host: h.p2p, meter: meter, quit: h.quit}
	if h.cfg.World != nil {
		l.tap = h.cfg.World.Tap
	}
	if lend.Rate > 0 {
		l.slow = rate.NewLimiter(rate.Limit(lend.Rate), int(min(max(lend.Rate/4, relayBuffer), math.MaxInt32)))
	}
	may := who{lend, meter}
	r, err := relay.New(l, relay.WithResources(lend.resources()), relay.WithACL(may), relay.WithMetricsTracer(meter))
	if err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	h.relay = r
	h.serveGone(ctx, may)
	if lend.STUN {
		return h.serveSTUN()
	}
	return nil
}
