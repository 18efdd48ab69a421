package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/identity"
)

// Device is a device of a person, our own ones included.
type Device struct {
	ID       identity.DeviceID
	Person   identity.ID
	Cert     []byte    // its certificate as identity encodes it
	Peer     string    // its libp2p peer id
	Addrs    []string  // where it was last found
	PairOld  []byte    // the pair secret before the last stirring, until the new one is proved
	PairNew  []byte    // the pair secret; nil: none yet
	LastSeen time.Time // zero: never
	Revoked  bool
}

const deviceColumns = `id, person, cert, peer, addrs, pair_old, pair_new, last_seen, revoked`

// PutDevice keeps d, in place of what was kept of the same device.
func (tx *Tx) PutDevice(d Device) error {
	addrs, err := json.Marshal(d.Addrs)
	if err != nil {
		return fmt.Errorf("encode addresses: %w", err)
	}
	return tx.c.exec(`INSERT OR REPLACE INTO device(`+deviceColumns+`) VALUES(?,?,?,?,?,?,?,?,?)`,
		d.ID[:], d.Person[:], d.Cert, d.Peer, string(addrs), d.PairOld, d.PairNew, millis(d.LastSeen), d.Revoked)
}

// DeleteDevice forgets a device and what is shared with it.
func (tx *Tx) DeleteDevice(id identity.DeviceID) error {
	return tx.c.exec(`DELETE FROM device WHERE id=?`, id[:])
}

// Device returns a device, or ErrNotFound.
func (v *View) Device(id identity.DeviceID) (d Device, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { d = device(s) }, `SELECT `+deviceColumns+` FROM device WHERE id=?`, id[:])
	if err != nil {
		return Device{}, fmt.Errorf("device %s: %w", id.Short(), err)
	}
	return d, nil
}

// Devices returns a person's devices, revoked ones included, in the order of
// their ids.
func (v *View) Devices(person identity.ID) (all []Device, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		all = append(all, device(s))
		return nil
	}, `SELECT `+deviceColumns+` FROM device WHERE person=? ORDER BY id`, person[:])
	return all, err
}

// PutList keeps a person's device list as identity encodes it.
func (tx *Tx) PutList(person identity.ID, list []byte) error {
	return tx.c.exec(`INSERT OR REPLACE INTO list(person, list) VALUES(?, ?)`, person[:], notNil(list))
}

// List returns a person's device list, or ErrNotFound.
func (v *View) List(person identity.ID) (list []byte, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { list = blob(s, 0) }, `SELECT list FROM list WHERE person=?`, person[:])
	if err != nil {
		return nil, fmt.Errorf("device list of %s: %w", person.Short(), err)
	}
	return list, nil
}

// Device returns a device, or ErrNotFound.
func (s *Store) Device(id identity.DeviceID) (Device, error) {
	return read(s, func(v *View) (Device, error) { return v.Device(id) })
}

// Devices returns a person's devices, revoked ones included, in the order of
// their ids.
func (s *Store) Devices(person identity.ID) ([]Device, error) {
	return read(s, func(v *View) ([]Device, error) { return v.Devices(person) })
}

// List returns a person's device list, or ErrNotFound.
func (s *Store) List(person identity.ID) ([]byte, error) {
	return read(s, func(v *View) ([]byte, error) { return v.List(person) })
}

func device(s *sqlite3.Stmt) (d Device) {
	fill(d.ID[:], s, 0)
	fill(d.Person[:], s, 1)
	d.Cert = blob(s, 2)
	d.Peer = s.ColumnText(3)
	_ = json.Unmarshal(s.ColumnRawText(4), &d.Addrs) // addresses are hints: damaged ones are none
	d.PairOld, d.PairNew = blob(s, 5), blob(s, 6)
	d.LastSeen = moment(s, 7)
	d.Revoked = s.ColumnBool(8)
	return d
}
