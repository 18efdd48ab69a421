package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// MaxPage is how many rows one page holds at most.
const MaxPage = 500

// maxPreview is how many runes of a row its answers quote.
const maxPreview = 200

// Query asks for a page: the rows before one row, after one, around one, or
// with all of them zero the last rows.
type Query struct {
	Before, After, Around chat.Hash
	Limit                 int // 1 to MaxPage; 0: 50
}

// Page is a stretch of a timeline, oldest row first.
type Page struct {
	Rows           []RowView
	Earlier, Later bool // there are more rows on that side
}

// RowView is a row, how far it has got, and what it answers.
type RowView struct {
	chat.Row
	State chat.State
	Reply *Preview // nil: it answers nothing, or what it answers is not here
	// Reports are those of a call: the row's own, then those of the records that
	// others wrote of it.
	Reports [][]byte
}

// Preview is as much of a row as an answer to it shows.
type Preview struct {
	ID      chat.Hash
	Author  identity.ID
	Kind    chat.Kind
	Text    string // the beginning
	Deleted bool
}

// Page returns rows of a conversation. An anchor that is not in it is
// ErrNotFound.
func (v *View) Page(conv chat.ConvID, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, MaxPage)
	switch {
	case !q.Before.IsZero():
		return v.page(conv, q.Before, q.Limit, 0)
	case !q.After.IsZero():
		return v.page(conv, q.After, 0, q.Limit)
	case !q.Around.IsZero():
		return v.page(conv, q.Around, q.Limit/2, q.Limit-q.Limit/2)
	}
	return v.page(conv, chat.Hash{}, q.Limit, 0)
}

// page returns up to before rows before the anchor and after rows from it on;
// the anchor itself is part of it only if rows are wanted on both sides.
func (v *View) page(conv chat.ConvID, anchor chat.Hash, before, after int) (p Page, err error) {
	number, err := v.c.number(`SELECT id FROM conv WHERE conv=?`, conv[:])
	if err != nil {
		return Page{}, err
	}
	if number == 0 && anchor.IsZero() {
		return Page{}, nil
	}
	at := position{depth: chat.MaxSeq + 1}
	if !anchor.IsZero() {
		if at, err = v.position(number, anchor); err != nil {
			return Page{}, err
		}
	}
	var rows []*base
	if before > 0 {
		rows, err = v.bases(before+1, baseQuery+`event.conv=? AND shown>0 AND (event.depth, time, event.hash)<(?,?,?)
			ORDER BY event.depth DESC, time DESC, event.hash DESC LIMIT ?`, number, at.depth, at.time, at.hash[:], before+1)
		slices.Reverse(rows)
		if p.Earlier = len(rows) > before; p.Earlier {
			rows = rows[1:]
		}
		p.Later = after == 0 && !anchor.IsZero()
	}
	if after > 0 && err == nil {
		var later []*base
		from := `(event.depth, time, event.hash)>(?,?,?)`
		if before > 0 {
			from = `(event.depth, time, event.hash)>=(?,?,?)`
		}
		later, err = v.bases(after+1, baseQuery+`event.conv=? AND shown>0 AND `+from+`
			ORDER BY event.depth, time, event.hash LIMIT ?`, number, at.depth, at.time, at.hash[:], after+1)
		if p.Later = len(later) > after; p.Later {
			later = later[:after]
		}
		p.Earlier = p.Earlier || before == 0
		rows = append(rows, later...)
	}
	if err != nil {
		return Page{}, err
	}
	p.Rows, err = v.views(conv, rows)
	return p, err
}

// position is where a row stands in its timeline.
type position struct {
	depth uint64
	time  int64
	hash  chat.Hash
}

func (v *View) position(conv int64, h chat.Hash) (p position, err error) {
	p.hash = h
	err = v.c.one(func(s *sqlite3.Stmt) {
		p.depth, p.time = uint64(s.ColumnInt64(0)), s.ColumnInt64(1)
	}, `SELECT depth, time FROM event WHERE hash=? AND conv=?`, h[:], conv)
	if err != nil {
		return p, fmt.Errorf("row %s: %w", h.Short(), err)
	}
	return p, nil
}

func (v *View) bases(limit int, sql string, args ...any) ([]*base, error) {
	out := make([]*base, 0, limit)
	err := v.c.each(func(s *sqlite3.Stmt) error {
		b, err := readBase(s)
		out = append(out, b)
		return err
	}, sql, args...)
	return out, err
}

// views completes rows of one conversation.
func (v *View) views(conv chat.ConvID, rows []*base) ([]RowView, error) {
	reached, err := v.reached(conv)
	if err != nil {
		return nil, err
	}
	out := make([]RowView, len(rows))
	for i, b := range rows {
		row, err := v.row(b)
		if err != nil {
			return nil, err
		}
		out[i] = RowView{Row: row, State: v.state(&row, reached)}
		if row.Call != nil {
			if out[i].Reports, err = v.reports(b.event); err != nil {
				return nil, err
			}
		}
		if row.ReplyTo.IsZero() {
			continue
		}
		if out[i].Reply, err = v.preview(conv, row.ReplyTo); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// state says how far a row has got.
func (v *View) state(r *chat.Row, reached map[identity.DeviceID]reach) chat.State {
	if r.Author != v.self {
		return chat.Received
	}
	far := reached[r.Device]
	switch {
	case r.Seq <= far.seen:
		return chat.Seen
	case r.Seq <= far.delivered:
		return chat.Delivered
	}
	return chat.Written
}

func (v *View) preview(conv chat.ConvID, h chat.Hash) (*Preview, error) {
	b, err := v.base(conv, h)
	if errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // nothing to quote, documented at RowView
	}
	if err != nil {
		return nil, err
	}
	row, err := v.said(b, chat.Hash{})
	if err != nil {
		return nil, err
	}
	p := &Preview{ID: row.ID, Author: row.Author, Kind: row.Kind, Text: row.Text, Deleted: row.Deleted}
	if len(p.Text) > maxPreview {
		if runes := []rune(p.Text); len(runes) > maxPreview {
			p.Text = string(runes[:maxPreview])
		}
	}
	return p, nil
}

// Row returns one row of any conversation as a page shows it, and which
// conversation that is; or ErrNotFound.
func (v *View) Row(h chat.Hash) (RowView, chat.ConvID, error) {
	rows, err := v.bases(1, baseQuery+`event.hash=? AND shown>0`, h[:])
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return RowView{}, chat.ConvID{}, fmt.Errorf("row %s: %w", h.Short(), err)
	}
	conv := rows[0].event.Conv
	views, err := v.views(conv, rows)
	if err != nil {
		return RowView{}, chat.ConvID{}, fmt.Errorf("row %s: %w", h.Short(), err)
	}
	return views[0], conv, nil
}

// Oldest returns the first row of a conversation, or ErrNotFound.
func (v *View) Oldest(conv chat.ConvID) (h chat.Hash, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { fill(h[:], s, 0) }, `SELECT hash FROM event
		WHERE conv=(SELECT id FROM conv WHERE conv=?) AND shown>0 ORDER BY depth, time, hash LIMIT 1`, conv[:])
	return h, err
}

// Oldest returns the first row of a conversation, or ErrNotFound.
func (s *Store) Oldest(conv chat.ConvID) (chat.Hash, error) {
	return read(s, func(v *View) (chat.Hash, error) { return v.Oldest(conv) })
}

// Page returns rows of a conversation. An anchor that is not in it is
// ErrNotFound.
func (s *Store) Page(conv chat.ConvID, q Query) (Page, error) {
	return read(s, func(v *View) (Page, error) { return v.Page(conv, q) })
}

// Row returns one row of any conversation as a page shows it, and which
// conversation that is; or ErrNotFound.
func (s *Store) Row(h chat.Hash) (row RowView, conv chat.ConvID, err error) {
	err = s.Read(func(v *View) (err error) {
		row, conv, err = v.Row(h)
		return err
	})
	return row, conv, err
}
