package store

import (
	"cmp"
	"slices"
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

// wordChange is a row whose text changed; "" is no text.
type wordChange struct {
	id            int64
	before, after string
}

// changeWords notes that a row's text changed; "" is no text.
func (tx *Tx) changeWords(id int64, before, after string) {
	if before != after {
		tx.words = append(tx.words, wordChange{id: id, before: before, after: after})
	}
}

// flushWords brings the full-text index up to date, each row once. It is done
// in one go for all changes of a commit because each savepoint in between
// would write a segment.
func (tx *Tx) flushWords() error {
	changes := tx.words
	tx.words = nil
	slices.SortStableFunc(changes, func(a, b wordChange) int { return cmp.Compare(a.id, b.id) })
	for len(changes) > 0 {
		first := changes[0]
		n := 1
		for n < len(changes) && changes[n].id == first.id {
			n++
		}
		first.after = changes[n-1].after
		if err := tx.replaceWords(first); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// replaceWords takes out the words that a row no longer has and puts in those
// that it has now. A row that has text on both sides is taken out and put in
// once, even with no words, because the index counts its rows.
func (tx *Tx) replaceWords(w wordChange) error {
	gone, come := indexed(w.before), indexed(w.after)
	if w.before != "" && w.after != "" {
		gone, come = without(gone, come), without(come, gone)
	}
	if w.before != "" {
		if err := tx.c.exec(`INSERT INTO words(words, rowid, text) VALUES('delete', ?, ?)`, w.id, strings.Join(gone, " ")); err != nil {
			return err
		}
	}
	if w.after == "" {
		return nil
	}
	return tx.c.exec(`INSERT INTO words(rowid, text) VALUES(?, ?)`, w.id, strings.Join(come, " "))
}

// indexed returns the words of a text, sorted, each once. Separated by spaces
// they are what the index takes: its own tokenizer only splits at those.
func indexed(text string) []string {
	if text == "" {
		return nil
	}
	ws := make([]string, 0, 16)
	for _, w := range split(text) {
		ws = append(ws, w.text)
	}
	slices.Sort(ws)
	return slices.Compact(ws)
}

// without returns the words of a that are not in b; both are sorted.
func without(a, b []string) (out []string) {
	for _, w := range a {
		if _, found := slices.BinarySearch(b, w); !found {
			out = append(out, w)
		}
	}
	return out
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
