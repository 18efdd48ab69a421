package transport

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// borrowed is a friend's device that passes on for us.
type borrowed struct {
	at   peer.AddrInfo
	stop context.CancelFunc
}

// Borrow makes the host reachable through a relay from now on, besides those of
// its Config: addrs are its multiaddrs with /p2p/. What is borrowed already
// stays as it is.
func (h *Host) Borrow(ctx context.Context, addrs []string) error {
	relays, err := relaysOf(addrs)
	if err != nil || h.cfg.LANOnly {
		return err
	}
	for _, r := range relays {
		if !h.begin() {
			return fmt.Errorf("borrow a relay: %w", ErrClosed)
		}
		life, stop := context.WithCancel(context.WithoutCancel(ctx))
		h.mu.Lock()
		_, has := h.borrowed[r.ID]
		if !has && !slices.ContainsFunc(h.named, func(n peer.AddrInfo) bool { return n.ID == r.ID }) {
			h.borrowed[r.ID] = borrowed{r, stop}
			h.mu.Unlock()
			h.wg.Go(func() { h.stayReserved(life, r) })
		} else {
			h.mu.Unlock()
			stop()
		}
		h.wg.Done()
	}
	return nil
}

// GiveBack ends what Borrow began.
func (h *Host) GiveBack(relay Peer) {
	id, err := relay.id()
	if err != nil {
		return
	}
	h.mu.Lock()
	b, ok := h.borrowed[id]
	delete(h.borrowed, id)
	h.mu.Unlock()
	if ok {
		b.stop()
	}
}

// relaysNow are the relays named in Config, and those borrowed.
func (h *Host) relaysNow() []peer.AddrInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := slices.Clone(h.named)
	for _, b := range h.borrowed {
		out = append(out, b.at)
	}
	return out
}

// Ledger is what was passed on in a month, and for whom in a week. It is stored
// as JSON.
type Ledger struct {
	Month string           `json:"month"` // 2006-01
	Bytes int64            `json:"bytes"` // in the month
	Week  string           `json:"week"`  // the Monday it began, 2006-01-02
	Each  map[string]int64 `json:"each"`  // bytes in the week, by whose they were
}

// Add books what was passed on by now; a new month or week begins at nothing.
func (l *Ledger) Add(now time.Time, bytes int64, each map[string]int64) {
	l.turn(now)
	l.Bytes += bytes
	for who, n := range each {
		l.Each[who] += n
	}
}

func (l *Ledger) turn(now time.Time) {
	if m := now.Format("2006-01"); m != l.Month {
		l.Month, l.Bytes = m, 0
	}
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7).Format("2006-01-02")
	if monday != l.Week || l.Each == nil {
		l.Week, l.Each = monday, map[string]int64{}
	}
}

// Left is how much of a month's budget is left; a budget of 0 has no end, which
// is -1.
func (l *Ledger) Left(now time.Time, budget int64) int64 {
	if budget <= 0 {
		return -1
	}
	l.turn(now)
	return max(0, budget-l.Bytes)
}
