package identity_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/entrenous/entrenous/identity"
)

// kept keeps the secret and returns where.
func kept(t *testing.T, dir string, secret []byte) string {
	t.Helper()
	where, err := identity.KeepSecret(dir, secret)
	if err != nil {
		t.Fatal(err)
	}
	return where
}

func wantSecret(t *testing.T, dir string, want []byte) {
	t.Helper()
	if got, err := identity.RecallSecret(dir); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("recalled %x, %v", got, err)
	}
}

// useKeyring puts a keyring in memory, or one that answers with err, in the place
// of the system's.
func useKeyring(t *testing.T, err error) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	keyring.MockInit()
	if err != nil {
		keyring.MockInitWithError(err)
	}
}

func TestASecretIsKeptInTheKeyring(t *testing.T) {
	useKeyring(t, nil)
	dir := filepath.Join(t.TempDir(), "new", "profile")
	if where := kept(t, dir, theSecret()); where != "keyring" {
		t.Errorf("kept in the %s", where)
	}
	wantSecret(t, dir, theSecret())
	if b := copyOf(t, dir, "key"); bytes.Contains(b, []byte("5e5e")) {
		t.Errorf("the secret is on the disk too: %s", b)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	wantSecret(t, moved, theSecret())
	useKeyring(t, nil) // another computer, or another user
	if _, err := identity.RecallSecret(moved); !errors.Is(err, identity.ErrNoSecret) {
		t.Errorf("from an empty keyring: %v", err)
	}
}

func TestTwoFoldersKeepTwoSecrets(t *testing.T) {
	useKeyring(t, nil)
	one, two, other := t.TempDir(), t.TempDir(), bytes.Repeat([]byte{2}, 32)
	kept(t, one, theSecret())
	kept(t, two, other)
	wantSecret(t, one, theSecret())
	wantSecret(t, two, other)
	kept(t, one, other) // replaced
	wantSecret(t, one, other)
}

func TestWithoutAKeyringASecretIsKeptInAFile(t *testing.T) {
	useKeyring(t, errors.New("no keyring today"))
	dir := t.TempDir()
	if where := kept(t, dir, theSecret()); where != "file" {
		t.Errorf("kept in the %s", where)
	}
	if where, err := identity.SecretKept(dir); where != "file" || err != nil {
		t.Errorf("told to be in the %q, %v", where, err)
	}
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	wantSecret(t, dir, theSecret())
	vault := newVault(t, dir, identity.Unlock{Secret: theSecret()}, "seed")
	secret, err := identity.RecallSecret(dir)
	if err != nil {
		t.Fatal(err)
	}
	if wantPayload(t, dir, identity.Unlock{Secret: secret}, "seed").Key("db") != vault.Key("db") {
		t.Error("the vault has other keys")
	}
}

func TestASecretThatIsNoneIsNotKeptAndNotRecalled(t *testing.T) {
	useKeyring(t, nil)
	dir := t.TempDir()
	if _, err := identity.RecallSecret(dir); !errors.Is(err, identity.ErrNoSecret) {
		t.Errorf("from an empty folder: %v", err)
	}
	for _, wrong := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		if _, err := identity.KeepSecret(dir, wrong); err == nil {
			t.Errorf("%d bytes are kept", len(wrong))
		}
	}
	for _, wrong := range []string{"", "file", "file 5e", "file " + strings.Repeat("zz", 32), "disk " + strings.Repeat("5e", 32), strings.Repeat("x", 1000)} {
		putCopy(t, dir, "key", []byte(wrong))
		if _, err := identity.RecallSecret(dir); err == nil {
			t.Errorf("%q is recalled", wrong)
		}
	}
	file := filepath.Join(dir, "key")
	if _, err := identity.KeepSecret(filepath.Join(file, "below"), theSecret()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: %v", err)
	}
}

// The test starts itself anew: the keyring in memory cannot be taken out again,
// and this needs the system's.
func TestAKeyringThatNeverAnswersIsNotWaitedFor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it needs D-Bus")
	}
	if dir := os.Getenv("ENTRENOUS_TEST_SILENT_KEYRING"); dir != "" {
		began := time.Now()
		if where := kept(t, dir, theSecret()); where != "file" || time.Since(began) > 10*time.Second {
			t.Errorf("kept in the %s after %v", where, time.Since(began))
		}
		wantSecret(t, dir, theSecret())
		return
	}
	if testing.Short() {
		t.Skip("it waits two seconds")
	}
	dir := t.TempDir()
	bus, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close() // nobody accepts: the kernel does, and then silence
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), "ENTRENOUS_TEST_SILENT_KEYRING="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(dir, "bus"))
	out, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestASessionWithoutABusGetsNone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it needs D-Bus")
	}
	keyring.MockInit() // it would keep the secret, if it were asked
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "autolaunch:")
	dir := t.TempDir()
	if where := kept(t, dir, theSecret()); where != "file" {
		t.Errorf("kept in the %s", where)
	}
	wantSecret(t, dir, theSecret())
}
