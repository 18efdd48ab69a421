package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/entrenous/entrenous/app/control"
)

// profileEnv names the profile folder where the flag does not.
const profileEnv = "ENTRENOUS_PROFILE"

// defaultProfile is the folder of this system for a user's data.
func defaultProfile() (string, error) {
	if dir := os.Getenv(profileEnv); dir != "" {
		return filepath.Abs(dir)
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir() // %AppData%, ~/Library/Application Support
		return filepath.Join(dir, "Entrenous"), err
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "entrenous"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "entrenous"), err
}

const lockName = "lock"

// lock is held by the one node of a profile folder, and says who holds it.
type lock struct{ f *os.File }

// takeLock makes this process the one node of dir.
func takeLock(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, cannotWrite(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, cannotWrite(dir, err)
	}
	if err := lockFile(f); err != nil {
		holder := readHolder(f)
		return nil, errors.Join(&control.Failure{
			Message: "A node runs on this profile already" + holder, Code: control.CodeState,
			Hint: "Use it, or stop it first; for a second account choose another folder with --profile",
		}, f.Close())
	}
	if err := writeHolder(f); err != nil {
		return nil, errors.Join(cannotWrite(dir, err), f.Close())
	}
	return &lock{f}, nil
}

func cannotWrite(dir string, err error) error {
	return &control.Failure{
		Message: fmt.Sprintf("The profile folder %s cannot be written to: %v", dir, err), Code: control.CodeDisk,
		Hint: "Check its owner and permissions, and that there is room on the disk",
	}
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readHolder says which process holds the lock, as far as the file tells.
func readHolder(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0) // an empty file is the short moment before it is written
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

// release lets another node have the folder.
func (l *lock) release() error { return l.f.Close() }
