package chat_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entrenous/entrenous/app/chat"
)

func TestAMessageKeepsWhatPeopleWrite(t *testing.T) {
	for _, s := range []string{
		"hello", " spaces stay ", "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 👍🏽", "مرحبا, שלום", "می\u200cخواهم", "日本語", "a\u200bb", "two\nlines", "tab\there",
	} {
		if got, err := chat.CleanText(s); err != nil || got != s {
			t.Errorf("%q became %q, %v", s, got, err)
		}
	}
	if got, _ := chat.CleanText("a\r\nb\rc\n"); got != "a\nb\nc\n" {
		t.Errorf("line ends: %q", got)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for s, want := range map[string]error{
		"":        chat.ErrEmptyText,
		" \r\n\t": chat.ErrEmptyText,
		"a\x00b":  chat.ErrNotText,
		"a\xffb":  chat.ErrNotText,
	} {
		if _, err := chat.CleanText(s); !errors.Is(err, want) {
			t.Errorf("%q: %v", s, err)
		}
	}
	_, err := chat.CleanText(strings.Repeat("é", chat.MaxText))
	var long *chat.TooLongError
	if !errors.As(err, &long) || long.Bytes != 2*chat.MaxText || long.Limit != chat.MaxText {
		t.Errorf("too long: %v", err)
	}
	if _, err := chat.CleanText(strings.Repeat("a", chat.MaxText)); err != nil {
		t.Errorf("as long as it may be: %v", err)
	}
}

func TestAForeignTextStaysInItsPlace(t *testing.T) {
	for in, want := range map[string]string{
		"plain 👩‍👩‍👧‍👦 می\u200cخواهم": "plain 👩‍👩‍👧‍👦 می\u200cخواهم",
		"a\u202egnp.exe":                  "agnp.exe",                        // the override that turns file names around
		"\u202aa\u202c b":                 "a b",                             // embeddings
		"a\u2067b":                        "a\u2067b\u2069",                  // an isolate left open
		"\u2066a\nb\u2069":                "\u2066a\u2069\nb",                // must not reach the next line
		"\u2069a":                         "a",                               // a close that opens nothing
		"\u2067a\u2069 b":                 "\u2067a\u2069 b",                 // a proper one
		"\x07bell\x1b[31m\u0085next":      "bell[31m\nnext",                  // controls
		"a\u2028b":                        "a\nb",                            // line separator
		"e" + strings.Repeat("\u0301", 9): "e" + strings.Repeat("\u0301", 8), // marks upon marks
	} {
		if got := chat.DisplayText(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	zalgo := chat.DisplayText(strings.Repeat("H"+strings.Repeat("\u0336\u200d", 200), 3))
	if n := strings.Count(zalgo, "\u0336"); n != 24 {
		t.Errorf("%d marks are left", n)
	}
}

func TestAForeignNameIsOneShortLine(t *testing.T) {
	for in, want := range map[string]string{
		"Ana":                               "Ana",
		"  Ana \n\t Bo  ":                   "Ana Bo",
		"\u202eanA":                         "anA",
		"\u2067Ana":                         "Ana",
		"A\u200bn\ufeffa\u00ad":             "Ana",
		"علی\u200cرضا":                      "علی\u200cرضا",
		"👩‍👩‍👧‍👦":                           "👩‍👩‍👧‍👦",
		"\u200d\u200c":                      "",
		"\x00\x01":                          "",
		"A" + strings.Repeat("\u0336", 100): "A" + strings.Repeat("\u0336", 8),
	} {
		if got := chat.DisplayName(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if n := utf8.RuneCountInString(chat.DisplayName(strings.Repeat("語", 1000))); n != chat.MaxName {
		t.Errorf("a name of %d characters", n)
	}
}

func FuzzDisplay(f *testing.F) {
	f.Add("a\u202eb\u2067c\nd\u0336\u0336")
	f.Fuzz(func(t *testing.T, s string) {
		text, name := chat.DisplayText(s), chat.DisplayName(s)
		if chat.DisplayText(text) != text || chat.DisplayName(name) != name {
			t.Fatal("shown twice, it changes again")
		}
		if strings.ContainsAny(text, "\u202a\u202b\u202c\u202d\u202e\x00\x1b") || strings.ContainsAny(name, "\n\u2066\u2067\u2068\u2069") {
			t.Fatalf("%q became %q and %q", s, text, name)
		}
		for _, line := range strings.Split(text, "\n") {
			if opened := strings.Count(line, "\u2066") + strings.Count(line, "\u2067") + strings.Count(line, "\u2068"); opened != strings.Count(line, "\u2069") {
				t.Fatalf("%q leaves an isolate open", line)
			}
		}
	})
}

func TestAHeavyScriptKeepsItsMarks(t *testing.T) {
	for _, s := range []string{"בְּרֵאשִׁ֖ית", "สวัสดีครับ", "हिन्दी", "ཀྵྨྲྀཾ", "é e\u0301", "☝🏽 ❤️ 1️⃣"} {
		if got := chat.DisplayText(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func BenchmarkDisplayText(b *testing.B) {
	s := strings.Repeat("plain words, été, 日本語, مرحبا 🎉\n", 20)
	for b.Loop() {
		chat.DisplayText(s)
	}
}
