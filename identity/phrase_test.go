package identity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

func TestTheWordListIsTheOneOfBIP39(t *testing.T) {
	list := identity.WordList()
	sum := sha256.Sum256([]byte(strings.Join(list, "\n") + "\n"))
	if len(list) != 2048 || hex.EncodeToString(sum[:]) != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("%d words with hash %x", len(list), sum)
	}
	if !slices.IsSorted(list) {
		t.Error("the list is not in order")
	}
	list[0] = "changed"
	if identity.WordList()[0] != "abandon" {
		t.Error("a caller can change the list")
	}
}

func TestWordsAreThoseOfBIP39(t *testing.T) {
	times := func(n int, s string) string { return strings.Repeat(s+" ", n) }
	for _, c := range []struct {
		fill byte
		want string
	}{
		{0x00, times(23, "abandon") + "art"},
		{0x7f, times(2, "legal winner thank year wave sausage worth useful") + "legal winner thank year wave sausage worth title"},
		{0x80, times(2, "letter advice cage absurd amount doctor acoustic avoid") + "letter advice cage absurd amount doctor acoustic bless"},
		{0xff, times(23, "zoo") + "vote"},
	} {
		got := strings.Join(seedOf(c.fill).Words(), " ")
		if got != c.want {
			t.Errorf("%x: %s", c.fill, got)
		}
		if seed, err := identity.ParseWords(c.want); err != nil || seed != seedOf(c.fill) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}

func TestNewSeedsAreNew(t *testing.T) {
	if a, b := identity.NewSeed(), identity.NewSeed(); a == b || a == (identity.Seed{}) {
		t.Error("two seeds are alike")
	}
}

func TestWordsAreReadAsPeopleTypeThem(t *testing.T) {
	seed := seedOf(0x5a)
	phrase := seed.Words()
	var numbered, columns strings.Builder
	for i, word := range phrase {
		fmt.Fprintf(&numbered, "%d. %s\n", i+1, word)
		fmt.Fprintf(&columns, "%2d)%-10s", i+1, strings.ToUpper(word[:1])+word[1:])
	}
	for _, text := range []string{
		strings.Join(phrase, " "),
		strings.ToUpper(strings.Join(phrase, " ")),
		strings.Join(phrase, ", ") + ".",
		"\n\t " + strings.Join(phrase, "\r\n") + "\n",
		strings.Join(phrase, "\u00a0"),
		strings.Join(phrase, "-"),
		numbered.String(),
		columns.String(),
	} {
		if got, err := identity.ParseWords(text); err != nil || got != seed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAWordThatIsNoneIsNamedAndTheNearestOffered(t *testing.T) {
	for typed, want := range map[string]string{
		"abandn": "abandon", "absrud": "absurd", "zooo": "zoo", "aban": "abandon", "elephnt": "elephant",
		"acheive": "achieve", "frend": "friend", "qqqqqqqqq": "", "übung": "",
		strings.Repeat("a", 500): "", "x": "",
	} {
		phrase := seedOf(3).Words()
		phrase[6] = typed
		_, err := identity.ParseWords(strings.Join(phrase, " "))
		var mistake *identity.PhraseError
		if !errors.As(err, &mistake) {
			t.Fatalf("%s: %v", typed, err)
		}
		if mistake.Position != 7 || mistake.Word != typed || mistake.Suggest != want {
			t.Errorf("%s: word %d, %q is suggested", typed, mistake.Position, mistake.Suggest)
		}
		if !strings.Contains(err.Error(), "word 7") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s", typed, err)
		}
	}
}

func TestWordsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	phrase := seedOf(3).Words()
	swapped := slices.Clone(identity.Seed{1, 2, 3, 4}.Words())
	swapped[0], swapped[1] = swapped[1], swapped[0]
	for want, text := range map[string]string{
		"there are 23 words": strings.Join(phrase[:23], " "),
		"there are 25 words": strings.Join(append(slices.Clone(phrase), "zoo"), " "),
		"there are 0 words":  " 1. 2. 3. ",
		"do not belong":      strings.Join(swapped, " "),
		"far too long":       strings.Repeat("zoo ", 1025),
	} {
		_, err := identity.ParseWords(text)
		var mistake *identity.PhraseError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), want) || mistake.Position != 0 {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
}

func TestOneWrongWordRarelyPasses(t *testing.T) {
	phrase, passed := seedOf(9).Words(), 0
	for _, word := range identity.WordList() {
		wrong := slices.Clone(phrase)
		wrong[11] = word
		if _, err := identity.ParseWords(strings.Join(wrong, " ")); err == nil {
			passed++
		}
	}
	if passed > 20 { // 2,048 tries against 8 bits: 8 are expected, the right one among them
		t.Errorf("%d of 2,048 words pass", passed)
	}
}

func FuzzParseWords(f *testing.F) {
	f.Add(strings.Join(seedOf(1).Words(), " "))
	f.Add(strings.ToUpper(strings.Join(seedOf(0xff).Words(), ", ")))
	f.Add(strings.Join(seedOf(1).Words()[:23], " "))
	f.Add("1. abandn 2. zoo")
	f.Add("\xff\u202e é İ ß")
	f.Fuzz(func(t *testing.T, text string) {
		seed, err := identity.ParseWords(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		if again, err := identity.ParseWords(strings.Join(seed.Words(), " ")); err != nil || again != seed {
			t.Errorf("%q: came back as another seed, %v", text, err)
		}
	})
}

func BenchmarkParseWordsWithAMistake(b *testing.B) {
	text := strings.Replace(strings.Join(seedOf(0).Words(), " "), "art", "ard", 1)
	for b.Loop() {
		if _, err := identity.ParseWords(text); err == nil {
			b.Fatal("read")
		}
	}
}
