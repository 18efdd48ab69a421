package transport

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/x/rate"
)

// What strangers and friends together may cost. Memory is what streams and
// connections may hold in windows and buffers.
const (
	mib = 1 << 20

	maxConns        = 256
	maxConnsInbound = 160
	maxStreams      = 2048
	maxMemory       = 96 * mib

	maxPendingConns   = 48 // not yet authenticated
	maxPendingStreams = 128

	maxPeerConns   = 8
	maxPeerStreams = 256
	maxPeerMemory  = 40 * mib
	maxConnMemory  = 24 * mib

	// A school behind one NAT is one IPv4 address.
	maxConnsPerIP = 32
	// Handshakes with one address, in and out: each costs a millisecond of CPU.
	connsPerSecond, connsBurst = 8, 128

	// Above highWater connections those of strangers are closed, the ones used
	// least first, until lowWater are left.
	lowWater, highWater = 96, 128
	// strangerIdle is how long a connection without a stream is kept for a peer
	// that is not protected.
	strangerIdle = time.Minute
)

func resourceManager() (network.ResourceManager, error) {
	defaults := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&defaults)
	limits := rcmgr.PartialLimitConfig{
		System: bounds(maxConns, maxConnsInbound, maxStreams, maxMemory),
		Transient: bounds(maxPendingConns, maxPendingConns*3/4, maxPendingStreams,
			16*mib),
		PeerDefault: bounds(maxPeerConns, maxPeerConns, maxPeerStreams, maxPeerMemory),
		Conn:        rcmgr.ResourceLimits{Memory: maxConnMemory},
	}
	mgr, err := rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Build(defaults.Scale(maxMemory, 1024))),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: maxConnsPerIP}},
			[]rcmgr.ConnLimitPerSubnet{
				{PrefixLength: 64, ConnCount: maxConnsPerIP},
				{PrefixLength: 48, ConnCount: 2 * maxConnsPerIP},
			}),
		// Loopback is no exception: anything on this machine can call from there.
		rcmgr.WithNetworkPrefixLimit([]rcmgr.NetworkPrefixLimit{}, []rcmgr.NetworkPrefixLimit{}),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: connsPerSecond, Burst: connsBurst}}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 64, Limit: rate.Limit{RPS: connsPerSecond, Burst: connsBurst}}},
				GracePeriod:      time.Minute,
			},
		}))
	if err != nil {
		return nil, fmt.Errorf("set resource limits: %w", err)
	}
	return mgr, nil
}

func bounds(conns, inbound, streams, memory int) rcmgr.ResourceLimits {
	return rcmgr.ResourceLimits{
		Conns:           rcmgr.LimitVal(conns),
		ConnsInbound:    rcmgr.LimitVal(inbound),
		ConnsOutbound:   rcmgr.LimitVal(conns),
		Streams:         rcmgr.LimitVal(streams),
		StreamsInbound:  rcmgr.LimitVal(streams * 3 / 4),
		StreamsOutbound: rcmgr.LimitVal(streams * 3 / 4),
		FD:              rcmgr.LimitVal(conns),
		Memory:          rcmgr.LimitVal64(memory),
	}
}

func connManager() (*connmgr.BasicConnMgr, error) {
	// The silence period is how often the manager wakes to count.
	m, err := connmgr.NewConnManager(lowWater, highWater,
		connmgr.WithGracePeriod(20*time.Second), connmgr.WithSilencePeriod(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("set connection limits: %w", err)
	}
	return m, nil
}
