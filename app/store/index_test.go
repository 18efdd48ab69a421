package store_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// inTheIndex opens a closed database and counts the rows that its full-text
// index has for a word.
func inTheIndex(tb testing.TB, dir, word string) (n int) {
	tb.Helper()
	db, err := sqlite3.Open("file:" + config(dir).Path + "?vfs=adiantum&hexkey=" + hex.EncodeToString(key[:]))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := fts5.Register(db); err != nil {
		tb.Fatal(err)
	}
	rowsOf(tb, db, `SELECT count(*) FROM words WHERE words MATCH '`+word+`'`, func(s *sqlite3.Stmt) { n = s.ColumnInt(0) })
	return n
}

func TestWhatWasNotIndexedWhenAProcessEndedIsIndexedByTheNext(t *testing.T) {
	dir := t.TempDir()
	for life := range 3 {
		s := closing(t, dir)
		text(t, s, bo, "desk", fmt.Sprint("harbour ", life))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := inTheIndex(t, dir, "harbour"); n != 0 {
			t.Fatalf("%d rows are indexed already: nothing waits", n)
		}
	}
	s := closing(t, dir)
	if got := found(t, s, "harbour"); !slices.Equal(got, []string{"harbour 2", "harbour 1", "harbour 0"}) {
		t.Errorf("%q", got)
	}
	// So many that it is time.
	write(t, s, func(tx *store.Tx) error {
		for i := range 512 {
			e, err := tx.Next(talk, bo.device("desk"))
			if err != nil {
				return err
			}
			e.Kind, e.Body = chat.KindText, chat.TextBody{Text: fmt.Sprint("boat ", i)}.Encode()
			e.Sign(signer(bo.device("desk")))
			if _, err := tx.Append(e, bo.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, m := inTheIndex(t, dir, "harbour"), inTheIndex(t, dir, "boat"); n != 3 || m != 512 {
		t.Errorf("%d and %d rows are indexed, of 3 and 512", n, m)
	}
}

func TestADeletedTextLeavesTheIndexInTheSameCommit(t *testing.T) {
	dir := t.TempDir()
	s := closing(t, dir)
	text(t, s, bo, "desk", "waits before it")
	e := text(t, s, bo, "desk", "quagga")
	indexAll(t, s)
	say(t, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := inTheIndex(t, dir, "quagga"); n != 0 {
		t.Error("its word is still in the index")
	}
	wantNowhere(t, dir, "quagga")
}

// A number that a deleted row had is given again; its new row is indexed too.
func TestARowThatHasTheNumberOfADeletedOneIsIndexed(t *testing.T) {
	dir := t.TempDir()
	s := closing(t, dir)
	for i := range 5 {
		text(t, s, bo, "desk", fmt.Sprint("harbour ", i))
	}
	indexAll(t, s)
	write(t, s, func(tx *store.Tx) error { return tx.DeleteConversation(talk) })
	text(t, s, bo, "desk", "quagga")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got := find(t, s, "quagga"); !slices.Equal(got, []string{"quagga"}) {
		t.Errorf("finds %q", got)
	}
	if got := find(t, s, "harbour"); len(got) != 0 {
		t.Errorf("finds %q", got)
	}
}
