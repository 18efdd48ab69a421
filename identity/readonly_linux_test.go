package identity_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

// asNobody runs do with the file rights of a user who owns nothing, even where
// the tests run as root. The thread is not used again.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if _, _, err := syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0); err != 0 {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}

func TestAReadOnlyFolderIsSaidToBeOne(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it needs root to become nobody")
	}
	useKeyring(t, errors.New("no keyring today"))
	dir := t.TempDir()
	newVault(t, dir, with("x"), "seed")
	putCopy(t, dir, "vault.b", []byte("torn"))
	for path, mode := range map[string]os.FileMode{
		filepath.Dir(dir): 0o755, dir: 0o555, filepath.Join(dir, "vault.a"): 0o444, filepath.Join(dir, "vault.b"): 0o444,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		v, err := identity.OpenVault(dir, with("x"))
		if err != nil {
			t.Error(err)
			return
		}
		if string(v.Payload()) != "seed" || !errors.Is(v.Torn(), fs.ErrPermission) {
			t.Errorf("payload %q, torn: %v", v.Payload(), v.Torn())
		}
		for doing, err := range map[string]error{
			"change vault": v.SetPayload([]byte("x")), "rewrap vault": v.Rewrap(with("y")),
		} {
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), doing+" in "+dir) {
				t.Errorf("%s: %v", doing, err)
			}
		}
		if _, err := identity.CreateVault(filepath.Join(dir, "new"), with("x"), nil); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("create: %v", err)
		}
		if _, err := identity.KeepSecret(dir, theSecret()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("keep: %v", err)
		}
	})
}
