package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// pairsFor lists the pair secrets to try with a device, best first.
func (n *Node) pairsFor(d store.Device) []*noise.Pair {
	var out []*noise.Pair
	for _, secret := range pairSecrets(d) {
		out = append(out, &noise.Pair{Secret: secret, Of: d.ID})
	}
	r := n.known()
	c := r.contacts[d.Person]
	if len(out) > 0 && !r.asks(d.Person) {
		return out // never without it: that would be a downgrade
	}
	if len(c.Once) == 16 {
		out = append(out, &noise.Pair{Secret: identity.OncePair(c.Once)})
	}
	// Without a secret: a first meeting, or an invite that was used up. The
	// other end refuses this from anybody it shares a secret with.
	return append(out, nil)
}

// keepPair stores the stirred pair secret beside the one that was used.
func (n *Node) keepPair(ctx context.Context, d identity.DeviceID, ch *noise.Channel) error {
	next := ch.NextPair()
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		dev, err := tx.Device(d)
		if err != nil {
			return err
		}
		rotatePair(&dev, ch.UsedPair(), next)
		return tx.PutDevice(dev)
	})
	if err != nil {
		return fmt.Errorf("keep pair secret: %w", err)
	}
	return n.reload(ctx)
}

// maxOldPairs is how many earlier pair secrets are kept. One would do if
// meetings came one after the other; those that cross are stored in a different
// order at both ends, and without a secret in common the two never meet again.
const maxOldPairs = 3

// rotatePair makes next the pair secret. The earlier ones that stay are the one
// just used, which the other end is sure to have, and the newest before.
func rotatePair(d *store.Device, used *noise.Pair, next [32]byte) {
	var old [][32]byte
	keep := func(s [32]byte) {
		if s != next && len(old) < maxOldPairs && !slices.Contains(old, s) {
			old = append(old, s)
		}
	}
	if used != nil {
		keep(used.Secret)
	}
	for _, s := range pairSecrets(*d) {
		keep(s)
	}
	d.PairNew, d.PairOld = next[:], nil
	for _, s := range old {
		d.PairOld = append(d.PairOld, s[:]...)
	}
}

// pairSecrets lists what we share with a device, the newest first.
func pairSecrets(d store.Device) (out [][32]byte) {
	for _, b := range [][]byte{d.PairNew, d.PairOld} {
		for ; len(b) >= 32; b = b[32:] {
			out = append(out, [32]byte(b))
		}
	}
	return out
}
