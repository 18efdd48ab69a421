package transport

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func someTags(n int) [][8]byte {
	out := make([][8]byte, n)
	for i := range out {
		out[i] = [8]byte{'t', 'a', 'g', byte(i >> 8), byte(i)}
	}
	return out
}

func TestABeaconSaysAllAndNoMore(t *testing.T) {
	b := newBeacons(someTags(5))[0]
	b.udp, b.tcp = 4001, 4002
	b.ips = []netip.Addr{netip.MustParseAddr("192.168.1.7"), netip.MustParseAddr("fd00::7")}
	packet, err := b.encode(recordTTL)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseLAN(packet)
	if err != nil || got.told == nil || got.asked {
		t.Fatalf("parsed %+v, %v", got, err)
	}
	if got.told.instance != b.instance || !slices.Equal(got.told.tags, b.tags) {
		t.Errorf("told %+v, want %+v", got.told, b)
	}
	want := []string{
		"/ip4/192.168.1.7/udp/4001/quic-v1", "/ip4/192.168.1.7/tcp/4002",
		"/ip6/fd00::7/udp/4001/quic-v1", "/ip6/fd00::7/tcp/4002",
	}
	if addrs := got.told.addrs(func(netip.Addr) bool { return true }); !slices.Equal(addrs, want) {
		t.Errorf("addresses %v, want %v", addrs, want)
	}
}

func TestBeaconsHideHowManyContactsThereAre(t *testing.T) {
	for _, row := range []struct{ contacts, beacons, tags int }{
		{0, 1, 8}, {1, 1, 8}, {8, 1, 8}, {9, 1, 16}, {64, 1, 64}, {65, 2, 72}, {256, 4, 256}, {1000, 4, 256},
	} {
		got := newBeacons(someTags(row.contacts))
		tags := 0
		for _, b := range got {
			tags += len(b.tags)
			if len(b.tags) > maxTags || len(b.tags)%tagStep != 0 {
				t.Errorf("%d contacts: a beacon of %d tags", row.contacts, len(b.tags))
			}
			b.udp, b.ips = 1, []netip.Addr{netip.MustParseAddr("10.0.0.1")}
			packet, err := b.encode(recordTTL)
			if err != nil || len(packet) > 1400 {
				t.Errorf("%d contacts: packet of %d bytes, %v", row.contacts, len(packet), err)
			}
		}
		if len(got) != row.beacons || tags != row.tags {
			t.Errorf("%d contacts: %d beacons of %d tags in all, want %d of %d", row.contacts, len(got), tags, row.beacons, row.tags)
		}
	}
}

func TestNoTwoBeaconsAreAlike(t *testing.T) {
	a, b := newBeacons(someTags(3))[0], newBeacons(someTags(3))[0]
	if a.instance == b.instance || slices.Equal(a.tags, b.tags) {
		t.Error("two beacons of the same tags can be linked")
	}
}

func TestTagsAreForTheRightEyesOnly(t *testing.T) {
	var secret, other, ana, bo [32]byte
	secret[0], other[0], ana[0], bo[0] = 1, 2, 3, 4
	tag := LANTag(secret, ana, 500_000)
	// Frozen: two versions of the program have to recognise each other.
	if got := hex.EncodeToString(tag[:]); got != "ec846ed95798755f" {
		t.Errorf("tag is %s", got)
	}
	for name, got := range map[string][8]byte{
		"another secret": LANTag(other, ana, 500_000), "another sender": LANTag(secret, bo, 500_000),
		"another hour": LANTag(secret, ana, 500_001),
	} {
		if got == tag {
			t.Errorf("%s has the same tag", name)
		}
	}
}

func TestQueriesAreUnderstood(t *testing.T) {
	q, err := lanQuery()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseLAN(q); err != nil || !got.asked || got.told != nil {
		t.Errorf("parsed %+v, %v", got, err)
	}
}

func TestATakenBackBeaconIsNobody(t *testing.T) {
	b := newBeacons(someTags(1))[0]
	b.udp = 1
	packet, err := b.encode(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseLAN(packet); err == nil {
		t.Errorf("parsed %+v", got.told)
	}
}

func TestHostileBeaconsAreCut(t *testing.T) {
	b := beacon{instance: "00", udp: 1}
	for i := range 60 {
		b.ips = append(b.ips, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	b.tags = someTags(500)
	packet, err := b.encode(recordTTL)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseLAN(packet)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.told.ips) != maxLANIPs || len(got.told.tags) != maxTags {
		t.Errorf("believed %d addresses and %d tags", len(got.told.ips), len(got.told.tags))
	}
}

func TestOnlyNeighboursAddressesAreBelieved(t *testing.T) {
	l := link{Interface: net.Interface{}, prefixes: []netip.Prefix{
		netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("fd00::5/64"), netip.MustParsePrefix("fe80::5/64"),
	}}
	for ip, want := range map[string]bool{
		"192.168.1.9": true, "fd00::9": true, // neighbours
		"192.168.2.9": false, "8.8.8.8": false, "2001:4860::1": false, // far away
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "224.0.0.251": false, // nobody
		"fe80::9": false, // cannot be dialled
	} {
		if got := l.onLink(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s believed: %v", ip, got)
		}
	}
	if !l.reachesUs(netip.MustParseAddr("fe80::9")) {
		t.Error("packets from a link-local address are not heard")
	}
}

func TestOtherPeoplesPacketsAreIgnored(t *testing.T) {
	name := dnsmessage.MustNewName("_ipp._tcp.local.")
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}}
	printer, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	ours := []byte("\x0a_entrenous\x04_udp")
	for _, packet := range [][]byte{nil, printer, ours, bytes.Repeat(ours, 1000)} {
		if got, err := parseLAN(packet); err == nil {
			t.Errorf("%q parsed as %+v", packet, got)
		}
	}
}

func FuzzParseLAN(f *testing.F) {
	b := newBeacons(someTags(40))[0]
	b.udp, b.tcp, b.ips = 1, 2, []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}
	told, err := b.encode(recordTTL)
	if err != nil {
		f.Fatal(err)
	}
	asked, err := lanQuery()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(told)
	f.Add(asked)
	f.Fuzz(func(t *testing.T, packet []byte) {
		got, err := parseLAN(packet)
		if err != nil || got.told == nil {
			return
		}
		if len(got.told.ips) > maxLANIPs || len(got.told.tags) > maxTags || len(got.told.tags) == 0 {
			t.Fatalf("%d addresses, %d tags", len(got.told.ips), len(got.told.tags))
		}
		for _, a := range got.told.addrs(func(netip.Addr) bool { return true }) {
			if len(a) > maxAddrText {
				t.Fatalf("address of %d characters", len(a))
			}
		}
	})
}

func BenchmarkParseLAN(b *testing.B) {
	own := newBeacons(someTags(64))[0]
	own.udp, own.tcp, own.ips = 1, 2, []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	packet, err := own.encode(recordTTL)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseLAN(packet); err != nil {
			b.Fatal(err)
		}
	}
}

func TestACardIsReadAsItWasWritten(t *testing.T) {
	for _, card := range []string{"", "entrenous:abc\nAna", strings.Repeat("é", MaxCard/2)} {
		b := newBeacons(nil)[0]
		b.udp, b.ips, b.card = 4001, []netip.Addr{netip.MustParseAddr("10.0.0.1")}, card
		packet, err := b.encode(recordTTL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseLAN(packet)
		if err != nil || got.told == nil || got.told.card != card {
			t.Errorf("%q comes back as %+v, %v", card, got.told, err)
		}
	}
	b := newBeacons(nil)[0]
	b.udp, b.card = 4001, strings.Repeat("x", MaxCard+1)
	if packet, err := b.encode(recordTTL); err != nil || bytes.Contains(packet, []byte("xxx")) {
		t.Errorf("a card that is too long is announced: %v", err)
	}
}
