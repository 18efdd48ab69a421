package ui

import (
	"slices"
	"strings"
	"unicode"

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
		return out
	}
	for i := 0; i < len(out); i++ {
		if !turned[i] {
			continue
		}
		end := i + 1
		for end < len(out) && (turned[end] || isNumber(out[end].text) && end+1 < len(out) && turned[end+1]) {
			end++
		}
		slices.Reverse(out[i:end])
		i = end
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
			out = append(out, run{text: r.String()})
			continue
		}
		out = append(out, turnedRuns(r.String())...)
	}
	return out
}

// turnedRuns cuts a run from right to left into letters and what stands
// between them: left to itself, Fyne would set a full stop, a space or an
// emoji at its end to the right of it.
func turnedRuns(s string) []run {
	var out []run
	start, letters := 0, false
	cut := func(end int) {
		if end == start {
			return
		}
		part := s[start:end]
		if !letters {
			part = strings.Map(mirror, part)
		}
		out, start = append(out, run{text: part, turned: true}), end
	}
	for i, r := range s {
		is := isRightToLeft(r) || letters && unicode.In(r, unicode.Mn)
		if is != letters {
			cut(i)
			letters = is
		}
	}
	cut(len(s))
	return out
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

func isNumber(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && !strings.ContainsRune(".,:/ -+", r) }) < 0
}

func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
