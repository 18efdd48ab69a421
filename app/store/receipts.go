package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// reach is how far a chain has got with the other person.
type reach struct{ delivered, seen uint64 }

// PutReceipt keeps what a verified receipt says beyond earlier ones, and says
// whether that was anything. One by another device of ours that has seen
// something marks it as read here too. The signature is the caller's to check.
func (tx *Tx) PutReceipt(r chat.Receipt) (changed bool, err error) {
	author, err := tx.chain(r.Conv, r.Author)
	if err != nil {
		return false, err
	}
	old, err := tx.Receipt(r.Conv, r.By, r.Author)
	if errors.Is(err, ErrNotFound) {
		old, err = chat.Receipt{Conv: r.Conv, By: r.By, Author: r.Author}, nil
	}
	if err != nil {
		return false, err
	}
	merged, changed := r.Merge(old)
	if !changed {
		return false, nil
	}
	err = tx.c.exec(`INSERT OR REPLACE INTO receipt(conv, author, device, delivered, seen, bytes) VALUES(?,?,?,?,?,?)`,
		author.conv, r.Author[:], r.By[:], merged.Delivered, merged.Seen, merged.Encode())
	if err != nil {
		return false, fmt.Errorf("keep receipt: %w", err)
	}
	seen := min(r.Seen, author.tip.Seq)
	if seen <= author.seen {
		return true, nil
	}
	mine, err := tx.isOurs(author.conv, r.By)
	if err != nil || !mine {
		return true, err
	}
	return true, tx.setSeen(author.id, seen)
}

// Receipt returns the last receipt of a device for a chain, or ErrNotFound.
func (v *View) Receipt(conv chat.ConvID, by, author identity.DeviceID) (chat.Receipt, error) {
	var b []byte
	err := v.c.one(func(s *sqlite3.Stmt) { b = blob(s, 0) },
		`SELECT bytes FROM receipt WHERE conv=(SELECT id FROM conv WHERE conv=?) AND author=? AND device=?`, conv[:], author[:], by[:])
	if err != nil {
		return chat.Receipt{}, fmt.Errorf("receipt of %s for %s: %w", by.Short(), author.Short(), err)
	}
	r, err := chat.ParseReceipt(b)
	if err != nil {
		return chat.Receipt{}, fmt.Errorf("%w: receipt: %w", ErrDamaged, err)
	}
	return r, nil
}

// isOurs says whether a device is one of this account's.
func (v *View) isOurs(conv int64, d identity.DeviceID) (bool, error) {
	n, err := v.c.number(`SELECT EXISTS(SELECT 1 FROM device WHERE id=?1 AND person=?2)
		OR EXISTS(SELECT 1 FROM chain WHERE conv=?3 AND device=?1 AND (person=?2 OR private IS NOT NULL))`, d[:], v.self[:], conv)
	return n == 1, err
}

// setSeen moves the mark up to which a chain is read; it never moves back.
func (tx *Tx) setSeen(chain int64, seq uint64) error {
	tx.last = nil
	if err := tx.c.exec(`UPDATE chain SET seen=max(seen, ?) WHERE id=?`, seq, chain); err != nil {
		return fmt.Errorf("mark read: %w", err)
	}
	return tx.recount(`id=?1`, chain)
}

// PutSeen keeps that another device of ours has read a chain up to a sequence
// number, also beyond what has come here yet. It says whether that is news; of
// a chain that is not here it is not.
func (tx *Tx) PutSeen(conv chat.ConvID, author identity.DeviceID, seq uint64) (changed bool, err error) {
	ch, err := tx.findChain(conv, author)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || seq <= ch.seen {
		return false, err
	}
	return true, tx.setSeen(ch.id, seq)
}

// MarkRead marks what others wrote up to a row, and that row, as read. It
// returns what changed as receipts for the caller to complete with By, Time
// and signature, one for each chain.
func (tx *Tx) MarkRead(conv chat.ConvID, upTo chat.Hash) ([]chat.Receipt, error) {
	number, err := tx.c.number(`SELECT id FROM conv WHERE conv=?`, conv[:])
	if err != nil {
		return nil, err
	}
	at, err := tx.position(number, upTo)
	if err != nil {
		return nil, fmt.Errorf("mark read: %w", err)
	}
	type mark struct {
		chain int64
		seq   uint64
	}
	var marks []mark
	err = tx.c.each(func(s *sqlite3.Stmt) error {
		marks = append(marks, mark{chain: s.ColumnInt64(0), seq: uint64(s.ColumnInt64(1))})
		return nil
	}, `SELECT id, (SELECT seq FROM event WHERE event.chain=chain.id AND (event.depth, time, event.hash)<=(?2,?3,?4)
			ORDER BY seq DESC LIMIT 1) AS upto
		FROM chain WHERE conv=?1 AND chain.seq>0 AND person<>?5 AND upto>seen`, number, at.depth, at.time, at.hash[:], tx.self[:])
	if err != nil {
		return nil, fmt.Errorf("mark read: %w", err)
	}
	changed := make(map[int64]bool, len(marks))
	for _, m := range marks {
		changed[m.chain] = true
		if err := tx.setSeen(m.chain, m.seq); err != nil {
			return nil, err
		}
	}
	return tx.due(conv, func(chain int64) bool { return changed[chain] })
}

// OwnReceipts returns what we hold and have read of every chain of others, as
// receipts for the caller to complete with By, Time and signature.
func (v *View) OwnReceipts(conv chat.ConvID) ([]chat.Receipt, error) {
	return v.due(conv, func(int64) bool { return true })
}

func (v *View) due(conv chat.ConvID, wanted func(chain int64) bool) (out []chat.Receipt, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		if !wanted(s.ColumnInt64(0)) {
			return nil
		}
		r := chat.Receipt{Conv: conv, Delivered: uint64(s.ColumnInt64(2)), Seen: uint64(min(s.ColumnInt64(2), s.ColumnInt64(3)))}
		fill(r.Author[:], s, 1)
		out = append(out, r)
		return nil
	}, `SELECT id, device, seq, seen FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?)
		AND seq>0 AND person<>? ORDER BY device`, conv[:], v.self[:])
	return out, err
}

// Receipts returns the last receipt of every device for every chain.
func (v *View) Receipts(conv chat.ConvID) (all []chat.Receipt, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		r, err := chat.ParseReceipt(s.ColumnRawBlob(0))
		if err != nil {
			return fmt.Errorf("%w: receipt: %w", ErrDamaged, err)
		}
		all = append(all, r)
		return nil
	}, `SELECT bytes FROM receipt WHERE conv=(SELECT id FROM conv WHERE conv=?) ORDER BY author, device`, conv[:])
	return all, err
}

// reached says how far each chain has got with devices that are not ours.
func (v *View) reached(conv chat.ConvID) (map[identity.DeviceID]reach, error) {
	out := make(map[identity.DeviceID]reach)
	err := v.c.each(func(s *sqlite3.Stmt) error {
		var d identity.DeviceID
		fill(d[:], s, 0)
		out[d] = reach{delivered: uint64(s.ColumnInt64(1)), seen: uint64(s.ColumnInt64(2))}
		return nil
	}, `SELECT author, max(delivered), max(receipt.seen) FROM receipt WHERE conv=(SELECT id FROM conv WHERE conv=?1)
		AND device NOT IN (SELECT id FROM device WHERE person=?2)
		AND device NOT IN (SELECT device FROM chain WHERE chain.conv=receipt.conv AND (person=?2 OR private IS NOT NULL))
		GROUP BY author`, conv[:], v.self[:])
	return out, err
}

// Receipts returns the last receipt of every device for every chain.
func (s *Store) Receipts(conv chat.ConvID) ([]chat.Receipt, error) {
	return read(s, func(v *View) ([]chat.Receipt, error) { return v.Receipts(conv) })
}

// OwnReceipts returns what we hold and have read of every chain of others, as
// receipts for the caller to complete with By, Time and signature.
func (s *Store) OwnReceipts(conv chat.ConvID) ([]chat.Receipt, error) {
	return read(s, func(v *View) ([]chat.Receipt, error) { return v.OwnReceipts(conv) })
}

// Receipt returns the last receipt of a device for a chain, or ErrNotFound.
func (s *Store) Receipt(conv chat.ConvID, by, author identity.DeviceID) (chat.Receipt, error) {
	return read(s, func(v *View) (chat.Receipt, error) { return v.Receipt(conv, by, author) })
}
