package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// blockSize is what the cipher works in. A file that ends inside a block was
// cut there by a power failure.
const blockSize = 4096

// prepareFiles makes the database file for nobody else to read, and mends
// what the cipher could not open: a journal whose last write was torn gets
// zeros up to the next block, which its checksums then show to be no commit.
func prepareFiles(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return explain(err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", path, err)
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if err := padFile(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

func padFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at journal: %w", err)
	case info.Size()%blockSize == 0:
		return nil
	}
	if err := os.Truncate(name, info.Size()+blockSize-info.Size()%blockSize); err != nil {
		return fmt.Errorf("pad journal: %w", explain(err))
	}
	return nil
}

// A key mark lies beside the database and tells a wrong key from a damaged
// first page: both read as noise. It says nothing about the key to others.
const keyMarkSize = 16

func keyMark(key [32]byte) []byte {
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte("entrenous/1 store key mark"))
	return m.Sum(nil)[:keyMarkSize]
}

// keepKeyMark writes the mark of a key that has just opened the database.
func keepKeyMark(cfg Config) error {
	name, mark := cfg.Path+".mark", keyMark(cfg.Key)
	if old, err := os.ReadFile(name); err == nil && hmac.Equal(old, mark) {
		return nil
	}
	if err := os.WriteFile(name, mark, 0o600); err != nil {
		return fmt.Errorf("write key mark: %w", explain(err))
	}
	return nil
}

// tellKey turns damage found while opening into ErrWrongKey, unless the mark
// shows that the key was the right one.
func (s *Store) tellKey(err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	mark, readErr := os.ReadFile(s.cfg.Path + ".mark")
	if readErr == nil && hmac.Equal(mark, keyMark(s.cfg.Key)) {
		return err
	}
	return fmt.Errorf("%w (%v)", ErrWrongKey, err) //nolint:errorlint // it must not pass for damage
}
