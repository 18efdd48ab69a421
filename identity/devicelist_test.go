package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

func TestAContactFollowsAPersonsDevices(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	laptop, phone := certify(t, ana, deviceOf(t, 1), "laptop"), certify(t, ana, deviceOf(t, 2), "phone")
	first := listOf(t, ana, nil, laptop)
	both := listOf(t, ana, first, phone, laptop)
	stolen := listOf(t, ana, both, laptop) // the phone is gone: absence revokes it

	known := first
	for _, next := range []*identity.DeviceList{first, both, both, stolen} {
		if err := next.Follows(known); err != nil {
			t.Fatalf("epoch %d after %d: %v", next.Epoch, known.Epoch, err)
		}
		known = next
	}
	if _, found := both.Find(phone.DeviceID()); !found {
		t.Error("the phone is not on the list")
	}
	if c, found := known.Find(laptop.DeviceID()); !found || c != laptop {
		t.Error("the laptop is not on the list")
	}
	if _, found := known.Find(phone.DeviceID()); found {
		t.Error("the stolen phone is still on the list")
	}
	if err := both.Follows(known); !errors.Is(err, identity.ErrOldList) {
		t.Errorf("an old list: %v", err)
	}
}

func TestAContactThatMissedAListTakesTheNewest(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	laptop := certify(t, ana, deviceOf(t, 1), "laptop")
	first := listOf(t, ana, nil, laptop)
	third := listOf(t, ana, listOf(t, ana, first, laptop), laptop)
	if err := third.Follows(first); err != nil {
		t.Error(err)
	}
	if err := first.Follows(nil); err != nil {
		t.Error(err)
	}
}

func TestAForkOfTheDeviceListRaisesTheAlarm(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	laptop, thief := certify(t, ana, deviceOf(t, 1), "laptop"), certify(t, ana, deviceOf(t, 2), "laptop")
	first := listOf(t, ana, nil, laptop)
	honest, forked := listOf(t, ana, first, laptop), listOf(t, ana, first, thief)
	if err := forked.Follows(honest); !errors.Is(err, identity.ErrForkedList) {
		t.Errorf("another list of the same epoch: %v", err)
	}
	if err := listOf(t, ana, forked, thief).Follows(honest); !errors.Is(err, identity.ErrForkedList) {
		t.Errorf("the next list of the other branch: %v", err)
	}
	stranger := listOf(t, identity.FromSeed(seedOf(2)), nil)
	if err := stranger.Follows(first); err == nil {
		t.Error("a stranger's list follows ana's")
	}
}

func TestADeviceListComesBackAsItWas(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	var certs []identity.Certificate
	var before *identity.DeviceList
	for n := range 33 {
		certs = append(certs, certify(t, ana, deviceOf(t, byte(n+1)), "a name that takes all of the sixty-four bytes that there are, yes"))
		if n > 2 && n < 30 {
			continue
		}
		l := listOf(t, ana, before, certs[:n]...)
		got, err := identity.ParseDeviceList(encoded(t, l))
		if err != nil || got.Hash() != l.Hash() || !slices.Equal(got.Certs, l.Certs) || got.Epoch != l.Epoch || got.Prev != before.Hash() {
			t.Fatalf("with %d devices: %v", n, err)
		}
		before = l
	}
	if _, err := ana.SignList(before, certs, noon()); err == nil {
		t.Error("33 devices are on one list")
	}
}

func TestADeviceListWithAnyByteChangedIsRefused(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	b := encoded(t, listOf(t, ana, nil, certify(t, ana, deviceOf(t, 1), "laptop")))
	everyFlip(b, 7, func(at int, flipped []byte) {
		if _, err := identity.ParseDeviceList(flipped); err == nil {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	})
	for n := range b {
		if _, err := identity.ParseDeviceList(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(b))
		}
	}
	for _, wrong := range [][]byte{append(bytes.Clone(b), 0), make([]byte, 1<<20)} {
		if _, err := identity.ParseDeviceList(wrong); err == nil {
			t.Errorf("%d bytes are taken for %d", len(wrong), len(b))
		}
	}
}

// What a person's own key signed may still make no sense: the owner of the key
// may be the attacker.
func TestListsThatMakeNoSenseAreRefusedThoughSigned(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	laptop, phone := certify(t, ana, deviceOf(t, 1), "laptop"), certify(t, ana, deviceOf(t, 2), "phone")
	good := listOf(t, ana, nil, laptop, phone)
	for name, spoil := range map[string]func(*identity.DeviceList){
		"epoch 0":            func(l *identity.DeviceList) { l.Epoch = 0 },
		"a link at epoch 1":  func(l *identity.DeviceList) { l.Prev[0] = 1 },
		"before 1970":        func(l *identity.DeviceList) { l.Issued = noon().AddDate(-100, 0, 0) },
		"wrong order":        func(l *identity.DeviceList) { slices.Reverse(l.Certs) },
		"one device twice":   func(l *identity.DeviceList) { l.Certs[1] = l.Certs[0] },
		"another's device":   func(l *identity.DeviceList) { l.Certs = []identity.Certificate{strangersCert(t)} },
		"an unclean name":    func(l *identity.DeviceList) { l.Certs[0].Name = " " },
		"too many by copies": func(l *identity.DeviceList) { l.Certs = make([]identity.Certificate, 33) },
	} {
		l := *good
		l.Certs = slices.Clone(good.Certs)
		spoil(&l)
		if _, err := l.MarshalBinary(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	if _, err := ana.SignList(nil, []identity.Certificate{strangersCert(t)}, noon()); err == nil {
		t.Error("another's device is signed")
	}
	forged := laptop
	forged.Name = "desktop"
	if _, err := ana.SignList(nil, []identity.Certificate{forged}, noon()); err == nil {
		t.Error("a certificate nobody signed is signed")
	}
	if _, err := ana.SignList(listOf(t, identity.FromSeed(seedOf(2)), nil), nil, noon()); err == nil {
		t.Error("ana's list follows another's")
	}
	if _, err := ana.SignList(&identity.DeviceList{Person: ana.ID(), Epoch: math.MaxUint64}, nil, noon()); err == nil {
		t.Error("the epochs wrap around")
	}
	if new(identity.DeviceList).Hash() == (*identity.DeviceList)(nil).Hash() {
		t.Error("an empty list hashes like none")
	}
}

// The owner of an identity key can sign anything. These lists are signed, and
// refused for what is in them.
func TestSignedNonsenseIsRefused(t *testing.T) {
	seed := seedOf(1)
	ana := identity.FromSeed(seed)
	ik, err := hkdf.Key(sha256.New, seed[:], nil, "entrenous/1 identity", 32)
	if err != nil {
		t.Fatal(err)
	}
	good := encoded(t, listOf(t, ana, nil, certify(t, ana, deviceOf(t, 1), "laptop"), certify(t, ana, deviceOf(t, 2), "phone")))
	body := good[:len(good)-64]
	signed := func(body []byte) []byte {
		return append(bytes.Clone(body), identity.Sign(ed25519.NewKeyFromSeed(ik), "device list", body)...)
	}
	if !bytes.Equal(signed(body), good) {
		t.Fatal("the signer of this test signs otherwise")
	}
	const head = 1 + 32 + 8 + 32 + 8 // version, person, epoch, hash, time; then the number of devices
	first := head + 1 + 2 + int(binary.BigEndian.Uint16(body[head+1:]))
	put := func(at int, v byte) []byte { b := bytes.Clone(body); b[at] = v; return b }
	for name, body := range map[string][]byte{
		"a device missing":  put(head, 3),
		"a device too many": put(head, 1),
		"256 devices":       put(head, 255),
		"no devices at all": body[:head],
		"another version":   put(0, 2),
		"epoch 0":           put(40, 0),
		"a link at epoch 1": put(50, 1),
		"the year 10000":    put(head-6, 0xff),
		"wrong order":       slices.Concat(body[:head+1], body[first:], body[head+1:first]),
		"one device twice":  slices.Concat(body[:first], body[head+1:first]),
		"a forged device":   put(first-1, body[first-1]^1),
		"a byte too many":   append(bytes.Clone(body), 0),
	} {
		if _, err := identity.ParseDeviceList(signed(body)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func strangersCert(t *testing.T) identity.Certificate {
	t.Helper()
	return certify(t, identity.FromSeed(seedOf(9)), deviceOf(t, 9), "laptop")
}

func FuzzParseDeviceList(f *testing.F) {
	ana := identity.FromSeed(seedOf(1))
	first := listOf(f, ana, nil, certify(f, ana, deviceOf(f, 1), "laptop"))
	f.Add(encoded(f, first))
	f.Add(encoded(f, listOf(f, ana, first)))
	f.Add(encoded(f, first)[:200])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := identity.ParseDeviceList(b)
		if err == nil && !bytes.Equal(encoded(t, l), b) {
			t.Errorf("%x is written otherwise", b)
		}
	})
}

func BenchmarkParseDeviceListOfFive(b *testing.B) {
	ana := identity.FromSeed(seedOf(1))
	var certs []identity.Certificate
	for n := range byte(5) {
		certs = append(certs, certify(b, ana, deviceOf(b, n), "laptop"))
	}
	l := encoded(b, listOf(b, ana, nil, certs...))
	for b.Loop() {
		if _, err := identity.ParseDeviceList(l); err != nil {
			b.Fatal(err)
		}
	}
}

// Words bring an identity back without its last list: the new one stands at an
// epoch beyond any that was counted, and contacts take it as it is.
func TestAListAfterTheWordsNeedsNoLinkAndIsTakenIfNewer(t *testing.T) {
	ana := identity.FromSeed(seedOf(1))
	old := listOf(t, ana, nil, certify(t, ana, deviceOf(t, 1), "laptop"))
	back, err := ana.SignListAt(1_790_000_000, []identity.Certificate{certify(t, ana, deviceOf(t, 2), "new laptop")}, noon())
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Follows(old); err != nil {
		t.Errorf("a restored identity's list is refused: %v", err)
	}
	if err := old.Follows(back); !errors.Is(err, identity.ErrOldList) {
		t.Errorf("the list of the lost device is taken: %v", err)
	}
	next, err := ana.SignListAt(2, old.Certs, noon())
	if err != nil {
		t.Fatal(err)
	}
	if next.Follows(old) == nil {
		t.Error("the very next list is taken without a link")
	}
	if _, err := ana.SignListAt(0, old.Certs, noon()); err == nil {
		t.Error("epoch 0 is signed")
	}
}
