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
	Device identity.DeviceID
	Pub    [32]byte
	Priv   []byte // as PutConvKey got it; of our own devices only
}

// PutConvKey pins a device's key of a conversation. The first one stays: the
// same again changes nothing (but may add the private part), and another one
// is refused with ErrKeyChanged.
func (tx *Tx) PutConvKey(conv chat.ConvID, device identity.DeviceID, pub [32]byte, priv []byte) error {
	ch, err := tx.chain(conv, device)
	if err != nil {
		return err
	}
	var held []byte
	err = tx.c.one(func(s *sqlite3.Stmt) { held = blob(s, 0) }, `SELECT key FROM chain WHERE id=?`, ch.id)
	if err != nil {
		return fmt.Errorf("key of %s: %w", device.Short(), err)
	}
	if held != nil && !bytes.Equal(held, pub[:]) {
		return fmt.Errorf("key of %s in %s: %w", device.Short(), conv.Short(), ErrKeyChanged)
	}
	return tx.c.exec(`UPDATE chain SET key=?, private=coalesce(private, ?) WHERE id=?`, pub[:], priv, ch.id)
}

// ConvKey returns a device's key of a conversation, or ErrNotFound.
func (v *View) ConvKey(conv chat.ConvID, device identity.DeviceID) (k ConvKey, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { k = convKey(s) },
		convKeyQuery+`AND device=?`, conv[:], device[:])
	if err != nil {
		return ConvKey{}, fmt.Errorf("key of %s in %s: %w", device.Short(), conv.Short(), err)
	}
	return k, nil
}

// ConvKeys returns all keys of a conversation, in the order of the devices.
func (v *View) ConvKeys(conv chat.ConvID) (all []ConvKey, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		all = append(all, convKey(s))
		return nil
	}, convKeyQuery+`ORDER BY device`, conv[:])
	return all, err
}

// ConvKey returns a device's key of a conversation, or ErrNotFound.
func (s *Store) ConvKey(conv chat.ConvID, device identity.DeviceID) (ConvKey, error) {
	return read(s, func(v *View) (ConvKey, error) { return v.ConvKey(conv, device) })
}

// ConvKeys returns all keys of a conversation, in the order of the devices.
func (s *Store) ConvKeys(conv chat.ConvID) ([]ConvKey, error) {
	return read(s, func(v *View) ([]ConvKey, error) { return v.ConvKeys(conv) })
}

// convKeyQuery selects what convKey reads.
const convKeyQuery = `SELECT device, key, private FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND key IS NOT NULL `

func convKey(s *sqlite3.Stmt) (k ConvKey) {
	fill(k.Device[:], s, 0)
	fill(k.Pub[:], s, 1)
	k.Priv = blob(s, 2)
	return k
}
