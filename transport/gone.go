package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-yamux/v5"
	"github.com/quic-go/quic-go"
)

// Whether somebody's program has ended, or only the network between is gone,
// looks alike from far away. Whoever has a connection to that program can tell:
// the system of a killed one closes its connections of TCP and refuses what
// comes for its UDP port, a cut cable does neither. So a relay is asked.
//
// A relay of another make cannot be. Its refusals of a circuit (circuit v2
// CONNECT) tell little: it goes on to hold a reservation of somebody called by
// QUIC until that connection times out after half a minute, whether the program
// was killed or the cable is out, and answers CONNECTION_FAILED for both. It says
// NO_RESERVATION at once only where the connection was one of TCP. So a call
// through such a relay ends by the call's own patience.

const (
	// goneProtocol asks a relay whether a peer's program has ended: one byte of
	// length and the peer, answered by one byte.
	goneProtocol = "/entrenous/gone/1"
	// goneTime is how long a relay may take to answer.
	goneTime = 2 * time.Second
	// goneProbe is how long a connection may take to show that its other end lives.
	goneProbe = 600 * time.Millisecond
	// goneDeaf is how long a machine may take to say that a port is closed: Linux
	// does so once a second, and what a relay still passes on asks as well.
	goneDeaf = 1200 * time.Millisecond
	// goneSure is how long somebody who hung up must stay away: a program that
	// looks for a better way is back before.
	goneSure = 2500 * time.Millisecond
	// goneKept is how long it is remembered that somebody hung up, and maxEnds of
	// how many.
	goneKept = time.Minute
	maxEnds  = 1024
	// doubted is the code under which a living program closes a connection that
	// does not answer: it will be back.
	doubted = 0x656e
)

// Answers about a peer.
const (
	goneUnknown = iota
	goneNot     // it answers, or is back
	goneSurely
)

// hungUp says whether a connection was ended by the other end's system, as it
// does for a program that was killed. Not one that was closed on purpose by
// either end, nor one that broke because nothing came any more.
func hungUp(c network.Conn) bool {
	var q *quic.Conn
	if c.As(&q) {
		var reset *quic.StatelessResetError
		return errors.As(context.Cause(q.Context()), &reset)
	}
	var y *yamux.Session
	if !c.As(&y) || !y.IsClosed() {
		return false
	}
	_, err := y.AcceptStream()
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || saysErrno(err, syscall.ECONNRESET, 10054) || saysErrno(err, syscall.EPIPE, 10053)
}

// parted is told of each connection that is over.
func (h *Host) parted(c network.Conn) {
	if !viaRelay(c.RemoteMultiaddr()) && hungUp(c) && !h.reaches(c.RemotePeer()) {
		h.noteEnd(c.RemotePeer(), time.Now())
	}
}

// back is told of each new connection.
func (h *Host) back(c network.Conn) {
	if viaRelay(c.RemoteMultiaddr()) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ends, c.RemotePeer())
}

// noteEnd remembers since when somebody is gone.
func (h *Host) noteEnd(p peer.ID, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for q, at := range h.ends {
		if time.Since(at) > goneKept {
			delete(h.ends, q)
		}
	}
	if len(h.ends) < maxEnds {
		h.ends[p] = since
	}
}

// endedHere says what this host knows by itself of somebody it is not connected to.
func (h *Host) endedHere(p peer.ID) byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, ok := h.ends[p]; ok && time.Since(at) >= goneSure && time.Since(at) < goneKept {
		return goneSurely
	}
	return goneUnknown
}

// whereabouts finds out whether a peer's program has ended. One whose UDP port
// is closed has, and its connections are closed.
func (h *Host) whereabouts(ctx context.Context, p peer.ID) byte {
	conns := slices.DeleteFunc(h.swarm.ConnsToPeer(p), func(c network.Conn) bool { return viaRelay(c.RemoteMultiaddr()) })
	if len(conns) == 0 {
		return h.endedHere(p)
	}
	if h.anyAnswers(ctx, conns) {
		return goneNot
	}
	for _, c := range conns {
		if at, ok := remoteNow(c); ok && h.deaf(ctx, at, goneDeaf) {
			h.noteEnd(p, time.Now().Add(-goneSure))
			for _, c := range conns {
				_ = c.Close()
			}
			return goneSurely
		}
	}
	return goneUnknown
}

// anyAnswers probes connections side by side.
func (h *Host) anyAnswers(ctx context.Context, conns []network.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, goneProbe)
	defer cancel()
	var all sync.WaitGroup
	answered := make(chan struct{}, len(conns))
	for _, c := range conns {
		all.Go(func() {
			if _, err := h.probe(ctx, c); err == nil {
				answered <- struct{}{}
				cancel()
			}
		})
	}
	all.Wait()
	return len(answered) > 0
}

// serveGone answers those who may reach others through this relay.
func (h *Host) serveGone(ctx context.Context, may who) {
	h.p2p.SetStreamHandler(goneProtocol, func(s network.Stream) {
		if !h.begin() {
			_ = s.Reset()
			return
		}
		defer h.wg.Done()
		if err := h.answerGone(ctx, s, may); err != nil {
			h.log.Debug("asked who is gone", "peer", Peer(s.Conn().RemotePeer().String()), "err", err)
			_ = s.Reset()
			return
		}
		_ = s.Close()
	})
}

func (h *Host) answerGone(ctx context.Context, s network.Stream, may who) error {
	asker := s.Conn()
	if err := s.SetDeadline(time.Now().Add(goneTime)); err != nil {
		return fmt.Errorf("who is gone: %w", err)
	}
	p, err := readPeer(s)
	if err != nil {
		return err
	}
	answer := byte(goneUnknown)
	if may.AllowConnect(asker.RemotePeer(), asker.RemoteMultiaddr(), p) {
		ctx, cancel := context.WithTimeout(ctx, goneTime)
		defer cancel()
		answer = h.whereabouts(ctx, p)
	}
	if _, err := s.Write([]byte{answer}); err != nil {
		return fmt.Errorf("who is gone: %w", err)
	}
	return nil
}

// readPeer reads a peer id behind its length.
func readPeer(r io.Reader) (peer.ID, error) {
	var b [1 + 255]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return "", fmt.Errorf("read peer: %w", err)
	}
	if _, err := io.ReadFull(r, b[1:1+int(b[0])]); err != nil {
		return "", fmt.Errorf("read peer: %w", err)
	}
	p, err := peer.IDFromBytes(b[1 : 1+int(b[0])])
	if err != nil {
		return "", fmt.Errorf("read peer: %w", err)
	}
	return p, nil
}

// Gone reports whether a peer's program has certainly ended: it hung up on this
// machine and stays away, or a relay says so, one of via or of the circuits
// among addrs. Only relays are asked that this host is connected to. False
// proves nothing. It takes up to two seconds.
func (h *Host) Gone(ctx context.Context, p Peer, addrs []string, via ...Peer) bool {
	id, err := p.id()
	if err != nil {
		return false
	}
	if h.reaches(id) {
		return h.whereabouts(ctx, id) == goneSurely
	}
	gone := h.endedHere(id) == goneSurely
	good, _ := h.usable(id, addrs)
	for _, a := range good {
		if viaRelay(a) {
			via = append(via, relayIn(a))
		}
	}
	slices.Sort(via)
	answers := make(chan byte, len(via))
	var all sync.WaitGroup
	for _, r := range slices.Compact(via) {
		all.Go(func() { answers <- h.askGone(ctx, r, id) })
	}
	all.Wait()
	close(answers)
	for a := range answers {
		switch a {
		case goneNot:
			return false
		case goneSurely:
			gone = true
		}
	}
	return gone
}

// askGone asks one relay.
func (h *Host) askGone(ctx context.Context, relay Peer, about peer.ID) byte {
	id, err := relay.id()
	if err != nil || !h.reaches(id) {
		return goneUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, goneTime)
	defer cancel()
	s, err := h.p2p.NewStream(network.WithNoDial(ctx, "only those we know"), id, goneProtocol)
	if err != nil {
		return goneUnknown
	}
	defer func() { _ = s.Reset() }()
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	var answer [1]byte
	if _, err = s.Write(append([]byte{byte(len(about))}, about...)); err == nil {
		_, err = io.ReadFull(s, answer[:])
	}
	if err != nil {
		return goneUnknown
	}
	return answer[0]
}
