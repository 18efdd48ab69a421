package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWord is how many bytes of a word are indexed; longer ones are cut, in
// texts and in questions alike.
const maxWord = 64

// word is a piece of a text that can be searched for, folded, and where in
// the text it stands.
type word struct {
	text       string
	start, end int // bytes
}

// split takes a text apart into words: runs of letters, marks and digits,
// folded. Scripts that put no spaces between words give each character
// together with its neighbour, and the last one of a run alone, so that any
// stretch of them can be found.
func split(text string) (out []word) {
	var b strings.Builder
	start, prevDense, prevStart := -1, rune(0), 0
	flush := func(end int) {
		if start >= 0 && b.Len() > 0 {
			out = append(out, word{text: cutWord(b.String()), start: start, end: end})
		}
		b.Reset()
		start = -1
	}
	flushDense := func(end int) {
		if prevDense != 0 {
			out = append(out, word{text: string(prevDense), start: prevStart, end: end})
		}
		prevDense = 0
	}
	for i, c := range text {
		switch {
		case isDense(c):
			flush(i)
			if prevDense != 0 {
				out = append(out, word{text: string([]rune{prevDense, c}), start: prevStart, end: i + utf8.RuneLen(c)})
			}
			prevDense, prevStart = c, i
		case isWord(c):
			flushDense(i)
			if start < 0 {
				start = i
			}
			fold(&b, c)
		default:
			flush(i)
			flushDense(i)
		}
	}
	flush(len(text))
	flushDense(len(text))
	return out
}

func isWord(c rune) bool {
	return unicode.In(c, unicode.L, unicode.N, unicode.Mn, unicode.Mc, unicode.Co)
}

// isDense says whether c is of a script without spaces between words.
func isDense(c rune) bool {
	return c >= 0x0E00 && unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// fold writes c without case and, in the Latin script, without accents.
func fold(b *strings.Builder, c rune) {
	switch {
	case c < utf8.RuneSelf:
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(byte(c))
		return
	case c >= 0x300 && c <= 0x36F: // combining accents
		return
	}
	c = unicode.ToLower(c)
	if c >= 0xC0 && c <= 0x1EFF {
		if plain, ok := unaccented(c); ok {
			b.WriteString(plain)
			return
		}
	}
	b.WriteRune(c)
}

func cutWord(w string) string {
	if len(w) <= maxWord {
		return w
	}
	n := maxWord
	for !utf8.RuneStart(w[n]) {
		n--
	}
	return w[:n]
}

// unaccented returns what a lower-case Latin letter is searched as.
func unaccented(c rune) (string, bool) {
	for _, l := range [...]struct{ plain, accented string }{
		{"a", "àáâãäåāăąǎǟǡǻȁȃȧḁẚạảấầẩẫậắằẳẵặ"},
		{"ae", "æǣǽ"},
		{"b", "ḃḅḇ"},
		{"c", "çćĉċčḉ"},
		{"d", "ďđḋḍḏḑḓ"},
		{"e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"},
		{"f", "ḟ"},
		{"g", "ĝğġģǧǵḡ"},
		{"h", "ĥħȟḣḥḧḩḫẖ"},
		{"i", "ìíîïĩīĭįıǐȉȋḭḯỉị"},
		{"j", "ĵǰ"},
		{"k", "ķǩḱḳḵ"},
		{"l", "ĺļľŀłḷḹḻḽ"},
		{"m", "ḿṁṃ"},
		{"n", "ñńņňǹṅṇṉṋ"},
		{"o", "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"},
		{"oe", "œ"},
		{"p", "ṕṗ"},
		{"r", "ŕŗřȑȓṙṛṝṟ"},
		{"s", "śŝşšșṡṣṥṧṩ"},
		{"ss", "ß"},
		{"t", "ţťțṫṭṯṱẗ"},
		{"u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"},
		{"v", "ṽṿ"},
		{"w", "ŵẁẃẅẇẉẘ"},
		{"x", "ẋẍ"},
		{"y", "ýÿŷȳẏẙỳỵỷỹ"},
		{"z", "źżžẑẓẕ"},
	} {
		if strings.ContainsRune(l.accented, c) {
			return l.plain, true
		}
	}
	return "", false
}
