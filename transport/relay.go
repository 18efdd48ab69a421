package transport

import (
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
)

// Lend says what a relay gives to those who ask (circuit relay v2). The zero
// value of a field means the default named beside it.
type Lend struct {
	Duration     time.Duration // of one circuit: 12 h
	Bytes        int64         // of one circuit in each direction: 1 GiB, four days of calls
	Reservations int           // people who may be reached through it: 128
	Circuits     int           // open circuits of one peer: 16
	PerIP        int           // reservations from one address, which may be a whole school: 32
	Rate         int64         // bytes a second of all circuits together: as fast as it goes
	// For says who may be reached through the relay, From who may reach them; nil
	// is everybody. They must not block.
	For, From func(Peer) bool
	// Meter counts, and may limit; nil: nobody looks.
	Meter *Meter
	// Open offers the relay to strangers: it is listed in the table (DHT.Serve).
	// Where Duration or Bytes is not set, they are then those of public relays, good
	// for a first word: 2 minutes and 128 KiB.
	Open bool
	// STUN answers binding requests (RFC 5389) on the UDP port besides.
	STUN bool
	// Beside says that the host goes on as any other does, and lends beside it.
	// Else it is nothing but a relay.
	Beside bool
}

// relayBuffer is what each direction of a circuit holds, in bytes. It adds no
// delay of its own: what has come is passed on at once.
const relayBuffer = 64 << 10

func (l Lend) resources() relay.Resources {
	def := func(v, d int) int {
		if v > 0 {
			return v
		}
		return d
	}
	r := relay.DefaultResources()
	if !l.Open {
		r.Limit = &relay.RelayLimit{Duration: 12 * time.Hour, Data: 1 << 30}
	}
	if l.Duration > 0 {
		r.Limit.Duration = l.Duration
	}
	if l.Bytes > 0 {
		r.Limit.Data = l.Bytes
	}
	r.MaxReservations, r.MaxCircuits = def(l.Reservations, 128), def(l.Circuits, 16)
	r.MaxReservationsPerIP, r.MaxReservationsPerASN = def(l.PerIP, 32), def(l.Reservations, 128)
	r.BufferSize = relayBuffer
	return r
}

// onlyLends says whether the host is nothing but a relay.
func (h *Host) onlyLends() bool { return h.cfg.Lend != nil && !h.cfg.Lend.Beside }

// reachOptions say which part of circuit relay v2 and hole punching this host
// takes. A LAN-only host takes none; a relay only serves.
func (h *Host) reachOptions() []libp2p.Option {
	switch {
	case h.cfg.LANOnly:
		return []libp2p.Option{libp2p.DisableRelay(), libp2p.ForceReachabilityPrivate(), libp2p.DisableIdentifyAddressDiscovery()}
	case h.onlyLends():
		return []libp2p.Option{libp2p.ForceReachabilityPublic(), libp2p.DisableIdentifyAddressDiscovery()}
	}
	// Circuits are dialled by hops instead of libp2p's own client. A fixed answer
	// stops AutoNAT's client from asking around. What peers see us as (identify) is
	// where a hole is punched.
	return []libp2p.Option{libp2p.DisableRelay(), libp2p.Transport(h.newHops), libp2p.EnableHolePunching(holepunch.WithAddrFilter(puncher{h})), libp2p.ForceReachabilityPrivate()}
}
