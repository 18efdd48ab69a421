package identity

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

const (
	vaultMagic   = "entrenous vault\n"
	vaultVersion = 1
	maxVaultFile = maxVaultPayload + 1024

	lockPassphrase = 1
	lockSecret     = 2
)

// vaultNames are the two copies.
var vaultNames = [2]string{"vault.a", "vault.b"}

// vaultFile is one copy on the disk:
//
//	magic, version, lock, counter, nonce, length, sealed payload, SHA-256 of all
//
// The seal of the payload covers all that stands before it, so whoever lacks the
// master key can neither change the counter nor pair one lock with another
// payload. The SHA-256 only tells a torn copy from a wrong passphrase.
type vaultFile struct {
	name    string // which copy it is
	counter uint64 // higher is newer
	lock    vaultLock
	nonce   [chacha20poly1305.NonceSizeX]byte
	sealed  []byte
}

func (f *vaultFile) sealPayload(master [32]byte, payload []byte) error {
	aead, err := chacha20poly1305.NewX(payloadKey(master))
	if err != nil {
		return err
	}
	rand.Read(f.nonce[:])
	f.sealed = aead.Seal(nil, f.nonce[:], payload, f.header(len(payload)+aead.Overhead()))
	return nil
}

func (f *vaultFile) openPayload(master [32]byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(payloadKey(master))
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, f.nonce[:], f.sealed, f.header(len(f.sealed)))
}

func payloadKey(master [32]byte) []byte {
	return derive(master[:], nil, "entrenous/1 vault payload", chacha20poly1305.KeySize)
}

// header is all that stands before the sealed payload.
func (f *vaultFile) header(sealedLen int) []byte {
	b := slices.Concat([]byte(vaultMagic), []byte{vaultVersion}, f.lock.header(), f.lock.nonce[:], f.lock.wrapped[:])
	b = append(binary.BigEndian.AppendUint64(b, f.counter), f.nonce[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(sealedLen))
}

func (f *vaultFile) encode() []byte {
	b := append(f.header(len(f.sealed)), f.sealed...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func parseVaultFile(b []byte) (vaultFile, error) {
	var (
		f             vaultFile
		magic         []byte
		version, kind uint8
		length        uint32
		in            = cryptobyte.String(b)
	)
	if len(b) < sha256.Size || len(b) > maxVaultFile {
		return vaultFile{}, errors.New("not the size of a vault")
	}
	end := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:end]); !bytes.Equal(sum[:], b[end:]) {
		return vaultFile{}, errors.New("the checksum does not fit")
	}
	whole := in.ReadBytes(&magic, len(vaultMagic)) && string(magic) == vaultMagic &&
		in.ReadUint8(&version) && version == vaultVersion && in.ReadUint8(&kind) &&
		in.ReadUint32(&f.lock.cost.passes) && in.ReadUint32(&f.lock.cost.memoryKiB) && in.ReadUint8(&f.lock.cost.lanes) &&
		in.CopyBytes(f.lock.salt[:]) && in.CopyBytes(f.lock.nonce[:]) && in.CopyBytes(f.lock.wrapped[:]) &&
		in.ReadUint64(&f.counter) && in.CopyBytes(f.nonce[:]) && in.ReadUint32(&length) &&
		int64(length)+sha256.Size == int64(len(in)) && kind <= lockPassphrase|lockSecret
	if !whole {
		return vaultFile{}, errors.New("not a vault of this version")
	}
	f.lock.needsPassphrase, f.lock.needsSecret = kind&lockPassphrase != 0, kind&lockSecret != 0
	f.sealed = slices.Clone(in[:length])
	return f, f.lock.check()
}

// readVaultCopies returns the copies that are whole, the newest first: one at
// least, or an error.
func readVaultCopies(dir string) ([]vaultFile, error) {
	var copies []vaultFile
	reason := ErrNoVault
	for _, name := range vaultNames {
		b, err := readSmallFile(filepath.Join(dir, name), maxVaultFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			reason = err
			continue
		}
		f, err := parseVaultFile(b)
		if err != nil {
			if errors.Is(reason, ErrNoVault) {
				reason = fmt.Errorf("%w: %s: %w", ErrVaultDamaged, name, err)
			}
			continue
		}
		f.name = name
		copies = append(copies, f)
	}
	if len(copies) == 0 {
		return nil, reason
	}
	slices.SortStableFunc(copies, func(a, b vaultFile) int { return cmp.Compare(b.counter, a.counter) })
	return copies, nil
}

// readSmallFile reads at most limit+1 bytes, so that a huge file costs little and
// is still seen to be too long.
func readSmallFile(path string, limit int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, int64(limit)+1))
}

// writeFileForGood puts a file in place so that after a power cut either the old
// or the new content is there, and after it returned nil the new one.
func writeFileForGood(dir, name string, content []byte) error {
	fresh := filepath.Join(dir, name+".new")
	if err := writeSynced(fresh, content); err != nil {
		return err
	}
	if err := os.Rename(fresh, filepath.Join(dir, name)); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there; NTFS orders renames itself
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func writeSynced(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}
