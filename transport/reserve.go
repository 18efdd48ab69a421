package transport

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	pbv2 "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/util"
)

const (
	maxReserved = 4096 // bytes of a relay's answer
	// A reservation is made anew after half of its life, within these bounds. Its end
	// is told by the relay's clock: where that differs from ours, by a year or by
	// any time beyond the hour that circuit v2 gives, it says nothing.
	firstRenewal, lastRenewal = time.Minute, 30 * time.Minute
)

// reservation is what a relay says to who may be reached through it.
type reservation struct {
	renew time.Duration // how long until it is to be made anew
	small bool          // it is not enough for a call
}

// askReservation asks a relay, which we are connected to, for a reservation
// (circuit v2 RESERVE). libp2p's own client refuses one that has ended by our
// clock, and with it each relay whose clock is behind by more than an hour, or
// all of them where ours is ahead; and it waits a minute for the answer, whatever
// ctx says.
func (h *Host) askReservation(ctx context.Context, relay peer.ID) (reservation, error) {
	raw, err := h.p2p.NewStream(network.WithNoDial(ctx, "a relay is reached before"), relay, proto.ProtoIDv2Hop)
	if err != nil {
		return reservation{}, fmt.Errorf("open stream: %w", err)
	}
	s := &Stream{s: raw}
	defer func() { _ = s.Reset() }()
	defer s.Until(ctx)()
	if err := util.NewDelimitedWriter(s).WriteMsg(&pbv2.HopMessage{Type: pbv2.HopMessage_RESERVE.Enum()}); err != nil {
		return reservation{}, fmt.Errorf("ask: %w", err)
	}
	in := util.NewDelimitedReader(s, maxReserved)
	defer in.Close()
	var answer pbv2.HopMessage
	if err := in.ReadMsg(&answer); err != nil {
		return reservation{}, fmt.Errorf("read answer: %w", err)
	}
	if answer.GetType() != pbv2.HopMessage_STATUS || answer.GetStatus() != pbv2.Status_OK || answer.GetReservation() == nil {
		return reservation{}, fmt.Errorf("refused: %v", answer.GetStatus())
	}
	until, limit := time.Unix(int64(answer.GetReservation().GetExpire()), 0), answer.GetLimit()
	return reservation{
		renew: renewal(time.Until(until)),
		small: small(time.Duration(limit.GetDuration())*time.Second, limit.GetData()),
	}, nil
}

// renewal is when to make a reservation anew that ends after some time.
func renewal(life time.Duration) time.Duration {
	if life <= 0 {
		return lastRenewal
	}
	return min(max(life/2, firstRenewal), lastRenewal)
}
