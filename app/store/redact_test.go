package store_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"pgregory.net/rapid"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// wantNowhere opens a closed database with its key and looks for words in
// everything that is in it.
func wantNowhere(tb testing.TB, dir string, words ...string) {
	tb.Helper()
	db, err := sqlite3.Open("file:" + config(dir).Path + "?vfs=adiantum&hexkey=" + hex.EncodeToString(key[:]))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var tables []string
	rowsOf(tb, db, `SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE 'CREATE VIRTUAL%'`, func(s *sqlite3.Stmt) {
		tables = append(tables, s.ColumnText(0))
	})
	if !slices.Contains(tables, "event") || !slices.Contains(tables, "words_data") {
		tb.Fatalf("the tables are %q", tables)
	}
	for _, table := range tables {
		rowsOf(tb, db, `SELECT * FROM `+table, func(s *sqlite3.Stmt) {
			for col := range s.ColumnCount() {
				for _, w := range words {
					if bytes.Contains(s.ColumnRawBlob(col), []byte(w)) {
						tb.Errorf("%q is still in column %d of %s", w, col, table)
					}
				}
			}
		})
	}
}

func rowsOf(tb testing.TB, db *sqlite3.Conn, sql string, f func(s *sqlite3.Stmt)) {
	tb.Helper()
	s, _, err := db.Prepare(sql)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	for s.Step() {
		f(s)
	}
	if err := s.Err(); err != nil {
		tb.Fatal(err)
	}
}

// closing opens a store that the test closes itself.
func closing(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), config(dir))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// again is an event as it would come from elsewhere.
func again(tb testing.TB, s *store.Store, h chat.Hash) *chat.Event {
	tb.Helper()
	e, err := s.Event(h)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestWhatIsDeletedIsNowhereInTheDatabase(t *testing.T) {
	dir := t.TempDir()
	s := closing(t, dir)
	stays := text(t, s, bo, "desk", "qzstays")
	e := text(t, s, bo, "desk", "qzfirst "+strings.Repeat("qzlong ", 3000)) // with overflow pages
	edit := say(t, s, bo, "phone", chat.KindEdit, chat.EditBody{Of: e.Hash(), Text: "qzsecond"}.Encode())
	say(t, s, ana, "laptop", chat.KindReaction, chat.ReactionBody{Of: e.Hash(), Emoji: "👍", On: true}.Encode())
	say(t, s, bo, "phone", chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	for _, old := range []*chat.Event{e, edit} {
		got := again(t, s, old.Hash())
		if !got.Redacted() || got.Hash() != old.Hash() || !got.Verify([32]byte(signer(got.Device)[32:])) {
			t.Errorf("%+v", got)
		}
		for _, copied := range []*chat.Event{old, got} {
			if added, err := appendTo(t, s, copied, bo); added || err != nil {
				t.Errorf("it came again: %v, %v", added, err)
			}
		}
	}
	if info, err := os.Stat(config(dir).Path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes of the log remember how it was, %v", info.Size(), err)
	}
	if again(t, s, stays.Hash()).Redacted() {
		t.Error("too much is gone")
	}
	late := say(t, s, bo, "desk", chat.KindEdit, chat.EditBody{Of: e.Hash(), Text: "qzlate"}.Encode())
	if !again(t, s, late.Hash()).Redacted() {
		t.Error("an edit after the delete was kept")
	}
	if got := texts(lastPage(t, s)); !slices.Equal(got, []string{"qzstays", ""}) {
		t.Errorf("%q", got)
	}
	if got := find(t, s, "qz"); !slices.Equal(got, []string{"qzstays"}) {
		t.Errorf("search finds %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, dir, "first", "long", "second", "late")
}

func TestALogThatAReaderNeedsIsEmptiedByTheNextCommit(t *testing.T) {
	dir := t.TempDir()
	s := closing(t, dir)
	e := text(t, s, bo, "desk", "a secret")
	size := func() int64 {
		info, err := os.Stat(config(dir).Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	err := s.Read(func(v *store.View) error {
		if _, err := v.Event(e.Hash()); err != nil {
			return err
		}
		say(t, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
		if size() == 0 {
			t.Error("the reader lost what it reads")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	text(t, s, bo, "desk", "something else")
	if size() != 0 {
		t.Error("the log still has the secret")
	}
}

func TestWhatSomebodyElseDeletesStays(t *testing.T) {
	s := open(t, t.TempDir())
	e := text(t, s, bo, "desk", "the truth")
	say(t, s, ana, "laptop", chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	if again(t, s, e.Hash()).Redacted() || lastPage(t, s)[0].Text != "the truth" {
		t.Error("ana deleted what bo wrote")
	}
}

func TestARedactedEventThatComesFirstIsADeletedRow(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	e := text(t, from, bo, "desk", "a secret")
	edit := say(t, from, bo, "desk", chat.KindEdit, chat.EditBody{Of: e.Hash(), Text: "another"}.Encode())
	take(t, to, e.Redact().Encode(), bo)
	take(t, to, e.Encode(), bo)
	take(t, to, edit.Encode(), bo)
	rows := lastPage(t, to)
	if len(rows) != 1 || !rows[0].Deleted || rows[0].Text != "" || !again(t, to, edit.Hash()).Redacted() {
		t.Errorf("%+v", rows)
	}
	if u, err := to.Unread(talk); err != nil || u.Count != 0 {
		t.Errorf("%d unread, %v", u.Count, err)
	}
	if got := slices.Concat(find(t, to, "secret"), find(t, to, "another")); len(got) != 0 {
		t.Errorf("search finds %q", got)
	}
	if tips, err := to.Tips(talk); err != nil || tips[0].Hash != edit.Hash() {
		t.Errorf("the chain ends elsewhere: %+v, %v", tips, err)
	}
	take(t, from, e.Redact().Encode(), bo)
	if got := texts(lastPage(t, from)); !slices.Equal(got, []string{"another"}) {
		t.Errorf("a redacted copy took the whole one: %q", got)
	}
}

func TestRedactedEventsOutliveRebuildAndSnapshot(t *testing.T) {
	s, loaded := open(t, t.TempDir()), open(t, t.TempDir())
	aStory(t, s)
	for _, r := range lastPage(t, s) {
		if r.Author == bo.id && r.Seq%3 == 0 {
			say(t, s, bo, "phone", chat.KindDelete, chat.DeleteBody{Of: r.ID}.Encode())
		}
	}
	want := everything(t, s)
	if lost, err := s.Rebuild(t.Context()); err != nil || lost != 0 {
		t.Fatal(lost, err)
	}
	differ(t, "rebuilt", everything(t, s), want)
	var file bytes.Buffer
	if err := errors.Join(s.Snapshot(t.Context(), &file), loaded.Load(t.Context(), &file)); err != nil {
		t.Fatal(err)
	}
	differ(t, "loaded", everything(t, loaded), want)
}

// mix is one conversation in the property test.
type mix struct {
	conv    chat.ConvID
	events  []chat.Effect // in the order in which they were written
	deleted map[chat.Hash]bool
	gone    []string // what no database may hold in the end
}

// Events arrive in any order that keeps each chain in order, whole or, where
// somebody has deleted them already, redacted, and some of them again. All
// that comes of it is the same, and what was deleted is gone.
func TestInWhateverOrderAndFormEventsComeTheDeletedTextIsGone(t *testing.T) {
	fromDir, toDir := t.TempDir(), t.TempDir()
	from, to := closing(t, fromDir), closing(t, toDir)
	var gone []string
	round, enough := 0, rounds(t, 6, 20)
	rapid.Check(t, func(rt *rapid.T) {
		if round++; round > enough {
			return // every write waits for the disk
		}
		m := &mix{conv: chat.ConvID(who(fmt.Sprint("mix ", round)).id), deleted: map[chat.Hash]bool{}}
		m.write(rt, from, round)
		m.send(rt, to)
		m.check(rt, from)
		m.check(rt, to)
		gone = append(gone, m.gone...)
	})
	if err := errors.Join(from.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	if len(gone) == 0 {
		t.Error("nothing was deleted")
	}
	wantNowhere(t, fromDir, gone...)
	wantNowhere(t, toDir, gone...)
}

// write makes the events, and finds out which texts are deleted by them.
func (m *mix) write(t *rapid.T, s *store.Store, round int) {
	var rows []chat.Effect
	words := map[chat.Hash]string{}
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := range rapid.IntRange(1, 14).Draw(t, "events") {
			p := rapid.SampledFrom([]person{ana, bo}).Draw(t, "who")
			e, err := tx.Next(m.conv, p.device(rapid.SampledFrom([]string{"laptop", "phone"}).Draw(t, "device")))
			if err != nil {
				return err
			}
			said := fmt.Sprintf("qmark%dr%de", round, i)
			e.Kind, e.Body = chat.KindText, chat.TextBody{Text: said}.Encode()
			if what := rapid.IntRange(0, 5).Draw(t, "kind"); len(rows) > 0 && what < 4 {
				of := rapid.SampledFrom(rows).Draw(t, "of").Event.Hash()
				e.Kind, e.Body = chat.KindEdit, chat.EditBody{Of: of, Text: said}.Encode()
				if what < 2 {
					e.Kind, e.Body = chat.KindDelete, chat.DeleteBody{Of: of}.Encode()
				}
			}
			words[e.Hash()] = said
			f := chat.Effect{Event: e, Author: p.id}
			if m.events = append(m.events, f); e.Kind == chat.KindText {
				rows = append(rows, f)
			}
			if _, err := tx.Append(e, p.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		m.deleted[r.Event.Hash()] = chat.Reduce(r.Event, r.Author, m.events).Deleted
	}
	for _, f := range m.events {
		h := f.Event.Hash()
		if of, ok := f.Event.Target(); ok && f.Event.Kind == chat.KindEdit {
			m.deleted[h] = m.deleted[of]
		}
		if m.deleted[h] {
			m.gone = append(m.gone, strings.TrimPrefix(words[h], "qm")) // the index may share the beginning
		}
	}
}

// send brings the events to another store.
func (m *mix) send(t *rapid.T, to *store.Store) {
	chains := map[identity.DeviceID][]chat.Effect{}
	for _, f := range m.events {
		chains[f.Event.Device] = append(chains[f.Event.Device], f)
	}
	var sent []chat.Effect
	err := to.Write(t.Context(), func(tx *store.Tx) error {
		for len(sent) < len(m.events) {
			var next []chat.Effect
			for _, f := range m.events {
				if c := chains[f.Event.Device]; len(c) > 0 && c[0] == f {
					next = append(next, f)
				}
			}
			f := rapid.SampledFrom(next).Draw(t, "next")
			chains[f.Event.Device] = chains[f.Event.Device][1:]
			sent = append(sent, f)
			e := f.Event
			if m.deleted[e.Hash()] && rapid.Bool().Draw(t, "redacted") {
				e = e.Redact()
			}
			if added, err := tx.Append(e, f.Author); err != nil || !added {
				return fmt.Errorf("append: %v, %w", added, err)
			}
			f = rapid.SampledFrom(sent).Draw(t, "again")
			e = f.Event
			if rapid.Bool().Draw(t, "again redacted") {
				e = e.Redact()
			}
			if added, err := tx.Append(e, f.Author); err != nil || added {
				return fmt.Errorf("append again: %v, %w", added, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *mix) check(t *rapid.T, s *store.Store) {
	var got, want []chat.Row
	for _, f := range m.events {
		if f.Event.Kind == chat.KindText {
			want = append(want, chat.Reduce(f.Event, f.Author, m.events))
		}
		held, err := s.Event(f.Event.Hash())
		if err != nil || held.Redacted() != m.deleted[f.Event.Hash()] {
			t.Fatalf("%v is held redacted: %v, should be %v, %v", held.Kind, held.Redacted(), m.deleted[f.Event.Hash()], err)
		}
	}
	slices.SortFunc(want, func(a, b chat.Row) int { return a.Compare(&b) })
	p, err := s.Page(m.conv, store.Query{Limit: store.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Rows {
		got = append(got, r.Row)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("rows are\n%+v, should be\n%+v", got, want)
	}
}
