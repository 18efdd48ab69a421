package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// perLetter measures a text as if every letter were one wide.
func perLetter(s string) float32 { return float32(len([]rune(s))) }

func TestWordsBreakWhereTheyMay(t *testing.T) {
	for _, row := range []struct {
		words string
		width float32
		want  string
	}{
		{"one two three", 7, "one two|three"},
		{"one two three", 20, "one two three"},
		{"a\nb", 20, "a|b"},
		{"", 20, ""},
		{"Villardière-Montgomery", 14, "Villardière-|Montgomery"},
		{"abcdefghij", 4, "abcd|efgh|ij"},
		{"to abcdefghij", 4, "to|abcd|efgh|ij"},
		{"x", 0.5, "x"},
	} {
		if got := strings.Join(wrapWords(row.words, row.width, perLetter), "|"); got != row.want {
			t.Errorf("%q in %v is %q, not %q", row.words, row.width, got, row.want)
		}
	}
}

func TestWhatIsTooLongEndsInAnEllipsis(t *testing.T) {
	for _, row := range []struct {
		words string
		width float32
		want  string
	}{
		{"Annette", 7, "Annette"},
		{"Annette", 5, "Anne…"},
		{"Ana Bo", 5, "Ana…"},
		{"محمد الأمين", 6, "محمد…"},
	} {
		if got := ellipsize(row.words, row.width, perLetter); got != row.want {
			t.Errorf("%q in %v is %q, not %q", row.words, row.width, got, row.want)
		}
	}
}

func TestNumbersStandInEvenLines(t *testing.T) {
	number := strings.TrimSpace(strings.Repeat("12345 ", 12))
	for width, lines := range map[float32]int{30: 3, 20: 4, 12: 6, 5: 12} {
		if got := strings.Split(groupLines(number, 4, width, perLetter), "\n"); len(got) != lines {
			t.Errorf("in %v there are %d lines, not %d", width, len(got), lines)
		}
	}
}

func TestTextKnowsItsHeightBeforeItIsDrawn(t *testing.T) {
	app := test.NewApp()
	defer app.Quit()
	app.Settings().SetTheme(&Theme{})
	words := bodyText(strings.Repeat("nobody in between ", 12))
	high := words.heightFor(200)
	words.Resize(fyne.NewSize(200, high))
	drawn := test.WidgetRenderer(words).Objects()
	if len(drawn) < 4 || high != float32(len(drawn))*20 {
		t.Errorf("%d lines in %v", len(drawn), high)
	}
	if min := words.MinSize(); min.Height != high {
		t.Errorf("the least height is %v, not %v", min.Height, high)
	}
}

func TestNobodyCanTurnTheTextAroundTheirs(t *testing.T) {
	app := test.NewApp()
	defer app.Quit()
	name := bodyText("Ana\u202e\u0007 gpj.exe").oneLine()
	name.Resize(fyne.NewSize(400, 20))
	if got := test.WidgetRenderer(name).Objects()[0].(*canvas.Text).Text; got != "Ana gpj.exe" {
		t.Errorf("drawn as %q", got)
	}
}

func BenchmarkTextOfACard(b *testing.B) {
	app := test.NewApp()
	defer app.Quit()
	words := bodyText(strings.Repeat("Messages and calls go straight to your friends. ", 10))
	for b.Loop() {
		words.heightFor(396)
		words.heightFor(397) // not as it was before
	}
}

func TestOfFactsOnlyWholeOnesAreShown(t *testing.T) {
	const line = "12:41 · sounds great · 38 ms"
	for width, want := range map[float32]string{
		40: line, 28: line, 27: "12:41 · sounds great", 19: "12:41", 3: "12:41",
	} {
		if got := wholeFacts(line, width, perLetter); got != want {
			t.Errorf("in %v it is %q, not %q", width, got, want)
		}
	}
}
