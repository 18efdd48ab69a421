package store

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// Set keeps a value under a key; nil removes it. Keys that begin with
// "store." belong to this package.
func (tx *Tx) Set(key string, v []byte) error {
	if v == nil {
		return tx.c.exec(`DELETE FROM kv WHERE key=?`, key)
	}
	return tx.c.exec(`INSERT INTO kv(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value`, key, notNil(v))
}

// Value returns what Set kept under key, or ErrNotFound.
func (v *View) Value(key string) (value []byte, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { value = notNil(blob(s, 0)) }, `SELECT value FROM kv WHERE key=?`, key)
	if err != nil {
		return nil, fmt.Errorf("value %q: %w", key, err)
	}
	return value, nil
}

// Value returns what Set kept under key, or ErrNotFound.
func (s *Store) Value(key string) ([]byte, error) {
	return read(s, func(v *View) ([]byte, error) { return v.Value(key) })
}

// notNil keeps an empty value apart from none.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
