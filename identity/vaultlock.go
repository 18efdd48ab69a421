package identity

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// What Argon2id costs (RFC 9106 §4), and the most that a vault file may ask for:
// a file from elsewhere must not bring the computer to its knees.
const (
	standardPasses    = 3
	standardMemoryKiB = 256 << 10
	standardLanes     = 4
	maxPasses         = 16
	maxMemoryKiB      = 2 << 20
	maxLanes          = 64
)

const (
	unlockSecretLen = 32
	wrappedLen      = 32 + chacha20poly1305.Overhead
)

// Unlock is what opens a vault: a passphrase, a secret that the computer keeps,
// or both, in which case it takes both.
type Unlock struct {
	Passphrase []byte // as typed; empty means none
	Secret     []byte // nil for none, or 32 bytes as RecallSecret gives them
	Cost       Cost   // of trying a passphrase; leave it zero
}

// LogValue keeps passphrase and secret out of the log.
func (u Unlock) LogValue() slog.Value { return slog.StringValue("[secret unlock]") }

// Cost is what trying one passphrase costs. The zero value is the standard:
// Argon2id with three passes over 256 MiB in four lanes. It counts when a vault is
// created or rewrapped; opening takes what the file says.
type Cost struct {
	passes, memoryKiB uint32
	lanes             uint8
}

// CheapForTests is a cost at which guessing is nearly free, so that a vault made
// with it protects nothing. Programs leave Unlock.Cost zero.
func CheapForTests() Cost { return Cost{passes: 1, memoryKiB: 64, lanes: 1} }

// vaultLock is the master key, wrapped.
type vaultLock struct {
	needsPassphrase, needsSecret bool
	cost                         Cost // zero without a passphrase
	salt                         [16]byte
	nonce                        [chacha20poly1305.NonceSizeX]byte
	wrapped                      [wrappedLen]byte
}

func newVaultLock(u Unlock, master [32]byte) (vaultLock, error) {
	l := vaultLock{needsPassphrase: len(u.Passphrase) > 0, needsSecret: u.Secret != nil}
	if !l.needsPassphrase && !l.needsSecret {
		return vaultLock{}, errors.New("neither a passphrase nor a secret was given")
	}
	if l.needsPassphrase {
		l.cost = u.Cost
		if l.cost == (Cost{}) {
			l.cost = Cost{passes: standardPasses, memoryKiB: standardMemoryKiB, lanes: standardLanes}
		}
	}
	rand.Read(l.salt[:])
	rand.Read(l.nonce[:])
	key, err := l.key(u)
	if err != nil {
		return vaultLock{}, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return vaultLock{}, err
	}
	l.wrapped = [wrappedLen]byte(aead.Seal(nil, l.nonce[:], master[:], l.header()))
	return l, nil
}

// open unwraps the master key.
func (l vaultLock) open(u Unlock) ([32]byte, error) {
	key, err := l.key(u)
	if err != nil {
		return [32]byte{}, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return [32]byte{}, err
	}
	master, err := aead.Open(nil, l.nonce[:], l.wrapped[:], l.header())
	switch {
	case err == nil:
		return [32]byte(master), nil
	case l.needsPassphrase:
		return [32]byte{}, ErrWrongPassphrase
	}
	return [32]byte{}, ErrWrongSecret
}

// key derives the wrapping key from what the lock needs.
func (l vaultLock) key(u Unlock) ([]byte, error) {
	var secrets []byte
	if l.needsSecret {
		if len(u.Secret) != unlockSecretLen {
			return nil, fmt.Errorf("%w: %d bytes, where %d belong", ErrWrongSecret, len(u.Secret), unlockSecretLen)
		}
		secrets = slices.Clone(u.Secret)
	}
	if l.needsPassphrase {
		if len(u.Passphrase) == 0 {
			return nil, fmt.Errorf("%w: none was given", ErrWrongPassphrase)
		}
		secrets = append(secrets, argon2.IDKey(u.Passphrase, l.salt[:], l.cost.passes, l.cost.memoryKiB, l.cost.lanes, 32)...)
		if l.cost.memoryKiB >= standardMemoryKiB {
			debug.FreeOSMemory() // a node runs for weeks: it should not keep 256 MiB of this moment
		}
	}
	return derive(secrets, l.salt[:], "entrenous/1 vault wrap", chacha20poly1305.KeySize), nil
}

// header says what the lock needs; it is sealed together with the master key.
func (l vaultLock) header() []byte {
	var kind byte
	if l.needsPassphrase {
		kind |= lockPassphrase
	}
	if l.needsSecret {
		kind |= lockSecret
	}
	b := binary.BigEndian.AppendUint32([]byte{kind}, l.cost.passes)
	b = binary.BigEndian.AppendUint32(b, l.cost.memoryKiB)
	return append(append(b, l.cost.lanes), l.salt[:]...)
}

// check refuses costs that would stall the computer, and those Argon2 has no
// meaning for.
func (l vaultLock) check() error {
	if !l.needsPassphrase {
		if l.cost != (Cost{}) || !l.needsSecret {
			return errors.New("the lock makes no sense")
		}
		return nil
	}
	c := l.cost
	if c.passes < 1 || c.passes > maxPasses || c.lanes < 1 || c.lanes > maxLanes ||
		c.memoryKiB < 8*uint32(c.lanes) || c.memoryKiB > maxMemoryKiB {
		return fmt.Errorf("the lock asks for %d passes over %d KiB in %d lanes", c.passes, c.memoryKiB, c.lanes)
	}
	return nil
}
