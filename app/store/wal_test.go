package store_test

import (
	"testing"

	"github.com/entrenous/entrenous/app/store"
)

// The database writes its log in pieces that fit no block of the cipher: each
// would be read, changed and written three times over.
func TestTheLogReachesTheDiskOnceAPage(t *testing.T) {
	d, name := newDisk(t)
	cfg := config(t.TempDir())
	cfg.VFS = name
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := 1; i <= 20; i++ {
		if err := numbered(t.Context(), s, i); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Page(talk, store.Query{Limit: 50}); err != nil || len(p.Rows) != i {
			t.Fatalf("after message %d another connection reads %d, %v", i, len(p.Rows), err)
		}
	}
	blocks := map[int64]bool{}
	writes := 0
	d.set(func() {
		for _, o := range d.trace {
			if o.kind == opWrite && o.file == "store.db-wal" {
				writes++
				blocks[o.off] = true
			}
		}
	})
	if len(blocks) == 0 || writes > len(blocks)*3/2 {
		t.Errorf("%d blocks of the log were written %d times", len(blocks), writes)
	}
}
