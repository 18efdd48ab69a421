package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// everything is all that can be read of the conversation, to be compared.
func everything(tb testing.TB, s *store.Store) map[string]any {
	tb.Helper()
	out := map[string]any{}
	keep := func(name string) func(v any, err error) {
		return func(v any, err error) {
			if err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			out[name] = v
		}
	}
	page, err := s.Page(talk, store.Query{Limit: store.MaxPage})
	keep("page")(page, err)
	tips, err := s.Tips(talk)
	keep("tips")(tips, err)
	depth, err := s.Depth(talk)
	keep("depth")(depth, err)
	unread, err := s.Unread(talk)
	keep("unread")(unread, err)
	receipts, err := s.Receipts(talk)
	keep("receipts")(receipts, err)
	own, err := s.OwnReceipts(talk)
	keep("own receipts")(own, err)
	contacts, err := s.Contacts()
	keep("contacts")(contacts, err)
	draft, err := s.Draft(talk)
	keep("draft")(draft, err)
	for _, w := range []string{"alpha", "beta", "gamma", "delta", "a"} {
		hits, err := s.Search(w, nil, 0)
		keep("search "+w)(hits, err)
	}
	indexAll(tb, s)
	for _, w := range []string{"alpha", "beta", "gamma", "delta", "a"} {
		hits, err := s.Search(w, nil, 0)
		keep("search the index for "+w)(hits, err)
	}
	return out
}

func differ(tb testing.TB, what string, got, want map[string]any) {
	tb.Helper()
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			tb.Errorf("%s: %s is\n%+v, was\n%+v", what, name, got[name], want[name])
		}
	}
}

// aStory writes some of everything.
func aStory(tb testing.TB, s *store.Store) {
	tb.Helper()
	var hs []chat.Hash
	for i := range 30 {
		p, d := []person{ana, bo, bo}[i%3], []string{"laptop", "desk", "phone"}[i%3]
		hs = append(hs, text(tb, s, p, d, fmt.Sprint([]string{"alpha ", "beta ", "gamma "}[i%3], i)).Hash())
	}
	say(tb, s, ana, "laptop", chat.KindEdit, chat.EditBody{Of: hs[0], Text: "delta"}.Encode())
	say(tb, s, bo, "desk", chat.KindDelete, chat.DeleteBody{Of: hs[16]}.Encode())
	say(tb, s, bo, "desk", chat.KindReaction, chat.ReactionBody{Of: hs[3], Emoji: "🎉", On: true}.Encode())
	say(tb, s, bo, "desk", chat.KindReply, chat.ReplyBody{To: hs[0], Text: "alpha answer"}.Encode())
	say(tb, s, bo, "desk", 200, []byte("newer"))
	receive(tb, s, bo, "desk", ana, "laptop", 5, 2)
	markRead(tb, s, hs[10])
	write(tb, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutContact(friend()), tx.PutDevice(desk()), tx.PutList(bo.id, []byte("list")), tx.Set("theme", []byte("dark")),
			tx.PutConvKey(talk, ana.device("laptop"), [32]byte{3}, []byte("private")),
			tx.PutDraft(talk, store.Draft{Text: "half a"}), tx.PutInvite(store.Invite{Once: [16]byte{4}, Created: noon}))
	})
}

func TestTheIndexCanBeDrawnAgainFromTheEvents(t *testing.T) {
	s := open(t, t.TempDir())
	aStory(t, s)
	want := everything(t, s)
	lost, err := s.Rebuild(t.Context())
	if err != nil || lost != 0 {
		t.Fatalf("%d lost, %v", lost, err)
	}
	differ(t, "rebuilt", everything(t, s), want)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASnapshotMakesTheSameStore(t *testing.T) {
	s := open(t, t.TempDir())
	aStory(t, s)
	var file bytes.Buffer
	if err := s.Snapshot(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	again := open(t, t.TempDir())
	for range 2 { // twice does no harm
		if err := again.Load(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	differ(t, "loaded", everything(t, again), everything(t, s))
	d, err := again.Device(bo.device("desk"))
	if err != nil || !reflect.DeepEqual(d, desk()) {
		t.Errorf("%+v, %v", d, err)
	}
	k, err := again.ConvKey(talk, ana.device("laptop"))
	if err != nil || string(k.Priv) != "private" {
		t.Errorf("%+v, %v", k, err)
	}
	v, err := again.Value("theme")
	list, listErr := again.List(bo.id)
	invites, inviteErr := again.Invites()
	if errors.Join(err, listErr, inviteErr) != nil || string(v) != "dark" || string(list) != "list" || len(invites) != 1 || invites[0].Once != [16]byte{4} {
		t.Errorf("%q %q %+v", v, list, invites)
	}
	var second bytes.Buffer
	if err := again.Snapshot(t.Context(), &second); err != nil || second.String() != file.String() {
		t.Errorf("a snapshot of the loaded store differs, %v", err)
	}
}

func TestALoadTakesNothingBack(t *testing.T) {
	s := open(t, t.TempDir())
	aStory(t, s)
	var old bytes.Buffer
	if err := s.Snapshot(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	newer := friend()
	newer.Name = "Bobo"
	write(t, s, func(tx *store.Tx) error { return tx.PutContact(newer) })
	text(t, s, ana, "laptop", "since then")
	want := everything(t, s)
	if err := s.Load(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	differ(t, "after an old snapshot", everything(t, s), want)
}

func TestWhatIsNoWholeSnapshotIsToldApart(t *testing.T) {
	s := open(t, t.TempDir())
	aStory(t, s)
	var file bytes.Buffer
	if err := s.Snapshot(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(file.String(), "\n")
	another := config(t.TempDir())
	another.Self = bo.id
	bos, err := store.Open(t.Context(), another)
	if err != nil {
		t.Fatal(err)
	}
	defer bos.Close()
	if err := bos.Load(t.Context(), strings.NewReader(file.String())); !errors.Is(err, store.ErrOtherSelf) {
		t.Errorf("somebody else's: %v", err)
	}
	for name, text := range map[string]string{
		"empty":        "",
		"cut off":      strings.Join(lines[:20], ""),
		"cut in line":  file.String()[:file.Len()-10],
		"line missing": strings.Join(append(append([]string{}, lines[:5]...), lines[6:]...), ""),
		"no head":      strings.Join(lines[1:], ""),
		"no JSON":      "PK\x03\x04",
		"newer":        strings.Replace(file.String(), `"entrenous":1`, `"entrenous":2`, 1),
		"endless line": `{"head":{"entrenous":1,"self":"` + strings.Repeat("a", 2<<20),
	} {
		to := open(t, t.TempDir())
		if err := to.Load(t.Context(), strings.NewReader(text)); !errors.Is(err, store.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkRebuild(b *testing.B) {
	s := open(b, b.TempDir())
	fillWith(b, s, history(20_000), 256)
	for b.Loop() {
		if _, err := s.Rebuild(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
