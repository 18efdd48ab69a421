package store

import (
	"io"

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
	waiting gathered
}

// gathered is what was written in a row, to be handed on in one piece.
type gathered struct {
	from  int64
	bytes []byte
}

// followedBy says whether what is written at off continues it.
func (g *gathered) followedBy(off int64) bool {
	return len(g.bytes) == 0 || off == g.from+int64(len(g.bytes))
}

func (g *gathered) add(p []byte, off int64) int {
	if len(g.bytes) == 0 {
		g.from = off
	}
	g.bytes = append(g.bytes, p...)
	return len(p)
}

// flush writes it. If that fails, it is gone: the transaction that it is of
// fails too.
func (g *gathered) flush(to io.WriterAt) error {
	p := g.bytes
	g.bytes = g.bytes[:0]
	if len(p) == 0 {
		return nil
	}
	_, err := to.WriteAt(p, g.from)
	return err
}

// Unwrap implements vfs.FileUnwrap.
func (f *walFile) Unwrap() vfs.File { return f.File }

// WriteAt implements vfs.File.
func (f *walFile) WriteAt(p []byte, off int64) (int, error) {
	if !f.waiting.followedBy(off) || len(f.waiting.bytes)+len(p) > maxGathered {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if len(f.waiting.bytes) == 0 && off != 0 && (off-walHeader)%walFrame != 0 {
		return f.File.WriteAt(p, off)
	}
	return f.waiting.add(p, off), nil
}

// flush writes what waits.
func (f *walFile) flush() error {
	return f.below.inOne(func() error { return f.waiting.flush(f.File) })
}

// ReadAt implements vfs.File.
func (f *walFile) ReadAt(p []byte, off int64) (int, error) {
	if len(f.waiting.bytes) > 0 && off+int64(len(p)) > f.waiting.from {
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
