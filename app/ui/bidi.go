package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// visual cuts the spans of a line where the direction turns and puts them in
// the order of the screen (Unicode Bidirectional Algorithm, rule L2, on whole
// runs). Fyne shapes the letters of a run well, but always sets runs side by
// side from left to right, as they were written.
func visual(spans []span, right bool) []span {
	if !right && !slices.ContainsFunc(spans, func(s span) bool { return strings.ContainsFunc(s.text, isRightToLeft) }) {
		return spans
	}
	var out []span
	var turned []bool // which of out run from right to left
	for _, s := range spans {
		if s.link != "" {
			out, turned = append(out, s), append(turned, false)
			continue
		}
		for _, r := range runs(s.text, right) {
			out, turned = append(out, span{text: r.text}), append(turned, r.turned)
		}
	}
	if right {
		slices.Reverse(out)
		return join(out)
	}
	for i := 0; i < len(out); i++ {
		if !turned[i] {
			continue
		}
		end := i + 1
		for end < len(out) && (turned[end] || out[end].link == "" && isNumber(out[end].text)) {
			end++
		}
		slices.Reverse(out[i:end])
		i = end
	}
	return join(out)
}

// join makes one span of neighbours that are no links, so that Fyne sets all
// of them on one base line. The marks between them, which nobody sees, keep it
// from taking two runs for one.
func join(spans []span) []span {
	const mark = "\u200e" // left-to-right mark
	out := spans[:1]
	for _, s := range spans[1:] {
		last := &out[len(out)-1]
		if s.link != "" || last.link != "" {
			out = append(out, s)
			continue
		}
		last.text += mark + s.text
	}
	return out
}

// A run is a text of one direction.
type run struct {
	text   string
	turned bool // from right to left
}

// runs cuts a text into runs in the order in which they were written.
func runs(s string, right bool) []run {
	var p bidi.Paragraph
	dir := bidi.LeftToRight
	if right {
		dir = bidi.RightToLeft
	}
	if _, err := p.SetString(s, bidi.DefaultDirection(dir)); err != nil {
		return []run{{text: s}}
	}
	o, err := p.Order()
	if err != nil {
		return []run{{text: s}}
	}
	var out []run
	for i := range o.NumRuns() {
		r := o.Run(i)
		if r.Direction() != bidi.RightToLeft {
			n := 0
			if i > 0 {
				n = number(r.String()) // belongs to what runs from right to left before it
			}
			for _, part := range []string{r.String()[:n], r.String()[n:]} {
				if part != "" {
					out = append(out, run{text: part})
				}
			}
			continue
		}
		out = append(out, turnedRuns(r.String())...)
	}
	return out
}

// turnedRuns cuts a run from right to left into letters, with the spaces
// between them, and what stands between those: left to itself, Fyne would set
// a full stop, a space or an emoji at its end to the right of it.
func turnedRuns(s string) []run {
	var out []run
	start, letters := 0, false
	cut := func(end int) {
		if end == start {
			return
		}
		part := s[start:end]
		if !letters {
			part = turn(part)
		}
		out, start = append(out, run{text: part, turned: true}), end
	}
	for i, r := range s {
		is := isRightToLeft(r) || letters && (unicode.In(r, unicode.Mn) || r == ' ' && startsRightToLeft(s[i+1:]))
		if is != letters {
			cut(i)
			letters = is
		}
	}
	cut(len(s))
	return out
}

func startsRightToLeft(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isRightToLeft(r)
}

// turn sets characters from right to left, with brackets that open the other
// way. Those made of several code points stay whole.
func turn(s string) string {
	var parts []string
	start, before := 0, rune(0)
	for i, r := range s {
		if i > start && !joins(r) && before != zeroWidthJoiner {
			parts = append(parts, s[start:i])
			start = i
		}
		before = r
	}
	parts = append(parts, s[start:])
	slices.Reverse(parts)
	return strings.Map(mirror, strings.Join(parts, ""))
}

// screenOrder is a line of text in the order in which Fyne has to be given it
// to set it as it is read.
func screenOrder(s string) string {
	if s == "" {
		return s
	}
	return visual([]span{{text: s}}, rightToLeft(s))[0].text
}

// mirror is the bracket that closes where this one opens (rule L4).
func mirror(r rune) rune {
	const pairs = "()[]{}<>«»"
	runes := []rune(pairs)
	if i := slices.Index(runes, r); i >= 0 {
		return runes[i^1]
	}
	return r
}

// number is how many bytes at the beginning of s are a number.
func number(s string) int {
	n := len(s) - len(strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune(".,:/", r) }))
	return len(strings.TrimRight(s[:n], ".,:/"))
}

func isNumber(s string) bool { return s != "" && number(s) == len(s) }

func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
