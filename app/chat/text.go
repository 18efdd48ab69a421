package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of CleanText.
var (
	ErrEmptyText = errors.New("the text is empty")
	ErrNotText   = errors.New("not text: it has bytes that are no UTF-8, or a NUL")
)

// TooLongError says that a text is longer than a message may be.
type TooLongError struct{ Bytes, Limit int }

// Error implements error.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("the text is %d bytes long, the limit is %d", e.Bytes, e.Limit)
}

// maxMarks is how many combining marks may stand on one another. No script
// needs more; stacks of hundreds run over the rows above and below.
const maxMarks = 8

// CleanText makes a person's input a message: line ends become "\n". Emoji,
// right-to-left text and zero-width characters stay as they are. It refuses
// what is no text (ErrNotText), has nothing but space in it (ErrEmptyText) or
// is longer than MaxText (*TooLongError).
func CleanText(s string) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	switch {
	case len(s) > MaxText:
		return "", &TooLongError{Bytes: len(s), Limit: MaxText}
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return "", ErrNotText
	case strings.TrimSpace(s) == "":
		return "", ErrEmptyText
	}
	return s, nil
}

// DisplayText makes a text of somebody else fit to be shown: it cannot
// reorder, overprint or hide what stands around it. Control characters and
// directional overrides go, directional isolates are closed at the end of
// their line, and combining marks are limited. Everything else stays.
func DisplayText(s string) string {
	var d display
	d.b.Grow(len(s))
	for _, c := range s {
		d.add(c)
	}
	d.closeIsolates()
	return d.b.String()
}

// DisplayName makes a name of somebody else fit to stand in a line of ours:
// one line of at most MaxName runes without direction marks or invisible
// characters, save the joiners that scripts and emoji need. It may be empty.
func DisplayName(s string) string {
	var d display
	for _, c := range s {
		switch {
		case unicode.IsSpace(c) || c == '\u2028' || c == '\u2029':
			d.add(' ')
		case c == '\u200c' || c == '\u200d' || !unicode.Is(unicode.Cf, c) || isTag(c):
			d.add(c)
		}
	}
	name := []rune(strings.Join(strings.Fields(d.b.String()), " "))
	if len(name) > MaxName {
		name = name[:MaxName]
	}
	out := strings.TrimSpace(string(name))
	if strings.Trim(out, "\u200c\u200d") == "" {
		return ""
	}
	return out
}

// isTag says whether c belongs to the tags that end flags such as Scotland's.
func isTag(c rune) bool { return c >= 0xE0020 && c <= 0xE007F }

// display builds a text for the screen, rune by rune.
type display struct {
	b     strings.Builder
	open  int // isolates that the line has open
	marks int // combining marks since the last base character
}

func (d *display) add(c rune) {
	switch {
	case c == '\n', c == '\u2028', c == '\u2029', c == '\u0085':
		d.closeIsolates()
		d.marks = 0
		d.b.WriteByte('\n')
		return
	case c == '\t':
	case unicode.IsControl(c):
		return
	case c >= '\u202a' && c <= '\u202e': // embeddings and overrides
		return
	case c >= '\u2066' && c <= '\u2068':
		d.open++
	case c == '\u2069':
		if d.open == 0 {
			return
		}
		d.open--
	}
	if unicode.In(c, unicode.Mn, unicode.Me) {
		if d.marks++; d.marks > maxMarks {
			return
		}
	} else if !unicode.Is(unicode.Cf, c) {
		d.marks = 0
	}
	d.b.WriteRune(c)
}

func (d *display) closeIsolates() {
	for ; d.open > 0; d.open-- {
		d.b.WriteRune('\u2069')
	}
}
