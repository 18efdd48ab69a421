package store

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// rebuildStep is how many events are in memory at a time.
const rebuildStep = 512

// Rebuild draws everything that is drawn from events again: order, chains,
// unread counts and the full-text index. Events that cannot be read any more
// are dropped, and what follows them in their chain too, so that it can be
// asked for again; lost says how many those were. It is one transaction: on
// an error the index stays as it was.
func (s *Store) Rebuild(ctx context.Context) (lost int, err error) {
	err = s.Write(ctx, func(tx *Tx) (err error) {
		lost, err = tx.rebuild(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rebuild index: %w", err)
	}
	return lost, nil
}

func (tx *Tx) rebuild(ctx context.Context) (lost int, err error) {
	before, err := tx.c.number(`SELECT count(*) FROM event`)
	if err != nil {
		return 0, err
	}
	steps := []func(context.Context) error{tx.redrawEvents, tx.redrawChains, tx.redrawRows}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return 0, err
		}
	}
	after, err := tx.c.number(`SELECT count(*) FROM event`)
	return int(before - after), err
}

// redrawEvents fills the columns of every event from its bytes.
func (tx *Tx) redrawEvents(ctx context.Context) error {
	for last := int64(0); ; {
		some, err := tx.stored(`SELECT id, bytes FROM event WHERE id>? ORDER BY id LIMIT ?`, last, rebuildStep)
		if err != nil || len(some) == 0 {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, e := range some {
			if err := tx.redrawEvent(e); err != nil {
				return err
			}
		}
		last = some[len(some)-1].id
	}
}

func (tx *Tx) redrawEvent(s stored) error {
	e, err := chat.ParseEvent(s.bytes)
	if err != nil {
		return tx.c.exec(`DELETE FROM event WHERE id=?`, s.id)
	}
	ch, err := tx.chain(e.Conv, e.Device)
	if err != nil {
		return err
	}
	h := e.Hash()
	at, kind := aim(e)
	args := []any{h[:], ch.conv, ch.id, e.Seq, e.Depth, e.Time, ch.shown(e), at, int(kind), s.id}
	return tx.c.exec(`UPDATE OR REPLACE event SET hash=?, conv=?, chain=?, seq=?, depth=?, time=?, shown=?, target=?, kind=?, touched=0 WHERE id=?`, args...)
}

// redrawChains cuts chains at their first gap and finds their tips.
func (tx *Tx) redrawChains(context.Context) error {
	tx.last = nil
	for _, sql := range [...]string{
		`WITH gap AS (SELECT chain, min(seq) AS at FROM
			(SELECT chain, seq, seq-row_number() OVER (PARTITION BY chain ORDER BY seq) AS skipped FROM event)
			WHERE skipped>0 GROUP BY chain)
		DELETE FROM event WHERE EXISTS (SELECT 1 FROM gap WHERE gap.chain=event.chain AND event.seq>=gap.at)`,
		`UPDATE chain SET (seq, hash, tip, depth)=(SELECT coalesce(max(seq), 0), hash, coalesce(id, 0), coalesce(depth, 0)
			FROM event WHERE event.chain=chain.id)`,
		`UPDATE chain SET person=(SELECT person FROM device WHERE device.id=chain.device) WHERE person IS NULL`,
		`UPDATE conv SET depth=(SELECT coalesce(max(depth), 0) FROM chain WHERE chain.conv=conv.id)`,
	} {
		if err := tx.c.exec(sql); err != nil {
			return err
		}
	}
	return nil
}

// redrawRows finds out again what effects did to rows.
func (tx *Tx) redrawRows(ctx context.Context) error {
	tx.words, tx.indexNow = nil, true
	for _, sql := range [...]string{
		`INSERT INTO words(words) VALUES('delete-all')`,
		`UPDATE event SET touched=1 WHERE shown>0 AND EXISTS (SELECT 1 FROM event AS effect WHERE effect.target=event.hash)`,
	} {
		if err := tx.c.exec(sql); err != nil {
			return err
		}
	}
	if err := tx.redrawCalls(); err != nil {
		return err
	}
	for last := int64(0); ; {
		rows, err := tx.bases(rebuildStep, baseQuery+`event.id>? AND shown>0 ORDER BY event.id LIMIT ?`, last, rebuildStep)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tx.recount(`?1 IS NULL`, nil)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := tx.redrawSome(rows); err != nil {
			return err
		}
		last = rows[len(rows)-1].id
	}
}

func (tx *Tx) redrawSome(rows []*base) error {
	for _, b := range rows {
		row, err := tx.said(b, chat.Hash{})
		if err != nil {
			return err
		}
		tx.changeWords(b.id, "", row.Text)
		if !row.Deleted {
			continue
		}
		if err := tx.c.exec(`UPDATE event SET shown=? WHERE id=?`, shownRow, b.id); err != nil {
			return err
		}
		if err := tx.redact(row.ID); err != nil {
			return err
		}
	}
	return tx.flushWords()
}

// Check looks at the whole file and returns ErrDamaged with what it found.
func (s *Store) Check(ctx context.Context) error {
	var found string
	err := s.Read(func(v *View) error {
		defer v.c.db.SetInterrupt(v.c.db.SetInterrupt(ctx))
		return v.c.one(func(st *sqlite3.Stmt) { found = st.ColumnText(0) }, `PRAGMA integrity_check(1)`)
	})
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("check database: %w: %.200s", ErrDamaged, found)
	}
	return nil
}
