package transport

import (
	"slices"
	"testing"
	"time"
)

func aWord(t *testing.T) Whereabouts {
	t.Helper()
	const ana, relay = "12D3KooWKRyzVWW6ChFjQjK4miCty85Niy48tpPV95XdKu1BcvMA", "12D3KooWBCBbbwTmRDNry9hf3t6QjdrnaQnZJkJ1UjTtGuLbDtDm"
	return Whereabouts{
		Peer: Peer(ana),
		Addrs: []string{
			"/ip4/8.8.0.1/udp/4001/quic-v1/p2p/" + ana, "/ip6/2001:db8::1/udp/4001/quic-v1/p2p/" + ana,
			"/ip4/8.8.0.2/udp/4001/quic-v1/p2p/" + relay + "/p2p-circuit/p2p/" + ana,
		}, At: time.UnixMilli(1_800_000_000_123),
	}
}

func TestWordLeftIsReadByWhoKnowsTheSpotAndBySomebodyElseNot(t *testing.T) {
	s := NewSpot([16]byte{1}, [32]byte{2}, [32]byte{3})
	w := aWord(t)
	p := s.place(20_000)
	b, err := p.record(w)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.open(b)
	if err != nil || got.Peer != w.Peer || !slices.Equal(got.Addrs, w.Addrs) || !got.At.Equal(w.At) {
		t.Fatalf("read %+v, %v", got, err)
	}
	t.Logf("a record has %d bytes", len(b))
	for name, other := range map[string]place{
		"another day":    s.place(20_001),
		"a year before":  s.place(20_000 - 365),
		"another friend": NewSpot([16]byte{9}, [32]byte{2}, [32]byte{3}).place(20_000),
		"another device": NewSpot([16]byte{1}, [32]byte{2}, [32]byte{4}).place(20_000),
		"private":        s.within("a network").place(20_000),
	} {
		if _, err := other.open(b); err == nil {
			t.Errorf("%s: the record was read", name)
		}
		if other.name == p.name {
			t.Errorf("%s: the same place", name)
		}
	}
}

func TestNoBitOfARecordCanBeTurned(t *testing.T) {
	p := Spot{7}.place(1)
	b, err := p.record(aWord(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		c := slices.Clone(b)
		c[i] ^= 1 << (i % 8)
		if got, err := p.open(c); err == nil && !slices.Equal(got.Addrs, aWord(t).Addrs) {
			t.Fatalf("byte %d turned: read %+v", i, got)
		}
	}
}

func TestRecordsShowNeitherWhoNorWhere(t *testing.T) {
	w := aWord(t)
	b, err := Spot{7}.place(1).record(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{w.Peer.Bytes(), []byte(w.Peer), []byte(w.Addrs[0]), {8, 8, 0, 1}} {
		for i := 0; i+len(secret) <= len(b); i++ {
			if slices.Equal(b[i:i+len(secret)], secret) {
				t.Fatalf("the record shows %q", secret)
			}
		}
	}
}

func TestBothNeighboursOfTheDaysChangeAreLookedAt(t *testing.T) {
	s := Spot{5}
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for at := range 24 * 4 {
		told := start.Add(time.Duration(at) * 15 * time.Minute)
		for _, skew := range []time.Duration{-3 * time.Hour, -time.Hour, 0, time.Hour, 3 * time.Hour} {
			met := false
			for _, p := range s.places(told) {
				for _, q := range s.lookouts(told.Add(skew)) {
					met = met || p.name == q.name
				}
			}
			if !met {
				t.Fatalf("told at %v, looked %v later by another clock: not met", told, skew)
			}
		}
	}
}

func FuzzOpenRecord(f *testing.F) {
	p := Spot{7}.place(1)
	b, err := p.record(Whereabouts{Peer: "12D3KooWKRyzVWW6ChFjQjK4miCty85Niy48tpPV95XdKu1BcvMA", Addrs: []string{"/ip4/8.8.0.1/udp/1/quic-v1"}, At: time.UnixMilli(1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = p.open(b)
		if w, err := parseWord(b); err == nil && len(w.Addrs) > maxWordAddrs {
			t.Fatal("too many addresses")
		}
	})
}
