package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

const (
	maxDialAddrs = 32  // addresses tried in one Dial; the rest is ignored
	maxAddrText  = 512 // characters of one multiaddr
)

// Attempt is one address that was tried, and why it did not work, in words.
type Attempt struct {
	Addr string
	Why  string
}

// DialError says why a peer was not reached: one Attempt for each address.
type DialError struct {
	Peer  Peer
	Tried []Attempt
	Err   error // what stopped the whole dial, nil if only the attempts failed
}

// Error lists the attempts in one line.
func (e *DialError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dial %v: ", e.Peer.Short())
	for i, a := range e.Tried {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(a.Addr + ": " + a.Why)
	}
	switch {
	case len(e.Tried) == 0 && e.Err == nil:
		b.WriteString("no addresses known")
	case len(e.Tried) == 0:
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns what stopped the dial.
func (e *DialError) Unwrap() error { return e.Err }

// Dial connects to p at one of addrs, trying them side by side with QUIC first,
// and returns nil at once if there is a connection already. addrs are multiaddrs
// with or without /p2p/. The error is a *DialError.
func (h *Host) Dial(ctx context.Context, p Peer, addrs []string) error {
	id, err := p.id()
	if err != nil {
		return &DialError{Peer: p, Err: err}
	}
	if h.Connected(p) {
		return nil
	}
	if h.isClosed() {
		return &DialError{Peer: p, Err: ErrClosed}
	}
	good, tried := h.usable(id, addrs)
	if len(good) == 0 {
		return &DialError{Peer: p, Tried: tried}
	}
	// libp2p would refuse for a while what failed before. When to try again is
	// the caller's decision: it knows of a network change or a beacon.
	h.swarm.Backoff().Clear(id)
	h.remember(id, good)
	if err := h.p2p.Connect(network.WithAllowLimitedConn(ctx, "any path will do"), peer.AddrInfo{ID: id, Addrs: good}); err != nil {
		return dialError(ctx, p, tried, err)
	}
	return nil
}

// remember makes addrs all that libp2p knows of id, so that it dials nothing
// older. At no moment is it without any: another Dial may be under way.
func (h *Host) remember(id peer.ID, addrs []ma.Multiaddr) {
	book := h.p2p.Peerstore()
	book.AddAddrs(id, addrs, peerstore.TempAddrTTL)
	stale := slices.DeleteFunc(book.Addrs(id), func(a ma.Multiaddr) bool {
		return slices.ContainsFunc(addrs, a.Equal)
	})
	book.SetAddrs(id, stale, 0)
}

func (h *Host) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// usable parses addrs and sorts out those that must not or cannot be dialled.
func (h *Host) usable(id peer.ID, addrs []string) (good []ma.Multiaddr, bad []Attempt) {
	for _, text := range addrs[:min(len(addrs), maxDialAddrs)] {
		a, why := h.usableAddr(id, text)
		if why != "" {
			bad = append(bad, Attempt{Addr: clip(text), Why: why})
			continue
		}
		good = append(good, a)
	}
	return good, bad
}

func (h *Host) usableAddr(id peer.ID, text string) (ma.Multiaddr, string) {
	if len(text) > maxAddrText {
		return nil, "too long for an address"
	}
	a, err := ma.NewMultiaddr(text)
	if err != nil {
		return nil, "not an address"
	}
	a, named := peer.SplitAddr(a)
	switch {
	case named != "" && named != id:
		return nil, "it is someone else's address"
	case len(a) == 0:
		return nil, "not an address"
	case viaRelay(a) && h.cfg.LANOnly:
		return nil, "through a relay"
	case viaRelay(a) && relayIn(a) == "":
		return nil, "it names no relay"
	case h.cfg.LANOnly && !nearbyAddr(a):
		return nil, "outside the local network"
	case !h.mayUse(id, a):
		return nil, "kept from them, or through a relay that we did not choose"
	}
	return a, ""
}

func clip(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func dialError(ctx context.Context, p Peer, tried []Attempt, err error) error {
	out := &DialError{Peer: p, Tried: tried}
	var all *swarm.DialError
	if errors.As(err, &all) {
		for _, e := range all.DialErrors {
			out.Tried = append(out.Tried, Attempt{Addr: e.Address.String(), Why: inWords(e.Cause)})
		}
	}
	switch {
	case ctx.Err() != nil:
		out.Err = fmt.Errorf("given up: %w", ctx.Err())
	case errors.Is(err, swarm.ErrGaterDisallowedConnection):
		out.Err = errors.New("not allowed")
	case len(out.Tried) == 0:
		out.Err = errors.New(inWords(err))
	}
	return out
}

// inWords says what went wrong at one address.
func inWords(err error) string {
	var wrong sec.ErrPeerIDMismatch
	var netErr net.Error
	switch {
	case errors.As(err, &wrong), strings.Contains(err.Error(), "peer id mismatch"):
		return "someone else answers there"
	case saysErrno(err, syscall.ECONNREFUSED, 10061):
		return "nothing listens there"
	case saysErrno(err, syscall.ENETUNREACH, 10051), saysErrno(err, syscall.EHOSTUNREACH, 10065):
		return "no route there from this network"
	case errors.Is(err, errFarAway), errors.Is(err, swarm.ErrGaterDisallowedConnection):
		return "not allowed"
	case errors.Is(err, swarm.ErrDialToSelf):
		return "that is this device"
	case errors.Is(err, swarm.ErrNoTransport):
		return "a kind of address this version does not speak"
	case errors.Is(err, network.ErrResourceLimitExceeded), strings.Contains(err.Error(), "limit exceeded"):
		return "too many connections"
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "no answer"
	}
	return closedInWords(err)
}

// closedInWords covers connections that began and were ended by the other side.
func closedInWords(err error) string {
	var app *quic.ApplicationError
	var conn *network.ConnError
	var transport *quic.TransportError
	switch {
	case errors.As(err, &app), errors.As(err, &conn), saysErrno(err, syscall.ECONNRESET, 10054):
		return "it answered and hung up"
	case errors.As(err, &transport) && transport.ErrorCode == quic.ConnectionRefused:
		return "it refuses connections"
	}
	return clip(err.Error())
}

// saysErrno reports whether err is the system error unix, or windows there.
func saysErrno(err error, unix, windows syscall.Errno) bool {
	var no syscall.Errno
	return errors.As(err, &no) && (no == unix || no == windows)
}

func plainStreamError(err error) error {
	if errors.Is(err, network.ErrNoConn) || strings.Contains(err.Error(), "connection failed") {
		return ErrNotConnected
	}
	return err
}
