package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxNameBytes = 64

// hidden are the characters that change what others look like without being
// seen themselves: controls, line separators, direction overrides, tags. The
// table is our own so that what is accepted does not change with Go's Unicode.
// U+200C and U+200D stay: Persian and many emoji need them.
var hidden = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x0000, Hi: 0x001f, Stride: 1},
		{Lo: 0x007f, Hi: 0x009f, Stride: 1},
		{Lo: 0x00ad, Hi: 0x00ad, Stride: 1},
		{Lo: 0x061c, Hi: 0x061c, Stride: 1},
		{Lo: 0x180e, Hi: 0x180e, Stride: 1},
		{Lo: 0x200b, Hi: 0x200b, Stride: 1},
		{Lo: 0x200e, Hi: 0x200f, Stride: 1},
		{Lo: 0x2028, Hi: 0x202e, Stride: 1},
		{Lo: 0x2060, Hi: 0x206f, Stride: 1},
		{Lo: 0xfeff, Hi: 0xfeff, Stride: 1},
		{Lo: 0xfff0, Hi: 0xffff, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1},
	},
	LatinOffset: 3,
}

// CleanName makes a name fit to be shown: no control characters, no direction
// overrides, single spaces, at most 64 bytes of whole characters.
func CleanName(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	name = strings.Map(func(r rune) rune {
		if unicode.Is(hidden, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ") // what was hidden may have held spaces apart
	if len(name) > maxNameBytes {
		cut := maxNameBytes
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut]
	}
	return strings.TrimSpace(name)
}

// allVisible reports whether a text from outside may be shown as it is.
func allVisible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.Is(hidden, r) || unicode.IsSpace(r)
	})
}
