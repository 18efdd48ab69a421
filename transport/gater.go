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
	route   func(peer.ID, ma.Multiaddr) bool // whether an address of a peer may be used
	dial    func(peer.ID, ma.Multiaddr) bool // whether it may be dialled
}

var _ connmgr.ConnectionGater = (*gater)(nil)

// InterceptPeerDial asks Allow before a peer is dialled.
func (g *gater) InterceptPeerDial(p peer.ID) bool { return g.allowed(p) }

// InterceptAddrDial keeps a LAN-only host from dialling outside, and every host
// from dialling directly whom our addresses are kept from, or who may be that.
func (g *gater) InterceptAddrDial(p peer.ID, a ma.Multiaddr) bool {
	return (!g.lanOnly || nearbyAddr(a)) && g.dial(p, a)
}

// InterceptAccept keeps a LAN-only host from talking to callers from outside.
func (g *gater) InterceptAccept(c network.ConnMultiaddrs) bool {
	return !g.lanOnly || nearbyAddr(c.RemoteMultiaddr())
}

// InterceptSecured asks Allow, and by which path, once the caller has proved who
// it is.
func (g *gater) InterceptSecured(_ network.Direction, p peer.ID, c network.ConnMultiaddrs) bool {
	return g.allowed(p) && g.route(p, c.RemoteMultiaddr())
}

// InterceptUpgraded lets everything pass that came this far.
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (g *gater) allowed(p peer.ID) bool {
	return g.allow == nil || g.allow(Peer(p.String()))
}
