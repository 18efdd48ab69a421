package transport

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// finderOn returns a finder on one link without sockets, and what it saw.
func finderOn() (f *finder, l link, seen *int) {
	seen = new(int)
	f = &finder{
		asked: make(chan struct{}, 1), limits: newHearing(),
		beacon: Beacon{Seen: func([]string, [][8]byte) { *seen++ }},
	}
	return f, link{prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/16")}}, seen
}

func packetOf(t *testing.T, b beacon) []byte {
	t.Helper()
	b.udp, b.ips = 4001, []netip.Addr{netip.MustParseAddr("10.0.0.9")}
	packet, err := b.encode(recordTTL)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func TestANeighbourWhoShoutsDoesNotDrownTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, seen := finderOn()
		packet := packetOf(t, newBeacons(someTags(3))[0])
		for range 10_000 {
			f.hear(l, netip.MustParseAddr("10.0.0.66"), packet)
		}
		if *seen > neighbourBurst {
			t.Errorf("one neighbour was heard %d times at once", *seen)
		}
		*seen = 0
		f.hear(l, netip.MustParseAddr("10.0.0.9"), packet)
		if *seen != 1 {
			t.Error("the other was not heard")
		}
		*seen = 0
		for i := range 20_000 { // with as many faces as it likes
			f.hear(l, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), packet)
		}
		if *seen > heardBurst || len(f.limits.each) > maxNeighbours {
			t.Errorf("heard %d, remembers %d", *seen, len(f.limits.each))
		}
		time.Sleep(time.Minute)
		*seen = 0
		f.hear(l, netip.MustParseAddr("10.0.0.9"), packet)
		if *seen != 1 {
			t.Error("not heard after a minute of peace")
		}
	})
}

func TestNobodyHearsHimself(t *testing.T) {
	f, l, seen := finderOn()
	f.own = newBeacons(someTags(3))
	f.hear(l, netip.MustParseAddr("10.0.0.9"), packetOf(t, f.own[0]))
	if *seen != 0 {
		t.Error("heard himself")
	}
}

func TestAddressesFromElsewhereAreNotBelieved(t *testing.T) {
	f, _, seen := finderOn()
	other := link{prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.0.1/24")}}
	f.hear(other, netip.MustParseAddr("192.168.0.9"), packetOf(t, newBeacons(nil)[0]))
	if *seen != 0 {
		t.Error("believed an address of another network")
	}
}

func TestNewTagsComeWithTheHourButNotAllAtOnce(t *testing.T) {
	for range 100 {
		wait := untilNextHour(time.Unix(7*hourLength+600, 0))
		if wait < 50*time.Minute || wait > 50*time.Minute+hourSpread {
			t.Fatalf("ten past, the next announcement comes in %v", wait)
		}
	}
	if wait := untilNextHour(time.Unix(7*hourLength, 0)); wait < time.Hour {
		t.Errorf("on the hour, it comes in %v", wait)
	}
}
