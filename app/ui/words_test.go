package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/assets"
)

func mustWords(t *testing.T, lang string) *words {
	t.Helper()
	w, err := loadWords(lang, "")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestEveryLanguageSaysEverything finds sentences that one language lacks, and
// those whose places for arguments differ.
func TestEveryLanguageSaysEverything(t *testing.T) {
	place := regexp.MustCompile(`\{\w+\}`)
	places := func(s string) []string {
		all := place.FindAllString(s, -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	first := mustWords(t, assets.Languages()[0])
	for _, lang := range assets.Languages()[1:] {
		other := mustWords(t, lang)
		for key, s := range first.table {
			o, ok := other.table[key]
			if !ok {
				t.Errorf("%s has no %q", lang, key)
				continue
			}
			if !slices.Equal(places(s), places(o)) {
				t.Errorf("%q has %v, in %s %v", key, places(s), lang, places(o))
			}
			if (s == "") != (o == "") {
				t.Errorf("%q is empty in one language only", key)
			}
		}
		for key := range other.table {
			if _, ok := first.table[key]; !ok {
				t.Errorf("only %s has %q", lang, key)
			}
		}
	}
}

// TestSentencesAndCodeAgree finds keys that the code asks for and nobody
// wrote, and sentences that nobody asks for.
func TestSentencesAndCodeAgree(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	program, err := filepath.Glob("../*.go") // the tray and the notifications
	if err != nil {
		t.Fatal(err)
	}
	reports, err := filepath.Glob("../control/*.go") // what a test of the sound found
	if err != nil {
		t.Fatal(err)
	}
	files = slices.Concat(files, program, reports)
	literal := regexp.MustCompile(`"((?:[^"\\\n]|\\.)*)"`)
	asked := regexp.MustCompile(`\b(?:tr|count)\("([^"]*)"[,)]`)
	used := make(map[string]bool)
	table := mustWords(t, "en").table
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(code), -1) {
			used[m[1]] = true
		}
		for _, m := range asked.FindAllStringSubmatch(string(code), -1) {
			_, plain := table[m[1]]
			_, counted := table[m[1]+".one"]
			if !plain && !counted && m[1] != "" {
				t.Errorf("%s asks for %q, which nobody wrote", name, m[1])
			}
		}
	}
	for key := range table {
		if !keyIsUsed(key, used) {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

// keyIsUsed looks for a key among the literals of the code: whole, without its
// form of number, or as a beginning that ends in a dot and is completed.
func keyIsUsed(key string, used map[string]bool) bool {
	for _, end := range []string{"", ".one", ".other", ".next", ".say"} {
		if used[strings.TrimSuffix(key, end)] {
			return true
		}
	}
	for i := range key {
		if key[i] == '.' && used[key[:i+1]] {
			return true
		}
	}
	return false
}

func TestNoSentenceShouts(t *testing.T) {
	for _, lang := range assets.Languages() {
		for key, s := range mustWords(t, lang).table {
			if strings.ContainsAny(s, "!¡") {
				t.Errorf("%s: %q has an exclamation mark: %s", lang, key, s)
			}
			if strings.Contains(s, "...") || strings.Contains(s, "'") {
				t.Errorf("%s: %q is not typeset: %s", lang, key, s)
			}
		}
	}
}

// TestNextStepsExist finds sentences that send a person to what the window has
// not: flags of commands, files as messages, and the doctor by another name
// than its button's.
func TestNextStepsExist(t *testing.T) {
	for _, lang := range assets.Languages() {
		w := mustWords(t, lang)
		for key, s := range w.table {
			if strings.Contains(s, "--") || strings.Contains(s, "as a file") || strings.Contains(s, "comme fichier") || strings.Contains(s, "en fichier") {
				t.Errorf("%s: %q leads nowhere: %s", lang, key, s)
			}
		}
		if s := w.table["fail.why.no_path.next"]; !strings.Contains(s, w.table["settings.doctor"]) {
			t.Errorf("%s: nobody finds the doctor by %q", lang, s)
		}
	}
}

func TestTheLanguageIsChosen(t *testing.T) {
	for _, c := range []struct{ set, locale, want string }{
		{"", "fr_CA.UTF-8", "fr"},
		{"", "de_DE.UTF-8", "en"},
		{"", "", "en"},
		{"en", "fr_FR.UTF-8", "en"},
		{"fr", "en_US.UTF-8", "fr"},
		{"xx", "fr_FR.UTF-8", "en"},
	} {
		w, err := loadWords(c.set, c.locale)
		if err != nil || w.lang != c.want {
			t.Errorf("set %q with locale %q speaks %q (%v), not %q", c.set, c.locale, w.lang, err, c.want)
		}
	}
}

func TestDaysAreNamedAsPeopleDo(t *testing.T) {
	en, fr := mustWords(t, "en"), mustWords(t, "fr")
	now := time.Date(2026, 11, 22, 0, 30, 0, 0, time.UTC) // a Sunday, just after midnight
	for _, c := range []struct {
		t              time.Time
		en, brief, fre string
	}{
		{now.Add(-20 * time.Minute), "Today", "00:10", "Aujourd’hui"},
		{now.Add(-40 * time.Minute), "Yesterday", "Sat", "Hier"},
		{now.AddDate(0, 0, -3), "Thursday", "Thu", "Jeudi"},
		{now.AddDate(0, 0, -7), "15 November", "15 Nov", "15 novembre"},
		{now.AddDate(-1, 0, 0), "22 November 2025", "22 Nov 2025", "22 novembre 2025"},
		{now.Add(2 * time.Minute), "Today", "00:32", "Aujourd’hui"}, // a clock that is ahead
	} {
		if got := en.day(c.t, now); got != c.en {
			t.Errorf("%v is %q, not %q", c.t, got, c.en)
		}
		if got := fr.day(c.t, now); got != c.fre {
			t.Errorf("%v is %q, not %q", c.t, got, c.fre)
		}
		if got := en.brief(c.t, now); got != c.brief {
			t.Errorf("%v is %q in the roster, not %q", c.t, got, c.brief)
		}
	}
	if got := en.brief(time.Time{}, now); got != "" {
		t.Errorf("no time is %q", got)
	}
}

func TestTimesAgoAndLengths(t *testing.T) {
	en, fr := mustWords(t, "en"), mustWords(t, "fr")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration][2]string{
		10 * time.Second: {"just now", "à l’instant"},
		time.Minute:      {"a minute ago", "il y a une minute"},
		2 * time.Hour:    {"2 hours ago", "il y a 2 heures"},
		25 * time.Hour:   {"yesterday", "hier"},
		80 * time.Hour:   {"3 days ago", "il y a 3 jours"},
		400 * time.Hour:  {"5 November", "5 novembre"},
	} {
		if got := [2]string{en.ago(now.Add(-d), now), fr.ago(now.Add(-d), now)}; got != want {
			t.Errorf("%v is %q, not %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		41 * time.Second: "41 s", 761 * time.Second: "12:41", 3723 * time.Second: "1:02:03",
	} {
		if got := en.length(d); got != want {
			t.Errorf("%v is %q, not %q", d, got, want)
		}
	}
}

func TestOneAndManyDifferByLanguage(t *testing.T) {
	en, fr := mustWords(t, "en"), mustWords(t, "fr")
	for n, want := range map[int][2]string{0: {"0 new", "0 nouveau"}, 1: {"1 new", "1 nouveau"}, 2: {"2 new", "2 nouveaux"}} {
		if got := [2]string{en.count("timeline.fresh", n), fr.count("timeline.fresh", n)}; got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
}

func TestEveryFailureSaysWhatHappened(t *testing.T) {
	w := mustWords(t, "en")
	for _, c := range []struct {
		err       error
		say, next string
	}{
		{&control.Failure{Message: "ana is blocked", Hint: "Unblock her first", Code: control.CodeState}, "ana is blocked", "Unblock her first"},
		{fmt.Errorf("send: %w", &control.Failure{Code: control.CodeDisk}), "The disk is full or cannot be written", "Free some space, then try again"},
		{&control.Failure{Message: "Nobody here", Hint: "List them", Code: control.CodeNotFound, Reason: "nobody"}, "There is nobody of that name here", "They may have been removed"},
		{&control.Failure{Message: "x", Hint: "y", Code: control.CodeState, Reason: "no_call"}, "This call is over", ""},
		{&control.Failure{Message: "x", Code: control.CodeInvalid, Reason: "words.mistyped", Args: []string{"3", "ambre", "amber"}}, "Word 3, “ambre”, is not one of the list; “amber” is", "Compare it with your paper"},
		{&control.Failure{Message: "Said by a newer node", Hint: "And this", Code: control.CodeState, Reason: "unheard_of"}, "Said by a newer node", "And this"},
		{&control.Failure{Message: "Write page 3: odd", Code: control.CodeInternal}, "Something went wrong", "Write page 3: odd"},
		{&net.OpError{Op: "read", Err: io.ErrClosedPipe}, "The node does not answer", "Start Entrenous again. Nothing you wrote is lost"},
		{fmt.Errorf("ask: %w", io.ErrUnexpectedEOF), "The node does not answer", "Start Entrenous again. Nothing you wrote is lost"},
		{context.DeadlineExceeded, "That took too long", "Try again in a moment"},
		{errors.New("odd"), "Something went wrong", "odd"},
	} {
		if say, next := w.failure(c.err); say != c.say || next != c.next {
			t.Errorf("%v says %q, %q", c.err, say, next)
		}
	}
}
