package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// ErrBackup means that what was given is no backup, or not a whole one.
var ErrBackup = errors.New("not a whole backup")

// backupHead is the first line of a backup; a snapshot of the store follows.
type backupHead struct {
	Version int    `json:"entrenous_backup"`
	Seed    []byte `json:"seed"`
	Name    string `json:"name"`
}

const (
	backupVersion = 1
	maxBackupHead = 4096
)

// Backup writes everything the account holds: identity, friends and history.
// It is plain; the caller seals it.
func (n *Node) Backup(ctx context.Context, w io.Writer) error {
	head, err := json.Marshal(backupHead{Version: backupVersion, Seed: n.me.seed[:], Name: n.ownName()})
	if err != nil {
		return fmt.Errorf("encode backup: %w", err)
	}
	if _, err := w.Write(append(head, '\n')); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return n.store.Snapshot(ctx, w)
}

// Restore makes the account that a backup holds, in an empty profile. The
// device is a new one, which friends see: two copies of one device would write
// two histories. a.Seed and a.Restored are taken from the backup, and a.Name if
// it is empty.
func Restore(ctx context.Context, a NewAccount, r io.Reader) (identity.ID, identity.DeviceID, error) {
	in := bufio.NewReaderSize(r, maxBackupHead)
	first, err := in.ReadSlice('\n')
	var head backupHead
	if err != nil || json.Unmarshal(first, &head) != nil || head.Version != backupVersion || len(head.Seed) != len(a.Seed) {
		return identity.ID{}, identity.DeviceID{}, ErrBackup
	}
	a.Seed, a.Restored = identity.Seed(head.Seed), true
	if a.Name == "" {
		a.Name = head.Name
	}
	id, device, err := Create(ctx, a)
	if err != nil {
		return id, device, err
	}
	vault, err := identity.OpenVault(a.Dir, a.Unlock)
	if err != nil {
		return id, device, err
	}
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(a.Dir, storeName), Key: vault.Key("db"), Self: id})
	if err != nil {
		return id, device, fmt.Errorf("open store: %w", err)
	}
	defer s.Close()
	list, err := s.List(id)
	if err != nil {
		return id, device, err
	}
	if err := s.Load(ctx, in); err != nil {
		return id, device, errors.Join(ErrBackup, err)
	}
	if err := s.Write(ctx, func(tx *store.Tx) error { return startAnew(tx, list) }); err != nil {
		return id, device, fmt.Errorf("start new sessions: %w", err)
	}
	return id, device, s.Close()
}

// startAnew makes the restored account begin new sessions: the device that the
// backup was made on is off the list, and its secrets are nobody's.
func startAnew(tx *store.Tx, list []byte) error {
	own, err := identity.ParseDeviceList(list)
	if err != nil {
		return err
	}
	if err := putList(tx, own); err != nil {
		return err
	}
	people, err := tx.Contacts()
	if err != nil {
		return err
	}
	for _, c := range people {
		devices, err := tx.Devices(c.ID)
		if err != nil {
			return err
		}
		for _, d := range devices {
			d.PairOld, d.PairNew = nil, nil
			if err := tx.PutDevice(d); err != nil {
				return err
			}
		}
	}
	return tx.Set(portKey, nil)
}
