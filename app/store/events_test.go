package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// appendTo returns what Append says.
func appendTo(tb testing.TB, s *store.Store, e *chat.Event, author person) (added bool, err error) {
	tb.Helper()
	write(tb, s, func(tx *store.Tx) error {
		added, err = tx.Append(e, author.id)
		return nil
	})
	return added, err
}

func TestTheSameEventTwiceIsOneRow(t *testing.T) {
	s := open(t, t.TempDir())
	e := text(t, s, bo, "desk", "hello")
	if added, err := appendTo(t, s, e, bo); added || err != nil {
		t.Errorf("%v, %v", added, err)
	}
	text(t, s, bo, "desk", "again")
	if added, err := appendTo(t, s, e, bo); added || err != nil {
		t.Errorf("below the tip: %v, %v", added, err)
	}
	if n := len(lastPage(t, s)); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func TestAGapIsToldAndNothingIsKept(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	text(t, from, bo, "desk", "one")
	second := text(t, from, bo, "desk", "two")
	if added, err := appendTo(t, to, second, bo); added || !errors.Is(err, chat.ErrGap) {
		t.Errorf("%v, %v", added, err)
	}
	if tips, err := to.Tips(talk); err != nil || len(tips) != 0 {
		t.Errorf("%v, %v", tips, err)
	}
}

func TestAForkIsKeptAsEvidence(t *testing.T) {
	s := open(t, t.TempDir())
	e := text(t, s, bo, "desk", "I never said that")
	text(t, s, bo, "desk", "nor that")
	for i := range 20 {
		lie := *e
		lie.Body = fmt.Appendf(nil, "something else %d", i)
		lie.Sign(signer(lie.Device))
		if added, err := appendTo(t, s, &lie, bo); added || !errors.Is(err, chat.ErrFork) {
			t.Fatalf("%v, %v", added, err)
		}
	}
	follows := &chat.Event{Conv: talk, Device: e.Device, Seq: 3, Prev: chat.Hash{5}, Depth: 3, Kind: chat.KindText, Body: []byte("x")}
	if added, err := appendTo(t, s, follows, bo); added || !errors.Is(err, chat.ErrFork) {
		t.Errorf("%v, %v", added, err)
	}
	forks, err := s.Forks(talk)
	if err != nil || len(forks) != 16 {
		t.Fatalf("%d pieces of evidence, %v", len(forks), err)
	}
	if f := forks[0]; f.Device != e.Device || f.Hash() == e.Hash() || !f.Verify([32]byte(signer(f.Device)[32:])) {
		t.Error("the evidence proves nothing")
	}
	if got := texts(lastPage(t, s)); !slices.Equal(got, []string{"I never said that", "nor that"}) {
		t.Errorf("the timeline changed: %q", got)
	}
}

func TestADepthThatDoesNotFollowIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, ana, "laptop", "one")
	e := &chat.Event{Conv: talk, Device: bo.device("desk"), Seq: 1, Depth: 1 << 50, Kind: chat.KindText, Body: []byte("last word")}
	if added, err := appendTo(t, s, e, bo); added || !errors.Is(err, chat.ErrDepth) {
		t.Errorf("%v, %v", added, err)
	}
	e.Heads = []chat.Hash{{7}} // of something nobody has
	if added, err := appendTo(t, s, e, bo); added || !errors.Is(err, chat.ErrDepth) {
		t.Errorf("%v, %v", added, err)
	}
	e.Depth = 40
	if added, err := appendTo(t, s, e, bo); !added || err != nil {
		t.Errorf("an event whose past is on its way: %v, %v", added, err)
	}
}

func TestADeviceKeepsItsOwner(t *testing.T) {
	s := open(t, t.TempDir())
	e := text(t, s, bo, "desk", "one")
	next := &chat.Event{Conv: talk, Device: e.Device, Seq: 2, Prev: e.Hash(), Depth: 2, Kind: chat.KindText, Body: []byte("x")}
	if added, err := appendTo(t, s, next, who("cleo")); added || err == nil {
		t.Errorf("%v, %v", added, err)
	}
}

func TestTooManyDevicesInOneConversationAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	var err error
	write(t, s, func(tx *store.Tx) error {
		for i := range chat.MaxTips + 1 {
			e := &chat.Event{Conv: talk, Device: bo.device(fmt.Sprint(i)), Seq: 1, Depth: 1, Kind: chat.KindText, Body: []byte("x")}
			if _, err = tx.Append(e, bo.id); err != nil {
				break
			}
		}
		return nil
	})
	if !errors.Is(err, store.ErrChains) {
		t.Error(err)
	}
	if tips, err := s.Tips(talk); err != nil || len(tips) != chat.MaxTips {
		t.Errorf("%d tips, %v", len(tips), err)
	}
}

func TestTheNextEventNamesWhatCameInBetween(t *testing.T) {
	s := open(t, t.TempDir())
	a := text(t, s, ana, "laptop", "one")
	b := text(t, s, bo, "desk", "two")
	c := text(t, s, bo, "phone", "three")
	e, err := s.Next(talk, ana.device("laptop"))
	if err != nil || e.Seq != 2 || e.Prev != a.Hash() || e.Depth != c.Depth+1 {
		t.Fatalf("%+v, %v", e, err)
	}
	if !slices.Equal(e.Heads, chat.SortHeads([]chat.Hash{b.Hash(), c.Hash()})) {
		t.Errorf("heads %v", e.Heads)
	}
	text(t, s, ana, "laptop", "four")
	e, err = s.Next(talk, ana.device("laptop"))
	if err != nil || e.Heads != nil || e.Seq != 3 {
		t.Errorf("nothing came in between, and it names %v, %v", e.Heads, err)
	}
}

func TestWhatAnEndLacksComesInOrderAndInPieces(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	people := map[string]person{}
	for i := range 60 {
		p, d := []person{ana, bo, bo}[i%3], []string{"laptop", "desk", "phone"}[i%3]
		people[p.device(d).String()] = p
		text(t, from, p, d, fmt.Sprint("message ", i))
	}
	rounds := 0
	for ; ; rounds++ {
		have, err := to.Tips(talk)
		if err != nil {
			t.Fatal(err)
		}
		some, err := from.EventsAfter(talk, have, 25, 2500)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for _, b := range some {
			e, err := chat.ParseEvent(b)
			if err != nil {
				t.Fatal(err)
			}
			take(t, to, b, people[e.Device.String()])
		}
	}
	if rounds < 4 {
		t.Errorf("%d rounds: the limits were not kept", rounds)
	}
	a, b := lastPage(t, from), lastPage(t, to)
	if !slices.Equal(texts(a), texts(b)) {
		t.Error("both ends read something else")
	}
	if d1, _ := from.Depth(talk); d1 != 60 {
		t.Errorf("depth %d", d1)
	}
	one, err := from.EventsAfter(talk, nil, 25, 1)
	if err != nil || len(one) != 1 {
		t.Errorf("an event longer than allowed: %d come, %v", len(one), err)
	}
}

func TestChainsAndEventsAreFoundByTheirNumbersAndHashes(t *testing.T) {
	s := open(t, t.TempDir())
	var want []chat.Hash
	for i := range 9 {
		want = append(want, text(t, s, bo, "desk", fmt.Sprint(i)).Hash())
	}
	var got []chat.Hash
	err := s.Read(func(v *store.View) (err error) {
		got, err = v.Chain(talk, bo.device("desk"), 3, 5)
		return err
	})
	if err != nil || !slices.Equal(got, want[2:5]) {
		t.Errorf("%v, %v", got, err)
	}
	e, err := s.Event(want[6])
	if err != nil || e.Seq != 7 || e.Hash() != want[6] {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := s.Event(chat.Hash{1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an event that is not there: %v", err)
	}
}

func TestTheFirstKeyOfADeviceStays(t *testing.T) {
	s := open(t, t.TempDir())
	d := bo.device("desk")
	put := func(pub byte, priv []byte) error {
		return s.Write(t.Context(), func(tx *store.Tx) error { return tx.PutConvKey(talk, d, [32]byte{pub}, priv) })
	}
	if _, err := s.ConvKey(talk, d); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no key yet: %v", err)
	}
	if err := errors.Join(put(1, nil), put(1, nil)); err != nil {
		t.Fatal(err)
	}
	if err := put(2, nil); !errors.Is(err, store.ErrKeyChanged) {
		t.Errorf("another key: %v", err)
	}
	if err := put(1, []byte("private")); err != nil {
		t.Fatal(err)
	}
	k, err := s.ConvKey(talk, d)
	if err != nil || k.Pub != [32]byte{1} || string(k.Priv) != "private" || k.Device != d {
		t.Errorf("%+v, %v", k, err)
	}
	if all, err := s.ConvKeys(talk); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestChainsThatGrowTogetherInOneTransactionStayApart(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	for i := range 12 {
		text(t, from, bo, []string{"desk", "phone"}[i/2%2], fmt.Sprint(i))
	}
	encoded, err := from.EventsAfter(talk, nil, 100, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	all := func(last error) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			for _, b := range encoded {
				e, err := chat.ParseEvent(b)
				if err != nil {
					return err
				}
				if added, err := tx.Append(e, bo.id); err != nil || !added {
					return fmt.Errorf("append %d: %v, %w", e.Seq, added, err)
				}
				if added, err := tx.Append(e, bo.id); err != nil || added {
					return fmt.Errorf("append %d again: %v, %w", e.Seq, added, err)
				}
			}
			return last
		}
	}
	if err := to.Write(t.Context(), all(no)); !errors.Is(err, no) {
		t.Fatal(err)
	}
	write(t, to, all(nil))
	if !slices.Equal(texts(lastPage(t, from)), texts(lastPage(t, to))) {
		t.Error("both ends read something else")
	}
}
