package store

import (
	"github.com/ncruces/go-sqlite3"
	"github.com/entrenous/entrenous/app/chat"
)

// Oldest returns the first row of a conversation, or ErrNotFound.
func (s *Store) Oldest(conv chat.ConvID) (chat.Hash, error) {
	return read(s, func(v *View) (h chat.Hash, err error) {
		err = v.c.one(func(s *sqlite3.Stmt) { fill(h[:], s, 0) }, `SELECT hash FROM event
			WHERE conv=(SELECT id FROM conv WHERE conv=?) AND shown>0 ORDER BY depth, time, hash LIMIT 1`, conv[:])
		return h, err
	})
}
