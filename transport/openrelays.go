package transport

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/multiformats/go-multihash"
)

// Relays whose owners let strangers use them (Lend.Open) say so in the table: they
// leave a provider record, which holds their peer id and addresses in clear, under
// a key that everybody knows and that is another one every day. Whoever looks
// there finds relays that nobody here has heard of, some of them perhaps of
// somebody who collects the addresses of who asks.

const (
	// offerAgain is how often an open relay says so: the nodes that keep it go away.
	offerAgain, offerSpread = 6 * time.Hour, time.Hour
	offerRetry              = 10 * time.Second
	maxOffers               = 16 // of strangers, that are looked at in one search
	maxPublic               = 8  // libp2p nodes that are asked in one search
)

// offersKey is where open relays are listed on a day (since 1970, UTC).
func offersKey(network string, day int64) (cid.Cid, error) {
	text := binary.BigEndian.AppendUint64([]byte("entrenous/1 open relays\x00"+network+"\x00"), uint64(day))
	sum := sha256.Sum256(text)
	hash, err := multihash.Encode(sum[:], multihash.SHA2_256)
	if err != nil {
		return cid.Undef, fmt.Errorf("key of open relays: %w", err)
	}
	return cid.NewCidV1(cid.Raw, hash), nil
}

// dayOf is the day of a time.
func dayOf(t time.Time) int64 { return t.Unix() / int64(spotDay/time.Second) }

// offer lists this relay among the open ones of today and tomorrow, again and
// again until ctx ends.
func (h *Host) offer(ctx context.Context, t *table) {
	for fails := 0; ; {
		pause := offerAgain + spread(offerSpread)
		if err := t.offer(ctx, h.network(), dayOf(time.Now())); err != nil {
			h.log.Debug("not listed among open relays", "err", err)
			pause = min(offerRetry<<min(fails, 10), offerAgain)
			fails++
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

func (t *table) offer(ctx context.Context, network string, today int64) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	for _, day := range []int64{today, today + 1} {
		key, err := offersKey(network, day)
		if err != nil {
			return err
		}
		if err := t.dht.Provide(ctx, key, true); err != nil {
			return fmt.Errorf("list an open relay: %w", err)
		}
	}
	return nil
}

// offers gives relays that are listed as open on some days, as they are found.
func (t *table) offers(ctx context.Context, network string, days []int64, give func(peer.AddrInfo)) {
	given := 0
	for _, day := range days {
		key, err := offersKey(network, day)
		if err != nil {
			return
		}
		for info := range t.dht.FindProvidersAsync(ctx, key, maxOffers) {
			if given++; given <= maxOffers {
				give(info)
			}
		}
	}
}

// hops gives some nodes of the table that pass on for anybody (circuit relay v2
// hop), in no order.
func (s *scout) hops() (out []peer.AddrInfo) {
	known := s.table.dht.RoutingTable().ListPeers()
	mathrand.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
	book := s.p2p.Peerstore()
	for _, id := range known {
		if can, err := book.SupportsProtocols(id, proto.ProtoIDv2Hop); err == nil && slices.Contains(can, proto.ProtoIDv2Hop) && len(out) < maxPublic {
			out = append(out, book.PeerInfo(id))
		}
	}
	return out
}
