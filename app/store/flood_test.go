package store_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// flood lets a device of bo's say n things in one commit.
func flood(tb testing.TB, s *store.Store, device string, n int, kind chat.Kind, body func(i int) []byte) {
	tb.Helper()
	write(tb, s, func(tx *store.Tx) error {
		for i := range n {
			e, err := tx.Next(talk, bo.device(device))
			if err != nil {
				return err
			}
			e.Time, e.Kind, e.Body = int64(i), kind, body(i)
			if added, err := tx.Append(e, bo.id); err != nil || !added {
				return fmt.Errorf("append %d: %v %w", i, added, err)
			}
		}
		return nil
	})
}

func TestOneMoreEditOrDeleteOrReactionCostsTheSameAfterManyOthers(t *testing.T) {
	s := open(t, t.TempDir())
	a := text(t, s, bo, "desk", "first").Hash()
	call := func(int) []byte { return chat.CallBody{Call: [16]byte{7}, Reason: "lost"}.Encode() }
	flood(t, s, "desk", 1, chat.KindCall, call)
	for _, row := range []struct {
		name string
		kind chat.Kind
		body func(i int) []byte
	}{
		{"edits", chat.KindEdit, func(i int) []byte { return chat.EditBody{Of: a, Text: fmt.Sprint("edit ", i%10)}.Encode() }},
		{"reactions", chat.KindReaction, func(i int) []byte { return chat.ReactionBody{Of: a, Emoji: fmt.Sprint(i), On: true}.Encode() }},
		{"records of one call", chat.KindCall, call},
		{"edits that cannot be read", chat.KindEdit, func(int) []byte { return append(a[:], 0xff) }},
		{"deletes", chat.KindDelete, func(int) []byte { return chat.DeleteBody{Of: a}.Encode() }},
		{"edits of what is deleted", chat.KindEdit, func(int) []byte { return chat.EditBody{Of: a, Text: "again"}.Encode() }},
	} {
		cost := func() float64 {
			return testing.AllocsPerRun(3, func() {
				flood(t, s, "desk", 1, row.kind, row.body)
				if n := len(lastPage(t, s)); n != 2 {
					t.Errorf("%d rows", n)
				}
			})
		}
		flood(t, s, "desk", 100, row.kind, row.body)
		before := cost()
		flood(t, s, "desk", 600, row.kind, row.body)
		if after := cost(); after > before*1.2+100 {
			t.Errorf("%s: one more allocates %v times after 100 of them, and %v times after 700", row.name, before, after)
		}
	}
}

func TestBothEndsCountTheSameOfAFlood(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	a := text(t, from, bo, "desk", "first").Hash()
	say(t, from, ana, "laptop", chat.KindReaction, chat.ReactionBody{Of: a, Emoji: "👍", On: true}.Encode())
	for i, device := range []string{"desk", "phone", "desk"} {
		flood(t, from, device, 100, chat.KindReaction, func(j int) []byte {
			return chat.ReactionBody{Of: a, Emoji: fmt.Sprint(i, " ", j), On: true}.Encode()
		})
		flood(t, from, device, 100, chat.KindEdit, func(j int) []byte { return chat.EditBody{Of: a, Text: fmt.Sprint(device, i, j)}.Encode() })
		flood(t, from, device, 20, chat.KindCall, func(j int) []byte {
			return chat.CallBody{Call: [16]byte{7}, Reason: "lost", Report: fmt.Appendf(nil, "%s %d", device, j)}.Encode()
		})
	}
	flood(t, from, "phone", 50, chat.KindEdit, func(int) []byte { return append(a[:], 0xff) })
	want := everything(t, from)
	row, _, err := from.Row(a)
	if err != nil || row.Text != "desk2 99" || len(row.Reactions) != 1+64+64 || row.Reactions[0].Emoji != "👍" {
		t.Errorf("the row says %q under %d reactions, %v", row.Text, len(row.Reactions), err)
	}
	for _, r := range lastPage(t, from) {
		if r.Kind == chat.KindCall && len(r.Reports) != 2 {
			t.Errorf("%d devices report %d times of a call", 2, len(r.Reports))
		}
	}
	// The other end hears the phone first, and the row last.
	for _, device := range []string{"phone", "laptop", "desk"} {
		var have []chat.Tip
		for _, other := range []string{"phone", "laptop", "desk"} {
			p := map[string]person{"phone": bo, "laptop": ana, "desk": bo}[other]
			if other != device {
				have = append(have, chat.Tip{Device: p.device(other), Seq: chat.MaxSeq - 1})
			}
		}
		encoded, err := from.EventsAfter(talk, have, 10_000, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range encoded {
			e, err := chat.ParseEvent(b)
			if err != nil {
				t.Fatal(err)
			}
			author := map[bool]person{true: ana, false: bo}[e.Device == ana.device("laptop")]
			if added, err := appendTo(t, to, e, author); err != nil || !added {
				t.Fatal(added, err)
			}
		}
	}
	differ(t, "the other end", everything(t, to), want)
	if _, err := from.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	differ(t, "drawn again", everything(t, from), want)
}

func TestADatabaseOfTheFirstVersionIsBroughtAlong(t *testing.T) {
	dir := t.TempDir()
	s := closing(t, dir)
	aStory(t, s)
	want := everything(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite3.Open("file:" + config(dir).Path + "?vfs=adiantum&hexkey=" + hex.EncodeToString(key[:]))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fts5.Register(db), db.Exec(`DROP INDEX event_target; DROP INDEX event_call;
		ALTER TABLE event DROP COLUMN kind; CREATE INDEX event_target ON event(target) WHERE target IS NOT NULL; DROP TABLE indexed;
		PRAGMA user_version=1`), db.Close()); err != nil {
		t.Fatal(err)
	}
	differ(t, "brought along", everything(t, open(t, dir)), want)
}
