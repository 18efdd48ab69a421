package node

import (
	"context"
	"errors"
	"slices"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// discover announces us on the local network and listens for friends there.
// What is announced are addresses and one tag for each friend, which only that
// friend can recognise, and only for an hour.
func (n *Node) discover(ctx context.Context) {
	err := n.host.Discover(ctx, transport.Beacon{Tags: n.tags, Seen: func(addrs []string, tags [][8]byte) { n.seenNearby(ctx, addrs, tags) }})
	if err != nil && ctx.Err() == nil {
		n.log.Warn("friends on this network are not found by themselves", "err", err)
	}
}

// tags are what we announce in an hour.
func (n *Node) tags(hour int64) [][8]byte {
	var out [][8]byte
	for _, id := range n.everybody() {
		out = append(out, transport.LANTag(wide(n.toldTo(id)), n.me.device.ID(), hour))
	}
	return out
}

// seenNearby looks whether an announcement is a friend's, and dials.
func (n *Node) seenNearby(ctx context.Context, addrs []string, tags [][8]byte) {
	hour := n.cfg.Now().Unix() / 3600
	for d, secret := range n.findable() {
		if n.links.to(d) != nil {
			continue
		}
		for _, h := range []int64{hour, hour - 1, hour + 1} {
			if slices.Contains(tags, transport.LANTag(secret, d, h)) {
				n.foundNearby(ctx, d, addrs)
				break
			}
		}
	}
}

// findable lists the devices we look for, with the secret of their tags.
func (n *Node) findable() map[identity.DeviceID][32]byte {
	r := n.known()
	out := map[identity.DeviceID][32]byte{}
	for id, d := range r.devices {
		switch c := r.contacts[d.Person]; {
		case d.Revoked || id == n.me.device.ID():
		case d.Person == n.me.id:
			out[id] = wide(n.toldTo(n.me.id))
		case c.State == store.Friend && c.Rendezvous != [16]byte{}:
			out[id] = wide(c.Rendezvous)
		}
	}
	return out
}

func wide(s [16]byte) (out [32]byte) {
	copy(out[:], s[:])
	return out
}

// foundNearby puts the addresses seen in front of those known, and dials.
func (n *Node) foundNearby(ctx context.Context, id identity.DeviceID, addrs []string) {
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		d, err := tx.Device(id)
		if err != nil {
			return err
		}
		d.Addrs = mergeAddrs(addrs, d.Addrs)
		return tx.PutDevice(d)
	})
	if err == nil {
		err = n.reload(ctx)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		n.log.Warn("keep address found nearby", "err", err)
	}
	n.keeper.soon(func(e errand) bool { return e.device == id })
}

// mergeAddrs puts new addresses first and drops what is too much.
func mergeAddrs(fresh, known []string) []string {
	var out []string
	for _, a := range slices.Concat(fresh, known) {
		if !slices.Contains(out, a) && len(out) < 16 {
			out = append(out, a)
		}
	}
	return out
}
