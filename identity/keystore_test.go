package identity_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

// with is a cheap unlock by a passphrase.
func with(passphrase string) identity.Unlock {
	return identity.Unlock{Passphrase: []byte(passphrase), Cost: identity.CheapForTests()}
}

// theSecret is what a keyring may hold.
func theSecret() []byte { return bytes.Repeat([]byte{0x5e}, 32) }

func newVault(t testing.TB, dir string, u identity.Unlock, payload string) *identity.Vault {
	t.Helper()
	v, err := identity.CreateVault(dir, u, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantPayload opens the vault in dir and compares what is in it.
func wantPayload(t *testing.T, dir string, u identity.Unlock, want string) *identity.Vault {
	t.Helper()
	v, err := identity.OpenVault(dir, u)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(v.Payload()); got != want {
		t.Fatalf("in the vault: %q instead of %q", got, want)
	}
	return v
}

func wantOpenError(t *testing.T, dir string, u identity.Unlock, want error) {
	t.Helper()
	if _, err := identity.OpenVault(dir, u); !errors.Is(err, want) {
		t.Fatalf("wanted %v, got %v", want, err)
	}
}

// copyOf reads one of the two files of a vault.
func copyOf(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func putCopy(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAVaultOpensWithWhatItNeedsOnly(t *testing.T) {
	both, secretOnly := with("correct horse"), identity.Unlock{Secret: theSecret()}
	both.Secret = theSecret()
	wrongSecret := bytes.Repeat([]byte{1}, 32)
	for name, c := range map[string]struct {
		unlock             identity.Unlock
		passphrase, secret bool
		wrong              map[error][]identity.Unlock
	}{
		"passphrase": {with("correct horse"), true, false, map[error][]identity.Unlock{
			identity.ErrWrongPassphrase: {with("correct horsf"), with(""), with("correct horse "), {Secret: theSecret()}},
		}},
		"secret": {secretOnly, false, true, map[error][]identity.Unlock{
			identity.ErrWrongSecret: {{}, with("correct horse"), {Secret: wrongSecret}, {Secret: theSecret()[:31]}},
		}},
		"both": {both, true, true, map[error][]identity.Unlock{
			identity.ErrWrongSecret:     {with("correct horse")},
			identity.ErrWrongPassphrase: {secretOnly, {Secret: wrongSecret, Passphrase: []byte("correct horse")}, {Secret: theSecret(), Passphrase: []byte("x")}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "profile")
			key := newVault(t, dir, c.unlock, "seed and device").Key("db")
			if p, s, err := identity.VaultNeeds(dir); p != c.passphrase || s != c.secret || err != nil {
				t.Errorf("it needs %v, %v: %v", p, s, err)
			}
			for want, unlocks := range c.wrong {
				for _, u := range unlocks {
					wantOpenError(t, dir, u, want)
				}
			}
			v := wantPayload(t, dir, c.unlock, "seed and device")
			if v.Key("db") != key || v.Key("db") == v.Key("bd") || v.Torn() != nil {
				t.Error("the keys changed")
			}
			wantPayload(t, dir, both, "seed and device") // more than is needed does no harm
		})
	}
}

func TestNothingInAVaultIsReadable(t *testing.T) {
	dir, who := t.TempDir(), identity.FromSeed(seedOf(1)).ID()
	newVault(t, dir, with("correct horse"), "Ana "+who.String())
	for _, name := range []string{"vault.a", "vault.b"} {
		b := copyOf(t, dir, name)
		for _, secret := range []string{"Ana", who.String(), who.Short(), string(who[:]), "correct"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%q stands in %s", secret, name)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

func TestAVaultIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	newVault(t, dir, with("first"), "first")
	if _, err := identity.CreateVault(dir, with("second"), nil); !errors.Is(err, identity.ErrVaultExists) {
		t.Errorf("over a good one: %v", err)
	}
	putCopy(t, dir, "vault.a", []byte("torn"))
	putCopy(t, dir, "vault.b", nil)
	if _, err := identity.CreateVault(dir, with("second"), nil); !errors.Is(err, identity.ErrVaultExists) {
		t.Errorf("over a damaged one: %v", err)
	}
}

func TestWhereThereIsNoVault(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
		wantOpenError(t, dir, with("x"), identity.ErrNoVault)
		if _, _, err := identity.VaultNeeds(dir); !errors.Is(err, identity.ErrNoVault) {
			t.Errorf("needs: %v", err)
		}
	}
	if _, err := identity.CreateVault(t.TempDir(), identity.Unlock{Cost: identity.CheapForTests()}, nil); err == nil {
		t.Error("a vault without any lock is created")
	}
}

func TestChangesStayAndOldCopiesGo(t *testing.T) {
	dir := t.TempDir()
	v := newVault(t, dir, with("old"), "one")
	for _, payload := range []string{"two", "", strings.Repeat("3", 1<<20)} {
		if err := v.SetPayload([]byte(payload)); err != nil {
			t.Fatal(err)
		}
		wantPayload(t, dir, with("old"), payload)
		if !bytes.Equal(copyOf(t, dir, "vault.a"), copyOf(t, dir, "vault.b")) {
			t.Fatal("the copies differ")
		}
	}
	if err := v.SetPayload(make([]byte, 1<<20+1)); err == nil {
		t.Error("more than 1 MiB is taken")
	}
	if err := v.Rewrap(identity.Unlock{}); err == nil {
		t.Error("the lock is taken away")
	}
	key := v.Key("db")
	if err := v.Rewrap(with("new")); err != nil {
		t.Fatal(err)
	}
	if again := wantPayload(t, dir, with("new"), strings.Repeat("3", 1<<20)); again.Key("db") != key {
		t.Error("a new passphrase changes the keys")
	}
	for _, name := range []string{"vault.a", "vault.b"} {
		alone := t.TempDir()
		putCopy(t, alone, name, copyOf(t, dir, name))
		wantOpenError(t, alone, with("old"), identity.ErrWrongPassphrase)
	}
}

func TestWhoHoldsAPayloadCannotChangeTheVault(t *testing.T) {
	payload := []byte("one")
	v, err := identity.CreateVault(t.TempDir(), with("x"), payload)
	if err != nil {
		t.Fatal(err)
	}
	payload[0] = 'X'
	v.Payload()[1] = 'X'
	if string(v.Payload()) != "one" {
		t.Errorf("it holds %q", v.Payload())
	}
}

func TestProgramsPayTheFullCost(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 256 MiB")
	}
	dir := t.TempDir()
	if _, err := identity.CreateVault(dir, identity.Unlock{Passphrase: []byte("x")}, nil); err != nil {
		t.Fatal(err)
	}
	b := copyOf(t, dir, "vault.a")
	if passes, memory, lanes := binary.BigEndian.Uint32(b[18:]), binary.BigEndian.Uint32(b[22:]), b[26]; passes != 3 || memory != 256<<10 || lanes != 4 {
		t.Errorf("%d passes over %d KiB in %d lanes", passes, memory, lanes)
	}
}

func TestManyMayUseOneVault(t *testing.T) {
	dir := t.TempDir()
	v := newVault(t, dir, with("x"), "0")
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if err := v.SetPayload([]byte{'0' + byte(n)}); err != nil {
				t.Error(err)
			}
			if len(v.Payload()) != 1 || v.Torn() != nil {
				t.Errorf("payload %q", v.Payload())
			}
		})
	}
	wg.Wait()
	wantPayload(t, dir, with("x"), string(v.Payload()))
}

func BenchmarkOpenVaultByPassphrase(b *testing.B) {
	dir, u := b.TempDir(), identity.Unlock{Passphrase: []byte("correct horse")}
	newVault(b, dir, u, "seed")
	for b.Loop() {
		if _, err := identity.OpenVault(dir, u); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetPayload(b *testing.B) {
	v := newVault(b, b.TempDir(), with("x"), "seed")
	for b.Loop() {
		if err := v.SetPayload([]byte("seed and device")); err != nil {
			b.Fatal(err)
		}
	}
}
