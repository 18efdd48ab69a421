package noise_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/entrenous/entrenous/transport/noise"
)

// BenchmarkHandshake is the whole of both sides, certificate included.
func BenchmarkHandshake(b *testing.B) {
	ana, bo := person(b, "ana"), person(b, "bo")
	pair := noise.Pair{Secret: [32]byte{7}}
	b.ReportAllocs()
	for b.Loop() {
		if m := meet(b, ana, bo, &pair, welcome(pair)); m.dialErr != nil || m.accErr != nil {
			b.Fatal(m.dialErr, m.accErr)
		}
	}
}

// BenchmarkAcceptAmong1000Pairs is the search for the pair among those of 1,000 devices.
func BenchmarkAcceptAmong1000Pairs(b *testing.B) {
	r := record(b)
	pairs := make([]noise.Pair, 1000)
	for i := range pairs {
		pairs[i].Secret = [32]byte{1, byte(i), byte(i >> 8)}
	}
	with := welcome(append(pairs, r.pair)...)
	for b.Loop() {
		cfg := r.b.facing(r.a)
		cfg.Random(seeded(4))
		if _, err := noise.Accept(b.Context(), play(r.said), cfg, with); err != nil {
			b.Fatal(err)
		}
	}
}

// loop is a Conn that gives back what was written to it.
type loop struct {
	tape
	buf *bytes.Buffer
}

func (l loop) Write(b []byte) (int, error) { return l.buf.Write(b) }
func (l loop) Read(b []byte) (int, error)  { return l.buf.Read(b) }

// looped is a channel whose sealed bytes reach its other end without a system call.
func looped(b *testing.B) (d, c *noise.Channel) {
	b.Helper()
	d, c, _, cw := wired(b, nil)
	d.Onto(loop{buf: cw.feed})
	return d, c
}

func BenchmarkSendReceive(b *testing.B) {
	for _, k := range []struct {
		name        string
		size, batch int
	}{{"200 bytes alone", 200, 1}, {"200 bytes by 100", 200, 100}, {"64 KiB", 64 << 10, 1}, {"1 MiB", 1 << 20, 1}} {
		b.Run(k.name, func(b *testing.B) {
			d, c := looped(b)
			msgs := make([][]byte, k.batch)
			for i := range msgs {
				msgs[i] = make([]byte, k.size)
			}
			b.SetBytes(int64(k.size * k.batch))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := d.Send(msgs...); err != nil {
					b.Fatal(err)
				}
				for range msgs {
					if _, err := c.Receive(); err != nil {
						b.Fatal(err)
					}
				}
				n += k.batch
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

func BenchmarkStream(b *testing.B) {
	d, c := channels(b, person(b, "ana"), person(b, "bo"), nil, welcome())
	w := newWire()
	s, err := d.Stream(loop{buf: w.feed}, true)
	if err != nil {
		b.Fatal(err)
	}
	r, err := c.Stream(w, false)
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(r, p); err != nil {
			b.Fatal(err)
		}
	}
}
