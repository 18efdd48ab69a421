package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"golang.org/x/image/font/sfnt"
)

func TestEveryEmojiOfThePickerCanBeDrawn(t *testing.T) {
	font, err := sfnt.Parse(theme.DefaultEmojiFont().Content())
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	for _, e := range allEmoji() {
		for _, r := range e.sign {
			const asEmoji = 0xfe0f // asks for colour, draws nothing
			if r == asEmoji {
				continue
			}
			if i, err := font.GlyphIndex(&buf, r); err != nil || i == 0 {
				t.Errorf("%s is not in the font", e.sign)
			}
		}
	}
}

func TestNoEmojiIsListedTwice(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range allEmoji() {
		if seen[e.sign] || e.words == " " {
			t.Errorf("%s is listed twice, or without words", e.sign)
		}
		seen[e.sign] = true
	}
}

func TestAnEmojiIsFoundInBothLanguages(t *testing.T) {
	for typed, want := range map[string]string{"thumbs up": "👍", "ancre": "⚓", "fête": "🎉", "COEUR": "❤️"} {
		if found := emojiLike(allEmoji(), typed); len(found) == 0 || found[0].sign != want {
			t.Errorf("%q finds %v", typed, found)
		}
	}
}

func TestChosenEmojiComeFirstNextTime(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		var got []string
		pick := func(s string) { got = append(got, s) }
		at := fyne.NewPos(1100, 700)
		n.w.showEmoji(at, pick)
		n.shot(t, "emoji")
		typed := entries(n.top())[0]
		typed.SetText("anchor")
		typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.w.showEmoji(at, pick)
		typed = entries(n.top())[0]
		typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if len(got) != 2 || got[0] != "⚓" || got[1] != "⚓" || n.top() != nil {
			t.Errorf("chosen: %q", got)
		}
	})
}

func TestEmojiAreMovedThroughByKeys(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		var got string
		n.w.showEmoji(fyne.NewPos(0, 0), func(s string) { got = s })
		n.settle()
		typed := entries(n.top())[0]
		for _, k := range []fyne.KeyName{fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft, fyne.KeyDown, fyne.KeyUp, fyne.KeyReturn} {
			typed.TypedKey(&fyne.KeyEvent{Name: k})
		}
		if want := allEmoji()[1].sign; got != want {
			t.Errorf("chosen %q, not %q", got, want)
		}
	})
}

func TestAnEmojiIsPickedByPointing(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		var got string
		n.w.showEmoji(fyne.NewPos(600, 600), func(s string) { got = s })
		n.settle()
		each(n.top(), func(o fyne.CanvasObject) {
			if g, ok := o.(*emojiGrid); ok && got == "" {
				g.Tapped(&fyne.PointEvent{Position: fyne.NewPos(emojiCell*2.5, emojiCell*1.5)})
			}
		})
		if all := allEmoji(); got != all[2+8].sign {
			t.Errorf("chosen %q", got)
		}
	})
}

// TestWhatNoFontHasIsAQuietSign takes letters that are none for those of next
// year and of scripts that nobody reads here, whatever fonts this machine has.
func TestWhatNoFontHasIsAQuietSign(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(&Theme{fonts: &fonts{}})
	const unborn, unread, mark = "\U0001f2ff", "\U0003ff00", "\U000e01f0"
	for s, want := range map[string]string{
		"plain words, 5 €":                      "plain words, 5 €",
		"tea 🍵 at four":                         "tea 🍵 at four",
		"new " + unborn + " here":               "new ◌ here",
		unborn + unborn:                         "◌◌",
		unborn + "\U0001f3fd!":                  "◌!",
		unborn + "\ufe0f\u200d👍 fine":           "◌ fine",
		"👍\u200d" + unborn + " fine":            "👍 fine",
		"👍\u200d" + unborn:                      "👍",
		"محمد " + unborn:                        "محمد ◌",
		"👩\u200d👩\u200d👧 and " + unborn + ".":   "👩\u200d👩\u200d👧 and ◌.",
		"a word " + unread + unread + " of it":  "a word ◌◌ of it",
		"a\u0301 b\u00a0c\u2009d\u00ade" + mark: "a\u0301 b\u00a0c\u2009d\u00ade" + mark,
	} {
		if got := legible(s); got != want {
			t.Errorf("%+q becomes %+q, not %+q", s, got, want)
		}
	}
	if !drawable(unknownSign) {
		t.Error("the sign itself cannot be drawn")
	}
}

// TestAnAddressKeepsLettersThatNoFontHas has one be written, which is opened
// as it came.
func TestAnAddressKeepsLettersThatNoFontHas(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(&Theme{fonts: &fonts{}})
	const address = "https://example.org/\U0003ff00"
	if got := links("see "+address, 1); len(got) != 1 || got[0] != address {
		t.Errorf("the address in the menu is %+q", got)
	}
	lines := wrap(address, 1000, newRuler(bodySize, fyne.TextStyle{}), 1)
	if len(lines) != 1 || len(lines[0].spans) != 1 || lines[0].spans[0].link != address || lines[0].spans[0].text != "https://example.org/◌" {
		t.Errorf("drawn is %+v", lines)
	}
}
