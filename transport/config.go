package transport

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	ma "github.com/multiformats/go-multiaddr"
)

// Config says how a Host stands in the network. Only Key is required.
type Config struct {
	// Key is the libp2p key. Its public part is the host's Peer.
	Key ed25519.PrivateKey
	// Listen holds multiaddrs to listen on, such as /ip4/0.0.0.0/udp/4001/quic-v1.
	// Nil means every interface, IPv4 and IPv6, QUIC and TCP, on Port.
	Listen []string
	// Port is the UDP and TCP port where Listen is nil. 0 means any free one;
	// keep what Host.Port returns and give it back to be found there again.
	Port int
	// LANOnly dials, accepts and answers only private, loopback, link-local and
	// unique local addresses.
	LANOnly bool
	// NoLAN keeps the host from announcing itself to the local network and from
	// listening for others there: Discover does nothing.
	NoLAN bool
	// MapPort asks the router to open the port on which the host listens (PCP,
	// NAT-PMP, UPnP) and to let in IPv6 (PCP, UPnP), and lets relays dial to see whether
	// it did. A host that is LAN-only or in a World does not. Host.AskRouter ends
	// and resumes it.
	MapPort bool
	// MapLater leaves the router alone until Host.AskRouter says otherwise.
	MapLater bool
	// Gateway is the router that is asked, by PCP and NAT-PMP only; none means that
	// of the default route, and UPnP as well.
	Gateway netip.AddrPort
	// Log is where the host writes; nil discards.
	Log *slog.Logger
	// Allow says whether to talk to a peer at all, asked for each connection that
	// comes in and each dial; nil means everybody. It must not block.
	Allow func(Peer) bool
	// Route says whether a peer may be talked to through a relay, or directly
	// where relay is empty; nil means by any path. Whoever may not be talked to
	// directly never learns an address of this machine from it. It must not block.
	Route func(p, relay Peer) bool
	// Punch says whether to meet a peer, who came through a relay, in the middle:
	// both are then told where the other is seen. Nil means everybody whom Route
	// lets be talked to directly. It must not block.
	Punch func(Peer) bool
	// Relays are the multiaddrs, with /p2p/, of relays to be reachable through. A
	// LAN-only host ignores them.
	Relays []string
	// Lend makes the host a relay for others; nil: it is none.
	Lend *Lend
	// DHT is the table by which Find finds people far away; nil: none. A LAN-only
	// host ignores it.
	DHT *DHT
	// World replaces this machine's network; nil means this machine.
	World *World
}

// World is a network to stand in instead of this machine's: tests hand in a
// virtual one. A host in a World does no LAN discovery by multicast.
type World struct {
	// ListenUDP opens a socket; a.Port may be 0. a.IP is what IP or IP6 returned at
	// Listen, and the socket calls itself so, but goes wherever the machine goes.
	ListenUDP func(network string, a *net.UDPAddr) (net.PacketConn, error)
	// IP returns this machine's address of IPv4 now, nil where it has none.
	IP func() net.IP
	// IP6 returns this machine's address of IPv6 now; it and its answer may be nil.
	IP6 func() net.IP
	// DialTCP and ListenTCP do what those of package net do. Both nil: no TCP.
	DialTCP   func(context.Context, netip.AddrPort) (net.Conn, error)
	ListenTCP func(*net.TCPAddr) (net.Listener, error)
	// Refuses says whether a machine answers that nobody listens at an address of
	// UDP, when asked from a socket of this machine's; nil: none ever answers.
	Refuses func(context.Context, netip.AddrPort) bool
	// Tap is shown what each peer sends through a relay here before it is passed on,
	// and may keep it waiting or change it in place, as relays do that are not to be
	// trusted; nil: nobody looks. It must return when the host closes.
	Tap func(from Peer, b []byte)
	// Changed carries a token for each change of IP; nil
	// means they never change.
	Changed <-chan struct{}
}

// Errors a caller may want to tell apart.
var (
	// ErrAddrInUse means that another program holds an address to listen on.
	ErrAddrInUse = errors.New("address already in use")
	// ErrNotConnected means that there is no connection to the peer.
	ErrNotConnected = errors.New("not connected")
	// ErrClosed means that the host was closed.
	ErrClosed = errors.New("host closed")
	// ErrTooLarge means that a message is longer than its reader or the format allows.
	ErrTooLarge = errors.New("message too large")
)

// listenAddrs returns the addresses asked for, and whether each may fail
// because the machine lacks that family.
func (c Config) listenAddrs() (addrs []ma.Multiaddr, wildcard bool, err error) {
	texts := c.Listen
	if len(texts) == 0 {
		wildcard = true
		texts = c.everywhere()
	}
	for _, text := range texts {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, false, fmt.Errorf("listen on %q: %w", text, err)
		}
		addrs = append(addrs, a)
	}
	return addrs, wildcard, nil
}

func (c Config) everywhere() []string {
	if c.World != nil {
		return c.World.everywhere(c.Port)
	}
	return []string{
		fmt.Sprintf("/ip4/0.0.0.0/udp/%d/quic-v1", c.Port),
		fmt.Sprintf("/ip6/::/udp/%d/quic-v1", c.Port),
		fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", c.Port),
		fmt.Sprintf("/ip6/::/tcp/%d", c.Port),
	}
}
