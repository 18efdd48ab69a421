package store_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// find searches twice: before all words are in the index, and after.
func find(tb testing.TB, s *store.Store, words string) []string {
	tb.Helper()
	before := found(tb, s, words)
	indexAll(tb, s)
	after := found(tb, s, words)
	if !slices.Equal(before, after) {
		tb.Errorf("%q finds %q, once indexed %q", words, before, after)
	}
	return after
}

// indexAll has no word wait any longer: who deletes a conversation, even one
// that is not there, leaves nothing waiting.
func indexAll(tb testing.TB, s *store.Store) {
	tb.Helper()
	write(tb, s, func(tx *store.Tx) error { return tx.DeleteConversation(chat.Direct(who("x").id, who("y").id)) })
}

func found(tb testing.TB, s *store.Store, words string) []string {
	tb.Helper()
	hits, err := s.Search(words, nil, 50)
	if err != nil {
		tb.Fatalf("search %q: %v", words, err)
	}
	var out []string
	for _, h := range hits {
		out = append(out, h.Row.Text)
	}
	return out
}

func TestSearchFindsWhatPeopleMean(t *testing.T) {
	s := open(t, t.TempDir())
	for _, said := range []string{
		"Meet me at the harbour", "Un café à Besançon", "STRASSE und Straße", "我喜歡日本語和咖啡", "カタカナとひらがな",
		"내친구는 서울에 산다", "привет, как дела", "مرحبا بالعالم", "हिन्दी में लिखो", "สวัสดีชาวโลก", "C++ is 100% fun", "order-66 it's",
	} {
		text(t, s, bo, "desk", said)
	}
	for words, want := range map[string]string{
		"harbour":          "Meet me at the harbour",
		"HARB":             "Meet me at the harbour", // the last word may be a beginning
		"the meet":         "Meet me at the harbour", // in any order
		"cafe besancon":    "Un café à Besançon",
		"cafe\u0301":       "Un café à Besançon",
		"strasse":          "STRASSE und Straße",
		"日本語":              "我喜歡日本語和咖啡",
		"語":                "我喜歡日本語和咖啡",
		"咖啡":               "我喜歡日本語和咖啡",
		"咖啡 日本":            "我喜歡日本語和咖啡",
		"啡":                "我喜歡日本語和咖啡",
		"ひらがな":             "カタカナとひらがな",
		"친구":               "내친구는 서울에 산다",
		"ПРИВЕТ":           "привет, как дела",
		"بالعالم":          "مرحبا بالعالم",
		"लिखो":             "हिन्दी में लिखो",
		"ชาว":              "สวัสดีชาวโลก",
		"100":              "C++ is 100% fun",
		"order-66":         "order-66 it's",
		"it's":             "order-66 it's",
		"\"harbour\" OR *": "",
	} {
		got := find(t, s, words)
		if want == "" {
			continue // it must only not be an error
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%q finds %q", words, got)
		}
	}
}

func TestSearchFindsNothingElse(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, bo, "desk", "日本と本語")
	text(t, s, bo, "desk", "harbours and ships")
	for _, words := range []string{"日本語", "harbour ship cargo", "arbour", "ship harbour and x", "   ", "", "!?", "\x00", "🎉"} {
		if got := find(t, s, words); len(got) != 0 {
			t.Errorf("%q finds %q", words, got)
		}
	}
	// Only the last word may be a beginning.
	if got := find(t, s, "harb ships"); len(got) != 0 {
		t.Errorf("finds %q", got)
	}
}

func TestNothingAPersonTypesIsSyntax(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, bo, "desk", "and or not near text")
	for _, words := range []string{
		`"`, `""`, `'`, `AND`, `OR`, `NOT`, `NEAR(a b)`, `text:and`, `and*`, `^and`, `(and`, `{text}:x`, `-and`, `a + b`, `; DROP TABLE event`, strings.Repeat("a ", 5000), strings.Repeat("語", 5000),
	} {
		find(t, s, words)
	}
	if got := find(t, s, `AND OR NOT`); len(got) != 1 {
		t.Errorf("its own words are not found: %q", got)
	}
}

func TestSearchFollowsEditsAndDeletes(t *testing.T) {
	s := open(t, t.TempDir())
	h := text(t, s, ana, "laptop", "the wrong word").Hash()
	say(t, s, ana, "laptop", chat.KindEdit, chat.EditBody{Of: h, Text: "the right word"}.Encode())
	if len(find(t, s, "wrong")) != 0 || len(find(t, s, "right")) != 1 {
		t.Error("the edit was not followed")
	}
	say(t, s, ana, "laptop", chat.KindDelete, chat.DeleteBody{Of: h}.Encode())
	if len(find(t, s, "right")) != 0 {
		t.Error("a deleted row is found")
	}
}

func TestSearchCanStayInOneConversationAndLatestComesFirst(t *testing.T) {
	s := open(t, t.TempDir())
	cleo := who("cleo")
	other := chat.Direct(ana.id, cleo.id)
	text(t, s, bo, "desk", "coffee one")
	text(t, s, bo, "desk", "coffee two")
	take(t, s, (&chat.Event{Conv: other, Device: cleo.device("x"), Seq: 1, Depth: 1, Kind: chat.KindText, Body: []byte("coffee three")}).Encode(), cleo)
	if got := find(t, s, "coffee"); !slices.Equal(got, []string{"coffee three", "coffee two", "coffee one"}) {
		t.Errorf("%q", got)
	}
	hits, err := s.Search("coffee", &talk, 1)
	if err != nil || len(hits) != 1 || hits[0].Row.Text != "coffee two" || hits[0].Conv != talk {
		t.Errorf("%+v, %v", hits, err)
	}
}

func TestASnippetShowsTheMatch(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, bo, "desk", strings.Repeat("é blah ", 200)+"the Quokka, a quokka! "+strings.Repeat("語", 300))
	hits, err := s.Search("a quok", nil, 10)
	if err != nil || len(hits) != 1 {
		t.Fatal(len(hits), err)
	}
	h := hits[0]
	var marked []string
	for _, m := range h.Matches {
		marked = append(marked, h.Snippet[m[0]:m[1]])
	}
	if !slices.Equal(marked, []string{"Quokka", "a", "quokka"}) || len(h.Snippet) > 200 || !utf8.ValidString(h.Snippet) {
		t.Errorf("%q in %q", marked, h.Snippet)
	}
}

func FuzzSearch(f *testing.F) {
	s, err := store.Open(f.Context(), config(f.TempDir()))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	text(f, s, bo, "desk", "Meet me at the harbour, 日本語で café")
	for _, q := range []string{"harbour", `"a* OR`, "日本", "café NEAR x", "ab\x00c", "\xff"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, words string) {
		hits, err := s.Search(words, nil, 10)
		if err != nil {
			t.Fatalf("%q: %v", words, err)
		}
		for _, h := range hits {
			for _, m := range h.Matches {
				if !utf8.ValidString(h.Snippet[m[0]:m[1]]) {
					t.Fatalf("%q marks %v in %q", words, m, h.Snippet)
				}
			}
		}
	})
}
