package ui

import (
	"testing"

	"fyne.io/fyne/v2"
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
