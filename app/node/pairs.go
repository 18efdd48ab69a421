package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// The pair secrets shared with a device outlive its person here. Whoever is
// removed keeps theirs, and answers nobody who comes without: who lost them could
// not be told from who stole this device's key and calls in its name, and to let
// such a caller ask, to be accepted by a hasty click, would end what the secrets
// are for. So when the two meet again we come with the secret that they expect.
// It tells no more than the chain that stays of what was signed here, see Remove.

// keptPairKey is where the pair secrets of a removed person's device are kept.
func keptPairKey(d identity.DeviceID) string { return "pair/" + d.String() }

// setPairsAside keeps the pair secrets of a person who is removed.
func setPairsAside(tx *store.Tx, id identity.ID) error {
	devices, err := tx.Devices(id)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if secrets := slices.Concat(d.PairNew, d.PairOld); len(secrets) > 0 {
			if err := tx.Set(keptPairKey(d.ID), secrets); err != nil {
				return err
			}
		}
	}
	return nil
}

// newDevice is a device that is not stored yet. The pair secrets set aside for it
// are old ones until the two have met: it may have asked us meanwhile, and have
// none of them any more, and then it comes without.
func newDevice(tx *store.Tx, id identity.DeviceID, person identity.ID) (store.Device, error) {
	d := store.Device{ID: id, Person: person}
	secrets, err := tx.Value(keptPairKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.PairOld = secrets
	return d, tx.Set(keptPairKey(id), nil)
}

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
