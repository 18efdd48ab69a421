package store_test

import (
	"testing"

	"github.com/entrenous/entrenous/app/store"
)

// The database writes its log in pieces that fit no block of the cipher: each
// would be read, changed and written three times over. And the cipher writes it
// block by block.
func TestTheLogReachesTheDiskOnceAPage(t *testing.T) {
	d, name := newDisk(t)
	cfg := config(t.TempDir())
	cfg.VFS = name
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const messages = 20
	for i := 1; i <= messages; i++ {
		if err := numbered(t.Context(), s, i); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Page(talk, store.Query{Limit: 50}); err != nil || len(p.Rows) != i {
			t.Fatalf("after message %d another connection reads %d, %v", i, len(p.Rows), err)
		}
	}
	seen := map[int64]bool{}
	writes, blocks := 0, 0
	d.set(func() {
		for _, o := range d.trace {
			if o.kind != opWrite || o.file != "store.db-wal" {
				continue
			}
			writes++
			for at := range len(o.data) / 4096 {
				blocks++
				seen[o.off+int64(at)*4096] = true
			}
		}
	})
	if len(seen) == 0 || blocks > len(seen)*3/2 {
		t.Errorf("%d blocks of the log were written %d times", len(seen), blocks)
	}
	if writes > 3*messages {
		t.Errorf("the log of %d messages was written in %d pieces", messages, writes)
	}
}
