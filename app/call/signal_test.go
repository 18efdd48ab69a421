package call_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
)

func signals() []call.Signal {
	return []call.Signal{
		{Kind: call.Offer, Age: 1500 * time.Millisecond, Description: []byte("how to reach me")},
		{Kind: call.Rings},
		{Kind: call.Reject, Reason: call.Busy},
		{Kind: call.End, Reason: call.Completed, Report: []byte("it was nice")},
		{Kind: call.OnHold, On: true},
		{Kind: call.Recording, On: true},
	}
}

func TestSignalsComeBackAsTheyWereSealed(t *testing.T) {
	channel := [32]byte{7}
	for _, s := range signals() {
		got, err := call.OpenSignal(s.Seal(channel, id(1), device('a')), channel, id(1), device('a'))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v (%v), want %+v", got, err, s)
		}
	}
}

func TestASignalBelongsToOneChannelOneCallAndOneSender(t *testing.T) {
	channel := [32]byte{7}
	b := signals()[0].Seal(channel, id(1), device('a'))
	for name, open := range map[string]func() error{
		"another channel": func() error { return openErr(b, [32]byte{8}, id(1), device('a')) },
		"another call":    func() error { return openErr(b, channel, id(2), device('a')) },
		"another sender":  func() error { return openErr(b, channel, id(1), device('b')) },
	} {
		if err := open(); !errors.Is(err, call.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if err := openErr(bad, channel, id(1), device('a')); !errors.Is(err, call.ErrForged) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
	for i := range b {
		if openErr(b[:i], channel, id(1), device('a')) == nil {
			t.Errorf("cut to %d bytes it is taken", i)
		}
	}
}

func openErr(b []byte, channel [32]byte, i call.ID, from call.Device) error {
	_, err := call.OpenSignal(b, channel, i, from)
	return err
}

func TestASignalBeyondItsLimitsIsRefused(t *testing.T) {
	for name, s := range map[string]call.Signal{
		"kind":        {Kind: 99},
		"no kind":     {},
		"reason":      {Kind: call.End, Reason: "Not A Word"},
		"long reason": {Kind: call.End, Reason: "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"},
		"description": {Kind: call.Offer, Description: make([]byte, call.MaxDescription+1)},
		"report":      {Kind: call.End, Report: make([]byte, call.MaxReport+1)},
	} {
		if err := openErr(s.Seal([32]byte{}, id(1), device('a')), [32]byte{}, id(1), device('a')); !errors.Is(err, call.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpenSignal(f *testing.F) {
	for _, s := range signals() {
		f.Add(s.Seal([32]byte{}, id(1), device('a')))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// A friend can seal whatever they like.
		sealed := call.SealBytes(b, [32]byte{}, id(1), device('a'))
		s, err := call.OpenSignal(sealed, [32]byte{}, id(1), device('a'))
		if err != nil {
			return
		}
		if again := s.Seal([32]byte{}, id(1), device('a')); !bytes.Equal(again, sealed) {
			t.Fatalf("one signal has two encodings: %x and %x", sealed, again)
		}
		// Whatever it says, a book stands it in any state.
		w := newTown(t, "ab")
		book := w.books[device('b')]
		for range 3 {
			w.does('b', book.Heard(w.now, id(1), person('a'), device('a'), s))
			w.does('b', book.Path(w.now, id(1), call.Up))
		}
		w.pass(time.Hour)
		for _, c := range book.Calls() {
			if c.Live() && c.State != call.Active {
				t.Fatalf("a call waits for ever: %+v", c)
			}
		}
	})
}
