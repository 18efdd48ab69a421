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

	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

func TestDeadlineWithinAFrameLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := person(t, "ana"), person(t, "bo")
		p, q := net.Pipe()
		slow := &tap{Conn: p, change: func(_ int, b []byte) []byte { return b }}
		m := meetOver(t, slow, q, a, b, nil, welcome())
		if err := errors.Join(m.dialErr, m.accErr); err != nil {
			t.Fatal(err)
		}
		slow.change = func(_ int, b []byte) []byte {
			for _, piece := range [][]byte{b[:1], b[1:2], b[2:40]} {
				_, _ = p.Write(piece)
				time.Sleep(time.Second)
			}
			return b[40:]
		}
		want := bytes.Repeat([]byte("x"), 100000)
		done := make(chan error, 1)
		go func() { done <- m.dialled.Send(want) }()
		timeouts := 0
		for {
			_ = m.accepted.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			got, err := m.accepted.Receive()
			if err == nil {
				if !bytes.Equal(got, want) {
					t.Error("the message is damaged")
				}
				break
			}
			if timeouts++; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil || timeouts < 8 {
			t.Errorf("send: %v, %d timeouts", err, timeouts)
		}
		_ = m.dialled.Close()
		_ = m.accepted.Close()
	})
}

func TestPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := person(t, "ana"), person(t, "bo")
		d, c := channels(t, a, b, nil, welcome())
		start := time.Now()
		if err := d.Send([]byte("anybody?")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != noise.SendTimeout {
			t.Errorf("send: %v after %v", err, time.Since(start))
		}
		if err := d.Send([]byte("?")); err == nil {
			t.Error("the channel goes on after half a frame")
		}
		if _, err := c.Receive(); !errors.Is(err, io.EOF) {
			t.Errorf("receive: %v", err)
		}
	})
}

func TestClosedChannelSaysSo(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	done := make(chan error, 1)
	go func() {
		_, err := d.Receive()
		done <- err
	}()
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, noise.ErrClosed) {
		t.Errorf("a blocked receive: %v", err)
	}
	if err := d.Send([]byte("x")); !errors.Is(err, noise.ErrClosed) {
		t.Errorf("send: %v", err)
	}
	if _, err := c.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("the other end: %v", err)
	}
}

func TestSendersMayRunTogether(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if err := d.Send([]byte{byte(s), byte(i)}, bytes.Repeat([]byte{byte(s)}, 70000*(i%2))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := [4]byte{}
	for range 200 {
		head, body := receive(t, c), receive(t, c)
		if s := head[0]; head[1] != next[s] || (len(body) > 0 && body[0] != s) {
			t.Fatalf("sender %d is out of order", s)
		}
		next[head[0]]++
	}
	wg.Wait()
}

func TestIdleChannelHoldsLittleMemory(t *testing.T) {
	d, c, dw, cw := wired(t, nil)
	send(t, d, make([]byte, noise.MaxMessage))
	for range 10 {
		send(t, d, []byte("small"))
	}
	cw.feed.Write(dw.take())
	for range 11 {
		receive(t, c)
	}
	sending, _ := d.BufferSizes()
	if _, receiving := c.BufferSizes(); sending > 4096 || receiving > 4096 {
		t.Errorf("buffers of %d and %d bytes", sending, receiving)
	}
}

// resettable is a Conn like a libp2p stream.
type resettable struct {
	noise.Conn
	closed, reset bool
}

func (r *resettable) Close() error { r.closed = true; return r.Conn.Close() }
func (r *resettable) Reset() error { r.reset = true; return r.Conn.Close() }

func TestFailureResetsAndPeaceCloses(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	p, q := net.Pipe()
	d, c := &resettable{Conn: p}, &resettable{Conn: q}
	m := meetOver(t, d, c, a, b, nil, welcome())
	if err := errors.Join(m.dialErr, m.accErr); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = p.Write(make([]byte, 100)) }()
	if _, err := m.accepted.Receive(); !errors.Is(err, noise.ErrAuth) || !c.reset || c.closed {
		t.Errorf("tampering: %v, reset %t, closed %t", err, c.reset, c.closed)
	}
	if err := m.dialled.Close(); err != nil || d.reset || !d.closed {
		t.Errorf("peace: reset %t, closed %t", d.reset, d.closed)
	}
	p, q = net.Pipe()
	d, c = &resettable{Conn: p}, &resettable{Conn: q}
	with := welcome()
	with.Admit = func(identity.Certificate, *noise.Pair) error { return noise.ErrDowngrade }
	if m := meetOver(t, d, c, a, b, nil, with); m.accErr == nil || !c.reset || !d.reset {
		t.Errorf("refused: %v, reset %t %t", m.accErr, c.reset, d.reset)
	}
}
