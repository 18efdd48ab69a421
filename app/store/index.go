package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/chat"
)

// The words of new rows are indexed some commits later, many rows in one go:
// with each message they would be a third of what its commit writes. The table
// indexed says up to which row the index has come, so that a process that dies
// forgets nothing, and a search reads the rows after it. What takes words away
// never waits, because they must not stay on the disk.
const (
	// maxWaiting is how many rows wait at most, and maxWaitingBytes their text.
	maxWaiting      = 512
	maxWaitingBytes = 1 << 20
	// indexAfter is how long nothing was written when the rest is indexed.
	indexAfter = time.Second
)

// wordChange is a row whose text changed; "" is no text.
type wordChange struct {
	id            int64
	before, after string
}

// changeWords notes that a row's text changed; "" is no text.
func (tx *Tx) changeWords(id int64, before, after string) {
	if before == after {
		return
	}
	tx.words = append(tx.words, wordChange{id: id, before: before, after: after})
	tx.indexNow = tx.indexNow || before != ""
}

// index brings the full-text index up to date, if it is time. Rows are numbered
// as they come in, and who deletes some has the rest indexed in the same commit,
// so that no number that is given again counts as indexed.
func (tx *Tx) index() error {
	size := 0
	for _, w := range tx.words {
		size += len(w.after)
	}
	if !tx.indexNow && len(tx.words) < maxWaiting && size < maxWaitingBytes {
		return nil
	}
	if err := tx.flushWords(); err != nil {
		return err
	}
	return tx.c.exec(`UPDATE indexed SET id=(SELECT coalesce(max(id), 0) FROM event)`)
}

// flushWords does the changes that wait, each row once. It is done in one go
// because each savepoint in between would write a segment.
func (tx *Tx) flushWords() error {
	changes := slices.Clone(tx.words) // the store has them still, if this fails
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

// waitingRows finds the rows that wait to be indexed, in the order they came in.
func (v *View) waitingRows() ([]*base, error) {
	last, err := v.c.number(`SELECT id FROM indexed`)
	if err != nil {
		return nil, err
	}
	return v.bases(0, baseQuery+`event.id>? AND shown>0 ORDER BY event.id`, last)
}

// findWaiting finds what the process before this one had not indexed yet.
func (s *Store) findWaiting() error {
	tx := &Tx{View: View{c: s.writer, self: s.self}}
	rows, err := tx.waitingRows()
	if err != nil {
		return err
	}
	if err := tx.eachText(rows, func(id int64, text string) { tx.changeWords(id, "", text) }); err != nil {
		return err
	}
	s.waiting = tx.words
	return nil
}

// eachText calls f with what each of some rows says.
func (v *View) eachText(rows []*base, f func(id int64, text string)) error {
	for _, b := range rows {
		row, err := v.said(b, chat.Hash{})
		if err != nil {
			return err
		}
		f(b.id, row.Text)
	}
	return nil
}

// indexRest indexes what waits, for the writer when nothing else is to be
// written.
func (s *Store) indexRest() {
	if len(s.waiting) == 0 {
		return
	}
	s.commit([]*job{{
		f:    func(tx *Tx) error { tx.indexNow = true; return nil },
		then: func(error) {},
	}})
}
