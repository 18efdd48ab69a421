package transport

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"
)

const (
	// userAgent and protocolVersion are all that identify says about us besides
	// relays and protocols: no address, no version, no system.
	userAgent       = "entrenous/1"
	protocolVersion = "ipfs/0.1.0"
)

func peerOfKey(key ed25519.PrivateKey) (Peer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return "", errors.New("start host: the key is missing")
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("start host: the key is not Ed25519")
	}
	return PeerOf(pub)
}

// build makes the libp2p host, without listening yet.
func (h *Host) build(ctx context.Context) error {
	key, err := crypto.UnmarshalEd25519PrivateKey(h.cfg.Key)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	cert, err := timeless()
	if err != nil {
		return err
	}
	limits, err := resourceManager()
	if err != nil {
		return err
	}
	conns, err := connManager()
	if err != nil {
		return errors.Join(err, limits.Close())
	}
	opts := append(append(h.quietOptions(), slices.Concat(h.reachOptions(), h.verifyOptions(ctx))...),
		libp2p.Identity(key),
		libp2p.ResourceManager(limits),
		libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(&gater{allow: h.cfg.Allow, lanOnly: h.cfg.LANOnly, route: h.mayUse, dial: h.mayDial}),
		libp2p.Security(libp2ptls.ID, newStreamTLS),
		libp2p.Transport(libp2pquic.NewTransport, libp2pquic.WithTLSIdentityOption(cert)),
		libp2p.QUICReuse(h.openQUIC, h.quicOptions()...),
	)
	switch w := h.cfg.World; {
	case w == nil:
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport))
	case w.DialTCP != nil:
		opts = append(opts, libp2p.Transport(w.newTCP))
	}
	if h.p2p, err = libp2p.New(opts...); err != nil {
		return fmt.Errorf("build libp2p host: %w", err)
	}
	sw, ok := h.p2p.Network().(*swarm.Swarm)
	if !ok {
		return errors.Join(errors.New("build libp2p host: its network is not a swarm"), h.p2p.Close())
	}
	h.swarm = sw
	h.verifies()
	if h.hops == nil {
		return nil
	}
	if err := h.hops.listen(); err != nil {
		return errors.Join(err, h.p2p.Close())
	}
	return nil
}

// quietOptions turn off all that libp2p would do unasked.
func (h *Host) quietOptions() []libp2p.Option {
	return []libp2p.Option{
		libp2p.NoListenAddrs,
		libp2p.DisableMetrics(),
		libp2p.Ping(false),
		libp2p.UserAgent(userAgent),
		libp2p.ProtocolVersion(protocolVersion),
		libp2p.AddrsFactory(h.identified),
		// Friends are offline most of the time. libp2p would take a row of failed
		// dials for a network without UDP or IPv6 and stop trying.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	}
}

// openQUIC makes the owner of the UDP sockets and keeps it for WebRTC. Each
// incoming connection counts against the limits before its handshake.
func (h *Host) openQUIC(key quic.StatelessResetKey, token quic.TokenGeneratorKey, limits network.ResourceManager,
	life fx.Lifecycle, opts ...quicreuse.Option,
) (*quicreuse.ConnManager, error) {
	admit := func(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
		from, err := quicreuse.ToQuicMultiaddr(client.RemoteAddr, quic.Version1)
		if err != nil {
			from = nil // the limits decide about callers without an address
		}
		scope, err := limits.OpenConnection(network.DirInbound, false, from)
		if err != nil {
			return ctx, fmt.Errorf("admit connection: %w", err)
		}
		ctx = network.WithConnManagementScope(ctx, scope)
		context.AfterFunc(ctx, scope.Done)
		return ctx, nil
	}
	opts = append(opts, quicreuse.ConnContext(admit), quicreuse.VerifySourceAddress(limits.VerifySourceAddress))
	cm, err := quicreuse.NewConnManager(key, token, opts...)
	if err != nil {
		return nil, fmt.Errorf("open QUIC: %w", err)
	}
	smallPackets(cm.ClientConfig())
	h.quicSockets = quicSockets{key: key, token: token, admit: admit, limits: limits, open: h.openUDP}
	h.quic = cm
	life.Append(fx.StopHook(cm.Close))
	return cm, nil
}

// quicOptions say where UDP sockets come from, and by which address of a World
// they are known.
func (h *Host) quicOptions() []quicreuse.Option {
	w := h.cfg.World
	if w == nil {
		return []quicreuse.Option{quicreuse.OverrideListenUDP(h.openUDP)}
	}
	home := w.home()
	return []quicreuse.Option{
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return home, nil }),
		quicreuse.OverrideListenUDP(func(nw string, a *net.UDPAddr) (net.PacketConn, error) {
			if a.IP == nil || a.IP.IsUnspecified() {
				a = &net.UDPAddr{IP: home.of(nw == "udp6"), Port: a.Port}
			}
			return h.inside(w.ListenUDP(nw, a))
		}),
	}
}

// openUDP opens a socket of this machine.
func (h *Host) openUDP(nw string, a *net.UDPAddr) (net.PacketConn, error) {
	return h.inside(h.sockets.open(nw, a))
}

// inside keeps a socket on local networks where the host is on those only.
func (h *Host) inside(c net.PacketConn, err error) (net.PacketConn, error) {
	if err == nil && h.cfg.LANOnly {
		c = keepInside(c)
	}
	return c, err
}

// bind listens on the addresses of the configuration. Where any free port will
// do, the first one found serves all of them: one port to remember and to open.
func (h *Host) bind(ctx context.Context) error {
	addrs, wildcard, err := h.cfg.listenAddrs()
	if err != nil {
		return err
	}
	bound := 0
	for _, a := range addrs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		err := h.listenOn(ctx, a, wildcard && h.cfg.Port == 0)
		if err != nil && wildcard && errors.Is(err, errNoFamily) {
			h.log.Debug("address family missing", "addr", a.String(), "err", err)
			continue
		}
		if err != nil {
			return err
		}
		bound++
	}
	if bound == 0 {
		return errors.New("listen: this machine has neither IPv4 nor IPv6")
	}
	return nil
}

// errNoFamily marks an address of a family that the machine does not have.
var errNoFamily = errors.New("address family not available")

func (h *Host) listenOn(ctx context.Context, a ma.Multiaddr, anyPort bool) error {
	if anyPort {
		if port := h.Port(); port != 0 {
			if err := h.listenExactly(ctx, withPort(a, port)); err == nil {
				return nil
			}
		}
	}
	return h.listenExactly(ctx, a)
}

func (h *Host) listenExactly(ctx context.Context, a ma.Multiaddr) error {
	if h.cfg.World == nil {
		if err := errors.Join(probeTCP(ctx, a), h.quicSockets.lend(h.quic, a)); err != nil {
			return listenError(a, err)
		}
	}
	if err := h.swarm.AddListenAddr(a); err != nil {
		return listenError(a, err)
	}
	return nil
}

// probeTCP finds out whether a TCP port is free: libp2p sets SO_REUSEPORT, by
// which two programs of one user would share it without knowing.
func probeTCP(ctx context.Context, a ma.Multiaddr) error {
	nw, addr, err := manet.DialArgs(a)
	if err != nil || (nw != "tcp4" && nw != "tcp6") {
		return nil //nolint:nilerr // not TCP: nothing to probe
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, nw, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

func listenError(a ma.Multiaddr, err error) error {
	switch {
	case saysErrno(err, syscall.EADDRINUSE, 10048):
		return fmt.Errorf("listen on %v: %w", a, ErrAddrInUse)
	case saysErrno(err, syscall.EAFNOSUPPORT, 10047), saysErrno(err, syscall.EADDRNOTAVAIL, 10049):
		return fmt.Errorf("listen on %v: %w", a, errNoFamily)
	}
	return fmt.Errorf("listen on %v: %w", a, err)
}
