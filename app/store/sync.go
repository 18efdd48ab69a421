package store

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// Next prepares the next event of a device's chain: everything but time,
// kind, body and signature; the salt is random. Its heads are the tips of other chains that came
// in since the chain's last event.
func (v *View) Next(conv chat.ConvID, device identity.DeviceID) (*chat.Event, error) {
	e := &chat.Event{Conv: conv, Device: device, Seq: 1, Depth: 1}
	own, err := v.findChain(conv, device)
	if errors.Is(err, ErrNotFound) {
		own, err = &chain{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("next event: %w", err)
	}
	if own.tip.Seq > 0 {
		e.Seq, e.Prev, e.Depth = own.tip.Seq+1, own.tip.Hash, own.depth+1
	}
	err = v.c.each(func(s *sqlite3.Stmt) error {
		var h chat.Hash
		fill(h[:], s, 0)
		e.Heads = append(e.Heads, h)
		e.Depth = max(e.Depth, uint64(s.ColumnInt64(1))+1)
		return nil
	}, `SELECT hash, depth FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?1) AND seq>0 AND device<>?2
		AND (depth>?3 OR tip>(SELECT coalesce(max(tip), 0) FROM chain WHERE id=?4))
		ORDER BY depth DESC LIMIT ?5`, conv[:], device[:], own.depth, own.id, chat.MaxHeads)
	if err != nil {
		return nil, fmt.Errorf("next event: %w", err)
	}
	e.Heads = chat.SortHeads(e.Heads)
	rand.Read(e.Salt[:])
	return e, nil
}

// place is where an event stands, enough to put several chains in order.
type place struct {
	id          int64
	depth, size int64
	device      identity.DeviceID
	seq         int64
}

// EventsAfter returns encoded events that an end lacks which holds the chains
// up to have: each chain in order, the chains interleaved by depth, so that
// what an event builds on comes before it. It stops at limit events, and
// before maxBytes are exceeded, but returns at least one if any is lacking.
func (v *View) EventsAfter(conv chat.ConvID, have []chat.Tip, limit, maxBytes int) ([][]byte, error) {
	ours, err := v.Tips(conv)
	if err != nil {
		return nil, err
	}
	held := make(map[identity.DeviceID]uint64, len(have))
	for _, t := range have {
		held[t.Device] = t.Seq
	}
	var lacking []place
	for _, t := range ours {
		if held[t.Device] >= t.Seq {
			continue
		}
		if lacking, err = v.placesAfter(lacking, conv, t.Device, held[t.Device], limit); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(lacking, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), a.device.Compare(b.device), cmp.Compare(a.seq, b.seq))
	})
	return v.encoded(lacking, limit, maxBytes)
}

func (v *View) placesAfter(to []place, conv chat.ConvID, device identity.DeviceID, seq uint64, limit int) ([]place, error) {
	err := v.c.each(func(s *sqlite3.Stmt) error {
		to = append(to, place{
			id: s.ColumnInt64(0), depth: s.ColumnInt64(1), seq: s.ColumnInt64(2), size: s.ColumnInt64(3), device: device,
		})
		return nil
	}, `SELECT id, depth, seq, length(bytes) FROM event WHERE seq>? AND chain=
		(SELECT id FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND device=?) ORDER BY seq LIMIT ?`,
		seq, conv[:], device[:], limit)
	return to, err
}

func (v *View) encoded(places []place, limit, maxBytes int) (out [][]byte, err error) {
	total := int64(0)
	for _, p := range places {
		total += p.size
		if len(out) >= limit || (total > int64(maxBytes) && len(out) > 0) {
			break
		}
		err := v.c.one(func(s *sqlite3.Stmt) { out = append(out, blob(s, 0)) }, `SELECT bytes FROM event WHERE id=?`, p.id)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Chain returns the hashes of a chain's events from one sequence number up to
// another, both included, at most MaxPage of them.
func (v *View) Chain(conv chat.ConvID, device identity.DeviceID, from, to uint64) (out []chat.Hash, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		var h chat.Hash
		fill(h[:], s, 0)
		out = append(out, h)
		return nil
	}, `SELECT hash FROM event WHERE chain=(SELECT id FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND device=?)
		AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`, conv[:], device[:], from, to, MaxPage)
	return out, err
}

// Next prepares the next event of a device's chain, as it stands now; Tx has
// the same for use together with Append.
func (s *Store) Next(conv chat.ConvID, device identity.DeviceID) (*chat.Event, error) {
	return read(s, func(v *View) (*chat.Event, error) { return v.Next(conv, device) })
}

// EventsAfter returns encoded events that an end lacks which holds the chains
// up to have; see View.EventsAfter.
func (s *Store) EventsAfter(conv chat.ConvID, have []chat.Tip, limit, maxBytes int) ([][]byte, error) {
	return read(s, func(v *View) ([][]byte, error) { return v.EventsAfter(conv, have, limit, maxBytes) })
}
