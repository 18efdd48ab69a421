package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// ours gives a device of ana its key, as on the machine it runs on.
func ours(tb testing.TB, s *store.Store, device string) {
	tb.Helper()
	d := ana.device(device)
	write(tb, s, func(tx *store.Tx) error {
		return tx.PutConvKey(talk, d, [32]byte(signer(d)[32:]), signer(d).Seed())
	})
}

// forgotten is a store in which ana talked to bo and then forgot bo, and what
// she had said.
func forgotten(tb testing.TB, dir string) (s *store.Store, said []*chat.Event) {
	tb.Helper()
	s = closing(tb, dir)
	ours(tb, s, "laptop")
	theirs := text(tb, s, bo, "desk", "qwtheirs")
	said = append(said,
		text(tb, s, ana, "laptop", "qwours"),
		say(tb, s, ana, "laptop", chat.KindReaction, chat.ReactionBody{Of: theirs.Hash(), Emoji: "👍", On: true}.Encode()))
	said = append(said, say(tb, s, ana, "laptop", chat.KindDelete, chat.DeleteBody{Of: said[0].Hash()}.Encode()))
	text(tb, s, ana, "phone", "qwphone")
	said = append(said, text(tb, s, ana, "laptop", "qwlast"))
	receive(tb, s, bo, "desk", ana, "laptop", 3, 2)
	write(tb, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutContact(friend()), tx.PutDraft(talk, store.Draft{Text: "qwdraft"}))
	})
	write(tb, s, func(tx *store.Tx) error { return tx.DeleteContact(bo.id) })
	return s, said
}

// wantForgotten checks that nothing of the conversation can be seen.
func wantForgotten(tb testing.TB, s *store.Store) {
	tb.Helper()
	all, err := s.Conversations()
	c, errOne := s.Summary(talk)
	receipts, errReceipts := s.Receipts(talk)
	draft, errDraft := s.Draft(talk)
	_, errOldest := s.Oldest(talk)
	if err := errors.Join(err, errOne, errReceipts, errDraft); err != nil || !errors.Is(errOldest, store.ErrNotFound) {
		tb.Fatal(err, errOldest)
	}
	if len(all) != 0 || len(lastPage(tb, s)) != 0 || len(receipts) != 0 || draft != (store.Draft{}) || len(find(tb, s, "qw")) != 0 {
		tb.Error("the conversation is still there")
	}
	if c.Unread != 0 || c.Last != nil || c.Activity != 0 {
		tb.Errorf("its summary is %+v", c)
	}
}

func TestOurOwnChainOutlivesTheConversation(t *testing.T) {
	dir := t.TempDir()
	s, said := forgotten(t, dir)
	wantForgotten(t, s)
	if _, _, err := s.Row(said[0].Hash()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a row of it: %v", err)
	}
	if k, err := s.ConvKey(talk, ana.device("laptop")); err != nil || !bytes.Equal(k.Priv, signer(k.Device).Seed()) {
		t.Errorf("our key is %+v, %v", k, err)
	}
	tips, err := s.Tips(talk)
	if err != nil || len(tips) != 1 || tips[0].Hash != said[3].Hash() {
		t.Errorf("the chains end at %+v, %v", tips, err)
	}
	for _, old := range said {
		e := again(t, s, old.Hash())
		if e.Redacted() != (e.Kind != chat.KindDelete) || !e.Verify([32]byte(signer(e.Device)[32:])) {
			t.Errorf("%v: redacted %v", e.Kind, e.Redacted())
		}
	}
	next := text(t, s, ana, "laptop", "hello again")
	if next.Seq != 5 || next.Prev != said[3].Hash() {
		t.Errorf("the next event is %+v", next)
	}
	if got := texts(lastPage(t, s)); !slices.Equal(got, []string{"hello again"}) {
		t.Errorf("%q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, dir, "theirs", "ours", "phone", "last", "draft", "👍")
}

func TestWhatWasForgottenStaysSoAfterRebuildAndSnapshot(t *testing.T) {
	s, said := forgotten(t, t.TempDir())
	if lost, err := s.Rebuild(t.Context()); err != nil || lost != 0 {
		t.Fatal(lost, err)
	}
	wantForgotten(t, s)
	loaded := open(t, t.TempDir())
	var file bytes.Buffer
	if err := s.Snapshot(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := loaded.Load(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
			t.Fatal(err)
		}
		wantForgotten(t, loaded)
	}
	for _, s := range []*store.Store{s, loaded} {
		if next := text(t, s, ana, "laptop", "hello again"); next.Seq != 5 || next.Prev != said[3].Hash() {
			t.Errorf("the next event is %+v", next)
		}
		write(t, s, func(tx *store.Tx) error { return tx.DeleteConversation(talk) })
		wantForgotten(t, s)
	}
}

// A backup from before, loaded into what is left, must not bring words back
// that nobody would ever see or delete.
func TestWhatWasForgottenIsNotLoadedWhole(t *testing.T) {
	before, dir := open(t, t.TempDir()), t.TempDir()
	ours(t, before, "laptop")
	text(t, before, ana, "laptop", "qwold")
	after, _ := forgotten(t, t.TempDir())
	var old, mark bytes.Buffer
	if err := errors.Join(before.Snapshot(t.Context(), &old), after.Snapshot(t.Context(), &mark)); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(old.String(), "\n")
	for l := range strings.Lines(mark.String()) {
		if strings.HasPrefix(l, `{"forgot"`) {
			lines = slices.Insert(lines, 1, l)
		}
	}
	lines[len(lines)-2] = fmt.Sprintf(`{"end":{"Lines":%d}}`, len(lines)-2)
	s := closing(t, dir)
	if err := s.Load(t.Context(), strings.NewReader(strings.Join(lines, ""))); err != nil {
		t.Fatal(err)
	}
	wantForgotten(t, s)
	if tips, err := s.Tips(talk); err != nil || len(tips) != 1 {
		t.Errorf("%+v, %v", tips, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, dir, "old")
}

// The friend still has it all: what they wrote comes back, what we wrote goes
// on, and what we took back is taken back there too.
func TestTwoWhoMeetAgainGoOnWhereTheyWere(t *testing.T) {
	anas, bos := open(t, t.TempDir()), open(t, t.TempDir())
	ours(t, anas, "laptop")
	sync := func(from, to *store.Store) {
		t.Helper()
		have, err := to.Tips(talk)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := from.EventsAfter(talk, have, 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range encoded {
			e, err := chat.ParseEvent(b)
			if err != nil {
				t.Fatal(err)
			}
			take(t, to, b, map[bool]person{true: ana, false: bo}[e.Device == ana.device("laptop")])
		}
	}
	e := text(t, anas, ana, "laptop", "one")
	sync(anas, bos)
	text(t, bos, bo, "desk", "two")
	sync(bos, anas)
	say(t, anas, ana, "laptop", chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	text(t, anas, ana, "laptop", "never delivered")
	write(t, anas, func(tx *store.Tx) error { return tx.DeleteConversation(talk) })
	sync(bos, anas)
	text(t, anas, ana, "laptop", "hello again")
	sync(anas, bos)
	if got := texts(lastPage(t, anas)); !slices.Equal(got, []string{"two", "hello again"}) {
		t.Errorf("ana reads %q", got)
	}
	rows := lastPage(t, bos)
	if got := texts(rows); !slices.Equal(got, []string{"", "two", "", "hello again"}) || !rows[0].Deleted || !rows[2].Deleted {
		t.Errorf("bo reads %q", got)
	}
	if a, err := anas.Conversations(); err != nil || len(a) != 1 || a[0].Unread != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}
