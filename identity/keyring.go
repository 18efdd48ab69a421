package identity

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// ErrNoSecret says that nothing was kept for a folder.
var ErrNoSecret = errors.New("no secret is kept for this folder")

const (
	keyringService  = "entrenous"
	keyringPatience = 2 * time.Second // a locked keyring may wait for a click that never comes
	keyFile         = "key"
	maxKeyFile      = 256
	inKeyring       = "keyring"
	inFile          = "file"
)

// KeepSecret keeps a secret for the vault in dir, and tells where: "keyring" if
// the system's answers within two seconds, else "file", readable by this user
// only. The file "key" in dir always exists afterwards: it holds the secret, or
// says under which random name the keyring holds it, so that the folder can be
// moved. A secret kept before is replaced: open vaults with it no more.
func KeepSecret(dir string, secret []byte) (where string, err error) {
	if len(secret) != unlockSecretLen {
		return "", fmt.Errorf("keep secret: %d bytes, where %d belong", len(secret), unlockSecretLen)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep secret: %w", err)
	}
	before, beforeErr := readKeyFile(dir)
	account, line := rand.Text(), ""
	if keepInKeyring(account, hex.EncodeToString(secret)) == nil {
		where, line = inKeyring, account
	} else {
		where, line = inFile, hex.EncodeToString(secret)
	}
	if err := writeFileForGood(dir, keyFile, []byte(where+" "+line+"\n")); err != nil {
		return "", fmt.Errorf("keep secret: %w", err)
	}
	if beforeErr == nil && before.where == inKeyring {
		// Nobody asks for the old entry any more: if it stays, it does no harm.
		_ = patiently(func() error { return keyring.Delete(keyringService, before.value) })
	}
	return where, nil
}

// RecallSecret returns what KeepSecret kept for the vault in dir. It returns
// ErrNoSecret if that was nothing, and waits two seconds at most for a keyring.
func RecallSecret(dir string) ([]byte, error) {
	kept, err := readKeyFile(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("recall secret in %s: %w", dir, ErrNoSecret)
	}
	if err != nil {
		return nil, fmt.Errorf("recall secret: %w", err)
	}
	text := kept.value
	if kept.where == inKeyring {
		if text, err = askKeyring(kept.value); err != nil {
			return nil, fmt.Errorf("recall secret: %w", err)
		}
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != unlockSecretLen {
		return nil, fmt.Errorf("recall secret: what the %s holds is not one", kept.where)
	}
	return secret, nil
}

// SecretKept tells where KeepSecret put the secret of the vault in dir,
// "keyring" or "file", without asking the keyring. It returns fs.ErrNotExist
// if none is kept.
func SecretKept(dir string) (where string, err error) {
	kept, err := readKeyFile(dir)
	return kept.where, err
}

// keptSecret is what the key file says.
type keptSecret struct {
	where string
	value string // the secret in hexadecimal, or its name in the keyring
}

func readKeyFile(dir string) (keptSecret, error) {
	b, err := readSmallFile(filepath.Join(dir, keyFile), maxKeyFile)
	if err != nil {
		return keptSecret{}, err
	}
	where, value, found := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	if !found || where != inKeyring && where != inFile || len(b) > maxKeyFile {
		return keptSecret{}, fmt.Errorf("%s is not a key file", filepath.Join(dir, keyFile))
	}
	return keptSecret{where, value}, nil
}

// keepInKeyring reads back what it wrote: some keyrings take without keeping.
func keepInKeyring(account, text string) error {
	return patiently(func() error {
		if err := keyring.Set(keyringService, account, text); err != nil {
			return err
		}
		back, err := keyring.Get(keyringService, account)
		if err == nil && back != text {
			err = errors.New("the keyring did not keep the secret")
		}
		return err
	})
}

func askKeyring(account string) (string, error) {
	answer := make(chan string, 1)
	err := patiently(func() error {
		text, err := keyring.Get(keyringService, account)
		answer <- text
		return err
	})
	if errors.Is(err, keyring.ErrNotFound) {
		return "", fmt.Errorf("%w: the keyring has lost it", ErrNoSecret)
	}
	if err != nil {
		return "", err
	}
	return <-answer, nil
}

// patiently gives the keyring its time. What does not answer by then is left
// behind: the system's interface cannot be cancelled.
func patiently(ask func() error) error {
	if !keyringMayExist() {
		return errors.New("this session has no keyring")
	}
	answer := make(chan error, 1)
	go func() { answer <- ask() }()
	select {
	case err := <-answer:
		return err
	case <-time.After(keyringPatience):
		return errors.New("the keyring does not answer")
	}
}

// keyringMayExist keeps the D-Bus library from starting a bus of its own, which
// would outlive us, where the session has none.
func keyringMayExist() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address != "autolaunch:"
	}
	folder := fmt.Sprintf("/run/user/%d", os.Getuid())
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}
