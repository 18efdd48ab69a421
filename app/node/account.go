package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// storeName is the database's file in the profile folder.
const storeName = "history"

// certificateLife is long because a device ends by absence from the device
// list, not by the calendar: a clock set back a year must not cut friends off.
const certificateLife = 30 * 365 * 24 * time.Hour

// ErrNoAccount says that the profile folder holds no identity.
var ErrNoAccount = errors.New("no identity in this profile")

// NewAccount is what it takes to begin in an empty profile.
type NewAccount struct {
	Dir        string
	Name       string // what friends will see
	DeviceName string
	Seed       identity.Seed // new, or from the words of an earlier identity
	Restored   bool          // Seed is from words: earlier devices are replaced
	Unlock     identity.Unlock
	NoFinding  bool // do not look for friends who moved through the public table
	Now        time.Time
}

// secrets is the vault's payload.
type secrets struct {
	Seed   []byte `json:"seed"`
	Device []byte `json:"device"`
}

// Create makes the vault and the store of a new account in a.Dir. It fails
// with identity.ErrVaultExists when the folder has one already.
func Create(ctx context.Context, a NewAccount) (identity.ID, identity.DeviceID, error) {
	who := identity.FromSeed(a.Seed)
	device, err := identity.NewDevice()
	if err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("make device keys: %w", err)
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("make profile folder: %w", err)
	}
	private, err := device.MarshalBinary()
	if err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("encode device keys: %w", err)
	}
	payload, err := json.Marshal(secrets{Seed: a.Seed[:], Device: private})
	if err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("encode secrets: %w", err)
	}
	vault, err := identity.CreateVault(a.Dir, a.Unlock, payload)
	if err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("create vault: %w", err)
	}
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(a.Dir, storeName), Key: vault.Key("db"), Self: who.ID()})
	if err != nil {
		return identity.ID{}, identity.DeviceID{}, fmt.Errorf("create store: %w", err)
	}
	defer s.Close()
	if err := settle(ctx, s, who, device, a); err != nil {
		return identity.ID{}, identity.DeviceID{}, err
	}
	return who.ID(), device.ID(), s.Close()
}

// settle writes what the node needs to know of itself: its certificate, the
// list of its devices, and the settings.
func settle(ctx context.Context, s *store.Store, who *identity.Identity, d *identity.Device, a NewAccount) error {
	cert, err := who.Certify(d.Public(), a.DeviceName, time.Unix(0, 0), a.Now.Add(certificateLife))
	if err != nil {
		return fmt.Errorf("certify device: %w", err)
	}
	// A restored identity does not know the epoch of its last list. Seconds
	// since 1970 are beyond any count that grew by one a change.
	epoch := uint64(1)
	if a.Restored {
		epoch = uint64(max(a.Now.Unix(), 2))
	}
	list, err := who.SignListAt(epoch, []identity.Certificate{cert}, a.Now)
	if err != nil {
		return fmt.Errorf("sign device list: %w", err)
	}
	return s.Write(ctx, func(tx *store.Tx) error {
		if err := putList(tx, list); err != nil {
			return err
		}
		choices := defaults(a.Name)
		choices.FindOnline = !a.NoFinding
		return putSettings(tx, choices)
	})
}

// putList stores a person's list and the devices on it.
func putList(tx *store.Tx, list *identity.DeviceList) error {
	b, err := list.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode device list: %w", err)
	}
	if err := tx.PutList(list.Person, b); err != nil {
		return err
	}
	return putDevices(tx, list)
}

// Account is an opened vault: who we are on this device.
type account struct {
	vault   *identity.Vault
	seed    identity.Seed
	device  *identity.Device
	id      identity.ID
	address [16]byte // the rendezvous secret of the permanent address
}

func openAccount(v *identity.Vault) (*account, error) {
	var s secrets
	if err := json.Unmarshal(v.Payload(), &s); err != nil || len(s.Seed) != 32 {
		return nil, fmt.Errorf("decode vault: %w", errors.Join(err, identity.ErrVaultDamaged))
	}
	device, err := identity.ParseDevice(s.Device)
	if err != nil {
		return nil, fmt.Errorf("decode device keys: %w", err)
	}
	a := &account{vault: v, seed: identity.Seed(s.Seed), device: device}
	who := identity.FromSeed(a.seed)
	a.id, a.address = who.ID(), who.AddressSecret()
	return a, nil
}

// Words gives the 24 words of the identity again.
func (n *Node) Words() []string { return n.me.seed.Words() }
