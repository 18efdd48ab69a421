package store

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// Draft is what was being written in a conversation.
type Draft struct {
	Text    string
	ReplyTo chat.Hash // zero: a new message
	Editing chat.Hash // zero: no edit
}

// PutDraft keeps the draft of a conversation; an empty one is removed.
func (tx *Tx) PutDraft(conv chat.ConvID, d Draft) error {
	if d == (Draft{}) {
		return tx.c.exec(`DELETE FROM draft WHERE conv=?`, conv[:])
	}
	return tx.c.exec(`INSERT OR REPLACE INTO draft(conv, text, reply, editing) VALUES(?,?,?,?)`,
		conv[:], d.Text, d.ReplyTo[:], d.Editing[:])
}

// Draft returns the draft of a conversation; the zero Draft if there is none.
func (v *View) Draft(conv chat.ConvID) (d Draft, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) {
		d.Text = s.ColumnText(0)
		fill(d.ReplyTo[:], s, 1)
		fill(d.Editing[:], s, 2)
	}, `SELECT text, reply, editing FROM draft WHERE conv=?`, conv[:])
	if errors.Is(err, ErrNotFound) {
		return Draft{}, nil
	}
	return d, err
}

// Draft returns the draft of a conversation; the zero Draft if there is none.
func (s *Store) Draft(conv chat.ConvID) (Draft, error) {
	return read(s, func(v *View) (Draft, error) { return v.Draft(conv) })
}
