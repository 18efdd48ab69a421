package chat_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

func ids(names ...string) (out []identity.ID) {
	for _, n := range names {
		out = append(out, person(n))
	}
	return out
}

// frames is one of each.
func frames() []chat.Frame {
	return []chat.Frame{
		chat.Hello{Name: "Ana", ListEpoch: 3, Peer: "12D3KooW", Addrs: []string{"/ip4/192.0.2.1/udp/4001/quic-v1", "/ip6/::1"}, Rendezvous: [16]byte{1, 2}},
		chat.DeviceListFrame{List: []byte("list")},
		chat.Request{Name: "Ana", Text: "we met at the harbour", Once: make([]byte, 16)},
		chat.Request{Nonce: 1 << 50},
		chat.Accept{},
		chat.KeyFrame{Conv: conv("talk"), Device: device("laptop"), Key: public("laptop")},
		chat.FrontierFrame{Frontier: chat.Frontier{Conv: conv("talk"), Tips: []chat.Tip{{Device: device("laptop"), Seq: 300, Hash: hash("x")}}}},
		chat.EventsFrame{Events: [][]byte{event().Encode(), []byte("second")}},
		chat.ReceiptsFrame{Receipts: []chat.Receipt{receipt(9, 4), receipt(300, 0)}},
		chat.TypingFrame{Conv: conv("talk"), On: true},
		chat.Ping{N: 1<<64 - 1},
		chat.Pong{N: 7},
		chat.Bye{},
		chat.CallFrame{Call: [16]byte{1, 15: 2}, Body: []byte("sealed")},
		chat.ReadFrame{Conv: conv("talk"), Marks: []chat.ReadMark{{Author: device("laptop"), Seen: 300}, {Author: device("phone"), Seen: 1}}},
		chat.Lend{On: true},
		chat.PassOn{On: true},
		chat.NotesFrame{Passed: true, Notes: [][]byte{[]byte("sealed"), []byte("notes")}},
	}
}

func TestFramesComeBackAsTheyWereSent(t *testing.T) {
	for _, f := range frames() {
		got, err := chat.ParseFrame(f.Encode())
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("got %+v (%v), want %+v", got, err, f)
		}
	}
}

func TestAFrameCutOrLengthenedIsRefused(t *testing.T) {
	for _, f := range frames() {
		b := f.Encode()
		for n := 1; n < len(b); n++ {
			if _, err := chat.ParseFrame(b[:n]); !errors.Is(err, chat.ErrMalformed) {
				t.Fatalf("%T cut to %d bytes: %v", f, n, err)
			}
		}
		if _, err := chat.ParseFrame(append(b, 0)); !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("%T with a byte too many: %v", f, err)
		}
	}
	if _, err := chat.ParseFrame(nil); !errors.Is(err, chat.ErrMalformed) {
		t.Errorf("an empty frame: %v", err)
	}
}

func TestAFrameOfANewerVersionSaysSo(t *testing.T) {
	for _, typ := range []byte{0, 5, 6, 14, 18, 255} {
		_, err := chat.ParseFrame([]byte{typ, 1, 2, 3})
		var unknown *chat.UnknownFrameError
		if !errors.Is(err, chat.ErrUnknownFrame) || !errors.As(err, &unknown) || unknown.Type != typ {
			t.Errorf("type %d: %v", typ, err)
		}
	}
}

func TestFramesBeyondTheirLimitsAreRefused(t *testing.T) {
	long := strings.Repeat("a", 300)
	many := chat.ReceiptsFrame{Receipts: make([]chat.Receipt, chat.MaxReceipts+1)}
	for i := range many.Receipts {
		many.Receipts[i] = receipt(uint64(i), 0)
	}
	events := chat.EventsFrame{}
	for range 9 {
		events.Events = append(events.Events, make([]byte, 60<<10))
	}
	for name, f := range map[string]chat.Frame{
		"name":      chat.Hello{Name: long},
		"peer":      chat.Hello{Peer: long},
		"addresses": chat.Hello{Addrs: make([]string, chat.MaxAddrs+1)},
		"address":   chat.Hello{Addrs: []string{long}},
		"epoch":     chat.Hello{ListEpoch: 1 << 60},
		"list":      chat.DeviceListFrame{List: make([]byte, chat.MaxList+1)},
		"request":   chat.Request{Text: strings.Repeat("a", chat.MaxRequestText+1)},
		"call":      chat.CallFrame{Body: make([]byte, chat.MaxCallBody+1)},
		"once":      chat.Request{Once: make([]byte, 15)},
		"receipts":  many,
		"marks":     chat.ReadFrame{Marks: make([]chat.ReadMark, chat.MaxTips+1)},
		"event":     chat.EventsFrame{Events: [][]byte{make([]byte, chat.MaxEvent+1)}},
		"bytes":     events,
		"count":     chat.EventsFrame{Events: make([][]byte, chat.MaxEvents+1)},
		"frame":     chat.EventsFrame{Events: [][]byte{make([]byte, chat.MaxFrame)}},
	} {
		_, err := chat.ParseFrame(f.Encode())
		if !errors.Is(err, chat.ErrTooLarge) && !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A length that promises more than the frame has must not cost memory.
func TestAPromisedLengthAllocatesNothing(t *testing.T) {
	lie := []byte{9, 0xff, 0x1f} // 4,095 events follow, it says
	n := testing.AllocsPerRun(100, func() {
		if _, err := chat.ParseFrame(lie); err == nil {
			t.Fatal("taken")
		}
	})
	if n > 20 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseFrame(f *testing.F) {
	for _, frame := range frames() {
		f.Add(frame.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := chat.ParseFrame(b)
		if err == nil && string(frame.Encode()) != string(b) {
			t.Fatalf("one frame has two encodings: %x and %x", b, frame.Encode())
		}
		if err == nil && fmt.Sprint(frame) == "" {
			t.Fatal("no frame")
		}
	})
}

// A whole page of history is the frame that matters for speed.
func BenchmarkParseEventsFrame(b *testing.B) {
	f := chat.EventsFrame{}
	for range 256 {
		f.Events = append(f.Events, event().Encode())
	}
	encoded := f.Encode()
	b.SetBytes(int64(len(encoded)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := chat.ParseFrame(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNumbersHaveOneSpelling(t *testing.T) {
	for name, b := range map[string][]byte{
		"a zero of two bytes":   {12, 0x80, 0x00},
		"a one of three bytes":  {12, 0x81, 0x80, 0x00},
		"more than 64 bits":     {12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
		"no end":                {12, 0xff, 0xff},
		"a truth value of two":  append(append([]byte{11}, make([]byte, 32)...), 2),
		"a count without bytes": {10, 5},
	} {
		if f, err := chat.ParseFrame(b); !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func TestTextInAFrameIsText(t *testing.T) {
	for name, f := range map[string]chat.Frame{
		"a NUL in a name":       chat.Hello{Name: "a\x00b"},
		"noise in a name":       chat.Request{Name: "\xff\xfe"},
		"noise in a request":    chat.Request{Text: "\xc3\x28"},
		"half a character":      chat.Hello{Peer: "\xe2\x82"},
		"noise in an address":   chat.Hello{Addrs: []string{"\xff"}},
		"a surrogate in a name": chat.Hello{Name: "\xed\xa0\x80"},
	} {
		if _, err := chat.ParseFrame(f.Encode()); !errors.Is(err, chat.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
