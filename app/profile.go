package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

// profile is one profile folder on its way from empty to a running node. Its
// methods are safe for concurrent use.
type profile struct {
	dir  string
	log  *slog.Logger
	node node.Config // without Dir, Vault and Log

	turns chan *turn    // to be run, one after the other; closed when none can follow
	ready chan struct{} // closed when the first one is there

	mu     sync.Mutex // held while one turn gives way to the next
	vault  *identity.Vault
	now    *turn
	over   bool  // the daemon ends: no turn may follow
	failed error // why no turn follows
}

func newProfile(dir string, cfg node.Config, log *slog.Logger) *profile {
	return &profile{dir: dir, node: cfg, log: log, turns: make(chan *turn, 1), ready: make(chan struct{})}
}

// state says how far the profile is, and how its key is kept.
func (p *profile) state() (state, kept string) {
	passphrase, secret, err := identity.VaultNeeds(p.dir)
	switch {
	case errors.Is(err, identity.ErrNoVault):
		return control.Empty, ""
	case passphrase:
		kept = "passphrase"
	case secret:
		kept, _ = identity.SecretKept(p.dir) // without its file the vault says so when it is opened
	}
	if p.current() != nil {
		return control.Ready, kept
	}
	return control.Locked, kept
}

// current is the running node, nil before there is one. While one node gives
// way to the next it waits for that.
func (p *profile) current() *node.Node {
	if t := p.turn(); t != nil {
		return t.node
	}
	return nil
}

// newUnlock makes what opens a new vault: the passphrase, or without one a
// secret in the system's keyring or, where none answers, in a file.
func newUnlock(dir, passphrase string) (identity.Unlock, string, error) {
	if passphrase != "" {
		return identity.Unlock{Passphrase: []byte(passphrase)}, "passphrase", nil
	}
	if _, _, err := identity.VaultNeeds(dir); !errors.Is(err, identity.ErrNoVault) {
		return identity.Unlock{}, "", errors.Join(err, identity.ErrVaultExists)
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	where, err := identity.KeepSecret(dir, secret)
	return identity.Unlock{Secret: secret}, where, err
}

// recall makes what opens an existing vault.
func recall(dir, passphrase string) (identity.Unlock, error) {
	u := identity.Unlock{Passphrase: []byte(passphrase)}
	_, needsSecret, err := identity.VaultNeeds(dir)
	if err != nil {
		return u, err
	}
	if needsSecret {
		u.Secret, err = identity.RecallSecret(dir)
	}
	return u, err
}

// wordsFailure says which of the 24 words cannot be right.
func wordsFailure(err error) error {
	f := &control.Failure{Message: control.Sentence(err.Error()), Hint: "Look at the paper once more", Code: control.CodeInvalid, Reason: "words"}
	p := (*identity.PhraseError)(nil)
	switch {
	case !errors.As(err, &p) || p.Position == 0:
	case p.Suggest == "":
		f.Reason, f.Args = "words.unknown", []string{strconv.Itoa(p.Position), p.Word}
	default:
		f.Reason, f.Args = "words.mistyped", []string{strconv.Itoa(p.Position), p.Word, p.Suggest}
	}
	return f
}

// create makes an identity in an empty profile.
func create(ctx context.Context, dir string, s control.Setup) (control.SetupDone, error) {
	if s.Name == "" {
		return control.SetupDone{}, &control.Failure{Message: "The name is empty", Hint: "Say how friends should see you", Code: control.CodeInvalid, Reason: "no_name"}
	}
	a := node.NewAccount{Dir: dir, Name: s.Name, DeviceName: s.DeviceName, Seed: identity.NewSeed(), Now: time.Now()}
	if a.DeviceName == "" {
		a.DeviceName = hostName()
	}
	a.NoFinding = s.FindOnline != nil && !*s.FindOnline
	if s.Words != "" {
		seed, err := identity.ParseWords(s.Words)
		if err != nil {
			return control.SetupDone{}, wordsFailure(err)
		}
		a.Seed, a.Restored = seed, true
	}
	var kept string
	var err error
	if a.Unlock, kept, err = newUnlock(dir, s.Passphrase); err != nil {
		return control.SetupDone{}, err
	}
	id, device, err := node.Create(ctx, a)
	if err != nil {
		return control.SetupDone{}, err
	}
	done := control.SetupDone{ID: id.String(), Device: device.String(), KeyKept: kept}
	if !a.Restored {
		done.Words = a.Seed.Words()
	}
	return done, nil
}

// hostName names a device that nobody named.
func hostName() string {
	if h, err := os.Hostname(); err == nil && h != "" {
		return h
	}
	return "computer"
}

// setup makes the identity and starts the node.
func (p *profile) setup(ctx context.Context, s control.Setup) (control.SetupDone, error) {
	done, err := p.fill(ctx, s)
	if err != nil {
		return done, err
	}
	return done, p.unlock(ctx, s.Passphrase)
}

// fill makes the identity, or brings one back.
func (p *profile) fill(ctx context.Context, s control.Setup) (control.SetupDone, error) {
	if s.Backup == "" {
		return create(ctx, p.dir, s)
	}
	f, err := os.Open(s.Backup)
	if err != nil {
		return control.SetupDone{}, unreadable(err)
	}
	defer f.Close()
	return restoreBackup(ctx, p.dir, s.DeviceName, s.Passphrase, s.Passphrase, f)
}

// unlock opens the vault and starts the node.
func (p *profile) unlock(ctx context.Context, passphrase string) error {
	u, err := recall(p.dir, passphrase)
	if err != nil {
		return err
	}
	v, err := identity.OpenVault(p.dir, u)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil {
		return nil
	}
	p.vault = v
	return p.beginLocked(ctx)
}

// check says whether a passphrase opens the vault.
func (p *profile) check(_ context.Context, passphrase string) error {
	u, err := recall(p.dir, passphrase)
	if err != nil {
		return err
	}
	_, err = identity.OpenVault(p.dir, u)
	return err
}

// backup writes everything, sealed with a passphrase, in the format of age.
func (p *profile) backup(ctx context.Context, passphrase string, w io.Writer) error {
	n := p.current()
	if n == nil {
		return errNotReady
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("seal backup: %w", err)
	}
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("seal backup: %w", err)
	}
	if err := n.Backup(ctx, sealed); err != nil {
		return err
	}
	return sealed.Close()
}

var errNotReady = &control.Failure{Message: "This profile is not open yet", Hint: "Unlock it first", Code: control.CodeState, Reason: "locked"}

// backupKey opens a backup. It works the key out once: with scrypt that takes as
// long as it is meant to.
type backupKey struct {
	age.Identity
	known []byte
}

func newBackupKey(passphrase string) (*backupKey, error) {
	key, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, &control.Failure{Message: "A backup has a passphrase", Hint: "It is the one given when the backup was made", Code: control.CodePass, Reason: "backup_sealed"}
	}
	return &backupKey{Identity: key}, nil
}

// Unwrap implements age.Identity.
func (k *backupKey) Unwrap(stanzas []*age.Stanza) (_ []byte, err error) {
	if k.known == nil {
		k.known, err = k.Identity.Unwrap(stanzas)
	}
	return k.known, err
}

// openBackup unseals a backup from its beginning.
func openBackup(f io.ReadSeeker, key *backupKey) (io.Reader, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, unreadable(err)
	}
	plain, err := age.Decrypt(bufio.NewReader(f), key)
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		return nil, &control.Failure{Message: "The passphrase does not open this backup", Hint: "Try again; it is the one given when the backup was made", Code: control.CodePass, Reason: "backup_passphrase"}
	}
	if err != nil {
		return nil, &control.Failure{Message: "This file is not a backup", Hint: "Backups are made with “entrenous backup FILE”", Code: control.CodeInvalid, Reason: "no_backup"}
	}
	return plain, nil
}

// unreadable says that the file of a backup cannot be read.
func unreadable(err error) error {
	return &control.Failure{Message: "The backup cannot be read: " + err.Error(), Hint: "Look where the file is", Code: control.CodeInvalid, Reason: "backup_unreadable"}
}

// restoreBackup makes the account that a sealed backup holds. It is read twice,
// so that one which is not whole leaves nothing behind.
func restoreBackup(ctx context.Context, dir, device, passphrase, backupPass string, f io.ReadSeeker) (control.SetupDone, error) {
	key, err := newBackupKey(backupPass)
	if err != nil {
		return control.SetupDone{}, err
	}
	plain, err := openBackup(f, key)
	if err != nil {
		return control.SetupDone{}, err
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return control.SetupDone{}, notWhole(err)
	}
	if plain, err = openBackup(f, key); err != nil {
		return control.SetupDone{}, err
	}
	a := node.NewAccount{Dir: dir, DeviceName: device, Now: time.Now()}
	if a.DeviceName == "" {
		a.DeviceName = hostName()
	}
	u, kept, err := newUnlock(dir, passphrase)
	if err != nil {
		return control.SetupDone{}, err
	}
	a.Unlock = u
	id, dev, err := node.Restore(ctx, a, plain)
	if errors.Is(err, node.ErrBackup) {
		return control.SetupDone{}, notWhole(err)
	}
	return control.SetupDone{ID: id.String(), Device: dev.String(), KeyKept: kept}, err
}

func notWhole(err error) error {
	return &control.Failure{Message: "The backup is not whole: " + err.Error(), Hint: "Take another copy of it", Code: control.CodeInvalid, Reason: "backup_part"}
}
