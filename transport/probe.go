package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"
)

const (
	// seenProtocol answers whoever opens a stream with the address that it comes
	// from now: one byte of length, then IP and port. It shows besides that the
	// connection still works.
	seenProtocol = "/entrenous/seen/1"
	// probeTime is how long a connection may take to show that it works after
	// this machine has moved: three round trips around the world.
	probeTime = time.Second
	maxSeen   = 18 // bytes of an IPv6 address and a port
)

// answerSeen tells a peer where we see it.
func (h *Host) answerSeen(s network.Stream) {
	defer func() { _ = s.Close() }()
	b := make([]byte, 1, 1+maxSeen)
	if a, ok := remoteNow(s.Conn()); ok {
		ip := a.Addr().AsSlice()
		b = append(b, ip...)
		b = append(b, byte(a.Port()>>8), byte(a.Port()))
		b[0] = byte(len(ip) + 2)
	}
	if s.SetDeadline(time.Now().Add(probeTime)) == nil {
		_, _ = s.Write(b) // who asked notices
	}
}

// remoteNow gives where the other end of a QUIC connection is now; it may have
// moved since the connection began (RFC 9000 §9).
func remoteNow(c network.Conn) (netip.AddrPort, bool) {
	var q *quic.Conn
	if viaRelay(c.RemoteMultiaddr()) || !c.As(&q) {
		return netip.AddrPort{}, false
	}
	u, ok := q.RemoteAddr().(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	a := u.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), true
}

// probe finds out whether a connection still works, and where its other end
// sees us; no address if it does not say.
func (h *Host) probe(ctx context.Context, c network.Conn) (netip.AddrPort, error) {
	s, err := c.NewStream(network.WithAllowLimitedConn(ctx, "any path will do"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("probe: %w", err)
	}
	defer func() { _ = s.Reset() }()
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	err = multistream.SelectProtoOrFail(protocol.ID(seenProtocol), s)
	var unknown multistream.ErrNotSupported[protocol.ID]
	if errors.As(err, &unknown) {
		return netip.AddrPort{}, nil // it answers, and that is enough
	}
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("probe: %w", err)
	}
	return readSeen(s)
}

// readSeen reads what answerSeen wrote.
func readSeen(r io.Reader) (netip.AddrPort, error) {
	var b [1 + maxSeen]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("probe: %w", err)
	}
	n := int(b[0])
	if n == 0 {
		return netip.AddrPort{}, nil
	}
	if n != 4+2 && n != 16+2 {
		return netip.AddrPort{}, fmt.Errorf("probe: an address of %d bytes", n)
	}
	if _, err := io.ReadFull(r, b[1:1+n]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("probe: %w", err)
	}
	ip, _ := netip.AddrFromSlice(b[1 : n-1])
	return netip.AddrPortFrom(ip.Unmap(), uint16(b[n-1])<<8|uint16(b[n])), nil
}

// moved is called when this machine's addresses have changed. What works stays;
// what does not is closed, so that a better way can be dialled. Friends and
// relays are asked where they see us now. The next move ends ctx.
func (h *Host) moved(ctx context.Context) {
	h.forgetSightings()
	h.mu.Lock()
	h.moves++
	h.mu.Unlock()
	if h.mapper != nil {
		h.mapper.move()
	}
	h.networkChanged()
	if h.examine(ctx, h.keptConns()) {
		h.networkChanged() // there are addresses to tell that were not known before
	}
}

// keptConns lists the connections to friends and relays.
func (h *Host) keptConns() (out []network.Conn) {
	conns := h.swarm.Conns()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range conns {
		if h.keptLocked(Peer(c.RemotePeer().String())) {
			out = append(out, c)
		}
	}
	return out
}

// examine probes connections side by side, closes those that are dead, and
// reports whether anybody sees us where nobody did before.
func (h *Host) examine(whole context.Context, conns []network.Conn) (news bool) {
	ctx, cancel := context.WithTimeout(whole, probeTime)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, c := range conns {
		all.Go(func() {
			a, err := h.probe(ctx, c)
			if err == nil && a.IsValid() {
				a, err = h.probe(ctx, c) // the first one made the other end notice where we are
			}
			if err != nil && whole.Err() != nil {
				return
			}
			if err != nil {
				h.log.Debug("connection does not answer", "peer", Peer(c.RemotePeer().String()), "err", err)
				_ = c.CloseWithError(doubted)
				return
			}
			if a.IsValid() && !h.cfg.LANOnly && h.sighted(c, a) {
				mu.Lock()
				news = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return news
}

// Suspect looks whether the connections to a peer still work, and the relays
// that they run through, and closes those that do not. It takes up to a second.
func (h *Host) Suspect(ctx context.Context, p Peer) {
	id, err := p.id()
	if err != nil {
		return
	}
	conns := h.swarm.ConnsToPeer(id)
	for _, c := range conns {
		if !viaRelay(c.RemoteMultiaddr()) {
			continue
		}
		if by, err := relayIn(c.RemoteMultiaddr()).id(); err == nil {
			conns = append(conns, h.swarm.ConnsToPeer(by)...)
		}
	}
	h.examine(ctx, conns)
}

// joined is told of each new connection. A second one to a peer often means that
// the first is dead and the peer has moved.
func (h *Host) joined(ctx context.Context, c network.Conn) {
	var older []network.Conn
	for _, o := range h.swarm.ConnsToPeer(c.RemotePeer()) {
		if o != c && !o.IsClosed() {
			older = append(older, o)
		}
	}
	if len(older) == 0 || !h.begin() {
		return
	}
	go func() {
		defer h.wg.Done()
		h.examine(ctx, older)
	}()
}
