package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// end is one side of a conversation in the model test.
type end struct {
	store *store.Store
	who   person
	seen  map[identity.DeviceID]uint64 // what it marked read
}

// world is two ends and all events that exist.
type world struct {
	conv   chat.ConvID
	ends   [2]*end
	events []chat.Effect // with their authors
}

var vocabulary = []string{"harbour", "coffee", "rain", "語学", "été"}

// Two people write, edit, delete and react on several devices, sync now and
// then, each chain in order but the chains in any, read, and have their index
// drawn again. In the end both show the rows that the events mean.
func TestBothEndsShowWhatTheEventsMean(t *testing.T) {
	var stores [2]*store.Store
	for i, p := range []person{ana, bo} {
		cfg := config(t.TempDir())
		cfg.Self = p.id
		s, err := store.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		stores[i] = s
	}
	round, enough := 0, rounds(t, 8, 25)
	rapid.Check(t, func(rt *rapid.T) {
		if round++; round > enough {
			return // every write waits for the disk
		}
		w := &world{conv: chat.ConvID(who(fmt.Sprint("conversation ", round)).id)}
		for i, p := range []person{ana, bo} {
			w.ends[i] = &end{store: stores[i], who: p, seen: map[identity.DeviceID]uint64{}}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			side := rapid.IntRange(0, 1).Draw(rt, "side")
			switch rapid.IntRange(0, 10).Draw(rt, "step") {
			case 0:
				w.read(rt, w.ends[side])
			case 10:
				indexAll(t, stores[side])
			case 1, 2, 3:
				w.sync(rt, w.ends[side], w.ends[1-side], rapid.IntRange(1, 8).Draw(rt, "events"))
			default:
				w.write(rt, w.ends[side])
			}
		}
		w.sync(rt, w.ends[0], w.ends[1], 1000)
		w.sync(rt, w.ends[1], w.ends[0], 1000)
		w.check(rt)
		indexAll(t, stores[0])
		w.check(rt)
		if round%10 == 0 {
			for _, s := range stores {
				if lost, err := s.Rebuild(t.Context()); err != nil || lost != 0 {
					rt.Fatal(lost, err)
				}
			}
			w.check(rt)
		}
	})
}

// write lets a device of e write something, about something it has.
func (w *world) write(t *rapid.T, e *end) {
	kind, body := chat.KindText, chat.TextBody{Text: w.words(t)}.Encode()
	if p, err := e.store.Page(w.conv, store.Query{}); err != nil {
		t.Fatal(err)
	} else if len(p.Rows) > 0 {
		of := rapid.SampledFrom(p.Rows).Draw(t, "of").ID
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			kind, body = chat.KindReply, chat.ReplyBody{To: of, Text: w.words(t)}.Encode()
		case 1, 2:
			kind, body = chat.KindEdit, chat.EditBody{Of: of, Text: w.words(t)}.Encode()
		case 3:
			kind, body = chat.KindDelete, chat.DeleteBody{Of: of}.Encode()
		case 4:
			kind, body = chat.KindReaction, chat.ReactionBody{Of: of, Emoji: "👍", On: rapid.Bool().Draw(t, "on")}.Encode()
		}
	}
	d := e.who.device(rapid.SampledFrom([]string{"laptop", "phone"}).Draw(t, "device"))
	err := e.store.Write(t.Context(), func(tx *store.Tx) error {
		ev, err := tx.Next(w.conv, d)
		if err != nil {
			return err
		}
		ev.Time, ev.Kind, ev.Body = rapid.Int64Range(0, 3).Draw(t, "clock"), kind, body
		if added, err := tx.Append(ev, e.who.id); err != nil || !added {
			return fmt.Errorf("append: %v, %w", added, err)
		}
		w.events = append(w.events, chat.Effect{Event: ev, Author: e.who.id})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) words(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 3).Draw(t, "words"), " ")
}

// sync brings events from one end to the other: each chain in order.
func (w *world) sync(t *rapid.T, from, to *end, limit int) {
	have, err := to.store.Tips(w.conv)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := from.store.EventsAfter(w.conv, have, limit, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	chains := map[identity.DeviceID][]*chat.Event{}
	var devices []identity.DeviceID
	for _, b := range encoded {
		e, err := chat.ParseEvent(b)
		if err != nil {
			t.Fatal(err)
		}
		if chains[e.Device] == nil {
			devices = append(devices, e.Device)
		}
		chains[e.Device] = append(chains[e.Device], e)
	}
	err = to.store.Write(t.Context(), func(tx *store.Tx) error {
		for _, d := range rapid.Permutation(devices).Draw(t, "order") {
			for _, e := range chains[d] {
				if added, err := tx.Append(e, w.author(e)); err != nil || !added {
					return fmt.Errorf("sync: %v, %w", added, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) author(e *chat.Event) identity.ID {
	i := slices.IndexFunc(w.events, func(f chat.Effect) bool { return f.Event.Hash() == e.Hash() })
	return w.events[i].Author
}

// read marks everything as read that e has.
func (w *world) read(t *rapid.T, e *end) {
	p, err := e.store.Page(w.conv, store.Query{})
	if err != nil || len(p.Rows) == 0 {
		return
	}
	last := p.Rows[len(p.Rows)-1]
	err = e.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.MarkRead(w.conv, last.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range w.events {
		r := chat.Reduce(f.Event, f.Author, nil)
		if held, err := e.store.Event(f.Event.Hash()); f.Author == e.who.id || err != nil || held == nil || r.Compare(&last.Row) > 0 {
			continue
		}
		e.seen[f.Event.Device] = max(e.seen[f.Event.Device], f.Event.Seq)
	}
}

// check compares both ends with what the events mean.
func (w *world) check(t *rapid.T) {
	var want []chat.Row
	for _, f := range w.events {
		if !f.Event.Kind.IsEffect() {
			want = append(want, chat.Reduce(f.Event, f.Author, w.events))
		}
	}
	slices.SortFunc(want, func(a, b chat.Row) int { return a.Compare(&b) })
	for _, e := range w.ends {
		p, err := e.store.Page(w.conv, store.Query{Limit: store.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		var got []chat.Row
		unread := 0
		for _, r := range p.Rows {
			got = append(got, r.Row)
			if r.Author != e.who.id && !r.Deleted && r.Seq > e.seen[r.Device] {
				unread++
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("rows are\n%+v, should be\n%+v", got, want)
		}
		if u, err := e.store.Unread(w.conv); err != nil || u.Count != unread {
			t.Fatalf("%d unread, should be %d, %v", u.Count, unread, err)
		}
		for _, word := range vocabulary {
			w.checkSearch(t, e, word, want)
		}
	}
}

func (w *world) checkSearch(t *rapid.T, e *end, word string, rows []chat.Row) {
	var got, want []chat.Hash
	hits, err := e.store.Search(word, &w.conv, store.MaxHits)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		got = append(got, h.Row.ID)
	}
	for _, r := range rows {
		if strings.Contains(r.Text, word) {
			want = append(want, r.ID)
		}
	}
	if !slices.Equal(chat.SortHeads(got), chat.SortHeads(want)) {
		t.Fatalf("%q is in %v, found in %v", word, want, got)
	}
}
