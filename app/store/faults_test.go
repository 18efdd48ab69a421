package store_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// disk is the machine's file system, below the cipher, on a bad day: it can
// be full, refuse writes, and remember every write for a power cut.
type disk struct {
	vfs.VFS
	mu       sync.Mutex
	room     int // bytes that may still be written; < 0: any number
	readOnly bool
	trace    []op
}

// op is one thing that happened to a file; ack is a commit that was promised
// to be on the disk.
type op struct {
	kind opKind
	file string
	off  int64
	data []byte
	ack  int
}

type opKind byte

const (
	opWrite opKind = iota
	opSync
	opTruncate
	opDelete
	opAck
)

// newDisk registers a disk under a name of its own: the cipher keeps what it
// once found under a name, also when the test runs again.
func newDisk(tb testing.TB) (d *disk, name string) {
	tb.Helper()
	d = &disk{VFS: vfs.Find(""), room: -1}
	name = fmt.Sprintf("%s-%p", tb.Name(), d)
	vfs.Register(name, d)
	tb.Cleanup(func() { vfs.Unregister(name) })
	return d, name
}

func (d *disk) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func (d *disk) note(o op) { d.set(func() { d.trace = append(d.trace, o) }) }

func (d *disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.VFS.Open(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{File: f, disk: d, name: filepath.Base(name)}, flags, nil
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{File: f, disk: d, name: filepath.Base(name.String())}, flags, nil
}

func (d *disk) Delete(name string, dirSync bool) error {
	d.note(op{kind: opDelete, file: filepath.Base(name)})
	return d.VFS.Delete(name, dirSync)
}

type diskFile struct {
	vfs.File
	disk *disk
	name string
}

func (f *diskFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	var err error
	f.disk.set(func() {
		switch {
		case f.disk.readOnly:
			err = &fs.PathError{Op: "write", Path: f.name, Err: syscall.EROFS}
		case f.disk.room >= 0 && len(p) > f.disk.room:
			err = &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
		case f.disk.room >= 0:
			f.disk.room -= len(p)
		}
	})
	if err != nil {
		return 0, err
	}
	f.disk.note(op{kind: opWrite, file: f.name, off: off, data: slices.Clone(p)})
	return f.File.WriteAt(p, off)
}

func (f *diskFile) Truncate(n int64) error {
	f.disk.note(op{kind: opTruncate, file: f.name, off: n})
	return f.File.Truncate(n)
}

func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	f.disk.note(op{kind: opSync, file: f.name})
	return f.File.Sync(flags)
}

// image is the content of files by name.
type image map[string][]byte

// cutPower returns what may be on the disk if the power fails after n steps
// of the trace, and the last promise made before. What was synced is there;
// of the rest, by the kind of the cut, nothing is, or any sectors of 512
// bytes are, or any whole writes are, in whatever order.
func cutPower(trace []op, n int, rng *rand.Rand) (files image, ack int) {
	files = image{}
	synced := map[string]int{}
	for i, o := range trace[:n] {
		switch o.kind {
		case opSync:
			synced[o.file] = i
		case opAck:
			ack = o.ack
		}
	}
	kind := rng.IntN(3)
	for i, o := range trace[:n] {
		safe := i < synced[o.file]
		switch {
		case o.kind == opDelete:
			delete(files, o.file)
		case o.kind == opTruncate && (safe || rng.IntN(2) == 0):
			files[o.file] = resize(files[o.file], int(o.off))
		case o.kind == opWrite && (safe || (kind == 2 && rng.IntN(2) == 0)):
			files.write(o.file, o.off, o.data)
		case o.kind == opWrite && kind == 1:
			files.writeSectors(o, rng)
		}
	}
	return files, ack
}

func (files image) write(name string, off int64, data []byte) {
	f := files[name]
	if need := int(off) + len(data); len(f) < need {
		f = resize(f, need)
	}
	copy(f[off:], data)
	files[name] = f
}

func (files image) writeSectors(o op, rng *rand.Rand) {
	for from := 0; from < len(o.data); {
		to := min(from+512-int((o.off+int64(from))%512), len(o.data))
		if rng.IntN(2) == 0 {
			files.write(o.file, o.off+int64(from), o.data[from:to])
		}
		from = to
	}
}

func resize(b []byte, n int) []byte {
	if n <= len(b) {
		return b[:n:n]
	}
	return append(b, make([]byte, n-len(b))...)
}

// lay puts an image into an empty folder.
func (files image) lay(tb testing.TB, dir string) {
	tb.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}
