package noise_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport/noise"
)

// wire is a Conn that keeps what is written and reads what is fed; between
// the two stands the test.
type wire struct {
	mu     sync.Mutex
	wrote  [][]byte
	feed   *bytes.Buffer
	closed bool
}

func newWire() *wire { return &wire{feed: &bytes.Buffer{}} }

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrote = append(w.wrote, bytes.Clone(b))
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error)     { return w.feed.Read(b) }
func (w *wire) Close() error                   { w.closed = true; return nil }
func (*wire) SetDeadline(time.Time) error      { return nil }
func (*wire) SetReadDeadline(time.Time) error  { return nil }
func (*wire) SetWriteDeadline(time.Time) error { return nil }
func (w *wire) take() (b []byte)               { b = bytes.Join(w.wrote, nil); w.wrote = nil; return b }

// swap is a Conn whose inner one is exchanged after the handshake.
type swap struct{ noise.Conn }

// wired are two channels whose every byte the test carries.
func wired(tb testing.TB, tune func(*noise.Config)) (d, c *noise.Channel, dw, cw *wire) {
	tb.Helper()
	a, b := person(tb, "ana"), person(tb, "bo")
	if tune != nil {
		tune(&a.cfg)
		tune(&b.cfg)
	}
	p, q := net.Pipe()
	sp, sq := &swap{p}, &swap{q}
	m := meetOver(tb, sp, sq, a, b, nil, welcome())
	if err := errors.Join(m.dialErr, m.accErr); err != nil {
		tb.Fatal(err)
	}
	dw, cw = newWire(), newWire()
	sp.Conn, sq.Conn = dw, cw
	return m.dialled, m.accepted, dw, cw
}

// frames cuts what was written into frames.
func frames(tb testing.TB, b []byte) (out [][]byte) {
	tb.Helper()
	for len(b) > 0 {
		n := 2 + int(binary.BigEndian.Uint16(b))
		out, b = append(out, b[:n:n]), b[n:]
	}
	return out
}

func send(tb testing.TB, c *noise.Channel, msgs ...[]byte) {
	tb.Helper()
	if err := c.Send(msgs...); err != nil {
		tb.Fatal(err)
	}
}

func TestSizesOnTheWireTellLittle(t *testing.T) {
	d, _, dw, _ := wired(t, nil)
	for _, c := range []struct{ message, wire int }{
		{0, 82},
		{1, 82},
		{61, 82},
		{62, 146},
		{125, 146},
		{126, 274},
		{253, 274},
		{254, 530},
		{509, 530},
		{510, 1042},
		{1021, 1042},
		{noise.MaxItem, noise.MaxPlain + 18},
		{noise.MaxItem + 1, noise.MaxPlain + 18 + 82},
	} {
		send(t, d, make([]byte, c.message))
		if n := len(dw.take()); n != c.wire {
			t.Errorf("%d bytes take %d on the wire, not %d", c.message, n, c.wire)
		}
	}
}

func TestManySmallMessagesShareFramesAndAWrite(t *testing.T) {
	d, c, dw, cw := wired(t, nil)
	var msgs [][]byte
	for i := range 300 {
		msgs = append(msgs, fmt.Appendf(nil, "%0200d", i))
	}
	send(t, d, msgs...)
	if len(dw.wrote) != 1 || len(frames(t, dw.wrote[0])) != 1 {
		t.Errorf("300 messages of 200 bytes took %d writes", len(dw.wrote))
	}
	cw.feed.Write(dw.take())
	for i, want := range msgs {
		if got := receive(t, c); !bytes.Equal(got, want) {
			t.Fatalf("message %d came as %q", i, got)
		}
	}
	send(t, d)
	if len(dw.wrote) != 0 {
		t.Error("sending nothing wrote something")
	}
}

func TestReceivedMessagesAreTheCallers(t *testing.T) {
	d, c, dw, cw := wired(t, nil)
	send(t, d, []byte("first"), []byte("second"))
	send(t, d, []byte("third!"))
	cw.feed.Write(dw.take())
	first := receive(t, c)
	_ = append(first, "XXXXXXXXXXXX"...)
	if second, third := receive(t, c), receive(t, c); string(first) != "first" || string(second) != "second" || string(third) != "third!" {
		t.Errorf("got %q %q %q", first, second, third)
	}
}

func TestAnythingWrongWithFramesEndsTheChannel(t *testing.T) {
	noiseBytes := make([]byte, 5000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noiseBytes)
	for name, spoil := range map[string]func(f [][]byte) []byte{
		"first lost":    func(f [][]byte) []byte { return bytes.Join(f[1:], nil) },
		"reordered":     func(f [][]byte) []byte { return bytes.Join([][]byte{f[1], f[0], f[2]}, nil) },
		"repeated":      func(f [][]byte) []byte { return bytes.Join([][]byte{f[0], f[0], f[1]}, nil) },
		"cut within":    func(f [][]byte) []byte { return f[0][:40] },
		"cut in length": func(f [][]byte) []byte { return f[0][:1] },
		"zero length":   func(f [][]byte) []byte { return append([]byte{0, 0}, f[0]...) },
		"only a tag":    func([][]byte) []byte { return make([]byte, 2+16) },
		"odd length":    func(f [][]byte) []byte { return append([]byte{0, 81}, f[0][2:]...) },
		"longest":       func([][]byte) []byte { return bytes.Repeat([]byte{0xff}, 70000) },
		"zeros":         func([][]byte) []byte { return make([]byte, 1000) },
		"random":        func([][]byte) []byte { return noiseBytes },
		"bigger bucket": func(f [][]byte) []byte { return append([]byte{0, 144}, append(f[0][2:], f[1]...)...) },
	} {
		t.Run(name, func(t *testing.T) {
			d, c, dw, cw := wired(t, nil)
			for i := range 3 {
				send(t, d, fmt.Appendf(nil, "message %d", i))
			}
			cw.feed.Write(spoil(frames(t, dw.take())))
			var err error
			for range 4 {
				if _, err = c.Receive(); err != nil {
					break
				}
			}
			if err == nil {
				t.Fatal("nothing was noticed")
			}
			if !cw.closed {
				t.Error("the connection is left open")
			}
			if _, again := c.Receive(); again == nil || c.Send([]byte("x")) == nil {
				t.Error("the channel goes on")
			}
		})
	}
}

func TestEveryBitOfAFrameCounts(t *testing.T) {
	r := record(t)
	d, err := r.dial(t, r.told)
	if err != nil {
		t.Fatal(err)
	}
	said := bytes.Clone(r.said)
	d.Onto(recorder{tape{}, &said})
	send(t, d, []byte("pay bo 10"))
	for bit := len(r.said) * 8; bit < len(said)*8; bit += stride {
		b := bytes.Clone(said)
		b[bit/8] ^= 1 << (bit % 8)
		c, err := r.accept(t, b)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.Receive(); err == nil {
			t.Errorf("bit %d does not count: %q", bit-len(r.said)*8, m)
		}
	}
}

func TestAuthenticatedNonsenseEndsTheChannel(t *testing.T) {
	pad := func(b ...byte) []byte { return append(b, make([]byte, 64-len(b))...) }
	for name, plain := range map[string][]byte{
		"no item":               pad(0),
		"unknown flag":          pad(8, 0, 2, 'x'),
		"end of a channel":      pad(4, 0, 2, 'x'),
		"empty fragment":        pad(1, 0, 1),
		"fragment at the end":   pad(5, 0, 2, 'x'),
		"item beyond the frame": pad(0, 0, 63),
		"longest item":          pad(0, 0xff, 0xff),
		"dirty padding":         pad(0, 0, 2, 'x', 0, 0, 7),
		"padding to spare":      append(pad(0, 0, 2, 'x'), make([]byte, 64)...),
		"no padding":            {0, 0, 2, 'x'},
		"empty":                 {},
	} {
		t.Run(name, func(t *testing.T) {
			d, c, dw, cw := wired(t, nil)
			if err := d.Smuggle(plain); err != nil {
				t.Fatal(err)
			}
			cw.feed.Write(dw.take())
			if m, err := c.Receive(); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("received %q, %v", m, err)
			}
			if !cw.closed {
				t.Error("the connection is left open")
			}
		})
	}
}

func TestMessagesHaveALimitBothWays(t *testing.T) {
	d, c, dw, cw := wired(t, nil)
	if err := d.Send([]byte("small"), make([]byte, noise.MaxMessage+1)); !errors.Is(err, noise.ErrTooLarge) || len(dw.wrote) > 0 {
		t.Errorf("send: %v", err)
	}
	send(t, d, []byte("still alive"))
	cw.feed.Write(dw.take())
	receive(t, c)
	fragment := make([]byte, noise.MaxPlain)
	fragment[0] = 1
	binary.BigEndian.PutUint16(fragment[1:], noise.MaxItem+1)
	for range noise.MaxMessage/noise.MaxItem + 1 {
		if err := d.Smuggle(fragment); err != nil {
			t.Fatal(err)
		}
	}
	cw.feed.Write(dw.take())
	if _, err := c.Receive(); !errors.Is(err, noise.ErrTooLarge) || !cw.closed {
		t.Errorf("receive: %v", err)
	}
}

func TestFragmentsMustGoOn(t *testing.T) {
	d, c, dw, cw := wired(t, nil)
	for _, plain := range [][]byte{{1, 0, 2, 'x'}, {0, 0, 1}} {
		if err := d.Smuggle(append(plain, make([]byte, 64-len(plain))...)); err != nil {
			t.Fatal(err)
		}
	}
	cw.feed.Write(dw.take())
	if m, err := c.Receive(); err == nil {
		t.Errorf("received %q", m)
	}
}

func TestBothDirectionsRekey(t *testing.T) {
	for name, tune := range map[string]func(*noise.Config){
		"every frame":      func(c *noise.Config) { c.RekeyAfter(1, 1<<30, time.Hour) },
		"every 3 frames":   func(c *noise.Config) { c.RekeyAfter(3, 1<<30, time.Hour) },
		"every 1000 bytes": func(c *noise.Config) { c.RekeyAfter(1<<16, 1000, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			d, c, dw, cw := wired(t, tune)
			keys := map[[32]byte]bool{}
			for i := range 30 {
				m := bytes.Repeat([]byte{byte(i)}, 100)
				send(t, d, m)
				keys[d.Key()] = true
				cw.feed.Write(dw.take())
				if got := receive(t, c); !bytes.Equal(got, m) {
					t.Fatalf("message %d is lost", i)
				}
				send(t, c, m)
				dw.feed.Write(cw.take())
				if got := receive(t, d); !bytes.Equal(got, m) {
					t.Fatalf("answer %d is lost", i)
				}
			}
			if len(keys) < 3 {
				t.Errorf("%d keys for 30 frames", len(keys))
			}
		})
	}
}

func TestAgeRekeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c, dw, cw := wired(t, nil)
		before := d.Key()
		send(t, d, []byte("one"))
		if d.Key() != before {
			t.Error("rekeyed too early")
		}
		time.Sleep(10 * time.Minute)
		send(t, d, []byte("two"))
		if d.Key() == before {
			t.Error("not rekeyed after 10 minutes")
		}
		send(t, d, []byte("three"))
		cw.feed.Write(dw.take())
		for _, want := range []string{"one", "two", "three"} {
			if got := receive(t, c); string(got) != want {
				t.Errorf("received %q", got)
			}
		}
		if c.Age() != 10*time.Minute {
			t.Errorf("age %v", c.Age())
		}
	})
}
