package identity_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/entrenous/entrenous/identity"
)

// recordOf is a record of a person with one device, and the secret it is for.
func recordOf(t testing.TB) (*identity.Device, identity.Record, [16]byte) {
	t.Helper()
	ana, laptop := identity.FromSeed(seedOf(1)), deviceOf(t, 1)
	return laptop, identity.Record{
		Person: ana.ID(),
		List:   listOf(t, ana, nil, certify(t, ana, laptop, "laptop")),
		Issued: noon(),
		Device: laptop.ID(),
		Peer:   []byte("a peer id"),
		Addrs:  []string{"/ip4/192.168.1.5/udp/4001/quic-v1", "/ip6/fd00::1/udp/4001/quic-v1"},
	}, ana.AddressSecret()
}

func sealed(t testing.TB, d *identity.Device, r identity.Record, secret [16]byte) []byte {
	t.Helper()
	b, err := identity.SealRecord(d, r, secret)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAHolderOfTheSecretReadsHowToReachAPerson(t *testing.T) {
	laptop, r, secret := recordOf(t)
	b := sealed(t, laptop, r, secret)
	got, err := identity.OpenRecord(b, secret, r.Person)
	if err != nil || !reflect.DeepEqual(*got, r) {
		t.Fatalf("%+v, %v", got, err)
	}
	if bytes.Equal(b, sealed(t, laptop, r, secret)) {
		t.Error("two records of the same look the same")
	}
}

func TestARecordShowsNothingToOthers(t *testing.T) {
	laptop, r, secret := recordOf(t)
	b := sealed(t, laptop, r, secret)
	for name, part := range map[string][]byte{
		"person": r.Person[:], "device": r.Device[:], "peer": r.Peer, "address": []byte("192.168"), "secret": secret[:],
	} {
		if bytes.Contains(b, part) {
			t.Errorf("the %s is in clear", name)
		}
	}
	wrong := secret
	wrong[15] ^= 1
	if _, err := identity.OpenRecord(b, wrong, r.Person); err == nil {
		t.Error("another secret opens it")
	}
	if _, err := identity.OpenRecord(b, secret, identity.FromSeed(seedOf(2)).ID()); err == nil {
		t.Error("it passes for another person's")
	}
}

func TestTheLengthOfARecordShowsLittle(t *testing.T) {
	laptop, r, secret := recordOf(t)
	sizes := map[int]bool{}
	for n := range 17 {
		r.Addrs = slices.Repeat([]string{strings.Repeat("a", 256)}, n)
		b := sealed(t, laptop, r, secret)
		if len(b)%512 != 0 {
			t.Errorf("%d addresses: %d bytes", n, len(b))
		}
		sizes[len(b)] = true
		if got, err := identity.OpenRecord(b, secret, r.Person); err != nil || len(got.Addrs) != n {
			t.Errorf("%d addresses: %v", n, err)
		}
	}
	if len(sizes) > 9 {
		t.Errorf("17 numbers of addresses give %d lengths", len(sizes))
	}
}

func TestTheLargestRecordFits(t *testing.T) {
	ana, name := identity.FromSeed(seedOf(1)), strings.Repeat("n", 64)
	var certs []identity.Certificate
	for n := range byte(32) {
		certs = append(certs, certify(t, ana, deviceOf(t, n), name))
	}
	r := identity.Record{
		Person: ana.ID(), List: listOf(t, ana, nil, certs...), Issued: noon(), Device: deviceOf(t, 7).ID(),
		Peer: make([]byte, 64), Addrs: slices.Repeat([]string{strings.Repeat("a", 256)}, 16),
	}
	b := sealed(t, deviceOf(t, 7), r, [16]byte{})
	if _, err := identity.OpenRecord(b, [16]byte{}, r.Person); err != nil {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	r.Addrs[0] += "a"
	if _, err := identity.SealRecord(deviceOf(t, 7), r, [16]byte{}); err == nil {
		t.Error("a longer address is sealed")
	}
}

func TestOnlyADeviceOnTheListSpeaksForThePerson(t *testing.T) {
	laptop, r, secret := recordOf(t)
	stolen := deviceOf(t, 2)
	if _, err := identity.SealRecord(stolen, r, secret); err == nil {
		t.Error("another device seals the laptop's record")
	}
	r.Device = stolen.ID()
	if _, err := identity.SealRecord(stolen, r, secret); err == nil {
		t.Error("a device that is not on the list seals a record")
	}
	for name, spoil := range map[string]func(*identity.Record){
		"no list":         func(r *identity.Record) { r.List = nil },
		"another's list":  func(r *identity.Record) { r.List = listOf(t, identity.FromSeed(seedOf(2)), nil) },
		"a long peer":     func(r *identity.Record) { r.Peer = make([]byte, 65) },
		"17 addresses":    func(r *identity.Record) { r.Addrs = make([]string, 17) },
		"hidden text":     func(r *identity.Record) { r.Addrs = []string{"/ip4/\u202e1"} },
		"no time at all":  func(r *identity.Record) { r.Issued = time.Time{} },
		"a broken list":   func(r *identity.Record) { r.List = &identity.DeviceList{Person: r.Person} },
		"another's name":  func(r *identity.Record) { r.Person = identity.FromSeed(seedOf(2)).ID() },
		"not the address": func(r *identity.Record) { r.Addrs = []string{"\xff"} },
	} {
		_, bad, _ := recordOf(t)
		spoil(&bad)
		if _, err := identity.SealRecord(laptop, bad, secret); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

func TestARecordWithAnyByteChangedIsRefused(t *testing.T) {
	laptop, r, secret := recordOf(t)
	b := sealed(t, laptop, r, secret)
	everyFlip(b, 7, func(at int, flipped []byte) {
		if _, err := identity.OpenRecord(flipped, secret, r.Person); err == nil {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	})
	for _, wrong := range [][]byte{nil, b[:len(b)-512], b[:len(b)-1], append(bytes.Clone(b), make([]byte, 512)...), make([]byte, 1<<20)} {
		if _, err := identity.OpenRecord(wrong, secret, r.Person); err == nil {
			t.Errorf("%d bytes are taken for %d", len(wrong), len(b))
		}
	}
}

func TestRendezvousKeysOfTwoDaysOrPeopleShareNothing(t *testing.T) {
	ana, bo := identity.FromSeed(seedOf(1)), identity.FromSeed(seedOf(2))
	today := identity.RendezvousDay(noon())
	keys := map[[32]byte]string{}
	for _, who := range []*identity.Identity{ana, bo} {
		for _, secret := range [][16]byte{ana.AddressSecret(), bo.AddressSecret(), {}} {
			for day := today - 3; day < today+3; day++ {
				name, key := fmt.Sprint(who.ID(), secret, day), identity.RendezvousKey(secret, who.ID(), day)
				if other, seen := keys[key]; seen {
					t.Errorf("%s and %s share a key", name, other)
				}
				keys[key] = name
			}
		}
	}
}

func TestDaysBeginAtMidnightUTC(t *testing.T) {
	for second, want := range map[int64]int64{0: 0, 86399: 0, 86400: 1, -1: -1, -86400: -1, -86401: -2} {
		if got := identity.RendezvousDay(time.Unix(second, 0)); got != want {
			t.Errorf("second %d is of day %d", second, got)
		}
	}
	if got := identity.RendezvousDay(noon().In(time.FixedZone("Kiribati", 14*3600))); got != 20779 {
		t.Errorf("noon is of day %d", got)
	}
}

// insider is the cipher that everybody who holds the secret has: a contact can
// open and seal, but not sign.
func insider(t testing.TB, secret [16]byte) cipher.AEAD {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret[:], nil, "entrenous/1 record", 32)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

func TestAContactThatHoldsTheSecretCannotForgeARecord(t *testing.T) {
	laptop, r, secret := recordOf(t)
	b, aead := sealed(t, laptop, r, secret), insider(t, secret)
	plain, err := aead.Open(nil, b[:24], b[24:], []byte("entrenous/1 record"))
	if err != nil {
		t.Fatal(err)
	}
	seal := func(plain []byte) []byte {
		return aead.Seal(bytes.Clone(b[:24]), b[:24], plain, []byte("entrenous/1 record"))
	}
	if _, err := identity.OpenRecord(seal(plain), secret, r.Person); err != nil {
		t.Fatal(err)
	}
	everyFlip(plain, 7, func(at int, flipped []byte) {
		if _, err := identity.OpenRecord(seal(flipped), secret, r.Person); err == nil {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	})
	if _, err := identity.OpenRecord(seal(append(plain, make([]byte, 512)...)), secret, r.Person); err == nil {
		t.Error("needless padding is not seen")
	}
}

func FuzzOpenRecord(f *testing.F) {
	laptop, r, secret := recordOf(f)
	b, aead := sealed(f, laptop, r, secret), insider(f, secret)
	plain, err := aead.Open(nil, b[:24], b[24:], []byte("entrenous/1 record"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add(plain[:512-40])
	f.Add(make([]byte, 512-40))
	f.Fuzz(func(t *testing.T, plain []byte) {
		if _, err := identity.OpenRecord(plain, secret, r.Person); err == nil {
			t.Error("bytes that nobody sealed are opened")
		}
		forged := aead.Seal(bytes.Clone(b[:24]), b[:24], plain, []byte("entrenous/1 record"))
		if got, err := identity.OpenRecord(forged, secret, r.Person); err == nil && !reflect.DeepEqual(*got, r) {
			t.Errorf("forged: %+v", got)
		}
	})
}

func BenchmarkOpenRecord(b *testing.B) {
	laptop, r, secret := recordOf(b)
	record := sealed(b, laptop, r, secret)
	for b.Loop() {
		if _, err := identity.OpenRecord(record, secret, r.Person); err != nil {
			b.Fatal(err)
		}
	}
}
