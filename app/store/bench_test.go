package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// sentence is a message of ordinary length; one in 1,000 has the word quokka.
func sentence(i int) string {
	rare := ""
	if i%1000 == 500 {
		rare = "quokka"
	}
	words := [...]string{"meet", "at", "the", "old", "harbour", "when", "rain", "stops", "and", "bring", "coffee", "tomorrow"}
	n := len(words)
	return fmt.Sprintf("%s %s %s %s %d %s %s %s", words[i%n], words[i/n%n], words[i/7%n], words[i/3%n], i, words[i/11%n], words[i/5%n], rare)
}

// history makes a chain of messages by bo.
func history(n int) []*chat.Event {
	d := bo.device("desk")
	k := signer(d)
	out := make([]*chat.Event, n)
	var prev chat.Hash
	for i := range out {
		e := &chat.Event{
			Conv: talk, Device: d, Seq: uint64(i + 1), Prev: prev, Depth: uint64(i + 1),
			Time: int64(1_700_000_000_000 + i), Kind: chat.KindText, Body: chat.TextBody{Text: sentence(i)}.Encode(),
		}
		if n <= 10_000 {
			e.Sign(k)
		}
		prev = e.Hash()
		out[i] = e
	}
	return out
}

// fillWith appends events in batches.
func fillWith(tb testing.TB, s *store.Store, events []*chat.Event, batch int) {
	tb.Helper()
	for len(events) > 0 {
		n := min(batch, len(events))
		write(tb, s, func(tx *store.Tx) error {
			for _, e := range events[:n] {
				if added, err := tx.Append(e, bo.id); err != nil || !added {
					return fmt.Errorf("append %d: %v %w", e.Seq, added, err)
				}
			}
			return nil
		})
		events = events[n:]
	}
}

func BenchmarkAppendOneDurable(b *testing.B) {
	s := open(b, b.TempDir())
	events := history(b.N)
	b.ResetTimer()
	fillWith(b, s, events, 1)
}

func BenchmarkAppendBatchesOf256(b *testing.B) {
	s := open(b, b.TempDir())
	events := history(b.N)
	b.ResetTimer()
	fillWith(b, s, events, 256)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkHistory measures reading in a conversation of 100,000 messages.
func BenchmarkHistory(b *testing.B) {
	dir := b.TempDir()
	s, err := store.Open(b.Context(), config(dir))
	if err != nil {
		b.Fatal(err)
	}
	events := history(100_000)
	fillWith(b, s, events, 256)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(b.Context(), store.Config{Path: filepath.Join(dir, "store.db"), Key: key})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Page(talk, store.Query{}); err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	s = open(b, dir)
	b.Run("LastPage", func(b *testing.B) { benchPage(b, s, store.Query{}) })
	b.Run("PageBeforeTheMiddle", func(b *testing.B) { benchPage(b, s, store.Query{Before: events[50_000].Hash()}) })
	b.Run("PageAroundTheMiddle", func(b *testing.B) { benchPage(b, s, store.Query{Around: events[50_000].Hash()}) })
	b.Run("SearchRareWord", func(b *testing.B) { benchSearch(b, s, "quokka", 100) })
	b.Run("SearchCommonWords", func(b *testing.B) { benchSearch(b, s, "coffee harbour", 50) })
	b.Run("SearchPrefix", func(b *testing.B) { benchSearch(b, s, "h", 50) })
	b.Run("Summary", func(b *testing.B) {
		for b.Loop() {
			if c, err := s.Summary(talk); err != nil || c.Unread != 100_000 {
				b.Fatal(c, err)
			}
		}
	})
}

func benchPage(b *testing.B, s *store.Store, q store.Query) {
	b.ReportAllocs()
	for b.Loop() {
		p, err := s.Page(talk, q)
		if err != nil || len(p.Rows) != 50 {
			b.Fatal(len(p.Rows), err)
		}
	}
}

func benchSearch(b *testing.B, s *store.Store, words string, want int) {
	for b.Loop() {
		hits, err := s.Search(words, nil, 50)
		if err != nil || len(hits) != min(want, 50) {
			b.Fatal(len(hits), err)
		}
	}
}

// BenchmarkManyEditsOfOneRow measures 2,000 edits of one text in one commit.
func BenchmarkManyEditsOfOneRow(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := open(b, b.TempDir())
		a := text(b, s, bo, "desk", "first").Hash()
		b.StartTimer()
		flood(b, s, "desk", 2000, chat.KindEdit, func(i int) []byte { return chat.EditBody{Of: a, Text: sentence(i)}.Encode() })
	}
}
