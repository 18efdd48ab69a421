package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// What CreateVault, OpenVault and VaultNeeds return where a caller has a choice
// to make.
var (
	ErrVaultExists     = errors.New("there is a vault already")
	ErrNoVault         = errors.New("there is no vault")
	ErrVaultDamaged    = errors.New("the vault is damaged in both copies")
	ErrWrongPassphrase = errors.New("wrong passphrase")
	ErrWrongSecret     = errors.New("the secret kept by this computer is missing or wrong")
)

// maxVaultPayload bounds what a vault takes in; a seed and device keys need some
// two hundred bytes.
const maxVaultPayload = 1 << 20

// Vault holds an account's master key and sealed payload, in two files of a
// folder: vault.a and vault.b. Each change is written to one and then to the
// other, so that a power cut leaves at least one whole. A Vault is safe for
// concurrent use; only one process at a time may have it open.
type Vault struct {
	dir    string
	master [32]byte

	mu      sync.Mutex
	onDisk  vaultFile // the newest
	payload []byte
	torn    error // why there is one copy only
}

// CreateVault makes a vault in dir, creating the folder if need be, and seals
// the payload (at most 1 MiB) in it. It returns ErrVaultExists rather than touch
// what is there.
func CreateVault(dir string, u Unlock, payload []byte) (*Vault, error) {
	v, err := createVault(dir, u, payload)
	if err != nil {
		return nil, fmt.Errorf("create vault in %s: %w", dir, err)
	}
	return v, nil
}

// OpenVault opens the vault in dir: the newest copy that is whole. It writes
// the other anew if that is torn, old or gone (see Torn). Errors are ErrNoVault,
// ErrVaultDamaged, ErrWrongPassphrase, ErrWrongSecret, or the system's.
func OpenVault(dir string, u Unlock) (*Vault, error) {
	v, err := openVault(dir, u)
	if err != nil {
		return nil, fmt.Errorf("open vault in %s: %w", dir, err)
	}
	return v, nil
}

// VaultNeeds tells what OpenVault will ask for.
func VaultNeeds(dir string) (passphrase, secret bool, err error) {
	copies, err := readVaultCopies(dir)
	if err != nil {
		return false, false, fmt.Errorf("look at vault in %s: %w", dir, err)
	}
	return copies[0].lock.needsPassphrase, copies[0].lock.needsSecret, nil
}

// Torn returns why the other copy could not be repaired when the vault was opened:
// the folder is read-only, or the disk full. It is nil while both copies are
// good. The next change or opening tries again.
func (v *Vault) Torn() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.torn
}

// Key derives the account's key for one purpose, named by the label.
func (v *Vault) Key(label string) [32]byte {
	return [32]byte(derive(v.master[:], nil, "entrenous/1 "+label, 32))
}

// Payload returns a copy of what is sealed in the vault.
func (v *Vault) Payload() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.payload)
}

// SetPayload seals b (at most 1 MiB) in place of the payload. When it returns
// nil both copies are on the disk to stay; after an error the old payload or the
// new one will be found.
func (v *Vault) SetPayload(b []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.saveLocked(v.onDisk.lock, b); err != nil {
		return fmt.Errorf("change vault in %s: %w", v.dir, err)
	}
	return nil
}

// Rewrap makes u what opens the vault from now on. Keys and payload stay. When
// it returns nil, no copy on the disk opens with what opened it before.
func (v *Vault) Rewrap(u Unlock) error {
	lock, err := newVaultLock(u, v.master)
	if err != nil {
		return fmt.Errorf("rewrap vault in %s: %w", v.dir, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.saveLocked(lock, v.payload); err != nil {
		return fmt.Errorf("rewrap vault in %s: %w", v.dir, err)
	}
	return nil
}

func createVault(dir string, u Unlock, payload []byte) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	_, err := readVaultCopies(dir)
	if err == nil || errors.Is(err, ErrVaultDamaged) {
		return nil, ErrVaultExists
	}
	if !errors.Is(err, ErrNoVault) {
		return nil, err
	}
	v := &Vault{dir: dir}
	rand.Read(v.master[:])
	lock, err := newVaultLock(u, v.master)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v, v.saveLocked(lock, payload)
}

func openVault(dir string, u Unlock) (*Vault, error) {
	copies, err := readVaultCopies(dir)
	if err != nil {
		return nil, err
	}
	for _, whole := range copies {
		master, err := whole.lock.open(u)
		if err != nil {
			return nil, err
		}
		payload, err := whole.openPayload(master)
		if err != nil {
			continue // somebody without the key made the checksum fit
		}
		v := &Vault{dir: dir, master: master, onDisk: whole, payload: payload}
		if len(copies) < 2 || copies[0].counter != copies[1].counter {
			v.torn = v.repair()
		}
		return v, nil
	}
	return nil, ErrVaultDamaged
}

// repair writes the copy that was opened over the other.
func (v *Vault) repair() error {
	other := v.writeOrder()[0]
	if err := writeFileForGood(v.dir, other, v.onDisk.encode()); err != nil {
		return fmt.Errorf("repair %s: %w", other, err)
	}
	return nil
}

// writeOrder puts the copy first that may be lost because the other is good.
func (v *Vault) writeOrder() [2]string {
	if v.onDisk.name == vaultNames[0] {
		return [2]string{vaultNames[1], vaultNames[0]}
	}
	return vaultNames
}

func (v *Vault) saveLocked(lock vaultLock, payload []byte) error {
	if len(payload) > maxVaultPayload {
		return fmt.Errorf("%d bytes, where %d are the most", len(payload), maxVaultPayload)
	}
	next := vaultFile{counter: v.onDisk.counter + 1, lock: lock}
	if err := next.sealPayload(v.master, payload); err != nil {
		return err
	}
	encoded := next.encode()
	for i, name := range v.writeOrder() {
		if err := writeFileForGood(v.dir, name, encoded); err != nil {
			return err
		}
		if i == 0 {
			next.name = name
			v.onDisk, v.payload = next, slices.Clone(payload)
		}
	}
	v.torn = nil
	return nil
}
