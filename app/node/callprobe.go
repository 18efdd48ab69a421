package node

import (
	"context"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// When nothing arrives any more in a call, either the network is gone, and may
// come back, or the program at the other end has ended, and the call with it.
// Its machine says so when it is asked where the sound came from, or a relay
// that the other end was connected to. Where nobody can say, because the machine
// itself is off or hides that a port is closed, or the relay is not one of ours,
// the call ends when its time to reconnect is up.

const (
	// linkPause is how long a path may stay down, while the channel to the device
	// works, before another path is looked for.
	linkPause = time.Second
	// askTime is how long it is asked whether the other end is gone, and askPause
	// the time between two questions.
	askTime  = 4 * time.Second
	askPause = 300 * time.Millisecond
	// redialPause is how long a dial may take while a call waits for it: one that
	// began when the network was away asks ever more seldom.
	redialPause = 3 * time.Second
)

// probe finds out whether the other end is gone or the network is.
func (n *Node) probe(ctx context.Context, p *phone, e call.Effect) {
	remote := p.leg.Path().Remote
	asked := time.Now()
	if l := n.links.to(identity.DeviceID(e.Device)); l != nil {
		l.send(chat.Ping{N: uint64(asked.UnixNano())})
	}
	if remote.IsValid() && n.host.Deaf(ctx, remote) {
		p.gone()
		return
	}
	p.work.Go(func() { n.askWhetherGone(ctx, p, identity.DeviceID(e.Device)) })
	p.work.Go(func() { n.redial(ctx, p, identity.DeviceID(e.Device)) })
	if !p.reconnects(ctx, linkPause-time.Since(asked)) {
		return
	}
	l := n.links.to(identity.DeviceID(e.Device))
	if l == nil || l.heard.Load() < asked.UnixNano() {
		return
	}
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	n.enqueueLocked([]call.Effect{{Act: call.Restart, Call: p.id, Device: e.Device}})
}

// askWhetherGone asks those who may know until one does, or the call goes on.
func (n *Node) askWhetherGone(ctx context.Context, p *phone, d identity.DeviceID) {
	device := n.known().devices[d]
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for {
		if n.host.Gone(ctx, transport.Peer(device.Peer), device.Addrs, p.relay()...) {
			p.gone()
			return
		}
		if !p.reconnects(ctx, askPause) {
			return
		}
	}
}

// redial keeps trying to reach the other end while the call waits for it.
func (n *Node) redial(ctx context.Context, p *phone, d identity.DeviceID) {
	for p.reconnects(ctx, redialPause) {
		if n.links.to(d) == nil {
			n.keeper.interrupt(errand{p.person, d})
		}
	}
}

// gone ends a call that has not come back meanwhile.
func (p *phone) gone() {
	if p.called().State == call.Reconnecting {
		p.tell(call.Dead)
	}
}

// reconnects waits, and says whether the call still has no path.
func (p *phone) reconnects(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(max(pause, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-p.done:
		return false
	case <-t.C:
		return p.called().State == call.Reconnecting
	}
}

// relay is who carries the newest tunnel, if anybody does.
func (p *phone) relay() []transport.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tunnel == nil || p.tunnel.path.Via == "" {
		return nil
	}
	return []transport.Peer{p.tunnel.path.Via}
}
