package transport

import (
	"bytes"
	"net/netip"
	"testing"
	"time"
)

func FuzzBoard(f *testing.F) {
	p := Spot{7}.place(1)
	b, err := p.record(Whereabouts{Peer: "12D3KooWKRyzVWW6ChFjQjK4miCty85Niy48tpPV95XdKu1BcvMA", At: time.Now()})
	if err != nil {
		f.Fatal(err)
	}
	ask := append([]byte{boardPut, byte(len(p.name))}, p.name...)
	f.Add(append(bytes.Clone(ask), b...))
	f.Add(append([]byte{boardGet}, ask[1:]...))
	f.Fuzz(func(t *testing.T, ask []byte) {
		var at board
		status, record := at.answer(netip.MustParsePrefix("8.8.8.8/32"), ask, time.Now())
		if status != boardDone && record != nil || at.bytes > len(ask) {
			t.Fatalf("status %d, %d bytes kept", status, at.bytes)
		}
	})
}

func FuzzTableAnswer(f *testing.F) {
	f.Add([]byte{3, 8, 1, 16})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = readAnswer(bytes.NewReader(b)) })
}
