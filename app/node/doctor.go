package node

import (
	"context"
	"fmt"
	"net"
	"strings"
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

// Finding is one line of the doctor: what was looked at, how it is, a sentence
// for people, and what to do about it.
type Finding struct {
	What  string
	State string
	Say   string
	Do    string
}

// How reachable this node is.
const (
	reachDirect = "direct"
	reachLAN    = "lan"
	reachNone   = "none"
)

// LANOnly says whether this node talks to local networks only.
func (n *Node) LANOnly() bool { return n.cfg.LANOnly }

// Reach says who can reach this node, as far as its own addresses tell.
func (n *Node) Reach() string {
	reach := reachNone
	if len(n.links.of(n.everybody()...)) > 0 {
		reach = reachLAN // whoever talks to a friend is on a network
	}
	for _, a := range n.host.Addrs() {
		ip := addrIP(a)
		switch {
		case ip == nil || ip.IsLoopback():
		case ip.IsPrivate() || ip.IsLinkLocalUnicast():
			if reach == reachNone {
				reach = reachLAN
			}
		default:
			return reachDirect
		}
	}
	return reach
}

// addrIP is the IP address at the front of a multiaddr.
func addrIP(a string) net.IP {
	parts := strings.Split(a, "/")
	if len(parts) < 3 || parts[1] != "ip4" && parts[1] != "ip6" {
		return nil
	}
	return net.ParseIP(parts[2])
}

// Doctor looks at what usually is wrong, and says what to do about it.
func (n *Node) Doctor(ctx context.Context) []Finding {
	out := []Finding{n.lookAtNetwork(), n.lookAtDisk(ctx), n.lookAtClock()}
	return append(out, n.lookAtFriends()...)
}

func (n *Node) lookAtNetwork() Finding {
	f := Finding{What: "network", State: findingGood}
	switch n.Reach() {
	case reachDirect:
		f.Say = "This computer has an address of its own on the internet; friends can reach it directly."
	case reachLAN:
		f.Say = "Friends on this network can reach you."
		if !n.cfg.LANOnly {
			f.State = findingWarn
			f.Say = "Friends on this network can reach you; from elsewhere they cannot yet."
			f.Do = "Meet on one network, or give this computer an address that can be reached from outside."
		}
	default:
		f.State, f.Say, f.Do = findingBad, "This computer is on no network.", "Connect a cable or join a Wi-Fi network."
	}
	return f
}

func (n *Node) lookAtDisk(ctx context.Context) Finding {
	err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.Set("doctor", []byte{1}) })
	if err != nil {
		return Finding{What: "disk", State: findingBad, Say: "Nothing can be kept: " + err.Error() + ".", Do: "Make room on the disk, or make the profile folder writable."}
	}
	return Finding{What: "disk", State: findingGood, Say: "Messages can be kept on this disk."}
}

// builtAfter is a day before which no copy of this program existed.
var builtAfter = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func (n *Node) lookAtClock() Finding {
	if n.cfg.Now().Before(builtAfter) {
		return Finding{
			What: "clock", State: findingWarn, Say: "This computer's clock is in the past, so the times shown are wrong. Messages arrive in order all the same.",
			Do: "Set date and time in the system's settings.",
		}
	}
	return Finding{What: "clock", State: findingGood, Say: "The clock looks right."}
}

func (n *Node) lookAtFriends() []Finding {
	people, err := n.Contacts()
	if err != nil {
		return []Finding{{What: "friends", State: findingBad, Say: "The list of friends cannot be read: " + err.Error() + ".", Do: "Start again; if it stays, restore from a backup."}}
	}
	out := []Finding{}
	for _, c := range people {
		if c.State != store.Friend && c.State != store.Sent {
			continue
		}
		out = append(out, lookAtFriend(c))
	}
	return out
}

func lookAtFriend(c Contact) Finding {
	f := Finding{What: "friend:" + c.Shown, State: findingGood}
	switch {
	case c.Online && c.Path.Kind == transport.LAN:
		f.Say = fmt.Sprintf("%s is here, on your network%s.", c.Shown, roundTrip(c.RTT))
	case c.Online && c.Path.Kind == transport.Relay:
		f.State = findingWarn
		f.Say = fmt.Sprintf("%s is here, through %s%s.", c.Shown, c.Via, roundTrip(c.RTT))
		f.Do = "One of your routers keeps you apart; messages arrive all the same."
	case c.Online:
		f.Say = fmt.Sprintf("%s is here, directly connected%s.", c.Shown, roundTrip(c.RTT))
	case c.State == store.Sent:
		f.State = findingWarn
		f.Say = fmt.Sprintf("%s has not answered your request yet.", c.Shown)
		f.Do = "Ask them to open Entrenous while both of you are on one network."
	case c.LastSeen.IsZero():
		f.State, f.Say = findingWarn, fmt.Sprintf("%s has not been seen yet.", c.Shown)
		f.Do = "What you write waits here and goes out when they come."
	default:
		f.Say = fmt.Sprintf("%s is away, last seen %s.", c.Shown, c.LastSeen.Format("2 January 2006 15:04"))
	}
	return f
}

func roundTrip(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf(", %.1f ms there and back", float64(d)/float64(time.Millisecond))
}
