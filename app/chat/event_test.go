package chat_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// hash, person, device and conv make ids from words, the same in every run.
func hash(s string) chat.Hash           { return sha256.Sum256([]byte(s)) }
func person(s string) identity.ID       { return sha256.Sum256([]byte(s)) }
func device(s string) identity.DeviceID { return sha256.Sum256([]byte(s)) }
func conv(s string) chat.ConvID         { return sha256.Sum256([]byte(s)) }

func key(s string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(s))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(s string) [32]byte { return [32]byte(key(s).Public().(ed25519.PublicKey)) }

func event() *chat.Event {
	e := &chat.Event{
		Conv: conv("talk"), Device: device("laptop"), Seq: 7, Prev: hash("six"),
		Heads: chat.SortHeads([]chat.Hash{hash("a"), hash("b")}), Depth: 12, Time: 1_700_000_000_000,
		Kind: chat.KindText, Salt: [16]byte{3, 1, 4, 1, 5}, Body: chat.TextBody{Text: "see you at the harbour"}.Encode(),
	}
	e.Sign(key("laptop"))
	return e
}

func TestAnEventComesBackAsItWasWritten(t *testing.T) {
	for _, e := range []*chat.Event{event(), event().Redact()} {
		got, err := chat.ParseEvent(e.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, e) {
			t.Fatalf("got %+v, want %+v", got, e)
		}
		if got.Hash() != event().Hash() {
			t.Error("its hash changed")
		}
		if !got.Verify(public("laptop")) {
			t.Error("its signature does not verify")
		}
	}
}

func TestAFlippedBitInAnyByteOfAnEventIsNoticed(t *testing.T) {
	for _, good := range [][]byte{event().Encode(), event().Redact().Encode()} {
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			e, err := chat.ParseEvent(bad)
			if err == nil && e.Verify(public("laptop")) {
				t.Fatalf("a bit of byte %d flipped, and the event still verifies", i)
			}
		}
	}
}

func TestAnEventCutAnywhereIsRefused(t *testing.T) {
	for _, good := range [][]byte{event().Encode(), event().Redact().Encode()} {
		for n := range good {
			if _, err := chat.ParseEvent(good[:n]); !errors.Is(err, chat.ErrMalformed) {
				t.Fatalf("cut to %d bytes: %v", n, err)
			}
		}
		if _, err := chat.ParseEvent(append(good, 0)); !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("with a byte too many: %v", err)
		}
	}
}

func TestARedactedEventSaysNothingAndKeepsItsPlace(t *testing.T) {
	e := event()
	r := e.Redact()
	if e.Redacted() || !r.Redacted() || len(e.Body) == 0 || r.Body != nil || r.Salt != [16]byte{} {
		t.Fatalf("redacted %+v of %+v", r, e)
	}
	if r.Hash() != e.Hash() || !r.Verify(public("laptop")) || r.Verify(public("phone")) {
		t.Error("its hash or its signature changed")
	}
	if bytes.Contains(r.Encode(), []byte("harbour")) || len(r.Encode()) >= len(e.Encode()) {
		t.Error("something of the body is left")
	}
	if !reflect.DeepEqual(r.Redact(), r) {
		t.Error("redacted twice it is another one")
	}
	if err := chat.Check(r, &chat.Tip{Seq: 7, Hash: e.Hash()}); !errors.Is(err, chat.ErrStale) {
		t.Errorf("in a chain that has it whole: %v", err)
	}
}

// Whoever has only the redacted event must not be able to find a short text by
// trying all of them.
func TestTheDigestOfAShortBodyCannotBeGuessed(t *testing.T) {
	a, b := event(), event()
	b.Salt[15]++
	if a.Hash() == b.Hash() || b.Verify(public("laptop")) {
		t.Error("the salt is not covered")
	}
}

func TestADeleteIsNeverRedacted(t *testing.T) {
	e := event()
	e.Kind, e.Body = chat.KindDelete, chat.DeleteBody{Of: hash("x")}.Encode()
	if r := e.Redact(); r.Redacted() || !reflect.DeepEqual(r, e) {
		t.Errorf("%+v", r)
	}
	redacted := event().Redact()
	redacted.Kind = chat.KindDelete
	if _, err := chat.ParseEvent(redacted.Encode()); !errors.Is(err, chat.ErrMalformed) {
		t.Errorf("one that says it is: %v", err)
	}
}

func TestAnEventThatBreaksARuleIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(e *chat.Event){
		"sequence number 0":         func(e *chat.Event) { e.Seq = 0 },
		"a depth below its place":   func(e *chat.Event) { e.Depth = 6 },
		"a depth beyond all bounds": func(e *chat.Event) { e.Depth = chat.MaxSeq + 1 },
		"a time before 1970":        func(e *chat.Event) { e.Time = -1 },
		"kind 0":                    func(e *chat.Event) { e.Kind = 0 },
		"heads out of order":        func(e *chat.Event) { e.Heads[0], e.Heads[1] = e.Heads[1], e.Heads[0] },
		"one head twice":            func(e *chat.Event) { e.Heads[0] = e.Heads[1] },
		"too many heads":            func(e *chat.Event) { e.Heads = make([]chat.Hash, chat.MaxHeads+1) },
		"a body that is too long":   func(e *chat.Event) { e.Body = make([]byte, chat.MaxBody+1) },
		"a megabyte of body":        func(e *chat.Event) { e.Body = make([]byte, 1<<20) },
	} {
		e := event()
		spoil(e)
		_, err := chat.ParseEvent(e.Encode())
		if !errors.Is(err, chat.ErrMalformed) && !errors.Is(err, chat.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongestEventFits(t *testing.T) {
	e := event()
	e.Seq, e.Depth, e.Time = chat.MaxSeq, chat.MaxSeq, chat.MaxSeq
	e.Body = make([]byte, chat.MaxBody)
	for i := range chat.MaxHeads - 2 {
		e.Heads = append(e.Heads, hash(fmt.Sprint(i)))
	}
	chat.SortHeads(e.Heads)
	if _, err := chat.ParseEvent(e.Encode()); err != nil {
		t.Fatal(err)
	}
	long := chat.ReplyBody{To: hash("x"), Text: strings.Repeat("é", chat.MaxText/2)}.Encode()
	if len(long) > chat.MaxBody {
		t.Error("the longest reply is longer than a body may be")
	}
}

func TestASignatureIsBoundToItsConversationDeviceAndPlace(t *testing.T) {
	for name, move := range map[string]func(e *chat.Event){
		"conversation": func(e *chat.Event) { e.Conv = conv("other") },
		"device":       func(e *chat.Event) { e.Device = device("other") },
		"place":        func(e *chat.Event) { e.Seq++ },
		"past":         func(e *chat.Event) { e.Prev = hash("other") },
		"kind":         func(e *chat.Event) { e.Kind = chat.KindEdit },
	} {
		e := event()
		before := e.Hash()
		move(e)
		if e.Verify(public("laptop")) {
			t.Errorf("moved to another %s, and it still verifies", name)
		}
		if e.Hash() == before {
			t.Errorf("moved to another %s, and it has the same hash", name)
		}
	}
	if e := event(); e.Verify(public("somebody else")) {
		t.Error("somebody else's key verifies it")
	}
}

func TestAReceiptSignatureIsNoEventSignature(t *testing.T) {
	e := event()
	b := e.Redact().Encode() // header, one byte, digest, signature
	signed := slices.Concat(b[:len(b)-97], b[len(b)-96:len(b)-64])
	for label, want := range map[string]bool{"event": true, "receipt": false} {
		copy(e.Sig[:], identity.Sign(key("laptop"), label, signed))
		if e.Verify(public("laptop")) != want {
			t.Errorf("a signature for an %s passes for one of an event: %v", label, !want)
		}
	}
}

func TestBothSidesNameTheirConversationAlike(t *testing.T) {
	ana, bo, cleo := person("ana"), person("bo"), person("cleo")
	if chat.Direct(ana, bo) != chat.Direct(bo, ana) {
		t.Error("the order of the two matters")
	}
	if chat.Direct(ana, bo) == chat.Direct(ana, cleo) {
		t.Error("two conversations have one id")
	}
}

func TestIDsComeBackFromTheirText(t *testing.T) {
	h, c := hash("x"), conv("y")
	if got, err := chat.ParseHash(h.String()); err != nil || got != h {
		t.Errorf("hash: %v, %v", got, err)
	}
	if got, err := chat.ParseConvID(c.String()); err != nil || got != c {
		t.Errorf("conversation: %v, %v", got, err)
	}
	var h2 chat.Hash
	var c2 chat.ConvID
	ht, _ := h.MarshalText()
	ct, _ := c.MarshalText()
	if h2.UnmarshalText(ht) != nil || h2 != h || c2.UnmarshalText(ct) != nil || c2 != c {
		t.Error("text does not come back")
	}
	for _, bad := range []string{"", "00", strings.ToUpper(h.String()), h.String() + "0", strings.Repeat("g", 64)} {
		if _, err := chat.ParseHash(bad); err == nil {
			t.Errorf("%q is taken for a hash", bad)
		}
		if _, err := chat.ParseConvID(bad); err == nil {
			t.Errorf("%q is taken for a conversation", bad)
		}
	}
	if h.LogValue().String() != h.Short() || c.LogValue().String() != c.Short() || h.IsZero() || c.IsZero() {
		t.Error("logs show more than the beginning")
	}
}

func TestBodiesComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aé語\u202e🎉\n")), 1, 50, -1).Draw(t, "text")
		of := hash(rapid.String().Draw(t, "of"))
		same(t, chat.TextBody{Text: text}, chat.ParseTextBody)
		same(t, chat.ReplyBody{To: of, Text: text}, chat.ParseReplyBody)
		same(t, chat.EditBody{Of: of, Text: text}, chat.ParseEditBody)
		same(t, chat.DeleteBody{Of: of}, chat.ParseDeleteBody)
		same(t, chat.ReactionBody{Of: of, Emoji: "👍🏽", On: rapid.Bool().Draw(t, "on")}, chat.ParseReactionBody)
		same(t, chat.CallBody{
			Call: [16]byte(of[:16]), Outgoing: true, Reason: "hangup",
			Duration: rapid.Uint32().Draw(t, "duration"), Report: rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "report"),
		}, chat.ParseCallBody)
		same(t, chat.DeviceBody{Act: chat.DeviceRevoked, Person: person(text), Device: device(text), Name: text}, chat.ParseDeviceBody)
	})
}

func same[T interface{ Encode() []byte }](t *rapid.T, body T, parse func([]byte) (T, error)) {
	t.Helper()
	got, err := parse(body.Encode())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(body) {
		t.Fatalf("got %+v (%v), want %+v", got, err, body)
	}
}

func TestBodiesThatBreakARuleAreRefused(t *testing.T) {
	of := hash("x")
	long := strings.Repeat("a", chat.MaxText+1)
	for name, err := range map[string]error{
		"empty text":       second(chat.ParseTextBody(nil)),
		"NUL":              second(chat.ParseTextBody([]byte("a\x00b"))),
		"no UTF-8":         second(chat.ParseTextBody([]byte{0xff})),
		"too long":         second(chat.ParseTextBody([]byte(long))),
		"reply to nothing": second(chat.ParseReplyBody(chat.ReplyBody{Text: "a"}.Encode())),
		"reply cut off":    second(chat.ParseReplyBody(of[:31])),
		"empty edit":       second(chat.ParseEditBody(of[:])),
		"delete with more": second(chat.ParseDeleteBody(append(of[:], 0))),
		"no emoji":         second(chat.ParseReactionBody(chat.ReactionBody{Of: of}.Encode())),
		"long emoji":       second(chat.ParseReactionBody(chat.ReactionBody{Of: of, Emoji: strings.Repeat("a", 65)}.Encode())),
		"long reason":      second(chat.ParseCallBody(chat.CallBody{Reason: strings.Repeat("a", 33)}.Encode())),
		"long report":      second(chat.ParseCallBody(chat.CallBody{Report: make([]byte, chat.MaxReport+1)}.Encode())),
		"no act":           second(chat.ParseDeviceBody(chat.DeviceBody{}.Encode())),
	} {
		if !errors.Is(err, chat.ErrMalformed) && !errors.Is(err, chat.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestKindsHaveNames(t *testing.T) {
	for k := chat.KindText; k <= chat.KindDevice; k++ {
		if strings.HasPrefix(k.String(), "kind-") {
			t.Errorf("kind %d has no name", k)
		}
	}
	if chat.Kind(200).String() != "kind-200" || chat.DeviceAct(9).String() != "act-9" {
		t.Error("an unknown number is not shown as one")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(event().Encode())
	f.Add(event().Redact().Encode())
	first := event()
	first.Seq, first.Prev, first.Heads, first.Kind = 1, chat.Hash{}, nil, 200
	f.Add(first.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := chat.ParseEvent(b)
		if err != nil {
			return
		}
		if string(e.Encode()) != string(b) {
			t.Fatal("one event has two encodings")
		}
		if e.Redact().Hash() != e.Hash() {
			t.Fatal("its hash changed with its body")
		}
		chat.Reduce(e, person("ana"), []chat.Effect{{Event: e, Author: person("ana")}})
		e.Target()
	})
}

func FuzzParseBodies(f *testing.F) {
	of := hash("x")
	for _, b := range [][]byte{
		chat.TextBody{Text: "hello"}.Encode(),
		chat.ReplyBody{To: of, Text: "hello"}.Encode(),
		chat.ReactionBody{Of: of, Emoji: "🎉", On: true}.Encode(),
		chat.CallBody{Outgoing: true, Reason: "busy", Duration: 400, Report: []byte{1}}.Encode(),
		chat.DeviceBody{Act: chat.DeviceAdded, Name: "laptop"}.Encode(),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		canonical(t, b, chat.ParseTextBody)
		canonical(t, b, chat.ParseReplyBody)
		canonical(t, b, chat.ParseEditBody)
		canonical(t, b, chat.ParseDeleteBody)
		canonical(t, b, chat.ParseReactionBody)
		canonical(t, b, chat.ParseCallBody)
		canonical(t, b, chat.ParseDeviceBody)
	})
}

func canonical[T interface{ Encode() []byte }](t *testing.T, b []byte, parse func([]byte) (T, error)) {
	t.Helper()
	if body, err := parse(b); err == nil && string(body.Encode()) != string(b) {
		t.Fatalf("one %T has two encodings", body)
	}
}

func BenchmarkEventVerify(b *testing.B) {
	encoded, pub := event().Encode(), public("laptop")
	for b.Loop() {
		e, err := chat.ParseEvent(encoded)
		if err != nil || !e.Verify(pub) {
			b.Fatal(err)
		}
	}
}

func BenchmarkEventParse(b *testing.B) {
	encoded := event().Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := chat.ParseEvent(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
