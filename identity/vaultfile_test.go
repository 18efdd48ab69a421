package identity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

// A power cut leaves one file short at any length, and the other whole.
func TestATornCopyIsMendedFromTheOther(t *testing.T) {
	dir := t.TempDir()
	newVault(t, dir, with("x"), "seed and device")
	whole := copyOf(t, dir, "vault.a")
	for _, name := range []string{"vault.a", "vault.b"} {
		for n := 0; n < len(whole); n += 13 {
			putCopy(t, dir, name, whole[:n])
			if v := wantPayload(t, dir, with("x"), "seed and device"); v.Torn() != nil {
				t.Fatal(v.Torn())
			}
			if !bytes.Equal(copyOf(t, dir, name), whole) {
				t.Fatalf("%s was not mended from %d bytes", name, n)
			}
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		wantPayload(t, dir, with("x"), "seed and device")
		putCopy(t, dir, name, make([]byte, 3<<20))
		wantPayload(t, dir, with("x"), "seed and device")
		putCopy(t, dir, name+".new", []byte("left by a power cut"))
		wantPayload(t, dir, with("x"), "seed and device")
	}
	everyFlip(whole, 89, func(_ int, flipped []byte) {
		putCopy(t, dir, "vault.a", flipped)
		wantPayload(t, dir, with("x"), "seed and device")
	})
}

func TestTheNewestWholeCopyWins(t *testing.T) {
	for _, late := range []string{"vault.a", "vault.b"} { // the one that a power cut left behind
		dir := t.TempDir()
		v := newVault(t, dir, with("old"), "one")
		before := copyOf(t, dir, late)
		if err := v.SetPayload([]byte("two")); err != nil {
			t.Fatal(err)
		}
		if err := v.Rewrap(with("new")); err != nil {
			t.Fatal(err)
		}
		putCopy(t, dir, late, before)
		wantOpenError(t, dir, with("old"), identity.ErrWrongPassphrase)
		again := wantPayload(t, dir, with("new"), "two")
		if !bytes.Equal(copyOf(t, dir, "vault.a"), copyOf(t, dir, "vault.b")) {
			t.Fatal("the old copy stays")
		}
		if err := again.SetPayload([]byte("three")); err != nil {
			t.Fatal(err)
		}
		wantPayload(t, dir, with("new"), "three")
	}
}

func TestAVaultDamagedInBothCopiesIsCalledSo(t *testing.T) {
	dir := t.TempDir()
	newVault(t, dir, with("x"), "seed")
	whole := copyOf(t, dir, "vault.a")
	for _, broken := range [][]byte{nil, []byte("x"), whole[:len(whole)-1], append(bytes.Clone(whole), 0), make([]byte, 4096)} {
		putCopy(t, dir, "vault.a", broken)
		putCopy(t, dir, "vault.b", broken)
		wantOpenError(t, dir, with("x"), identity.ErrVaultDamaged)
		if _, _, err := identity.VaultNeeds(dir); !errors.Is(err, identity.ErrVaultDamaged) {
			t.Errorf("needs: %v", err)
		}
	}
}

// tampered changes a vault file and makes its checksum fit again, as somebody
// without the key can.
func tampered(whole []byte, change func(b []byte)) []byte {
	b := bytes.Clone(whole[:len(whole)-sha256.Size])
	change(b)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func TestChangesByWhoeverLacksTheKeyAreRefused(t *testing.T) {
	dir := t.TempDir()
	newVault(t, dir, with("x"), "seed")
	whole := copyOf(t, dir, "vault.a")
	const costAt, costLen = 18, 9 // large costs have a test of their own
	for at := range len(whole) - sha256.Size {
		if at >= costAt && at < costAt+costLen {
			continue
		}
		b := tampered(whole, func(b []byte) { b[at] ^= 1 })
		putCopy(t, dir, "vault.a", b)
		putCopy(t, dir, "vault.b", b)
		if _, err := identity.OpenVault(dir, with("x")); err == nil {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	}
	putCopy(t, dir, "vault.b", whole) // and a good copy beside a tampered one still opens
	putCopy(t, dir, "vault.a", tampered(whole, func(b []byte) { b[len(b)-1] ^= 1 }))
	wantPayload(t, dir, with("x"), "seed")
}

func TestAVaultThatAsksForTooMuchIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	newVault(t, dir, with("x"), "seed")
	whole := copyOf(t, dir, "vault.a")
	for name, cost := range map[string]struct {
		passes, memory uint32
		lanes          byte
	}{
		"17 passes": {17, 64, 1}, "no pass": {0, 64, 1}, "2 GiB and 1 KiB": {1, 2<<20 + 1, 1}, "4 TiB": {1, 1<<32 - 1, 1},
		"no lane": {1, 64, 0}, "65 lanes": {1, 1 << 20, 65}, "too little": {1, 63, 8}, "4 billion passes": {1<<32 - 1, 64, 1},
	} {
		b := tampered(whole, func(b []byte) {
			binary.BigEndian.PutUint32(b[18:], cost.passes)
			binary.BigEndian.PutUint32(b[22:], cost.memory)
			b[26] = cost.lanes
		})
		putCopy(t, dir, "vault.a", b)
		putCopy(t, dir, "vault.b", b)
		if _, err := identity.OpenVault(dir, with("x")); !errors.Is(err, identity.ErrVaultDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	putCopy(t, filepath.Dir(file), "file", nil)
	if _, err := identity.CreateVault(filepath.Join(file, "profile"), with("x"), nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: %v", err)
	}
	dir := t.TempDir()
	v := newVault(t, dir, with("x"), "one")
	for _, name := range []string{"vault.a.new", "vault.b.new"} { // folders stand in the way
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.SetPayload([]byte("two")); err == nil || !strings.Contains(err.Error(), "vault.b.new") {
		t.Errorf("with folders in the way: %v", err)
	}
	if string(v.Payload()) != "one" {
		t.Error("what was not written is shown")
	}
	putCopy(t, dir, "vault.b", []byte("torn"))
	torn := wantPayload(t, dir, with("x"), "one") // reading needs no writing
	var path *fs.PathError
	if !errors.As(torn.Torn(), &path) {
		t.Errorf("torn: %v", torn.Torn())
	}
	if err := os.Remove(filepath.Join(dir, "vault.b.new")); err != nil {
		t.Fatal(err)
	}
	if v := wantPayload(t, dir, with("x"), "one"); v.Torn() != nil {
		t.Errorf("still torn: %v", v.Torn())
	}
}

// FuzzVaultFile gives any bytes a right checksum, so that they get as far as a
// stranger's file would.
func FuzzVaultFile(f *testing.F) {
	v := readVectors(f)
	whole := unhex(f, v.VaultFile)
	f.Add(whole[:len(whole)-sha256.Size])
	f.Add(whole[:30])
	f.Add([]byte("entrenous vault\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		putCopy(t, dir, "vault.b", b)
		if _, _, err := identity.VaultNeeds(dir); err == nil {
			t.Error("a file without checksum is a vault")
		}
		putCopy(t, dir, "vault.a", tampered(append(b, make([]byte, sha256.Size)...), func([]byte) {}))
		passphrase, secret, err := identity.VaultNeeds(dir)
		if err == nil && !passphrase && !secret || err != nil && !errors.Is(err, identity.ErrVaultDamaged) {
			t.Errorf("it needs %v, %v: %v", passphrase, secret, err)
		}
	})
}
