package ui

import (
	"slices"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
)

// A span is a piece of a line drawn in one go: a run of one direction, or a
// link.
type span struct {
	text  string
	link  string // the whole address, also when a line shows a part of it
	x     float32
	width float32
}

// A line is what fits the width of a bubble.
type line struct {
	spans []span
	width float32
	right bool // begins at the right
}

// A ruler measures text in one size and remembers the words it has seen. It
// belongs to Fyne's thread.
type ruler struct {
	size  float32
	style fyne.TextStyle
	seen  map[string]float32
}

// rulerWords is how many words a ruler remembers before it begins anew.
const rulerWords = 20_000

func newRuler(size float32, style fyne.TextStyle) *ruler {
	return &ruler{size: size, style: style, seen: make(map[string]float32)}
}

// width measures s.
func (r *ruler) width(s string) float32 {
	if len(s) > 48 { // hardly a word: not worth remembering
		return fyne.MeasureText(s, r.size, r.style).Width
	}
	w, ok := r.seen[s]
	if !ok {
		if len(r.seen) >= rulerWords {
			clear(r.seen)
		}
		w = fyne.MeasureText(s, r.size, r.style).Width
		r.seen[s] = w
	}
	return w
}

// longest is how many bytes fit a width at most, in the narrowest letters.
func (r *ruler) longest(width float32) int { return 4*int(width/(r.size*0.2)) + 16 }

// reach is the width of a word, or just more than width where it is so long
// that it is not worth measuring.
func (r *ruler) reach(word string, width float32) float32 {
	if len(word) > r.longest(width) {
		return width + 1
	}
	return r.width(word)
}

// A piece is a part of a text that is not broken while it fits a line: a word
// with the space behind it, or one ideograph.
type piece struct {
	text  string
	space string // behind it; not drawn at the end of a line
	link  string
}

// wrap breaks a text into lines no wider than width: at spaces, between
// ideographs, and anywhere in a word that is too long. It stops after the most
// lines that are wanted. Nothing in the text is markup; only http and https
// addresses are told from the rest.
func wrap(s string, width float32, r *ruler, most int) []line {
	var lines []line
	for para := range strings.SplitSeq(tidy(s), "\n") {
		right := rightToLeft(para)
		pieces := split(para)
		for i, p := range pieces {
			pieces[i].text = legible(p.text)
		}
		for _, pieces := range fill(pieces, width, r, most-len(lines)) {
			lines = append(lines, compose(pieces, right, r))
		}
		if len(lines) >= most {
			break
		}
	}
	return lines
}

// tidy drops what cannot be drawn: control characters, and marks that would
// turn the direction of what follows the text.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.TrimRight(s, "\n "))
}

// split cuts a paragraph into pieces.
func split(para string) []piece {
	var pieces []piece
	for part := range strings.SplitAfterSeq(para, " ") {
		word := strings.TrimRight(part, " ")
		gap := part[len(word):]
		if word == "" {
			if n := len(pieces); n > 0 {
				pieces[n-1].space += gap
			} else if gap != "" {
				pieces = append(pieces, piece{space: gap})
			}
			continue
		}
		if head, link, tail := address(word); link != "" {
			if head != "" {
				pieces = append(pieces, piece{text: head})
			}
			pieces = append(pieces, piece{text: link, link: link})
			if tail != "" {
				pieces = append(pieces, piece{text: tail})
			}
		} else {
			pieces = append(pieces, ideographs(word)...)
		}
		pieces[len(pieces)-1].space = gap
	}
	return pieces
}

// links lists the addresses in a text, each once, at most so many.
func links(s string, most int) (all []string) {
	for para := range strings.SplitSeq(tidy(s), "\n") {
		for _, p := range split(para) {
			if p.link != "" && len(all) < most && !slices.Contains(all, p.link) {
				all = append(all, p.link)
			}
		}
	}
	return all
}

// ideographs cuts between characters of scripts that are written without
// spaces; other words stay whole.
func ideographs(word string) []piece {
	var pieces []piece
	start := 0
	for i, r := range word {
		if i > start && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			pieces = append(pieces, piece{text: word[start:i]})
			start = i
		}
	}
	return append(pieces, piece{text: word[start:]})
}

// address finds the first http or https address in a word. Closing marks
// behind it belong to the sentence.
func address(word string) (head, link, tail string) {
	low := strings.ToLower(word)
	at := strings.Index(low, "https://")
	if i := strings.Index(low, "http://"); at < 0 || i >= 0 && i < at {
		at = i
	}
	if at < 0 {
		return word, "", ""
	}
	link = strings.TrimRight(word[at:], ".,;:!?…)]}»”’\"'>")
	if host := link[strings.Index(link, "//")+2:]; host == "" {
		return word, "", ""
	}
	return word[:at], link, word[at+len(link):]
}

// fill puts pieces on lines, at most so many.
func fill(pieces []piece, width float32, r *ruler, most int) [][]piece {
	var lines [][]piece
	var now []piece
	var used float32
	for _, p := range pieces {
		if len(lines) >= most {
			return lines
		}
		w := r.reach(p.text, width)
		if used > 0 && used+w > width {
			lines, now, used = append(lines, now), nil, 0
		}
		for w > width && len(lines) < most {
			n := breakAt(p.text, width, r)
			if n >= len(p.text) {
				break
			}
			lines = append(lines, []piece{{text: p.text[:n], link: p.link}})
			p.text = p.text[n:]
			w = r.reach(p.text, width)
		}
		now = append(now, p)
		used += w
		if p.space != "" {
			used += r.width(p.space)
		}
	}
	if len(lines) >= most {
		return lines
	}
	return append(lines, now)
}

// mostJoined is how many code points one character is made of at most; those of
// any script have fewer. To shape one of thousands takes a font half a minute.
const mostJoined = 32

// breakAt is how many bytes of a word fit the width: at least one character,
// and never a part of one that is made of several code points.
func breakAt(word string, width float32, r *ruler) int {
	var cuts []int
	var before rune
	joined := 0
	for i, c := range word {
		if i > r.longest(width) && len(cuts) > 0 {
			break // no need to look at the rest of a very long word
		}
		joined++
		if i > 0 && (!joins(c) && before != zeroWidthJoiner || joined > mostJoined) {
			cuts, joined = append(cuts, i), 1
		}
		before = c
	}
	if len(word) <= r.longest(width) || len(cuts) == 0 {
		cuts = append(cuts, len(word))
	}
	low, high := 0, len(cuts)-1
	for low < high {
		mid := (low + high + 1) / 2
		if fyne.MeasureText(word[:cuts[mid]], r.size, r.style).Width <= width {
			low = mid
			continue
		}
		high = mid - 1
	}
	return cuts[low]
}

// zeroWidthJoiner makes one picture of two.
const zeroWidthJoiner = '\u200d'

// joins says whether a code point continues the character before it.
func joins(r rune) bool {
	return r == zeroWidthJoiner || r >= 0xfe00 && r <= 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff || r == 0x20e3 || unicode.In(r, unicode.Mn, unicode.Me)
}

// compose makes the spans of a line: neighbours of one kind are one span, in
// the order in which the eye meets them.
func compose(pieces []piece, right bool, r *ruler) line {
	var spans []span
	for i, p := range pieces {
		gap := p.space
		if i == len(pieces)-1 {
			gap = ""
		}
		n := len(spans)
		switch {
		case p.link != "":
			spans = append(spans, span{text: p.text, link: p.link})
			if gap != "" {
				spans = append(spans, span{text: gap})
			}
		case n > 0 && spans[n-1].link == "":
			spans[n-1].text += p.text + gap
		default:
			spans = append(spans, span{text: p.text + gap})
		}
	}
	l := line{spans: visual(spans, right), right: right}
	for i := range l.spans {
		l.spans[i].x = l.width
		l.spans[i].width = fyne.MeasureText(l.spans[i].text, r.size, r.style).Width
		l.width += l.spans[i].width
	}
	return l
}
