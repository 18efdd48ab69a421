package opus_test

import (
	"bytes"
	"testing"

	"github.com/entrenous/entrenous/media/opus"
)

func TestREDIsLaidOutAsInRFC2198(t *testing.T) {
	got, err := opus.PackRED(nil, 111, []byte("now"), opus.Older{Offset: 1920, Packet: []byte("older")}, opus.Older{Offset: 960, Packet: []byte("old")})
	if err != nil {
		t.Fatal(err)
	}
	// F=1, PT=111 | offset 14 bits, length 10 bits | ... | F=0, PT=111
	want := append([]byte{0xef, 1920 >> 6, 1920 << 2 & 0xff, 5, 0xef, 960 >> 6, 960 << 2 & 0xff, 3, 0x6f}, "olderoldnow"...)
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

func TestTwoLostPacketsComeWithTheThird(t *testing.T) {
	r := opus.Redundancy{Depth: 2}
	var payload []byte
	packets := []string{"one", "two", "three", "four", "five"}
	for i, p := range packets {
		var err error
		if payload, err = r.Pack(payload[:0], 111, uint32(i*960)-1920, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	packet, older, err := opus.UnpackRED(payload, 111)
	if err != nil || string(packet) != "five" || len(older) != 2 {
		t.Fatalf("%q, %d older ones, %v", packet, len(older), err)
	}
	for i, o := range older {
		if want := packets[i+2]; string(o.Packet) != want || o.Offset != (2-i)*960 {
			t.Errorf("%q from %d samples ago, want %q", o.Packet, o.Offset, want)
		}
	}
}

func TestREDPayloadsOfACallHaveOneSize(t *testing.T) {
	r := opus.Redundancy{Depth: 1}
	size := 0
	for i, packet := range encode(t, opus.Config{}, speech()) {
		payload, err := r.Pack(nil, 111, uint32(i*960), packet)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			size = len(payload)
		}
		if i > 1 && len(payload) != size {
			t.Fatalf("packet %d has %d bytes, the others %d", i, len(payload), size)
		}
	}
}

func TestWhatIsTooOldOrTooBigDoesNotFit(t *testing.T) {
	for _, o := range []opus.Older{{Offset: 0}, {Offset: 1 << 14}, {Offset: 960, Packet: make([]byte, 1024)}} {
		if _, err := opus.PackRED(nil, 111, []byte("now"), o); err == nil {
			t.Errorf("offset %d, %d bytes: packed", o.Offset, len(o.Packet))
		}
	}
	if _, err := opus.PackRED(nil, 111, nil, make([]opus.Older, 4)...); err == nil {
		t.Error("four older packets were packed")
	}
	r := opus.Redundancy{Depth: 3}
	for _, ts := range []uint32{0, 960, 960 + 1<<14} {
		payload, err := r.Pack(nil, 111, ts, make([]byte, 1200))
		if err != nil || len(payload) != 1201 {
			t.Errorf("%d bytes, %v", len(payload), err)
		}
	}
}

func TestBlocksOfOtherTypesAreLeftOut(t *testing.T) {
	payload := []byte{0x80 | 13, 0x0f, 0x00, 2, 0x80 | 111, 0x0f, 0x00, 1, 111, 'x', 'y', 'a', 'b'}
	packet, older, err := opus.UnpackRED(payload, 111)
	if err != nil || string(packet) != "b" || len(older) != 1 || string(older[0].Packet) != "a" {
		t.Errorf("%q, %v, %v", packet, older, err)
	}
}

func FuzzUnpackRED(f *testing.F) {
	f.Add([]byte{0xef, 0x0f, 0x00, 1, 0x6f, 'a', 'b'})
	f.Add([]byte{0x6f})
	f.Add([]byte{0xef, 0xff, 0xff, 0xff, 0xef, 0, 0, 0, 0x6f, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		packet, older, err := opus.UnpackRED(payload, 111)
		if err != nil {
			return
		}
		again, err := opus.PackRED(nil, 111, packet, older...)
		if err != nil || len(again) > len(payload) {
			t.Fatalf("unpacked but not packed again: %v", err)
		}
	})
}
