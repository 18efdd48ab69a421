package transport

import (
	"context"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

// askReservation asks a relay for a reservation (circuit v2 RESERVE). libp2p by
// itself waits a minute for the answer, whatever ctx says: a relay that says
// nothing would hold up the others for as long.
func (h *Host) askReservation(ctx context.Context, relay peer.AddrInfo) (*client.Reservation, error) {
	type answer struct {
		got *client.Reservation
		err error
	}
	if !h.begin() {
		return nil, ErrClosed
	}
	came := make(chan answer, 1)
	go func() {
		defer h.wg.Done()
		got, err := client.Reserve(ctx, h.p2p, relay)
		came <- answer{got, err}
	}()
	select {
	case a := <-came:
		return a.got, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
