package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// portalTime is how long whoever answers in a relay's place may take.
const portalTime = time.Second

// greeting is how every libp2p node begins on TCP (multistream-select 1.0.0).
const greeting = "\x13/multistream/1.0.0\n"

// impostor finds out whether something else answers where a relay is that is
// not reached: the page of a hotel or a café that wants one to log in first
// answers every call by TCP.
func (h *Host) impostor(ctx context.Context, r peer.AddrInfo) bool {
	ctx, cancel := context.WithTimeout(ctx, portalTime)
	defer cancel()
	for _, a := range r.Addrs {
		at, err := tcpOf(a)
		if err != nil {
			continue
		}
		c, err := h.dialPlain(ctx, at.AddrPort())
		if err != nil {
			continue
		}
		other := answersOtherwise(ctx, c)
		_ = c.Close()
		if other {
			return true
		}
	}
	return false
}

func (h *Host) dialPlain(ctx context.Context, at netip.AddrPort) (net.Conn, error) {
	if w := h.cfg.World; w != nil {
		if w.DialTCP == nil {
			return nil, errNoFamily
		}
		return w.DialTCP(ctx, at)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", at.String())
}

// answersOtherwise greets, and says whether what comes back is something else
// than a greeting.
func answersOtherwise(ctx context.Context, c net.Conn) bool {
	if until, ok := ctx.Deadline(); ok && c.SetDeadline(until) != nil {
		return false
	}
	_, _ = io.WriteString(c, greeting) // whoever has spoken and hung up is read all the same
	b := make([]byte, len(greeting))
	n, _ := io.ReadFull(c, b)
	return n > 0 && !bytes.Equal(b[:n], []byte(greeting)[:n])
}

// noteImpostor remembers whether something else answers in a relay's place.
func (h *Host) noteImpostor(relay peer.ID, is bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.impostors, relay)
	if is {
		h.impostors[relay] = true
	}
}
