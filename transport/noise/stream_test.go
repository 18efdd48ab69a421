package noise_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/transport/noise"
)

// streams opens a stream from one end of a channel to the other.
func streams(tb testing.TB, from, to *noise.Channel) (s, r *noise.Stream) {
	tb.Helper()
	p, q := net.Pipe()
	var wg sync.WaitGroup
	var takeErr error
	wg.Go(func() { r, takeErr = to.Stream(q, false) })
	s, err := from.Stream(p, true)
	wg.Wait()
	if err := errors.Join(err, takeErr); err != nil {
		tb.Fatal(err)
	}
	return s, r
}

func TestStreamsCarryBytesBothWaysWhoeverOpens(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	for _, ends := range [][2]*noise.Channel{{d, c}, {c, d}, {d, c}} {
		s, r := streams(t, ends[0], ends[1])
		for _, way := range [][2]*noise.Stream{{s, r}, {r, s}} {
			want := bytes.Repeat([]byte("0123456789"), 40000)
			var wg sync.WaitGroup
			wg.Go(func() {
				for _, n := range []int{0, 1, 2, 100000, len(want)} {
					if m, err := way[0].Write(want[:n]); err != nil || m != n {
						t.Errorf("wrote %d of %d: %v", m, n, err)
					}
				}
			})
			all := bytes.Join([][]byte{want[:1], want[:2], want[:100000], want}, nil)
			got := make([]byte, len(all))
			if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, all) {
				t.Errorf("the bytes are damaged: %v", err)
			}
			wg.Wait()
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.Close() })
		if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %d, %v", n, err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the end again: %d, %v", n, err)
		}
		wg.Wait()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, noise.ErrClosed) {
			t.Errorf("reading what was closed: %v", err)
		}
		if _, err := s.Write([]byte("x")); !errors.Is(err, noise.ErrClosed) {
			t.Errorf("writing to what was closed: %v", err)
		}
	}
}

func TestCutStreamDoesNotLookWhole(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	p, q := net.Pipe()
	go func() {
		s, err := d.Stream(p, true)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = s.Write([]byte("half a file"))
		_ = p.Close()
	}()
	r, err := c.Stream(q, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "half a file" || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStreamsHaveKeysOfTheirOwn(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	one, two := newWire(), newWire()
	for _, w := range []*wire{one, two} {
		s, err := d.Stream(w, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("the same words")); err != nil {
			t.Fatal(err)
		}
	}
	a, b := one.take(), two.take()
	if bytes.Equal(a[:16], b[:16]) || bytes.Equal(a[16:], b[16:]) {
		t.Error("two streams look alike")
	}
	mixed := newWire()
	mixed.feed.Write(append(bytes.Clone(a[:16]), b[16:]...))
	if _, err := c.Stream(mixed, false); !errors.Is(err, noise.ErrAuth) || !mixed.closed {
		t.Errorf("one stream's id with another's bytes: %v", err)
	}
}

func TestRecordedStreamsAreNotTakenAgain(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	w := newWire()
	s, err := d.Stream(w, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("once")); err != nil {
		t.Fatal(err)
	}
	recorded := w.take()
	first := newWire()
	first.feed.Write(recorded)
	r, err := c.Stream(first, false)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "once" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, to := range map[string]*noise.Channel{"to the one who took it": c, "to its opener": d} {
		again := newWire()
		again.feed.Write(recorded)
		if _, err := to.Stream(again, false); err == nil || !again.closed {
			t.Errorf("%s: taken", name)
		}
		if len(again.wrote) > 0 {
			t.Errorf("%s: something was sent under a used key", name)
		}
	}
	other, _ := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	again := newWire()
	again.feed.Write(recorded)
	if _, err := other.Stream(again, false); !errors.Is(err, noise.ErrAuth) {
		t.Errorf("by another channel: %v", err)
	}
}

func TestStreamsDirectionsHaveDifferentKeys(t *testing.T) {
	d, _ := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	w := newWire()
	s, err := d.Stream(w, true)
	if err != nil {
		t.Fatal(err)
	}
	w.feed.Write(w.take()[16:]) // the opener's own first frame
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, noise.ErrAuth) {
		t.Errorf("its own echo: %v", err)
	}
}

func TestTamperingEndsOnlyTheStream(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	w := newWire()
	s, err := d.Stream(w, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("words")); err != nil {
		t.Fatal(err)
	}
	b := w.take()
	b[len(b)-1] ^= 1
	bad := newWire()
	bad.feed.Write(b)
	r, err := c.Stream(bad, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 9)); !errors.Is(err, noise.ErrAuth) || !bad.closed {
		t.Errorf("read: %v", err)
	}
	if _, err := r.Write([]byte("x")); !errors.Is(err, noise.ErrAuth) {
		t.Errorf("write: %v", err)
	}
	go func() { _ = d.Send([]byte("well?")) }()
	if m := receive(t, c); string(m) != "well?" {
		t.Errorf("the channel says %q", m)
	}
}

func TestNoStreamsAfterClose(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	s, r := streams(t, d, c)
	if err := errors.Join(d.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = s.Write([]byte("lives on")) }()
	if _, err := io.ReadFull(r, make([]byte, 8)); err != nil {
		t.Errorf("an open stream died with its channel: %v", err)
	}
	for _, opener := range []bool{true, false} {
		w := newWire()
		if _, err := d.Stream(w, opener); !errors.Is(err, noise.ErrClosed) || !w.closed || len(w.wrote) > 0 {
			t.Errorf("stream of a closed channel: %v", err)
		}
	}
}

func TestStreamsWaitOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
		p, q := net.Pipe()
		start := time.Now()
		if _, err := c.Stream(p, false); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != noise.HandshakeTimeout {
			t.Errorf("a silent opener: %v after %v", err, time.Since(start))
		}
		_ = q.Close()
		p, q = net.Pipe()
		start = time.Now()
		if _, err := d.Stream(p, true); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != noise.SendTimeout {
			t.Errorf("a deaf peer: %v after %v", err, time.Since(start))
		}
		_ = q.Close()
		s, r := streams(t, d, c)
		start = time.Now()
		_ = s.Close() // nobody reads
		if time.Since(start) != time.Second {
			t.Errorf("closing took %v", time.Since(start))
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read: %v", err)
		}
		s, r = streams(t, d, c)
		blocked := make(chan error, 1)
		go func() {
			_, err := s.Write([]byte("blocked"))
			blocked <- err
		}()
		synctest.Wait()
		start = time.Now()
		_ = s.Close()
		if err := <-blocked; !errors.Is(err, noise.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("a blocked write: %v after %v", err, time.Since(start))
		}
		_ = r.Close()
	})
}

func TestStreamsRekey(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	a.cfg.RekeyAfter(2, 1<<30, time.Hour)
	b.cfg.RekeyAfter(3, 1<<30, time.Hour)
	d, c := channels(t, a, b, nil, welcome())
	s, r := streams(t, d, c)
	want := bytes.Repeat([]byte("abcdefg"), 200000)
	go func() {
		_, _ = s.Write(want)
		_ = s.Close()
	}()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
