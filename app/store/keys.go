package store

import (
	"bytes"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// ConvKey is a device's key of one conversation.
type ConvKey struct {
	Public  [32]byte
	Private []byte // of our own devices only
}

// PutConvKey pins a device's key of a conversation. The first one stays: the
// same again changes nothing (but may add the private part), and another one
// is refused with ErrKeyChanged.
func (tx *Tx) PutConvKey(conv chat.ConvID, device identity.DeviceID, public [32]byte, private []byte) error {
	ch, err := tx.chain(conv, device)
	if err != nil {
		return err
	}
	var held []byte
	err = tx.c.one(func(s *sqlite3.Stmt) { held = blob(s, 0) }, `SELECT key FROM chain WHERE id=?`, ch.id)
	if err != nil {
		return fmt.Errorf("key of %s: %w", device.Short(), err)
	}
	if held != nil && !bytes.Equal(held, public[:]) {
		return fmt.Errorf("key of %s in %s: %w", device.Short(), conv.Short(), ErrKeyChanged)
	}
	return tx.c.exec(`UPDATE chain SET key=?, private=coalesce(private, ?) WHERE id=?`, public[:], private, ch.id)
}

// ConvKey returns a device's key of a conversation, or ErrNotFound.
func (v *View) ConvKey(conv chat.ConvID, device identity.DeviceID) (k ConvKey, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) {
		fill(k.Public[:], s, 0)
		k.Private = blob(s, 1)
	}, `SELECT key, private FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND device=? AND key IS NOT NULL`, conv[:], device[:])
	if err != nil {
		return ConvKey{}, fmt.Errorf("key of %s in %s: %w", device.Short(), conv.Short(), err)
	}
	return k, nil
}

// ConvKey returns a device's key of a conversation, or ErrNotFound.
func (s *Store) ConvKey(conv chat.ConvID, device identity.DeviceID) (ConvKey, error) {
	return read(s, func(v *View) (ConvKey, error) { return v.ConvKey(conv, device) })
}
