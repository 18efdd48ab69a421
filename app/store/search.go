package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// Limits of a search.
const (
	MaxHits    = 200
	maxAsked   = 16  // words of a question that count
	snippetLen = 160 // bytes of a snippet, about
)

// Hit is a row that has all the words that were asked for.
type Hit struct {
	Conv    chat.ConvID
	Row     RowView
	Snippet string
	Matches [][2]int // byte ranges in Snippet to be highlighted, in order
}

// Search returns rows that have every word of a question, the last one to
// come in first. Case and Latin accents do not matter, the last word may be
// the beginning of one, and nothing in it is syntax. conv nil means all
// conversations.
func (v *View) Search(words string, conv *chat.ConvID, limit int) ([]Hit, error) {
	if limit <= 0 || limit > MaxHits {
		limit = MaxHits
	}
	asked := split(words)
	if len(asked) > maxAsked {
		asked = asked[:maxAsked]
	}
	if len(asked) == 0 {
		return nil, nil
	}
	found, ids, err := v.unindexed(asked, conv, limit)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	args := []any{match(asked)}
	sql := `SELECT event.id, conv.conv FROM words JOIN event ON event.id=words.rowid JOIN conv ON conv.id=event.conv WHERE words MATCH ? `
	if conv != nil {
		sql += `AND event.conv=(SELECT id FROM conv WHERE conv=?) `
		args = append(args, conv[:])
	}
	err = v.c.each(func(s *sqlite3.Stmt) error {
		var h Hit
		fill(h.Conv[:], s, 1)
		found = append(found, h)
		ids = append(ids, s.ColumnInt64(0))
		return nil
	}, sql+`ORDER BY words.rowid DESC LIMIT ?`, append(args, limit-len(found))...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return v.hits(found, ids, words, asked)
}

// unindexed finds among the newest rows, whose words wait to be indexed, those
// that have what was asked for.
func (v *View) unindexed(asked []word, conv *chat.ConvID, limit int) (found []Hit, ids []int64, err error) {
	rows, err := v.waitingRows()
	if err != nil {
		return nil, nil, err
	}
	for _, b := range slices.Backward(rows) {
		if conv != nil && b.event.Conv != *conv {
			continue
		}
		if len(found) == limit {
			break
		}
		row, err := v.said(b, chat.Hash{})
		if err != nil {
			return nil, nil, err
		}
		if hasAll(split(row.Text), asked) {
			found, ids = append(found, Hit{Conv: b.event.Conv}), append(ids, b.id)
		}
	}
	return found, ids, nil
}

// hasAll says whether a text of these words has every one that was asked for.
func hasAll(have, asked []word) bool {
	for i, a := range asked {
		if !slices.ContainsFunc(have, func(w word) bool { return matches(w.text, a.text, i == len(asked)-1) }) {
			return false
		}
	}
	return true
}

// hits completes what the index found. It drops rows that have the pieces of
// an unspaced word, but not together.
func (v *View) hits(found []Hit, ids []int64, words string, asked []word) ([]Hit, error) {
	out := found[:0]
	for i, h := range found {
		rows, err := v.bases(1, baseQuery+`event.id=?`, ids[i])
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		views, err := v.views(h.Conv, rows)
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if len(views) == 0 || !hasRuns(views[0].Text, words) {
			continue
		}
		h.Row = views[0]
		h.Snippet, h.Matches = snippet(h.Row.Text, asked)
		out = append(out, h)
	}
	return out, nil
}

// match writes the question in the index's language. split leaves nothing in
// a word that would need escaping.
func match(asked []word) string {
	var b strings.Builder
	for i, w := range asked {
		fmt.Fprintf(&b, `"%s" `, w.text)
		if i == len(asked)-1 || isSingleDense(w.text) {
			b.WriteString(`* `)
		}
	}
	return b.String()
}

func isSingleDense(w string) bool {
	c, n := utf8.DecodeRuneInString(w)
	return n == len(w) && isDense(c)
}

// hasRuns says whether text has every unspaced stretch of the question as it
// was asked.
func hasRuns(text, question string) bool {
	for _, f := range strings.FieldsFunc(question, func(c rune) bool { return !isDense(c) }) {
		if !strings.Contains(text, f) {
			return false
		}
	}
	return true
}

// snippet cuts the stretch of text around the first match and says where the
// matches are.
func snippet(text string, asked []word) (string, [][2]int) {
	var at [][2]int
	for _, w := range split(text) {
		if slices.ContainsFunc(asked, func(a word) bool { return matches(w.text, a.text, a == asked[len(asked)-1]) }) {
			at = append(at, [2]int{w.start, w.end})
		}
	}
	from, to := 0, len(text)
	if len(at) > 0 {
		from = cutBefore(text, at[0][0]-snippetLen/3)
	}
	if to-from > snippetLen {
		to = cutBefore(text, from+snippetLen)
	}
	return text[from:to], merge(at, from, to)
}

// matches says whether a word of the text is what was asked for.
func matches(have, asked string, last bool) bool {
	return have == asked || ((last || isSingleDense(asked)) && strings.HasPrefix(have, asked))
}

// cutBefore returns the start of the character at byte n.
func cutBefore(s string, n int) int {
	if n <= 0 {
		return 0
	}
	for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return min(n, len(s))
}

// merge moves ranges into the snippet and joins those that touch.
func merge(at [][2]int, from, to int) (out [][2]int) {
	for _, r := range at {
		r[0], r[1] = max(r[0], from)-from, min(r[1], to)-from
		if r[0] >= r[1] {
			continue
		}
		if n := len(out); n > 0 && r[0] <= out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], r[1])
			continue
		}
		out = append(out, r)
	}
	return out
}

// Search returns rows that have every word of a question; see View.Search.
func (s *Store) Search(words string, conv *chat.ConvID, limit int) ([]Hit, error) {
	return read(s, func(v *View) ([]Hit, error) { return v.Search(words, conv, limit) })
}
