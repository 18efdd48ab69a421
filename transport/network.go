package transport

import (
	"context"
	"net"
	"slices"
	"strconv"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// settle is how long addresses must stay as they are before a change counts: a
// new network brings several of them one after another.
const settle = 200 * time.Millisecond

// followNetwork watches the machine's addresses and ways out until the host closes.
func (h *Host) followNetwork(ctx context.Context) {
	moves := &moves{host: h}
	if w := h.cfg.World; w != nil {
		h.followWorld(ctx, w, moves)
		return
	}
	stirred := make(chan struct{}, 1)
	h.wg.Go(func() { watchInterfaces(h.quit, stirred, h.log) })
	last := surroundings()
	for {
		select {
		case <-h.quit:
			return
		case <-stirred:
		}
		if !h.calm(stirred) {
			return
		}
		if now := surroundings(); !slices.Equal(now, last) {
			last = now
			moves.next(ctx)
		}
	}
}

// calm waits until nothing has stirred for a while; false means the host closed.
func (h *Host) calm(stirred <-chan struct{}) bool {
	t := time.NewTimer(settle)
	defer t.Stop()
	for {
		select {
		case <-h.quit:
			return false
		case <-stirred:
			t.Reset(settle)
		case <-t.C:
			return true
		}
	}
}

func (h *Host) followWorld(ctx context.Context, w *World, m *moves) {
	for {
		select {
		case <-h.quit:
			return
		case <-w.Changed:
			m.next(ctx)
		}
	}
}

// moves begins what a change of addresses asks for, and ends what the one
// before it began.
type moves struct {
	host *Host
	end  context.CancelFunc
}

func (m *moves) next(ctx context.Context) {
	if m.end != nil {
		m.end()
	}
	ctx, m.end = context.WithCancel(ctx)
	m.host.wg.Go(func() { m.host.moved(ctx) })
}

// surroundings are the addresses of all interfaces that are up, and the ways out,
// in order.
func surroundings() []string {
	ifaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []string
	for _, i := range ifaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			out = append(out, i.Name+" "+a.String())
		}
	}
	out = append(out, waysOut()...)
	slices.Sort(out)
	return out
}

// portOf returns the first port that addrs name for the protocol (UDP or TCP), 0 if none.
func portOf(addrs []ma.Multiaddr, protocol int) int {
	for _, a := range addrs {
		if text, err := a.ValueForProtocol(protocol); err == nil {
			if port, err := strconv.Atoi(text); err == nil {
				return port
			}
		}
	}
	return 0
}

// withPort returns a with every port replaced.
func withPort(a ma.Multiaddr, port int) ma.Multiaddr {
	out := ma.Multiaddr{}
	for _, c := range a {
		if code := c.Protocol().Code; code == ma.P_UDP || code == ma.P_TCP {
			if with, err := ma.NewComponent(c.Protocol().Name, strconv.Itoa(port)); err == nil {
				c = *with
			}
		}
		out = append(out, c)
	}
	return out
}
