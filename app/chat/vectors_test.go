package chat_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
)

// everyKind is one event of each kind, and one that this version cannot read.
func everyKind() []*chat.Event {
	of := hash("target")
	bodies := []struct {
		kind chat.Kind
		body []byte
	}{
		{chat.KindText, chat.TextBody{Text: "bonjour, 日本語 🎉"}.Encode()},
		{chat.KindReply, chat.ReplyBody{To: of, Text: "yes"}.Encode()},
		{chat.KindEdit, chat.EditBody{Of: of, Text: "yes!"}.Encode()},
		{chat.KindDelete, chat.DeleteBody{Of: of}.Encode()},
		{chat.KindReaction, chat.ReactionBody{Of: of, Emoji: "👍🏽", On: true}.Encode()},
		{chat.KindCall, chat.CallBody{Call: [16]byte{1, 2, 3}, Outgoing: true, Reason: "hangup", Duration: 754, Report: []byte{9, 9}}.Encode()},
		{chat.KindDevice, chat.DeviceBody{Act: chat.DeviceAdded, Person: person("ana"), Device: device("phone"), Name: "phone"}.Encode()},
		{200, []byte("from a newer version")},
	}
	var out []*chat.Event
	var prev chat.Hash
	for i, b := range bodies {
		e := &chat.Event{
			Conv: conv("talk"), Device: device("laptop"), Seq: uint64(i + 1), Prev: prev,
			Depth: uint64(i*100 + 1), Time: 1_700_000_000_000 + int64(i), Kind: b.kind, Salt: [16]byte{15: byte(i)}, Body: b.body,
		}
		if i%2 == 1 {
			e.Heads = chat.SortHeads([]chat.Hash{hash("one"), hash("two")})
		}
		e.Sign(key("laptop"))
		prev = e.Hash()
		out = append(out, e)
	}
	return out
}

// retired are the frozen frames that this version neither sends nor reads.
var retired = []int{5, 6, 14}

// The formats are frozen: what one version wrote and signed, every later one
// must read, hash and verify alike. A line of the file is a name, an encoding
// and, for events, a hash. If this fails, the change breaks every history.
func TestTheFormatsAreFrozen(t *testing.T) {
	f, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frozen := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		frozen[name] = rest
	}
	check := func(name, got string) {
		t.Helper()
		if frozen[name] != got {
			t.Errorf("frozen: %s %s\nis now: %s %s", name, frozen[name], name, got)
		}
	}
	for _, e := range everyKind() {
		check("event-"+e.Kind.String(), hex.EncodeToString(e.Encode())+" "+e.Hash().String())
		if e.Kind != chat.KindDelete {
			check("event-redacted-"+e.Kind.String(), hex.EncodeToString(e.Redact().Encode())+" "+e.Hash().String())
		}
	}
	i := 0
	for _, fr := range frames() {
		for slices.Contains(retired, i) {
			i++
		}
		check(fmt.Sprintf("frame-%d", i), hex.EncodeToString(fr.Encode()))
		i++
	}
	r := receipt(300, 4)
	check("receipt", hex.EncodeToString(r.Encode()))
	check("direct", chat.Direct(person("ana"), person("bo")).String())
	nonce, err := chat.Work{Requester: person("ana"), Target: person("bo"), Text: "hello"}.Find(t.Context(), 12)
	if err != nil {
		t.Fatal(err)
	}
	check("work-12", fmt.Sprint(nonce))
}

// Read from the file alone, without what wrote it.
func TestFrozenEventsParseAndVerify(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole, redacted := 0, 0
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(fields[0], "event-") {
			continue
		}
		raw, err := hex.DecodeString(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		e, err := chat.ParseEvent(raw)
		if err != nil {
			t.Fatalf("%s: %v", fields[0], err)
		}
		if e.Hash().String() != fields[2] || !e.Verify(public("laptop")) {
			t.Errorf("%s: hash or signature changed", fields[0])
		}
		if e.Redacted() {
			redacted++
		} else {
			whole++
		}
	}
	if n := len(everyKind()); whole != n || redacted != n-1 {
		t.Errorf("%d frozen events and %d redacted ones, %d kinds", whole, redacted, n)
	}
}
