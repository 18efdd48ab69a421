package transport

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 'h', 'i'}, 2)
	f.Add([]byte{0, 0, 0, 0}, 0)
	f.Add([]byte{255, 255, 255, 255, 'l', 'i', 'e'}, 1<<30)
	f.Add([]byte{1, 0, 0, 0, 'l', 'i', 'e'}, MaxMessage)
	f.Add([]byte{0, 0}, -1)
	f.Fuzz(func(t *testing.T, wire []byte, limit int) {
		got, err := readMessage(bytes.NewReader(wire), limit)
		if err != nil {
			return
		}
		if len(got) > limit || len(got) > MaxMessage {
			t.Fatalf("%d bytes over a limit of %d", len(got), limit)
		}
		again := append(binary.BigEndian.AppendUint32(nil, uint32(len(got))), got...)
		if !bytes.HasPrefix(wire, again) {
			t.Fatal("read what was not there")
		}
	})
}

func FuzzALANOnlyHostDialsNoAddressOutside(f *testing.F) {
	for _, text := range []string{
		"/ip4/10.0.0.1/tcp/1", "/ip4/8.8.8.8/udp/1/quic-v1", "/dns4/localhost/tcp/1", "/ip6/fd00::1/tcp/1",
		"/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip4/10.0.0.1/udp/1/quic-v1/p2p-circuit", "/ip6/::ffff:8.8.8.8/tcp/1", "/unix/tmp/x", "",
	} {
		f.Add(text)
	}
	h := &Host{cfg: Config{LANOnly: true}}
	f.Fuzz(func(t *testing.T, text string) {
		a, why := h.usableAddr(peer.ID("x"), text)
		if (a == nil) != (why != "") {
			t.Fatalf("%q: %v and %q", text, a, why)
		}
		if a == nil {
			return
		}
		if ip, ok := addrIP(a); !ok || !nearby(ip) || viaRelay(a) {
			t.Fatalf("%q passes as %v", text, a)
		}
	})
}
