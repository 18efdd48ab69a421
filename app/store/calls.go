package store

import (
	"bytes"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// Both ends of a call that broke off write its record, as neither knows
// whether the other still can. It is one row all the same: that of the device
// that had called, else the one with the lower hash; what the others report of
// the call is shown in that row. The column target, which
// in effects names the row they change, has in records of calls the call's id,
// half as long as a hash.

// callOf is the call that an event is the record of.
func callOf(e *chat.Event) (b chat.CallBody, ok bool) {
	if e.Kind != chat.KindCall || e.Redacted() {
		return b, false
	}
	b, err := chat.ParseCallBody(e.Body)
	return b, err == nil
}

// aim is what the columns target and kind have of an event: nil and 0 for most.
func aim(e *chat.Event) (target []byte, kind chat.Kind) {
	if b, ok := callOf(e); ok {
		return b.Call[:], e.Kind
	}
	of, ok := e.Target()
	if !ok {
		return nil, 0
	}
	if e.Readable() {
		kind = e.Kind
	}
	return of[:], kind
}

// record is one of several records of a call.
type record struct {
	id, chain int64
	caller    bool
	hash      chat.Hash
}

func (r record) before(o record) bool {
	if r.caller != o.caller {
		return r.caller
	}
	return bytes.Compare(r.hash[:], o.hash[:]) < 0
}

// oneRow leaves one of the records of a call as a row.
func (tx *Tx) oneRow(conv int64, call [16]byte) error {
	all, err := tx.records(conv, call)
	if err != nil || len(all) < 2 {
		return err
	}
	best := all[0]
	for _, r := range all[1:] {
		if r.before(best) {
			best = r
		}
	}
	for _, r := range all {
		if r == best {
			continue
		}
		if err := tx.c.exec(`UPDATE event SET shown=? WHERE id=?`, shownNot, r.id); err != nil {
			return fmt.Errorf("hide a second record of a call: %w", err)
		}
		if err := tx.recount(`id=?1`, r.chain); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) records(conv int64, call [16]byte) (all []record, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		e, err := chat.ParseEvent(s.ColumnRawBlob(2))
		if err != nil {
			return fmt.Errorf("%w: record of a call: %w", ErrDamaged, err)
		}
		r := record{id: s.ColumnInt64(0), chain: s.ColumnInt64(1), hash: e.Hash()}
		if b, ok := callOf(e); ok {
			r.caller = b.Outgoing
		}
		all = append(all, r)
		return nil
	}, `SELECT id, chain, bytes FROM event WHERE target=? AND conv=? AND shown>0`, call[:], conv)
	return all, err
}

// reports lists what the devices' records of a call tell of it, that of e first.
// Of each device its first one counts.
func (v *View) reports(e *chat.Event) (all [][]byte, err error) {
	own, ok := callOf(e)
	if !ok {
		return nil, nil
	}
	all = append(all, own.Report)
	err = v.c.each(func(s *sqlite3.Stmt) error {
		other, err := chat.ParseEvent(s.ColumnRawBlob(0))
		if err != nil {
			return fmt.Errorf("%w: record of a call: %w", ErrDamaged, err)
		}
		if b, ok := callOf(other); ok && other.Device != e.Device {
			all = append(all, b.Report)
		}
		return nil
	}, `SELECT bytes FROM chain CROSS JOIN event ON event.id=(SELECT id FROM event AS e
			WHERE e.target=? AND e.kind=? AND e.chain=chain.id ORDER BY e.depth LIMIT 1)
		WHERE chain.conv=(SELECT id FROM conv WHERE conv=?) ORDER BY event.hash`, own.Call[:], int(chat.KindCall), e.Conv[:])
	return all, err
}

// redrawCalls makes one row of each call again.
func (tx *Tx) redrawCalls() error {
	type twice struct {
		conv int64
		call [16]byte
	}
	var all []twice
	err := tx.c.each(func(s *sqlite3.Stmt) error {
		t := twice{conv: s.ColumnInt64(0)}
		fill(t.call[:], s, 1)
		all = append(all, t)
		return nil
	}, `SELECT conv, target FROM event WHERE length(target)=16 AND shown>0 GROUP BY conv, target HAVING count(*)>1`)
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := tx.oneRow(t.conv, t.call); err != nil {
			return err
		}
	}
	return nil
}
