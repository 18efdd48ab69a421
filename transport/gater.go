package transport

import (
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater stands at the door: whom we dial, where, and who comes in.
type gater struct {
	allow   func(Peer) bool // nil: everybody
	lanOnly bool
}

var _ connmgr.ConnectionGater = (*gater)(nil)

// InterceptPeerDial asks Allow before a peer is dialled.
func (g *gater) InterceptPeerDial(p peer.ID) bool { return g.allowed(p) }

// InterceptAddrDial keeps a LAN-only host from dialling outside.
func (g *gater) InterceptAddrDial(_ peer.ID, a ma.Multiaddr) bool {
	return !g.lanOnly || nearbyAddr(a)
}

// InterceptAccept keeps a LAN-only host from talking to callers from outside.
func (g *gater) InterceptAccept(c network.ConnMultiaddrs) bool {
	return !g.lanOnly || nearbyAddr(c.RemoteMultiaddr())
}

// InterceptSecured asks Allow once the caller has proved who it is.
func (g *gater) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return g.allowed(p)
}

// InterceptUpgraded lets everything pass that came this far.
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (g *gater) allowed(p peer.ID) bool {
	return g.allow == nil || g.allow(Peer(p.String()))
}
