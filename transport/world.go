package transport

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	p2p "github.com/libp2p/go-libp2p/core/transport"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

func (w *World) ip6() net.IP {
	if w.IP6 == nil {
		return nil
	}
	return w.IP6()
}

// everywhere lists where a host listens that was not told.
func (w *World) everywhere(port int) (out []string) {
	for _, at := range []struct {
		family string
		ip     net.IP
	}{{"ip4", w.IP()}, {"ip6", w.ip6()}} {
		if at.ip == nil {
			continue
		}
		out = append(out, fmt.Sprintf("/%s/%v/udp/%d/quic-v1", at.family, at.ip, port))
		if w.ListenTCP != nil {
			out = append(out, fmt.Sprintf("/%s/%v/tcp/%d", at.family, at.ip, port))
		}
	}
	return out
}

// present returns a with the address that the machine has now, nil if it has
// none of that family.
func (w *World) present(a ma.Multiaddr) ma.Multiaddr {
	out := ma.Multiaddr{}
	for _, c := range a {
		var ip net.IP
		switch c.Protocol().Code {
		case ma.P_IP4:
			ip = w.IP()
		case ma.P_IP6:
			ip = w.ip6()
		default:
			out = append(out, c)
			continue
		}
		with, err := ma.NewComponent(c.Protocol().Name, ip.String())
		if err != nil {
			return nil
		}
		out = append(out, *with)
	}
	return out
}

// worldHome are the addresses that sockets of a World were opened on, which is
// what libp2p knows them by even after a move.
type worldHome struct{ ip, ip6 net.IP }

func (w *World) home() worldHome { return worldHome{ip: w.IP(), ip6: w.ip6()} }

func (h worldHome) of(six bool) net.IP {
	if six {
		return h.ip6
	}
	return h.ip
}

// PreferredSourceIPForDestination returns the machine's first address of the
// destination's family.
func (h worldHome) PreferredSourceIPForDestination(to *net.UDPAddr) (net.IP, error) {
	ip := h.of(to.IP.To4() == nil)
	if ip == nil {
		return nil, errNoFamily
	}
	return ip, nil
}

// worldTCP is libp2p's TCP over that of a World.
type worldTCP struct {
	world  *World
	up     p2p.Upgrader
	limits network.ResourceManager
}

var _ p2p.Transport = (*worldTCP)(nil)

func (w *World) newTCP(up p2p.Upgrader, limits network.ResourceManager) *worldTCP {
	return &worldTCP{world: w, up: up, limits: limits}
}

// Dial connects to a peer.
func (t *worldTCP) Dial(ctx context.Context, a ma.Multiaddr, p peer.ID) (p2p.CapableConn, error) {
	scope, err := t.limits.OpenConnection(network.DirOutbound, true, a)
	if err != nil {
		return nil, fmt.Errorf("dial %v: %w", a, err)
	}
	c, err := t.dial(ctx, a, p, scope)
	if err != nil {
		scope.Done()
		return nil, fmt.Errorf("dial %v: %w", a, err)
	}
	return c, nil
}

func (t *worldTCP) dial(ctx context.Context, a ma.Multiaddr, p peer.ID, scope network.ConnManagementScope) (p2p.CapableConn, error) {
	if err := scope.SetPeer(p); err != nil {
		return nil, err
	}
	at, err := tcpOf(a)
	if err != nil {
		return nil, err
	}
	c, err := t.world.DialTCP(ctx, at.AddrPort())
	if err != nil {
		return nil, err
	}
	m, err := manet.WrapNetConn(c)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	side := network.DirOutbound
	if ok, client, _ := network.GetSimultaneousConnect(ctx); ok && !client {
		side = network.DirInbound
	}
	return t.up.Upgrade(ctx, t, m, side, p, scope)
}

func tcpOf(a ma.Multiaddr) (*net.TCPAddr, error) {
	at, err := manet.ToNetAddr(a)
	if err != nil {
		return nil, err
	}
	out, ok := at.(*net.TCPAddr)
	if !ok {
		return nil, errors.New("not an address of TCP")
	}
	return out, nil
}

// CanDial says whether an address is one of TCP.
func (t *worldTCP) CanDial(a ma.Multiaddr) bool {
	_, err := tcpOf(a)
	return err == nil
}

// Listen opens a port for callers.
func (t *worldTCP) Listen(a ma.Multiaddr) (p2p.Listener, error) {
	at, err := tcpOf(a)
	if err != nil {
		return nil, fmt.Errorf("listen on %v: %w", a, err)
	}
	l, err := t.world.ListenTCP(at)
	if err != nil {
		return nil, fmt.Errorf("listen on %v: %w", a, err)
	}
	m, err := manet.WrapNetListener(l)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %v: %w", a, err), l.Close())
	}
	return t.up.UpgradeGatedMaListener(t, t.up.GateMaListener(m)), nil
}

// Protocols names TCP.
func (t *worldTCP) Protocols() []int { return []int{ma.P_TCP} }

// Proxy is false: nobody stands between.
func (t *worldTCP) Proxy() bool { return false }
