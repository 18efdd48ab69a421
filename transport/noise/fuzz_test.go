package noise_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/entrenous/entrenous/transport/noise"
)

// FuzzAccept lets anybody say anything to a responder. Its randomness is that
// of the frozen transcript, so that the fuzzer starts from a whole handshake.
func FuzzAccept(f *testing.F) {
	r := record(f)
	f.Add(r.said)
	f.Add(r.said[:1250])
	f.Add(append([]byte{1, 9}, r.said[2:]...))
	f.Add(bytes.Repeat([]byte{0xff}, 5000))
	f.Fuzz(func(t *testing.T, said []byte) {
		c, err := r.accept(t, said)
		if err == nil && !bytes.HasPrefix(said, r.said) {
			t.Errorf("%x was accepted", said)
		}
		drain(t, c, err, len(said))
	})
}

// FuzzDialReply lets anybody answer an initiator.
func FuzzDialReply(f *testing.F) {
	r := record(f)
	f.Add(r.told)
	f.Add(r.told[:1200])
	f.Add(append([]byte{1, 9}, r.told[2:]...))
	f.Add(bytes.Repeat([]byte{0xff}, 5000))
	f.Fuzz(func(t *testing.T, told []byte) {
		c, err := r.dial(t, told)
		if err == nil && !bytes.HasPrefix(told, r.told) {
			t.Errorf("%x was believed", told)
		}
		drain(t, c, err, len(told))
	})
}

// FuzzReceive puts anything where frames are expected: only what the peer
// sent, in its order, may be received.
func FuzzReceive(f *testing.F) {
	w := newWire()
	d, _ := noise.Bare(w, newWire())
	send(f, d, []byte("one"), []byte("two"))
	send(f, d, make([]byte, 1000))
	said := w.take()
	f.Add(said)
	f.Add(said[:82])
	f.Add(append([]byte{0, 80}, make([]byte, 80)...))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWire()
		w.feed.Write(b)
		_, c := noise.Bare(newWire(), w)
		if got := drain(t, c, nil, len(b)); got > 0 && !bytes.HasPrefix(b, said[:82]) {
			t.Errorf("%d messages came out of %x", got, b)
		}
	})
}

// FuzzInside lets an authenticated peer put anything into frames.
func FuzzInside(f *testing.F) {
	f.Add(make([]byte, 64), make([]byte, 128))
	f.Add(append([]byte{1, 0, 3, 'h', 'i'}, make([]byte, 59)...), append([]byte{0, 0, 3, '!', '!'}, make([]byte, 59)...))
	f.Add(append([]byte{2, 0, 1}, make([]byte, 61)...), []byte{})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		if len(one) > noise.MaxPlain || len(two) > noise.MaxPlain {
			return
		}
		dw, cw := newWire(), newWire()
		d, c := noise.Bare(dw, cw)
		for _, plain := range [][]byte{one, two} {
			if err := d.Smuggle(plain); err != nil {
				t.Fatal(err)
			}
		}
		said := dw.take()
		cw.feed.Write(said)
		drain(t, c, nil, len(said))
	})
}

// FuzzStream lets anybody play anything as a stream of a channel.
func FuzzStream(f *testing.F) {
	d, c := channels(f, person(f, "ana"), person(f, "bo"), nil, welcome())
	w := newWire()
	s, err := d.Stream(w, true)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.Write([]byte("words")); err != nil {
		f.Fatal(err)
	}
	f.Add(w.take()[16:]) // under another id: nobody has this one
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWire()
		w.feed.Write(b)
		if _, err := c.Stream(w, false); err == nil || !w.closed || len(w.wrote) > 0 {
			t.Errorf("%x was taken", b)
		}
	})
}

// drain receives all there is: no more than was said, and then an error for good.
func drain(t *testing.T, c *noise.Channel, err error, said int) (messages int) {
	t.Helper()
	if err != nil {
		if c != nil {
			t.Error("a failed handshake gave a channel")
		}
		return 0
	}
	got := 0
	for {
		m, err := c.Receive()
		if err != nil {
			break
		}
		messages++
		if got += len(m); got > said || messages > said {
			t.Fatalf("%d bytes came out of %d", got, said)
		}
	}
	if _, err := c.Receive(); err == nil {
		t.Error("a dead channel goes on")
	}
	return messages
}

var (
	_ noise.Conn         = tape{}
	_ io.ReadWriteCloser = (*noise.Stream)(nil)
)
