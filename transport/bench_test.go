package transport_test

import (
	"io"
	"testing"

	"github.com/entrenous/entrenous/transport"
)

func BenchmarkDialAndOpen(b *testing.B) {
	for i, kind := range []string{"quic", "tcp"} {
		b.Run(kind, func(b *testing.B) {
			cfg := transport.Config{Listen: loopback[i : i+1]}
			var x, y *transport.Host
			// One address gets some 128 connections at once and then eight a second.
			for n := 0; b.Loop(); n++ {
				if n%100 == 0 {
					b.StopTimer()
					x, y = listen(b, cfg), listen(b, cfg)
					serveEcho(y)
					b.StartTimer()
				}
				connect(b, x, y)
				wantEcho(b, x, y, "hello")
				if err := x.Disconnect(y.Peer()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	for i, kind := range []string{"quic", "tcp"} {
		b.Run(kind, func(b *testing.B) {
			s := echoStream(b, loopback[i])
			msg := make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.WriteMessage(msg); err != nil {
					b.Fatal(err)
				}
				if _, err := s.ReadMessage(len(msg)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkThroughput(b *testing.B) {
	for i, kind := range []string{"quic", "tcp"} {
		b.Run(kind, func(b *testing.B) {
			s := echoStream(b, loopback[i])
			chunk, back := make([]byte, 256<<10), make([]byte, 256<<10)
			b.SetBytes(int64(len(chunk)))
			for b.Loop() {
				go func() { _, _ = s.Write(chunk) }()
				if _, err := io.ReadFull(s, back); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func echoStream(b *testing.B, addr string) *transport.Stream {
	b.Helper()
	x, y := listen(b, transport.Config{Listen: []string{addr}}), listen(b, transport.Config{Listen: []string{addr}})
	serveEcho(y)
	connect(b, x, y)
	s, err := x.Open(b.Context(), y.Peer(), echo)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Reset() })
	return s
}
