package ui

import (
	"strings"

	"fyne.io/fyne/v2"
)

const (
	// unknownSign stands for an emoji that no font here has: newer ones come
	// every year.
	unknownSign = '◌'
	firstEmoji  = 0x1f000
	noCharacter = '\U0010fffe' // is none, so that no font has it
)

// legible puts a quiet sign in the place of every emoji that no font here has,
// with all that is joined to it.
func legible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= firstEmoji }) {
		return s
	}
	var b strings.Builder
	joined, gone := false, false // to what came before; that could not be drawn
	for _, r := range s {
		switch {
		case r >= firstEmoji && !drawable(r):
			if !joined && !joins(r) {
				b.WriteRune(unknownSign)
			}
			gone = true
		case gone && (joined || joins(r)):
		default:
			b.WriteRune(r)
			gone = false
		}
		joined = r == zeroWidthJoiner
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), string(zeroWidthJoiner)), string(zeroWidthJoiner)+" ", " ")
}

// drawable says whether a font here has a letter. Those that none has are all
// drawn as one box.
func drawable(r rune) bool {
	width := func(r rune) float32 { return fyne.MeasureText(string(r), bodySize, fyne.TextStyle{}).Width }
	return width(r) != width(noCharacter)
}
