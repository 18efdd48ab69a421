package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
)

// cipherVFS returns the name of the encrypting file system over base. The
// registry belongs to the process; putting one name there twice is harmless.
func cipherVFS(base string) (string, error) {
	below := vfs.Find(base)
	if below == nil {
		return "", fmt.Errorf("no file system %q is registered", base)
	}
	name := "entrenous-" + base
	if vfs.Find(name) == nil {
		vfs.Register(name, walVFS{adiantum.Wrap(plainVFS{below}, nil)})
	}
	return name, nil
}

// plainVFS is a file system that tells why a write failed. Below it the cause
// gets lost: a full disk would look like a broken one. Its files are for
// nobody else to read.
type plainVFS struct{ vfs.VFS }

// Open implements vfs.VFS.
func (p plainVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := p.VFS.Open(name, flags)
	return plain(f), flags, cause(err)
}

// OpenFilename implements vfs.VFSFilename.
func (p plainVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(p.VFS, name, flags)
	if err == nil && flags&vfs.OPEN_CREATE != 0 && name != nil {
		err = keepPrivate(name.String())
		if err != nil {
			_ = f.Close()
		}
	}
	return plain(f), flags, cause(err)
}

func keepPrivate(path string) error {
	if err := os.Chmod(path, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make %s private: %w", path, err)
	}
	return nil
}

type plainFile struct {
	vfs.File
	holding bool // what is written in a row waits, see inOne
	held    gathered
}

func plain(f vfs.File) vfs.File {
	if f == nil {
		return nil
	}
	return &plainFile{File: f}
}

// inOne hands on in one piece what write writes in a row: the cipher writes
// block by block. write reads nothing that it wrote.
func (f *plainFile) inOne(write func() error) error {
	f.holding = true
	err := write()
	f.holding = false
	if rest := f.release(); err == nil {
		err = rest
	}
	return err
}

func (f *plainFile) release() error { return cause(f.held.flush(f.File)) }

// WriteAt implements vfs.File.
func (f *plainFile) WriteAt(p []byte, off int64) (int, error) {
	if !f.holding {
		n, err := f.File.WriteAt(p, off)
		return n, cause(err)
	}
	if !f.held.followedBy(off) {
		if err := f.release(); err != nil {
			return 0, err
		}
	}
	return f.held.add(p, off), nil
}

// Truncate implements vfs.File.
func (f *plainFile) Truncate(size int64) error { return cause(f.File.Truncate(size)) }

// Sync implements vfs.File.
func (f *plainFile) Sync(flags vfs.SyncFlag) error { return cause(f.File.Sync(flags)) }

// DeviceCharacteristics implements vfs.File. Atomic batches are not passed on.
func (f *plainFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.File.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}

// SharedMemory implements vfs.FileSharedMemory, which WAL with several
// connections needs.
func (f *plainFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// cause returns the code that the database passes on unchanged.
func cause(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return sqlite3.FULL
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return sqlite3.READONLY
	}
	return err
}

// explain wraps a database error in the sentinel it stands for.
func explain(err error) error {
	var code sqlite3.ErrorCode
	var more sqlite3.ExtendedErrorCode
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case errors.As(err, &more) && more == sqlite3.IOERR_SHMSIZE:
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case errors.As(err, &more) && (more == sqlite3.IOERR_CORRUPTFS || more == sqlite3.IOERR_DATA):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case !errors.As(err, &code):
		return err
	}
	switch code {
	case sqlite3.FULL:
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case sqlite3.READONLY, sqlite3.CANTOPEN, sqlite3.PERM:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
