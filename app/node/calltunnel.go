package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
)

const (
	// tunnelProtocol carries a call's packets where no other path does: the id of
	// the call (16 bytes), then packets, in a stream with keys of the live channel.
	tunnelProtocol = "/entrenous/tunnel/1"
	// tunnelPause is how long the caller waits before it opens another one.
	tunnelPause = 200 * time.Millisecond
	// tunnelQuiet is how long nothing may come through a tunnel that is in use.
	tunnelQuiet = 700 * time.Millisecond
)

var (
	// errNoLink means that there is no live channel to a device.
	errNoLink = errors.New("no channel to the device")
	// errSmall means that whoever relays has no room for a call.
	errSmall = errors.New("the relay passes on too little for a call")
)

// keepTunnel lends the leg of an outgoing call a stream over whatever path
// there is to the other end, as long as ctx lasts.
func (p *phone) keepTunnel(ctx context.Context) {
	for ctx.Err() == nil {
		ended := make(chan struct{})
		s, err := p.openTunnel(ctx)
		if err == nil {
			p.work.Go(func() {
				p.carry(s)
				close(ended)
			})
		} else {
			p.n.log.Debug("no tunnel", "call", shortCall(p.id), "err", err)
			close(ended)
		}
		select {
		case <-ended:
		case <-p.better: // a stream over a better path takes its place
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(tunnelPause):
		case <-ctx.Done():
		}
	}
}

// watchTunnel looks whether the connection works that the tunnel runs on, when it
// is in use and nothing comes through: whoever relays may be gone.
func (p *phone) watchTunnel(ctx context.Context) {
	tick := time.NewTicker(tunnelPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		heard := p.leg.Heard()
		if heard.IsZero() || time.Since(heard) < tunnelQuiet || p.leg.Path().Kind != rtc.Relayed {
			continue
		}
		c := p.called()
		if l := p.n.links.to(identity.DeviceID(c.Device)); l != nil && !c.Held && !c.HeldThere {
			p.n.host.Suspect(ctx, l.peer)
		}
	}
}

// tunnelled is a tunnel and the path that it takes.
type tunnelled struct {
	io.ReadWriteCloser
	path transport.Path
}

func (p *phone) openTunnel(ctx context.Context) (*tunnelled, error) {
	l := p.n.links.to(identity.DeviceID(p.device()))
	if l == nil || l.guest.Load() {
		return nil, errNoLink
	}
	s, err := p.n.host.Open(ctx, l.peer, tunnelProtocol)
	if err != nil {
		return nil, err
	}
	if s.Path().Small {
		return nil, errors.Join(errSmall, s.Reset())
	}
	sealed, err := l.ch.Stream(s, true)
	if err != nil {
		return nil, err
	}
	if _, err := sealed.Write(p.id[:]); err != nil {
		_ = sealed.Close()
		return nil, fmt.Errorf("name the call: %w", err)
	}
	return &tunnelled{sealed, s.Path()}, nil
}

// carry lends the leg a tunnel until it ends.
func (p *phone) carry(t *tunnelled) {
	p.mu.Lock()
	p.tunnel = t
	p.mu.Unlock()
	err := p.leg.Carry(t)
	p.n.log.Debug("tunnel ends", "call", shortCall(p.id), "err", err)
}

// answerTunnel takes the tunnel that a caller opens for a call.
func (n *Node) answerTunnel(s *transport.Stream) {
	var l *link
	for _, d := range n.known().peers[s.Peer()] {
		if at := n.links.to(d); at != nil && at.peer == s.Peer() {
			l = at
		}
	}
	if l == nil || l.guest.Load() || s.Path().Small {
		_ = s.Reset()
		return
	}
	sealed, err := l.ch.Stream(s, false)
	if err != nil {
		n.log.Debug("tunnel refused", "peer", l.device, "err", err)
		return
	}
	var id call.ID
	if err = s.SetReadDeadline(time.Now().Add(dialTimeout)); err == nil {
		_, err = io.ReadFull(sealed, id[:])
	}
	p := n.phone(id)
	if err != nil || p == nil || p.begun() == nil || p.device() != call.Device(l.device) || s.SetReadDeadline(time.Time{}) != nil {
		_ = sealed.Close()
		return
	}
	p.carry(&tunnelled{sealed, s.Path()})
}

// begun gives the leg once it has begun, else nil.
func (p *phone) begun() *rtc.Leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leg
}

// kind says how the call's packets travel.
func (p *phone) kind() transport.Kind {
	leg := p.begun()
	if leg == nil {
		return transport.None
	}
	path := leg.Path()
	p.mu.Lock()
	defer p.mu.Unlock()
	if path.Kind == rtc.Relayed && p.tunnel != nil {
		return p.tunnel.path.Kind
	}
	return kindOfPath(path)
}

// renewCalls looks for paths anew in the calls that go on: with one device, or
// with all if it is zero. What is in use stays until there is a better one.
func (n *Node) renewCalls(with identity.DeviceID) {
	c := &n.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.book.Calls() {
		p := c.phones[x.ID]
		if p == nil || x.State != call.Active && x.State != call.Reconnecting && x.State != call.Connecting {
			continue
		}
		if !with.IsZero() && call.Device(with) != x.Device {
			continue
		}
		select {
		case p.better <- struct{}{}:
		default:
		}
		n.enqueueLocked([]call.Effect{{Act: call.Restart, Call: x.ID, Device: x.Device}})
	}
}
