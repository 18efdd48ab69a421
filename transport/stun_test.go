package transport

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The addresses and the transaction are those of RFC 5769 §2.2 and §2.3.
func TestSTUNTellsTheAddressAsTheRFCWritesIt(t *testing.T) {
	ask := unhex(t, "000100002112a442b7e7a701bc34d686fa87dfae")
	for from, want := range map[string]string{
		"192.0.2.1:32853": "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		if got := stunAnswer(ask, netip.MustParseAddrPort(from)); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("%s: %x, want %s", from, got, want)
		}
	}
}

func FuzzSTUN(f *testing.F) {
	f.Add(unhex(f, "000100002112a442b7e7a701bc34d686fa87dfae"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a := stunAnswer(b, netip.MustParseAddrPort("192.0.2.1:1")); len(a) > len(b)+12 {
			t.Errorf("an answer of %d bytes to %d", len(a), len(b))
		}
	})
}
