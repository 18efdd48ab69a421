package node

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// discover announces us on the local network and listens for friends there.
// What is announced are addresses and one tag for each friend, which only that
// friend can recognise, and only for an hour.
func (n *Node) discover(ctx context.Context) {
	err := n.host.Discover(ctx, transport.Beacon{Tags: n.tags, Seen: n.seenNearby, Card: n.card, Met: n.met})
	if err != nil && ctx.Err() == nil {
		n.log.Warn("friends on this network are not found by themselves", "err", err)
	}
}

// tags are what we announce now, by the clock that we judge those of others by.
// Who has a clock of another day announces, and looks for, tags that nobody
// knows: such friends are not found on a new network by themselves. They still
// meet where they met last, at addresses that a link or the settings name, and
// by their records, whose question depends on no clock.
func (n *Node) tags(int64) [][8]byte {
	hour := n.cfg.Now().Unix() / 3600
	var out [][8]byte
	r := n.known()
	for _, id := range n.everybody() {
		if r.hides(id) {
			continue // nobody here is recognised by whom it hides from
		}
		out = append(out, transport.LANTag(wide(n.toldTo(id)), n.me.device.ID(), hour))
	}
	return out
}

// seenNearby looks whether an announcement is a friend's, and dials.
func (n *Node) seenNearby(addrs []string, tags [][8]byte) {
	hour := n.cfg.Now().Unix() / 3600
	for d, secret := range n.findable() {
		if n.links.to(d) != nil {
			continue
		}
		for _, h := range []int64{hour, hour - 1, hour + 1} {
			if slices.Contains(tags, transport.LANTag(secret, d, h)) {
				n.foundNearby(d, addrs)
				break
			}
		}
	}
}

// findable lists the devices we look for, with the secret of their tags: those
// on the lists of their people, for one can certify any number of others.
func (n *Node) findable() map[identity.DeviceID][32]byte {
	r := n.known()
	out := map[identity.DeviceID][32]byte{}
	for id, d := range r.devices {
		switch c := r.contacts[d.Person]; {
		case d.Revoked || id == n.me.device.ID() || r.hides(d.Person) || !r.listed(d.Person, id):
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

// foundNearby dials a device at addresses seen nearby. They are not kept, for
// announcements can be replayed by anybody; who is really there tells them again.
func (n *Node) foundNearby(id identity.DeviceID, addrs []string) {
	n.keeper.sight(errand{n.known().devices[id].Person, id}, dialable(addrs, ""))
}

// dialable drops what a friend cannot be reached at, so that nobody makes us
// look up names or knock at our own doors: addresses that are not plain IP,
// of no single machine, or of this one, unless the friend is seen there.
// Few names of relays pass; a LAN-only host looks none up.
func dialable(addrs []string, seen string) (out []string) {
	here, named := isLoopback(seen), 0
	for _, a := range addrs {
		if byName(a) && named < maxNamed {
			named++
			out = append(out, a)
			continue
		}
		ip, ok := ipOf(a)
		if !ok || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || ip.IsLoopback() && !here {
			continue
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

const (
	maxNamed = 2   // names of relays that a friend may make us look up
	maxName  = 253 // characters, RFC 1035 §2.3.4
)

// byName says whether an address leads through a relay that has a DNS name.
func byName(a string) bool {
	parts := strings.SplitN(a, "/", 4)
	if len(parts) < 4 || !slices.Contains([]string{"dns", "dns4", "dns6", "dnsaddr"}, parts[1]) {
		return false
	}
	name := parts[2]
	return name != "" && len(name) <= maxName && name != "localhost" && !strings.HasSuffix(name, ".local") && strings.Contains(parts[3], "/p2p-circuit")
}

func isLoopback(addr string) bool {
	ip, ok := ipOf(addr)
	return ok && ip.IsLoopback()
}

// ipOf is the IP address that a multiaddr begins with.
func ipOf(addr string) (netip.Addr, bool) {
	parts := strings.SplitN(addr, "/", 4)
	if len(parts) < 4 || parts[0] != "" || parts[1] != "ip4" && parts[1] != "ip6" {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(parts[2])
	return ip.Unmap(), err == nil
}
