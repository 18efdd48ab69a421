package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// What an event is in a timeline; see migrations.
const (
	shownNot    = 0
	shownRow    = 1
	shownCounts = 2
)

// base is an event that is a row, as it is found on the disk.
type base struct {
	id, chain int64
	touched   bool
	event     *chat.Event
	author    identity.ID
}

// show indexes a new row. Effects may have come before it.
func (tx *Tx) show(id int64, e *chat.Event, h chat.Hash, author identity.ID, ch *chain) error {
	n, err := tx.c.number(`SELECT 1 FROM event WHERE target=? LIMIT 1`, h[:])
	if err != nil {
		return err
	}
	b := &base{id: id, chain: ch.id, touched: n > 0, event: e, author: author}
	row, err := tx.said(b, chat.Hash{})
	if err != nil {
		return err
	}
	if b.touched {
		if err := tx.c.exec(`UPDATE event SET touched=1 WHERE id=?`, id); err != nil {
			return fmt.Errorf("mark row: %w", err)
		}
	}
	tx.changeWords(id, "", row.Text)
	if !row.Deleted {
		return nil
	}
	if err := tx.uncount(id); err != nil {
		return err
	}
	return tx.redact(h)
}

// touch brings the row that an effect changes up to date; if it is not there
// yet, show will see the effect. What it costs does not grow with the number of
// effects that the row has already.
func (tx *Tx) touch(id int64, e *chat.Event, h, target chat.Hash) error {
	b, err := tx.base(e.Conv, target)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !b.touched {
		if err := tx.c.exec(`UPDATE event SET touched=1 WHERE id=?`, b.id); err != nil {
			return fmt.Errorf("mark row: %w", err)
		}
	}
	switch {
	case e.Kind == chat.KindReaction:
		return nil
	case b.event.Redacted(): // it stays deleted, and new edits of it are not kept either
		return tx.redactOne(stored{id, e.Encode()}, chat.KindReaction)
	}
	before, err := tx.said(b, h)
	if err != nil {
		return err
	}
	b.touched = true
	after, err := tx.said(b, chat.Hash{})
	if err != nil {
		return err
	}
	tx.changeWords(b.id, before.Text, after.Text)
	if !after.Deleted {
		return nil
	}
	if err := tx.uncount(b.id); err != nil {
		return err
	}
	return tx.redact(target)
}

// uncount makes a deleted row one that is not waiting to be read.
func (tx *Tx) uncount(id int64) error {
	if err := tx.c.exec(`UPDATE event SET shown=? WHERE id=? AND shown=?`, shownRow, id, shownCounts); err != nil {
		return fmt.Errorf("mark deleted row: %w", err)
	}
	return tx.recount(`id=(SELECT chain FROM event WHERE id=?1)`, id)
}

// recount counts again what is unread in the chains of others that the
// condition picks.
func (tx *Tx) recount(condition string, arg any) error {
	return tx.c.exec(`UPDATE chain SET unread=(SELECT count(*) FROM event
		WHERE event.chain=chain.id AND event.seq>chain.seen AND shown=2)
		WHERE person IS NOT NULL AND person<>?2 AND `+condition, arg, tx.self[:])
}

// base finds a row's event by its hash.
func (v *View) base(conv chat.ConvID, h chat.Hash) (b *base, err error) {
	var parseErr error
	err = v.c.one(func(s *sqlite3.Stmt) { b, parseErr = readBase(s) }, baseQuery+
		`event.hash=? AND event.conv=(SELECT id FROM conv WHERE conv=?) AND shown>0`, h[:], conv[:])
	return b, errors.Join(err, parseErr)
}

// baseQuery selects what readBase reads.
const baseQuery = `SELECT event.id, chain, touched, bytes, person FROM event JOIN chain ON chain.id=event.chain WHERE `

func readBase(s *sqlite3.Stmt) (b *base, err error) {
	b = &base{id: s.ColumnInt64(0), chain: s.ColumnInt64(1), touched: s.ColumnBool(2)}
	if b.event, err = chat.ParseEvent(s.ColumnRawBlob(3)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	fill(b.author[:], s, 4)
	return b, nil
}

// maxReactions is how many reactions of each device to one row count, the
// newest: whoever sends thousands makes nobody slow.
const maxReactions = 64

// said makes the row of b, without reactions, from all its effects but one.
func (v *View) said(b *base, except chat.Hash) (chat.Row, error) {
	effects, err := v.wording(b, except)
	if err != nil {
		return chat.Row{}, err
	}
	return chat.Reduce(b.event, b.author, effects), nil
}

// row makes the row of b from its effects.
func (v *View) row(b *base) (chat.Row, error) {
	effects, err := v.wording(b, chat.Hash{})
	if err == nil {
		effects, err = v.newest(effects, b, chat.KindReaction, maxReactions, chat.Hash{})
	}
	if err != nil {
		return chat.Row{}, err
	}
	return chat.Reduce(b.event, b.author, effects), nil
}

// wording finds the effects that say what a row says: the last edit of each
// device, for the last of all counts, and one delete of each.
func (v *View) wording(b *base, except chat.Hash) (effects []chat.Effect, err error) {
	for _, k := range [...]chat.Kind{chat.KindEdit, chat.KindDelete} {
		if effects, err = v.newest(effects, b, k, 1, except); err != nil {
			return nil, err
		}
	}
	return effects, nil
}

// newest adds the effects of one kind on a row that count: of each device, the
// last few that can be read. In a chain depth grows, so that every device that
// has the same events finds the same ones, whatever came first.
func (v *View) newest(effects []chat.Effect, b *base, k chat.Kind, few int, except chat.Hash) ([]chat.Effect, error) {
	if !b.touched || b.event.Redacted() {
		return effects, nil
	}
	h := b.event.Hash()
	err := v.c.each(func(s *sqlite3.Stmt) error {
		e, err := chat.ParseEvent(s.ColumnRawBlob(0))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		f := chat.Effect{Event: e}
		fill(f.Author[:], s, 1)
		effects = append(effects, f)
		return nil
	}, `SELECT event.bytes, person FROM chain CROSS JOIN event ON event.id IN (SELECT id FROM event AS e
			WHERE e.target=? AND e.kind=? AND e.chain=chain.id AND e.hash<>? ORDER BY e.depth DESC LIMIT ?)
		WHERE chain.conv=(SELECT conv FROM chain WHERE id=?)`, h[:], int(k), except[:], few, b.chain)
	return effects, err
}
