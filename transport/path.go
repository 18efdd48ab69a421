package transport

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-yamux/v5"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

// Kind is how bytes travel to a peer.
type Kind string

// The kinds of path, the best first.
const (
	LAN    Kind = "lan"    // both ends on one site
	Direct Kind = "direct" // over the internet, nobody between
	Relay  Kind = "relay"  // through somebody else
	None   Kind = "none"   // not connected
)

// Path describes a connection.
type Path struct {
	Kind Kind
	// Via is the relay, empty unless Kind is Relay.
	Via Peer
	// Small says that the relay passes on too little for a call.
	Small bool
	// RTT is the smoothed round trip time, 0 while unknown.
	RTT time.Duration
	// Loss is the share of packets sent that were lost, from 0 to 1; negative
	// while too few were sent to tell, or nobody counts.
	Loss float64
	// Addr is the other end's address, empty if Kind is None.
	Addr string
}

// Path returns the best connection to p there is now.
func (h *Host) Path(p Peer) Path {
	best := Path{Kind: None, Loss: -1}
	id, err := p.id()
	if err != nil {
		return best
	}
	for _, c := range h.swarm.ConnsToPeer(id) {
		if c.IsClosed() {
			continue
		}
		if got := pathOf(c); got.betterThan(best) {
			best = got
		}
	}
	return best
}

func (p Path) rank() int {
	switch p.Kind {
	case LAN:
		return 0
	case Direct:
		return 1
	case Relay:
		return 2
	case None:
	}
	return 3
}

// betterThan compares kinds, and round trips where kinds are alike and both known.
func (p Path) betterThan(q Path) bool {
	if p.rank() != q.rank() {
		return p.rank() < q.rank()
	}
	return p.RTT != 0 && (q.RTT == 0 || p.RTT < q.RTT)
}

func pathOf(c network.Conn) Path {
	a := c.RemoteMultiaddr()
	p := Path{Kind: Direct, Addr: a.String(), RTT: rttOf(c), Loss: lossOf(c)}
	switch {
	case viaRelay(a):
		p.Kind, p.Via, p.Small = Relay, relayIn(a), smallCircuit(c)
	case nearbyAddr(a):
		p.Kind = LAN
	}
	return p
}

// smallCircuit says whether the relay of a connection has told limits (circuit
// v2 Limit) that are too small for a call.
func smallCircuit(c network.Conn) bool {
	extra := c.Stat().Extra
	last, _ := extra[client.StatLimitDuration].(time.Duration)
	bytes, _ := extra[client.StatLimitData].(uint64)
	return small(last, bytes)
}

// reaches says whether there is a direct connection to a peer.
func (h *Host) reaches(id peer.ID) bool { return h.swarm.Connectedness(id) == network.Connected }

// relayIn returns the relay of a circuit address: the peer named before /p2p-circuit.
func relayIn(a ma.Multiaddr) Peer {
	before, _ := ma.SplitFunc(a, func(c ma.Component) bool { return c.Protocol().Code == ma.P_CIRCUIT })
	_, id := peer.SplitAddr(before)
	return Peer(id.String())
}

func rttOf(c network.Conn) time.Duration {
	var q *quic.Conn
	if c.As(&q) {
		return q.ConnectionStats().SmoothedRTT
	}
	var y *yamux.Session
	if c.As(&y) {
		return y.RTT()
	}
	return 0
}

// countable is how many packets must have been sent before their loss says anything.
const countable = 100

func lossOf(c network.Conn) float64 {
	var q *quic.Conn
	if !c.As(&q) {
		return -1
	}
	s := q.ConnectionStats()
	if s.PacketsSent < countable {
		return -1
	}
	return float64(s.PacketsLost) / float64(s.PacketsSent)
}

// String says the path in a few words, for logs.
func (p Path) String() string {
	switch p.Kind {
	case None:
		return "none"
	case Relay:
		return fmt.Sprintf("relay by %v, %v", p.Via.Short(), p.RTT.Round(time.Millisecond))
	case LAN, Direct:
	}
	return fmt.Sprintf("%s, %v", p.Kind, p.RTT.Round(time.Millisecond))
}
