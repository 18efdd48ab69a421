package store

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// redact takes the bodies of a deleted row and of its edits off the disk. Its
// reactions say nothing about what it said, and stay.
func (tx *Tx) redact(row chat.Hash) error {
	events, err := tx.stored(`SELECT id, bytes FROM event WHERE hash=?1 UNION ALL SELECT id, bytes FROM event WHERE target=?1`, row[:])
	if err != nil {
		return err
	}
	for _, s := range events {
		if err := tx.redactOne(s, chat.KindReaction); err != nil {
			return err
		}
	}
	return nil
}

// redactAll takes the bodies of all events of a conversation off the disk.
func (tx *Tx) redactAll(conv int64) error {
	for last := int64(0); ; {
		events, err := tx.stored(`SELECT id, bytes FROM event WHERE conv=? AND id>? ORDER BY id LIMIT ?`, conv, last, rebuildStep)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, s := range events {
			if err := tx.redactOne(s, 0); err != nil {
				return err
			}
		}
		last = events[len(events)-1].id
	}
}

// redactOne redacts one event unless it is of the kind to be spared.
func (tx *Tx) redactOne(s stored, spared chat.Kind) error {
	e, err := chat.ParseEvent(s.bytes)
	if err != nil {
		return fmt.Errorf("%w: redact: %w", ErrDamaged, err)
	}
	r := e.Redact()
	if e.Redacted() || !r.Redacted() || e.Kind == spared {
		return nil
	}
	tx.erased = true
	if err := tx.c.exec(`UPDATE event SET bytes=?, target=NULL WHERE id=?`, r.Encode(), s.id); err != nil {
		return fmt.Errorf("redact %s: %w", e.Hash().Short(), err)
	}
	return nil
}

// stored is an event's bytes and row number.
type stored struct {
	id    int64
	bytes []byte
}

func (v *View) stored(sql string, args ...any) (out []stored, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		out = append(out, stored{id: s.ColumnInt64(0), bytes: blob(s, 1)})
		return nil
	}, sql, args...)
	return out, err
}

// shown says what an event is in the timeline of its conversation.
func (ch *chain) shown(e *chat.Event) int {
	switch {
	case e.Kind.IsEffect(), e.Seq <= ch.forgotten:
		return shownNot
	case e.Kind == chat.KindDevice:
		return shownRow
	}
	if b, ok := callOf(e); ok && !b.Missed() {
		return shownRow
	}
	return shownCounts
}

// forget says that what a chain holds up to seq belongs to a conversation that
// was deleted here. It is for a chain that is still empty.
func (tx *Tx) forget(chain int64, seq uint64) error {
	tx.last = nil
	return tx.c.exec(`UPDATE chain SET forgotten=? WHERE id=? AND seq=0`, seq, chain)
}

// emptyLog writes everything into the database file and cuts the write-ahead
// log, which otherwise keeps pages as they were until it comes round to
// overwrite them. It returns false if a reader was in the way.
func (c *conn) emptyLog() (done bool, err error) {
	if err := c.db.BusyTimeout(0); err != nil {
		return false, explain(err)
	}
	err = c.one(func(s *sqlite3.Stmt) { done = s.ColumnInt(0) == 0 }, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if restored := c.db.BusyTimeout(busyTimeout); err == nil {
		err = explain(restored)
	}
	return done && err == nil, err
}
