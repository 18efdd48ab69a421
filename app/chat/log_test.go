package chat_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

func TestAChainTakesOnlyItsNextEvent(t *testing.T) {
	first := &chat.Event{Conv: conv("talk"), Device: device("laptop"), Seq: 1, Depth: 1, Kind: chat.KindText, Body: []byte("a")}
	next := &chat.Event{Conv: first.Conv, Device: first.Device, Seq: 2, Prev: first.Hash(), Depth: 2, Kind: chat.KindText, Body: []byte("b")}
	tip := &chat.Tip{Device: first.Device, Seq: 1, Hash: first.Hash()}
	other := *first
	other.Body = []byte("c")
	elsewhere := *next
	elsewhere.Prev = other.Hash()
	far := *next
	far.Seq = 4
	past := &chat.Tip{Seq: 5, Hash: hash("five")}
	for name, row := range map[string]struct {
		e    *chat.Event
		tip  *chat.Tip
		want error
	}{
		"the first of an empty chain":    {first, nil, nil},
		"the next":                       {next, tip, nil},
		"the second of an empty chain":   {next, nil, chat.ErrGap},
		"one further on":                 {&far, tip, chat.ErrGap},
		"the tip again":                  {first, tip, chat.ErrStale},
		"one long there":                 {first, past, chat.ErrStale},
		"another one in the tip's place": {&other, tip, chat.ErrFork},
		"one that follows another tip":   {&elsewhere, tip, chat.ErrFork},
	} {
		if err := chat.Check(row.e, row.tip); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}

func TestDepthFollowsFromThePast(t *testing.T) {
	for _, row := range []struct {
		depth, known uint64
		missing      int
		deepest      uint64
		ok           bool
	}{
		{1, 0, 0, 0, true},
		{6, 5, 0, 9, true},
		{7, 5, 0, 9, false}, // nothing explains the jump
		{5, 5, 0, 9, false}, // not after what it names
		{6, 5, 1, 5, true},
		{90, 5, 1, 9, true}, // its heads may be that deep
		{5, 5, 1, 9, false},
		{1 << 40, 5, 1, 9, false}, // would leave no depths for others
	} {
		err := chat.CheckDepth(&chat.Event{Depth: row.depth}, row.known, row.missing, row.deepest)
		if (err == nil) != row.ok || (err != nil && !errors.Is(err, chat.ErrDepth)) {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

func TestAFrontierComesBackSorted(t *testing.T) {
	f := chat.Frontier{Conv: conv("talk")}
	for i := range chat.MaxTips {
		f.Tips = append(f.Tips, chat.Tip{Device: device(fmt.Sprint(i)), Seq: uint64(i + 1), Hash: hash(fmt.Sprint(i))})
	}
	got, err := chat.ParseFrontier(f.Encode())
	if err != nil || len(got.Tips) != len(f.Tips) {
		t.Fatalf("%d tips, %v", len(got.Tips), err)
	}
	for _, tip := range f.Tips {
		if got.Tip(tip.Device) != tip {
			t.Fatalf("tip of %s is %+v", tip.Device.Short(), got.Tip(tip.Device))
		}
	}
	if tip := got.Tip(device("nobody")); tip.Seq != 0 || tip.Device != device("nobody") {
		t.Errorf("a chain that is not there ends at %+v", tip)
	}
	f.Tips = append(f.Tips, chat.Tip{Device: device("one more"), Seq: 1})
	if _, err := chat.ParseFrontier(f.Encode()); !errors.Is(err, chat.ErrTooLarge) {
		t.Errorf("257 tips: %v", err)
	}
	twice := chat.Frontier{Tips: []chat.Tip{{Device: device("a"), Seq: 1}, {Device: device("a"), Seq: 2}}}
	if _, err := chat.ParseFrontier(twice.Encode()); !errors.Is(err, chat.ErrMalformed) {
		t.Errorf("one device twice: %v", err)
	}
}

func receipt(delivered, seen uint64) chat.Receipt {
	r := chat.Receipt{Conv: conv("talk"), By: device("theirs"), Author: device("ours"), Delivered: delivered, Seen: seen, Time: 5}
	r.Sign(key("theirs"))
	return r
}

func TestAReceiptComesBackAndVerifies(t *testing.T) {
	r := receipt(9, 4)
	got, err := chat.ParseReceipt(r.Encode())
	if err != nil || got != r || !got.Verify(public("theirs")) || got.Verify(public("ours")) {
		t.Fatalf("%+v, %v", got, err)
	}
	got.Seen++
	if got.Verify(public("theirs")) {
		t.Error("a changed receipt verifies")
	}
	for name, bad := range map[string]chat.Receipt{
		"seen beyond delivered": receipt(4, 9),
		"for oneself":           {By: device("x"), Author: device("x")},
	} {
		if _, err := chat.ParseReceipt(bad.Encode()); !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptsOnlyGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) chat.Receipt {
			d := rapid.Uint64Range(0, 9).Draw(t, name)
			return receipt(d, rapid.Uint64Range(0, d).Draw(t, name+" seen"))
		}
		old, r := draw("old"), draw("new")
		m, changed := r.Merge(old)
		if m.Delivered != max(r.Delivered, old.Delivered) || m.Seen != max(r.Seen, old.Seen) {
			t.Fatalf("%d/%d and %d/%d make %d/%d", old.Delivered, old.Seen, r.Delivered, r.Seen, m.Delivered, m.Seen)
		}
		if changed != (m.Delivered != old.Delivered || m.Seen != old.Seen) {
			t.Fatal("it does not know whether it changed")
		}
		if m.IsSigned() && !m.Verify(public("theirs")) {
			t.Fatal("it carries a signature of something else")
		}
		if again, more := r.Merge(m); more || again != m {
			t.Fatal("the same receipt again changed something")
		}
	})
}

func TestStatesComeBackFromTheirWords(t *testing.T) {
	for s := chat.Written; s <= chat.Received; s++ {
		b, _ := s.MarshalText()
		var got chat.State
		if err := got.UnmarshalText(b); err != nil || got != s {
			t.Errorf("%s: %v, %v", b, got, err)
		}
	}
	if _, err := chat.ParseState("sent"); err == nil {
		t.Error(`"sent" is taken for a state`)
	}
	if chat.State(0).String() != "state-0" {
		t.Error("state 0 has a word")
	}
}

func TestWorkIsBoundToWhoAsksWhomAndWhat(t *testing.T) {
	w := chat.Work{Requester: person("ana"), Target: person("bo"), Text: "hello, it is me"}
	nonce, err := w.Find(t.Context(), 10)
	if err != nil || !w.Check(nonce, 10) {
		t.Fatalf("nonce %d: %v", nonce, err)
	}
	right := 0
	for i := range 64 {
		other := w
		other.Target = identity.ID(hash(fmt.Sprint(i)))
		if other.Check(nonce, 10) {
			right++
		}
	}
	if right > 2 {
		t.Errorf("one work passes for %d of 64 others", right)
	}
	if turned := (chat.Work{Requester: w.Target, Target: w.Requester, Text: w.Text}); turned.Check(nonce, 10) {
		t.Error("it passes in the other direction")
	}
	if other := (chat.Work{Requester: w.Requester, Target: w.Target, Text: "spam"}); other.Check(nonce, 10) {
		t.Error("it passes for another text")
	}
}

func BenchmarkWork(b *testing.B) {
	w := chat.Work{Requester: person("ana"), Target: person("bo")}
	for n := range b.N {
		w.Check(uint64(n), chat.WorkBits)
	}
}

func FuzzParseReceipt(f *testing.F) {
	r := receipt(9, 4)
	f.Add(r.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := chat.ParseReceipt(b); err == nil && string(r.Encode()) != string(b) {
			t.Fatal("one receipt has two encodings")
		}
	})
}
