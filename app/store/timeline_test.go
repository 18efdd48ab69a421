package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

func TestAConversationReadsInOrder(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, ana, "laptop", "are you there?")
	text(t, s, bo, "desk", "yes")
	text(t, s, ana, "laptop", "good")
	rows := lastPage(t, s)
	if got := texts(rows); !slices.Equal(got, []string{"are you there?", "yes", "good"}) {
		t.Fatal(got)
	}
	if rows[0].Author != ana.id || rows[1].Author != bo.id || rows[1].Device != bo.device("desk") {
		t.Error("the authors are mixed up")
	}
	if rows[0].State != chat.Written || rows[1].State != chat.Received {
		t.Errorf("states %v and %v", rows[0].State, rows[1].State)
	}
}

func TestPagesMeetWithoutGapOrOverlap(t *testing.T) {
	s := open(t, t.TempDir())
	var want []string
	for i := range 95 {
		want = append(want, fmt.Sprint("message ", i))
		text(t, s, []person{ana, bo}[i%2], "laptop", want[i])
	}
	last, err := s.Page(talk, store.Query{Limit: 10})
	if err != nil || last.Later || !last.Earlier || len(last.Rows) != 10 {
		t.Fatalf("%d rows, %v %v, %v", len(last.Rows), last.Earlier, last.Later, err)
	}
	got := last.Rows
	for p := last; p.Earlier; {
		if p, err = s.Page(talk, store.Query{Before: got[0].ID, Limit: 10}); err != nil || !p.Later {
			t.Fatal(p.Later, err)
		}
		got = append(p.Rows, got...)
	}
	if !slices.Equal(texts(got), want) {
		t.Fatalf("going up: %q", texts(got))
	}
	up := got
	got = got[:1:1]
	for p := (store.Page{Later: true}); p.Later; got = append(got, p.Rows...) {
		if p, err = s.Page(talk, store.Query{After: got[len(got)-1].ID, Limit: 7}); err != nil || !p.Earlier {
			t.Fatal(p.Earlier, err)
		}
	}
	if !reflect.DeepEqual(got, up) {
		t.Fatalf("going down: %q", texts(got))
	}
	p, err := s.Page(talk, store.Query{Around: up[40].ID, Limit: 5})
	if err != nil || !slices.Equal(texts(p.Rows), want[38:43]) || !p.Earlier || !p.Later {
		t.Fatalf("around 40: %q, %v", texts(p.Rows), err)
	}
	if h, err := s.Oldest(talk); err != nil || h != up[0].ID {
		t.Errorf("the oldest is %v, %v", h, err)
	}
}

func TestAPageOfNothingIsEmpty(t *testing.T) {
	s := open(t, t.TempDir())
	if p, err := s.Page(talk, store.Query{}); err != nil || len(p.Rows) != 0 || p.Earlier || p.Later {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := s.Page(talk, store.Query{Before: chat.Hash{1}}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before a row that is not there: %v", err)
	}
	if _, err := s.Oldest(talk); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("oldest of nothing: %v", err)
	}
	if _, _, err := s.Row(chat.Hash{1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a row that is not there: %v", err)
	}
}

func TestEditsReactionsAndDeletesShowInTheRow(t *testing.T) {
	s := open(t, t.TempDir())
	a := text(t, s, ana, "laptop", "helo").Hash()
	say(t, s, ana, "laptop", chat.KindEdit, chat.EditBody{Of: a, Text: "hello"}.Encode())
	say(t, s, bo, "desk", chat.KindReaction, chat.ReactionBody{Of: a, Emoji: "👍", On: true}.Encode())
	row, conv, err := s.Row(a)
	if err != nil || conv != talk || row.Text != "hello" || !row.Edited || len(row.Reactions) != 1 {
		t.Fatalf("%+v, %v", row, err)
	}
	say(t, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: a}.Encode())
	if row, _, _ := s.Row(a); row.Deleted {
		t.Error("bo deleted what ana wrote")
	}
	say(t, s, ana, "laptop", chat.KindDelete, chat.DeleteBody{Of: a}.Encode())
	row, _, err = s.Row(a)
	if err != nil || !row.Deleted || row.Text != "" || row.Reactions != nil {
		t.Errorf("%+v, %v", row, err)
	}
	if n := len(lastPage(t, s)); n != 1 {
		t.Errorf("%d rows: effects are rows", n)
	}
}

func TestAReplyQuotesWhatTheRowSaysNow(t *testing.T) {
	s := open(t, t.TempDir())
	a := text(t, s, bo, "desk", strings.Repeat("é", 300)).Hash()
	say(t, s, ana, "laptop", chat.KindReply, chat.ReplyBody{To: a, Text: "indeed"}.Encode())
	say(t, s, ana, "laptop", chat.KindReply, chat.ReplyBody{To: chat.Hash{9}, Text: "to what?"}.Encode())
	rows := lastPage(t, s)
	if p := rows[1].Reply; p == nil || p.ID != a || p.Author != bo.id || p.Text != strings.Repeat("é", 200) {
		t.Errorf("%+v", p)
	}
	if rows[2].Reply != nil {
		t.Errorf("%+v", rows[2].Reply)
	}
	say(t, s, bo, "desk", chat.KindEdit, chat.EditBody{Of: a, Text: "short"}.Encode())
	if p := lastPage(t, s)[1].Reply; p.Text != "short" {
		t.Errorf("%+v", p)
	}
	say(t, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: a}.Encode())
	if p := lastPage(t, s)[1].Reply; !p.Deleted || p.Text != "" {
		t.Errorf("%+v", p)
	}
}

func TestAnEffectThatComesBeforeItsRowIsNotLost(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	a := text(t, from, bo, "desk", "helo").Hash()
	// The edit is by another device of bo: its chain can arrive first.
	say(t, from, bo, "phone", chat.KindEdit, chat.EditBody{Of: a, Text: "hello"}.Encode())
	encoded, err := from.EventsAfter(talk, nil, 10, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(encoded)
	for _, b := range encoded {
		take(t, to, b, bo)
	}
	if rows := lastPage(t, to); len(rows) != 1 || rows[0].Text != "hello" || !rows[0].Edited {
		t.Fatalf("%+v", rows)
	}
	if hits, err := to.Search("hello", nil, 10); err != nil || len(hits) != 1 {
		t.Errorf("%d hits for the edit, %v", len(hits), err)
	}
	if hits, _ := to.Search("helo", nil, 10); len(hits) != 0 {
		t.Error("the old text is still found")
	}
}

// take appends an event that came from elsewhere.
func take(tb testing.TB, s *store.Store, encoded []byte, author person) {
	tb.Helper()
	e, err := chat.ParseEvent(encoded)
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, s, func(tx *store.Tx) error {
		_, err := tx.Append(e, author.id)
		return err
	})
}

// receive keeps a receipt by a device of somebody.
func receive(tb testing.TB, s *store.Store, by person, device string, author person, authorDevice string, delivered, seen uint64) bool {
	tb.Helper()
	r := chat.Receipt{Conv: talk, By: by.device(device), Author: author.device(authorDevice), Delivered: delivered, Seen: seen, Time: 1}
	r.Sign(signer(r.By))
	var changed bool
	write(tb, s, func(tx *store.Tx) (err error) {
		changed, err = tx.PutReceipt(r)
		return err
	})
	return changed
}

func states(rows []store.RowView) (out []chat.State) {
	for _, r := range rows {
		out = append(out, r.State)
	}
	return out
}

func TestTicksFollowTheReceiptsAndNeverGoBack(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, func(tx *store.Tx) error { return tx.PutDevice(store.Device{ID: ana.device("phone"), Person: ana.id}) })
	for range 4 {
		text(t, s, ana, "laptop", "tick")
	}
	want := func(what string, w ...chat.State) {
		t.Helper()
		if got := states(lastPage(t, s)); !slices.Equal(got, w) {
			t.Errorf("%s: %v", what, got)
		}
	}
	want("nothing yet", chat.Written, chat.Written, chat.Written, chat.Written)
	receive(t, s, ana, "phone", ana, "laptop", 4, 4)
	want("on another device of ours", chat.Written, chat.Written, chat.Written, chat.Written)
	if !receive(t, s, bo, "desk", ana, "laptop", 3, 1) {
		t.Error("a receipt changed nothing")
	}
	want("bo's desk", chat.Seen, chat.Delivered, chat.Delivered, chat.Written)
	if receive(t, s, bo, "desk", ana, "laptop", 2, 1) {
		t.Error("an older receipt changed something")
	}
	receive(t, s, bo, "phone", ana, "laptop", 4, 0)
	want("bo's phone too", chat.Seen, chat.Delivered, chat.Delivered, chat.Delivered)
	rs, err := s.Receipts(talk)
	if err != nil || len(rs) != 3 {
		t.Errorf("%d receipts, %v", len(rs), err)
	}
	r, err := s.Receipt(talk, bo.device("desk"), ana.device("laptop"))
	if err != nil || r.Delivered != 3 || r.Seen != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := s.Receipt(talk, bo.device("tv"), ana.device("laptop")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a receipt nobody gave: %v", err)
	}
}

func TestUnreadIsWhatOthersWroteAndWeHaveNotSeen(t *testing.T) {
	s := open(t, t.TempDir())
	want := func(what string, count int, first chat.Hash) {
		t.Helper()
		if u, err := s.Unread(talk); err != nil || u.Count != count || u.First != first {
			t.Errorf("%s: %+v, %v", what, u, err)
		}
		if c, err := s.Summary(talk); err != nil || c.Unread != count || c.First != first {
			t.Errorf("%s: summary %+v, %v", what, c, err)
		}
	}
	want("nothing", 0, chat.Hash{})
	text(t, s, ana, "laptop", "mine")
	want("only ours", 0, chat.Hash{})
	b1 := text(t, s, bo, "desk", "one").Hash()
	b2 := text(t, s, bo, "phone", "two").Hash()
	b3 := text(t, s, bo, "desk", "three").Hash()
	say(t, s, bo, "desk", chat.KindReaction, chat.ReactionBody{Of: b1, Emoji: "👍", On: true}.Encode())
	want("three of theirs", 3, b1)
	due := markRead(t, s, b2)
	want("the first two read", 1, b3)
	if len(due) != 2 || due[0].Seen != 1 || due[1].Seen != 1 {
		t.Errorf("receipts due: %+v", due)
	}
	if due := markRead(t, s, b1); len(due) != 0 {
		t.Errorf("read again, and %d receipts are due", len(due))
	}
	say(t, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: b3}.Encode())
	want("the last one taken back", 0, chat.Hash{})
	b4 := text(t, s, bo, "desk", "four").Hash()
	want("a new one", 1, b4)
	write(t, s, func(tx *store.Tx) error { return tx.PutDevice(store.Device{ID: ana.device("phone"), Person: ana.id}) })
	receive(t, s, ana, "phone", bo, "desk", 99, 99)
	want("seen on another device of ours", 0, chat.Hash{})
	own, err := s.OwnReceipts(talk)
	if err != nil || len(own) != 2 {
		t.Fatalf("%+v, %v", own, err)
	}
	for _, r := range own {
		if r.Author == bo.device("desk") && (r.Delivered != 5 || r.Seen != 5) {
			t.Errorf("bo's desk: %+v", r)
		}
	}
}

func markRead(tb testing.TB, s *store.Store, upTo chat.Hash) (due []chat.Receipt) {
	tb.Helper()
	write(tb, s, func(tx *store.Tx) (err error) {
		due, err = tx.MarkRead(talk, upTo)
		return err
	})
	return due
}

// What a friend wrote while offline may stand above the line up to which all
// was read. It was not read all the same.
func TestALateMessageFurtherUpIsUnread(t *testing.T) {
	s := open(t, t.TempDir())
	for range 5 {
		text(t, s, ana, "laptop", "talking to myself")
	}
	end := text(t, s, bo, "desk", "here I am").Hash()
	markRead(t, s, end)
	late := &chat.Event{Conv: talk, Device: bo.device("boat"), Seq: 1, Depth: 1, Time: 5, Kind: chat.KindText, Body: []byte("from the sea")}
	take(t, s, late.Encode(), bo)
	if u, err := s.Unread(talk); err != nil || u.Count != 1 || u.First != late.Hash() {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestTheLastActiveConversationIsFirst(t *testing.T) {
	s := open(t, t.TempDir())
	cleo := who("cleo")
	other := chat.Direct(ana.id, cleo.id)
	text(t, s, bo, "desk", "first")
	e := &chat.Event{Conv: other, Device: cleo.device("desk"), Seq: 1, Depth: 1, Time: 1, Kind: chat.KindText, Body: []byte("my clock is wrong")}
	take(t, s, e.Encode(), cleo)
	all, err := s.Conversations()
	if err != nil || len(all) != 2 || all[0].Conv != other || all[0].Unread != 1 || all[0].Last.Text != "my clock is wrong" {
		t.Fatalf("%+v, %v", all, err)
	}
	text(t, s, ana, "laptop", "second")
	all, err = s.Conversations()
	if err != nil || all[0].Conv != talk || all[0].Last.Text != "second" || all[0].Activity <= all[1].Activity {
		t.Fatalf("%+v, %v", all, err)
	}
}

func TestEveryKindOfEventHasItsPlaceInTheTimeline(t *testing.T) {
	s := open(t, t.TempDir())
	call := chat.CallBody{Call: [16]byte{1}, Outgoing: true, Reason: "missed"}
	change := chat.DeviceBody{Act: chat.DeviceAdded, Person: bo.id, Device: bo.device("phone"), Name: "phone"}
	say(t, s, bo, "desk", chat.KindCall, call.Encode())
	say(t, s, bo, "desk", chat.KindDevice, change.Encode())
	say(t, s, bo, "desk", 200, []byte("from the future"))
	say(t, s, bo, "desk", chat.KindText, []byte{0xff})
	say(t, s, bo, "desk", chat.KindEdit, []byte("broken"))
	rows := lastPage(t, s)
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	if rows[0].Call == nil || !reflect.DeepEqual(*rows[0].Call, call) || rows[1].Change == nil || *rows[1].Change != change {
		t.Errorf("%+v\n%+v", rows[0], rows[1])
	}
	if !rows[2].Unknown || !rows[3].Unknown || rows[3].Text != "" {
		t.Errorf("%+v\n%+v", rows[2], rows[3])
	}
	// A device change is news, but nothing that waits for an answer.
	if u, err := s.Unread(talk); err != nil || u.Count != 3 {
		t.Errorf("%+v, %v", u, err)
	}
	encoded, err := s.EventsAfter(talk, nil, 100, 1<<20)
	if err != nil || len(encoded) != 5 {
		t.Errorf("%d events are passed on, %v", len(encoded), err)
	}
}

func TestTwoThatWroteAtOnceStandAlikeForBoth(t *testing.T) {
	anas, bos := open(t, t.TempDir()), open(t, t.TempDir())
	a := text(t, anas, ana, "laptop", "from ana")
	b := text(t, bos, bo, "desk", "from bo")
	take(t, anas, b.Encode(), bo)
	take(t, bos, a.Encode(), ana)
	if x, y := texts(lastPage(t, anas)), texts(lastPage(t, bos)); !slices.Equal(x, y) || len(x) != 2 {
		t.Errorf("%q and %q", x, y)
	}
	c := text(t, anas, ana, "laptop", "after both")
	if c.Depth != 2 || len(c.Heads) != 1 {
		t.Errorf("depth %d, %d heads", c.Depth, len(c.Heads))
	}
	take(t, bos, c.Encode(), ana)
	if rows := lastPage(t, bos); rows[2].Text != "after both" {
		t.Errorf("%q", texts(rows))
	}
}
