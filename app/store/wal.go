package store

import (
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

const (
	// walHeader and walFrame are how the write-ahead log is laid out: a header,
	// then frames of a head and a page (SQLite file format §4.1).
	walHeader = 32
	walFrame  = 24 + 4096
	// maxGathered is how many bytes of the log wait in memory at most.
	maxGathered = 1 << 20
)

// walVFS stands above the cipher and hands it the write-ahead log in long
// pieces. The database writes its log in pieces of 24 and 4,096 bytes that
// fit no block of the cipher: each would be read, decrypted, changed, encrypted
// and written three times over.
type walVFS struct{ vfs.VFS }

// Open implements vfs.VFS.
func (w walVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, got, err := w.VFS.Open(name, flags)
	return gatherLog(f, flags, err), got, err
}

// OpenFilename implements vfs.VFSFilename.
func (w walVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, got, err := vfsutil.WrapOpenFilename(w.VFS, name, flags)
	return gatherLog(f, flags, err), got, err
}

func gatherLog(f vfs.File, flags vfs.OpenFlag, err error) vfs.File {
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f
	}
	below, _ := vfsutil.UnwrapFile[*plainFile](f)
	return &walFile{File: f, below: below}
}

// walFile gathers what is written to the log one piece after the other, until
// a sync. Nobody misses it before: other connections read a frame only once
// its commit was published, which is after its sync (synchronous=FULL); and
// what this connection reads is written first. What comes after a sync and is
// no frame of its own is the rest of the last frame, and belongs to what is
// published: it is not held back.
type walFile struct {
	vfs.File
	below   *plainFile // the file under the cipher
	from    int64
	waiting []byte
}

// Unwrap implements vfs.FileUnwrap.
func (f *walFile) Unwrap() vfs.File { return f.File }

// WriteAt implements vfs.File.
func (f *walFile) WriteAt(p []byte, off int64) (int, error) {
	if len(f.waiting) > 0 && (off != f.from+int64(len(f.waiting)) || len(f.waiting)+len(p) > maxGathered) {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if len(f.waiting) == 0 {
		if off != 0 && (off-walHeader)%walFrame != 0 {
			return f.File.WriteAt(p, off)
		}
		f.from = off
	}
	f.waiting = append(f.waiting, p...)
	return len(p), nil
}

// flush writes what waits. If that fails, it is gone: the transaction that it
// is of fails too.
func (f *walFile) flush() error {
	p := f.waiting
	f.waiting = f.waiting[:0]
	if len(p) == 0 {
		return nil
	}
	return f.below.inOne(func() error {
		_, err := f.File.WriteAt(p, f.from)
		return err
	})
}

// ReadAt implements vfs.File.
func (f *walFile) ReadAt(p []byte, off int64) (int, error) {
	if len(f.waiting) > 0 && off+int64(len(p)) > f.from {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	return f.File.ReadAt(p, off)
}

// Sync implements vfs.File.
func (f *walFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Truncate implements vfs.File.
func (f *walFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Size implements vfs.File.
func (f *walFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Close implements vfs.File. What still waits was never promised to anybody.
func (f *walFile) Close() error { return f.File.Close() }
