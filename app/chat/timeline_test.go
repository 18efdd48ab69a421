package chat_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/entrenous/entrenous/app/chat"
)

// by makes an effect of somebody at a depth.
func by(who string, depth uint64, kind chat.Kind, body []byte) chat.Effect {
	return chat.Effect{Author: person(who), Event: &chat.Event{
		Conv: conv("talk"), Device: device(who), Seq: 1, Depth: depth, Time: int64(1000 * depth), Kind: kind, Body: body,
	}}
}

func row(effects ...chat.Effect) chat.Row {
	return chat.Reduce(event(), person("ana"), effects)
}

func TestTheLastEditCounts(t *testing.T) {
	of := event().Hash()
	r := row(
		by("ana", 20, chat.KindEdit, chat.EditBody{Of: of, Text: "second"}.Encode()),
		by("ana", 15, chat.KindEdit, chat.EditBody{Of: of, Text: "first"}.Encode()),
	)
	if r.Text != "second" || !r.Edited || r.EditedAt != 20_000 {
		t.Errorf("%+v", r)
	}
}

func TestNobodyEditsOrDeletesWhatAnotherWrote(t *testing.T) {
	of := event().Hash()
	r := row(
		by("bo", 20, chat.KindEdit, chat.EditBody{Of: of, Text: "I am a fool"}.Encode()),
		by("bo", 21, chat.KindDelete, chat.DeleteBody{Of: of}.Encode()),
	)
	if r.Text != "see you at the harbour" || r.Edited || r.Deleted {
		t.Errorf("%+v", r)
	}
}

func TestAnyDeviceOfTheAuthorMayEdit(t *testing.T) {
	f := by("phone", 20, chat.KindEdit, chat.EditBody{Of: event().Hash(), Text: "from my phone"}.Encode())
	f.Author = person("ana")
	if r := row(f); r.Text != "from my phone" {
		t.Errorf("%+v", r)
	}
}

func TestADeletedRowHasNothingLeft(t *testing.T) {
	of := event().Hash()
	r := row(
		by("ana", 20, chat.KindDelete, chat.DeleteBody{Of: of}.Encode()),
		by("ana", 30, chat.KindEdit, chat.EditBody{Of: of, Text: "back again"}.Encode()),
		by("bo", 30, chat.KindReaction, chat.ReactionBody{Of: of, Emoji: "😢", On: true}.Encode()),
	)
	if !r.Deleted || r.Text != "" || r.Edited || r.Reactions != nil {
		t.Errorf("%+v", r)
	}
}

func TestARedactedEventIsADeletedRowOrNoEffect(t *testing.T) {
	of := event().Hash()
	edit := by("ana", 20, chat.KindEdit, chat.EditBody{Of: of, Text: "second"}.Encode())
	thumb := by("bo", 21, chat.KindReaction, chat.ReactionBody{Of: of, Emoji: "👍", On: true}.Encode())
	del := by("ana", 30, chat.KindDelete, chat.DeleteBody{Of: of}.Encode())
	want := row(edit, thumb, del)
	for name, effects := range map[string][]chat.Effect{"nothing else": nil, "all else": {edit, thumb, del}} {
		if got := chat.Reduce(event().Redact(), person("ana"), effects); !reflect.DeepEqual(got, want) {
			t.Errorf("with %s: got %+v, want %+v", name, got, want)
		}
	}
	edit.Event, thumb.Event = edit.Event.Redact(), thumb.Event.Redact()
	if got := row(edit, thumb); !reflect.DeepEqual(got, row()) {
		t.Errorf("redacted effects change the row: %+v", got)
	}
	if _, ok := edit.Event.Target(); ok {
		t.Error("a redacted effect has a target")
	}
	for _, k := range []chat.Kind{chat.KindCall, chat.KindDevice, 200} {
		e := event()
		e.Kind = k
		if r := chat.Reduce(e.Redact(), person("ana"), nil); !r.Deleted || r.Unknown || r.Call != nil || r.Change != nil || r.Kind != k {
			t.Errorf("%v: %+v", k, r)
		}
	}
}

func TestThePersonsLastWordOnAnEmojiCounts(t *testing.T) {
	of := event().Hash()
	react := func(who string, depth uint64, emoji string, on bool) chat.Effect {
		return by(who, depth, chat.KindReaction, chat.ReactionBody{Of: of, Emoji: emoji, On: on}.Encode())
	}
	r := row(
		react("bo", 20, "👍", true), react("bo", 22, "👍", false),
		react("cleo", 23, "🎉", true), react("bo", 24, "🎉", true), react("bo", 25, "🎉", true),
		react("ana", 21, "❤️", true),
	)
	want := []chat.Reaction{
		{Emoji: "❤️", By: ids("ana")},
		{Emoji: "🎉", By: ids("cleo", "bo")},
	}
	if !reflect.DeepEqual(r.Reactions, want) {
		t.Errorf("%+v", r.Reactions)
	}
}

func TestEffectsThatAimElsewhereChangeNothing(t *testing.T) {
	of := event().Hash()
	elsewhere := by("ana", 20, chat.KindDelete, chat.DeleteBody{Of: of}.Encode())
	elsewhere.Event.Conv = conv("other")
	want := row()
	got := row(
		elsewhere,
		by("ana", 20, chat.KindDelete, chat.DeleteBody{Of: hash("another row")}.Encode()),
		by("ana", 20, chat.KindEdit, []byte("garbage")),
		by("ana", 20, chat.KindText, chat.TextBody{Text: "no effect"}.Encode()),
		by("bo", 20, chat.KindReaction, of[:]),
	)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatCannotBeReadIsShownAsSuch(t *testing.T) {
	for name, spoil := range map[string]func(e *chat.Event){
		"a newer kind":   func(e *chat.Event) { e.Kind = 200 },
		"a reserved one": func(e *chat.Event) { e.Kind = chat.KindFileOffer },
		"no text":        func(e *chat.Event) { e.Body = nil },
		"a broken reply": func(e *chat.Event) { e.Kind = chat.KindReply },
		"a broken call":  func(e *chat.Event) { e.Kind = chat.KindCall },
		"a broken act":   func(e *chat.Event) { e.Kind = chat.KindDevice },
	} {
		e := event()
		e.Body = []byte{0xff}
		spoil(e)
		if r := chat.Reduce(e, person("ana"), nil); !r.Unknown || r.Text != "" || r.Call != nil || r.Change != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestCallsAndDeviceChangesAreRows(t *testing.T) {
	e := event()
	e.Kind, e.Body = chat.KindCall, chat.CallBody{Reason: "missed"}.Encode()
	r := chat.Reduce(e, person("ana"), nil)
	if r.Call == nil || r.Call.Reason != "missed" {
		t.Errorf("%+v", r)
	}
	del := by("ana", 20, chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	if r := chat.Reduce(e, person("ana"), []chat.Effect{del}); !r.Deleted || r.Call != nil {
		t.Errorf("%+v", r)
	}
	e.Kind, e.Body = chat.KindDevice, chat.DeviceBody{Act: chat.DeviceAdded, Name: "phone"}.Encode()
	del = by("ana", 20, chat.KindDelete, chat.DeleteBody{Of: e.Hash()}.Encode())
	if r := chat.Reduce(e, person("ana"), []chat.Effect{del}); r.Deleted || r.Change == nil || r.Change.Name != "phone" {
		t.Errorf("a device change was hidden: %+v", r)
	}
}

// Two devices get the same effects in other orders, and some of them twice.
func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	of := event().Hash()
	rapid.Check(t, func(t *rapid.T) {
		var effects []chat.Effect
		for i := range rapid.IntRange(0, 12).Draw(t, "effects") {
			who := rapid.SampledFrom([]string{"ana", "bo", "cleo"}).Draw(t, "who")
			depth := rapid.Uint64Range(13, 17).Draw(t, "depth")
			switch rapid.IntRange(0, 8).Draw(t, "kind") {
			case 0, 1, 2:
				effects = append(effects, by(who, depth, chat.KindEdit, chat.EditBody{Of: of, Text: fmt.Sprint("text ", i)}.Encode()))
			case 3:
				effects = append(effects, by(who, depth, chat.KindDelete, chat.DeleteBody{Of: of}.Encode()))
			default:
				emoji := rapid.SampledFrom([]string{"👍", "🎉"}).Draw(t, "emoji")
				on := rapid.Bool().Draw(t, "on")
				effects = append(effects, by(who, depth, chat.KindReaction, chat.ReactionBody{Of: of, Emoji: emoji, On: on}.Encode()))
			}
		}
		want := row(effects...)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 4 {
			shuffled := slices.Concat(effects, effects[:len(effects)/2])
			rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := row(shuffled...); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

func TestRowsStandInCausalOrderWhateverTheClocksSay(t *testing.T) {
	a, b := event(), event()
	b.Depth, b.Time = 13, 1
	ra, rb := chat.Reduce(a, person("ana"), nil), chat.Reduce(b, person("ana"), nil)
	if chat.Compare(a, b) >= 0 || ra.Compare(&rb) >= 0 {
		t.Error("an answer stands above what it answers")
	}
	b.Depth = a.Depth
	rb = chat.Reduce(b, person("ana"), nil)
	if chat.Compare(a, b) <= 0 || ra.Compare(&rb) <= 0 {
		t.Error("of two that knew nothing of each other the later one stands first")
	}
	b.Time, b.Body = a.Time, []byte("other")
	rb = chat.Reduce(b, person("ana"), nil)
	if chat.Compare(a, b) != ra.Compare(&rb) || chat.Compare(a, b) != -chat.Compare(b, a) {
		t.Error("events and rows disagree on their order")
	}
}

func BenchmarkReducePlain(b *testing.B) {
	e := event()
	for b.Loop() {
		chat.Reduce(e, person("ana"), nil)
	}
}
