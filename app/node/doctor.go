package node

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/transport"
)

// States of a finding.
const (
	findingGood = "good"
	findingWarn = "warn"
	findingBad  = "bad"
)

// Finding is one line of the doctor: what was looked at and how it is. Code
// names the sentence and the step that readers of each language have words
// for; Args stand in them. An argument that is a moment is in RFC 3339.
type Finding struct {
	What  string
	State string
	Code  string
	Args  []string
}

func good(what, code string, args ...string) Finding { return Finding{what, findingGood, code, args} }
func warn(what, code string, args ...string) Finding { return Finding{what, findingWarn, code, args} }
func bad(what, code string, args ...string) Finding  { return Finding{what, findingBad, code, args} }

// How reachable this node is.
const (
	reachDirect = "direct"
	reachRelay  = "relay"
	reachLAN    = "lan"
	reachNone   = "none"
)

// LANOnly says whether this node talks to local networks only.
func (n *Node) LANOnly() bool { return n.cfg.LANOnly }

// Reach says who can reach this node, as far as its own addresses tell.
func (n *Node) Reach() string { return n.reachOf(n.host.Standing()) }

func (n *Node) reachOf(s transport.Standing) string {
	switch {
	case slices.ContainsFunc(s.Own, publicFour), hasSix(s.Own) && n.host.Firewall().Open:
		return reachDirect
	case slices.ContainsFunc(s.Relays, func(r transport.RelayState) bool { return r.Reserved }):
		return reachRelay
	case len(s.Own) > 0, len(n.links.of(n.everybody()...)) > 0: // whoever talks to a friend is on a network
		return reachLAN
	}
	return reachNone
}

// publicFour says whether everybody gets in at an address. Most firewalls of homes
// let nobody in by IPv6 unless they are asked to.
func publicFour(ip netip.Addr) bool { return ip.Is4() && transport.Public(ip) }

// hasSix says whether one of the addresses is of the newer kind, and leads here from
// afar as far as the firewall lets in.
func hasSix(own []netip.Addr) bool {
	return slices.ContainsFunc(own, func(ip netip.Addr) bool { return ip.Is6() && transport.Public(ip) })
}

// Doctor looks at what usually is wrong.
func (n *Node) Doctor(ctx context.Context) []Finding {
	s := n.host.Standing()
	out := n.lookAtNetwork(s)
	out = append(out, n.lookAtDisk(ctx), n.lookAtClock())
	return append(out, n.lookAtFriends()...)
}

// lookAtNetwork says who can reach us, and by what.
func (n *Node) lookAtNetwork(s transport.Standing) []Finding {
	reach := n.reachOf(s)
	out := []Finding{n.lookAtReach(reach, s.Relays)}
	if reach == reachNone {
		return out
	}
	if s.Announces {
		out = append(out, good("lan", "lan.on"))
	} else {
		out = append(out, warn("lan", "lan.off"))
	}
	if n.cfg.LANOnly {
		return out
	}
	out = append(out, n.lookAtRouter(s.Own)...)
	out = append(out, n.lookAtPort(reach)...)
	out = append(out, lookAtIPv6(s.Own, n.host.Firewall(), reach))
	out = append(out, n.lookAtRelays(s.Relays, reach)...)
	return append(out, n.lookAtFinding()...)
}

func (n *Node) lookAtReach(reach string, relays []transport.RelayState) Finding {
	switch {
	case reach == reachNone:
		return bad("network", "network.none")
	case n.cfg.LANOnly:
		return good("network", "network.lanonly")
	case reach == reachDirect:
		return good("network", "network.direct")
	case reach == reachRelay:
		return good("network", "network.relay")
	case slices.ContainsFunc(relays, func(r transport.RelayState) bool { return r.Impostor }):
		return bad("network", "network.portal")
	}
	return warn("network", "network.lan")
}

// lookAtRouter says what stands between this computer and the internet, as far
// as others have told how they see us.
func (n *Node) lookAtRouter(own []netip.Addr) []Finding {
	switch n.host.NAT() {
	case transport.NATPredictive:
		return []Finding{good("router", "router.predictive")}
	case transport.NATSymmetric:
		return []Finding{warn("router", "router.symmetric")}
	case transport.NATNone:
		return []Finding{good("router", "router.none")}
	case transport.NATUnknown:
	}
	switch {
	case !slices.ContainsFunc(own, netip.Addr.Is4): // routers of IPv6 change no address
		return nil
	case slices.ContainsFunc(own, publicFour):
		return []Finding{good("router", "router.none")}
	}
	return []Finding{good("router", "router.unknown")}
}

// lookAtPort says what became of asking the router for a port. Calls go by UDP,
// so that is the one that counts.
func (n *Node) lookAtPort(reach string) []Finding {
	s := n.host.Router()
	if n.cfg.NoMap && reach != reachDirect {
		return []Finding{good("port", "port.off")}
	}
	if !s.Asked || reach == reachDirect {
		return nil
	}
	for _, m := range n.host.Mappings() {
		port := strconv.Itoa(int(m.Outside.Port()))
		switch {
		case !m.UDP:
		case m.Confirmed:
			return []Finding{good("port", "port.open", port, string(m.By))}
		case m.Refuted:
			return []Finding{warn("port", "port.useless", port, string(m.By))}
		default:
			return []Finding{good("port", "port.untried", port, string(m.By))}
		}
	}
	if s.Answered {
		return []Finding{warn("port", "port.refused")}
	}
	return []Finding{warn("port", "port.silent")}
}

func lookAtIPv6(own []netip.Addr, wall transport.Firewall, reach string) Finding {
	switch {
	case !hasSix(own) && reach == reachDirect:
		return good("ipv6", "ipv6.unneeded")
	case !hasSix(own):
		return warn("ipv6", "ipv6.off")
	case wall.Open:
		return good("ipv6", "ipv6.open")
	case wall.Asked && reach != reachDirect:
		return warn("ipv6", "ipv6.shut")
	}
	return good("ipv6", "ipv6.on")
}

func (n *Node) lookAtRelays(relays []transport.RelayState, reach string) []Finding {
	switch {
	case len(relays) == 0 && reach == reachDirect:
		return []Finding{good("relays", "relays.unneeded")}
	case len(relays) == 0:
		return []Finding{warn("relays", "relays.none")}
	}
	var out []Finding
	for _, r := range relays {
		name := n.known().nameOf(r.Peer)
		switch {
		case !r.Reserved && (r.Origin == transport.OriginOpen || r.Origin == transport.OriginPublic): // another one is looked for
		case !r.Reserved:
			out = append(out, bad("relay:"+name, "relay.silent", name))
		case r.Small:
			out = append(out, warn("relay:"+name, "relay.small", name))
		case r.Origin == transport.OriginOpen || r.Origin == transport.OriginPublic:
			out = append(out, good("relay:"+name, "relay.stranger", name))
		case r.RTT == 0:
			out = append(out, good("relay:"+name, "relay.ready", name))
		default:
			out = append(out, good("relay:"+name, "relay.timed", name, inMilliseconds(r.RTT)))
		}
	}
	return out
}

func (n *Node) lookAtDisk(ctx context.Context) Finding {
	err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.Set("doctor", []byte{1}) })
	if err != nil {
		return bad("disk", "disk.bad", err.Error())
	}
	return good("disk", "disk.good")
}

// builtAfter is a day before which no copy of this program existed.
var builtAfter = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// clockSlack is how far friends' clocks may differ from ours unnoticed.
const clockSlack = 2 * time.Minute

// lookAtClock compares our clock with those of the friends who are here. What
// one of them says may be wrong; the middle of them hardly is.
func (n *Node) lookAtClock() Finding {
	if n.cfg.Now().Before(builtAfter) {
		return warn("clock", "clock.past")
	}
	var ahead []time.Duration
	for _, l := range n.links.of(n.everybody()...) {
		if d := l.skew.Load(); d != nil {
			ahead = append(ahead, *d)
		}
	}
	if len(ahead) == 0 {
		return good("clock", "clock.good")
	}
	slices.Sort(ahead)
	switch d := ahead[len(ahead)/2]; {
	case d > clockSlack:
		return warn("clock", "clock.ahead", inMinutes(d))
	case d < -clockSlack:
		return warn("clock", "clock.behind", inMinutes(-d))
	}
	return good("clock", "clock.agrees")
}

func inMinutes(d time.Duration) string { return strconv.Itoa(int(d.Round(time.Minute) / time.Minute)) }

func inMilliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms >= 10 {
		return strconv.Itoa(int(ms + 0.5))
	}
	return strconv.FormatFloat(ms, 'f', 1, 64)
}

func (n *Node) lookAtFriends() []Finding {
	people, err := n.Contacts()
	if err != nil {
		return []Finding{bad("friends", "friends.unreadable", err.Error())}
	}
	slices.SortFunc(people, func(a, b Contact) int { return slices.Compare(a.ID[:], b.ID[:]) })
	var out []Finding
	for _, c := range people {
		if c.State == store.Friend || c.State == store.Sent {
			out = append(out, lookAtFriend(c))
		}
	}
	return out
}

// lossy is the share of lost packets from which calls suffer.
const lossy = 0.03

func lookAtFriend(c Contact) Finding {
	what := "friend:" + c.Shown
	switch {
	case c.Online && c.Path.Kind == transport.LAN:
		return measured(good(what, "friend.lan", c.Shown), c)
	case c.Online && c.Path.Kind == transport.Relay:
		return measured(warn(what, "friend.relay", c.Shown, c.Via), c)
	case c.Online:
		return measured(good(what, "friend.direct", c.Shown), c)
	case c.Spent:
		return warn(what, "friend.spent", c.Shown)
	case c.State == store.Sent:
		return warn(what, "friend.sent", c.Shown)
	case c.LastSeen.IsZero():
		return warn(what, "friend.never", c.Shown)
	}
	return good(what, "friend.away", c.Shown, c.LastSeen.Format(time.RFC3339))
}

// measured adds to a finding the round trip, and the share of what was lost,
// where they are known: relays tell no losses.
func measured(f Finding, c Contact) Finding {
	if c.RTT <= 0 {
		return f
	}
	f.Args = append(f.Args, inMilliseconds(c.RTT))
	if c.Path.Loss < 0 || c.Path.Kind == transport.Relay {
		f.Code += ".timed"
		return f
	}
	f.Args = append(f.Args, strconv.FormatFloat(100*c.Path.Loss, 'f', 1, 64))
	if c.Path.Loss > lossy {
		f.State, f.Code = findingWarn, f.Code+".lossy"
		return f
	}
	f.Code += ".lost"
	return f
}
