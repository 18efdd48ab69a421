package noise

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	flynn "github.com/flynn/noise"
)

// These tests hold two things each: that flynn/noise has the trap, so that we
// notice when a new version has not, and that exchange cannot fall into it.

func newKey(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// exchanges are both sides of a handshake, message 1 done.
func exchanges(t *testing.T) (i, r *exchange) {
	t.Helper()
	ki, kr := newKey(t), newKey(t)
	i, err := newExchange(ki, kr.PublicKey().Bytes(), []byte("prologue"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err = newExchange(kr, nil, []byte("prologue"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.write([]byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.read(m); err != nil {
		t.Fatal(err)
	}
	return i, r
}

// raw are both sides of an XX handshake of flynn/noise with this psk placement.
func raw(t *testing.T, placement int, pskI, pskR []byte) (i, r *flynn.HandshakeState) {
	t.Helper()
	start := func(initiator bool, psk []byte) *flynn.HandshakeState {
		k, err := suite().GenerateKeypair(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		hs, err := flynn.NewHandshakeState(flynn.Config{
			CipherSuite: suite(), Pattern: flynn.HandshakeXX, Initiator: initiator,
			StaticKeypair: k, PresharedKey: psk, PresharedKeyPlacement: placement,
		})
		if err != nil {
			t.Fatal(err)
		}
		return hs
	}
	return start(true, pskI), start(false, pskR)
}

func TestTrapUnsetPSKIsTheEmptyString(t *testing.T) {
	i, r := raw(t, 2, nil, make([]byte, 32))
	m, _, _, err := i.WriteMessage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := r.ReadMessage(nil, m); err != nil {
		t.Fatal(err)
	}
	if m, _, _, err = r.WriteMessage(nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := i.ReadMessage(nil, m); err == nil || strings.Contains(err.Error(), "psk") {
		t.Errorf("flynn/noise now notices an unset psk: %v", err)
	}

	ours, theirs := exchanges(t)
	if _, err := theirs.write(nil); !errors.Is(err, errNoPSK) {
		t.Errorf("message 2 was written without a psk: %v", err)
	}
	if _, err := ours.read(make([]byte, 48)); !errors.Is(err, errNoPSK) {
		t.Errorf("message 2 was read without a psk: %v", err)
	}
	if err := ours.setPSK([32]byte{1}); !errors.Is(err, errDead) {
		t.Errorf("a handshake went on after an error: %v", err)
	}
}

func TestTrapPlacementWithoutKeyDropsPSK(t *testing.T) {
	for _, placement := range []int{0, 1} {
		i, r := raw(t, placement, nil, nil)
		plain, _ := raw(t, 0, nil, nil)
		if !bytes.Equal(i.ChannelBinding(), r.ChannelBinding()) || !bytes.Equal(i.ChannelBinding(), plain.ChannelBinding()) {
			t.Errorf("placement %d is no longer dropped", placement)
		}
	}
	with, err := newExchange(newKey(t), newKey(t).PublicKey().Bytes(), nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	without, err := flynn.NewHandshakeState(flynn.Config{
		CipherSuite: suite(), Pattern: flynn.HandshakeXK, Initiator: true, PeerStatic: with.hs.PeerStatic(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if with.binding() == [32]byte(without.ChannelBinding()) {
		t.Error("an exchange without a key yet is not a psk handshake")
	}
}

func TestTrapFailedReadIsNotRolledBack(t *testing.T) {
	i, r := exchanges(t)
	key := [32]byte{7}
	if err := errors.Join(i.setPSK(key), r.setPSK(key)); err != nil {
		t.Fatal(err)
	}
	m, err := r.write([]byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(m)
	bad[len(bad)-1] ^= 1
	if _, err := i.read(bad); !errors.Is(err, ErrAuth) {
		t.Fatalf("a changed message 2: %v", err)
	}
	if _, err := i.read(m); !errors.Is(err, errDead) {
		t.Errorf("a handshake went on after a failed read: %v", err)
	}
	if _, err := i.write(nil); !errors.Is(err, errDead) {
		t.Errorf("a handshake went on after a failed read: %v", err)
	}
}

func TestTrapNoMessageLimit(t *testing.T) {
	hs, _ := raw(t, 0, nil, nil)
	if m, _, _, err := hs.WriteMessage(nil, make([]byte, maxNoise)); err != nil || len(m) <= maxNoise {
		t.Errorf("flynn/noise now has a limit: %d bytes, %v", len(m), err)
	}
	i, r := exchanges(t)
	key := [32]byte{7}
	if err := errors.Join(i.setPSK(key), r.setPSK(key)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.write(make([]byte, maxNoise-95)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a message beyond the limit was written: %v", err)
	}
	if _, err := i.read(make([]byte, maxNoise+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a message beyond the limit was read: %v", err)
	}
}

func TestTrapPlacementBeyondThePatternPanics(t *testing.T) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("flynn/noise no longer panics")
			}
		}()
		_, _ = flynn.NewHandshakeState(flynn.Config{
			CipherSuite: suite(), Pattern: flynn.HandshakeXK, PresharedKey: make([]byte, 32), PresharedKeyPlacement: 9,
		})
	}()
	for _, static := range [][]byte{nil, make([]byte, 32), make([]byte, 31), {}} { // placement is ours alone; keys are all a caller can spoil
		if _, err := newExchange(newKey(t), static, nil, rand.Reader); err != nil {
			t.Logf("%d bytes: %v", len(static), err)
		}
	}
}

func TestLowOrderStaticKeyIsRefused(t *testing.T) {
	i, err := newExchange(newKey(t), make([]byte, 32), nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.write(nil); err == nil {
		t.Error("a shared secret of zeros was taken")
	}
}

func TestHelloNegotiation(t *testing.T) {
	for _, c := range []struct {
		a, b hello
		want byte
	}{
		{hello{1, 1}, hello{1, 1}, 1},
		{hello{1, 3}, hello{2, 5}, 3},
		{hello{1, 1}, hello{2, 2}, 0},
		{hello{1, 1}, hello{1, 0}, 0},
		{hello{1, 1}, hello{0, 0}, 0},
		{hello{1, 1}, hello{0, 255}, 0},
		{hello{1, 255}, hello{255, 255}, 255},
	} {
		if got := c.a.common(c.b); got != c.want {
			t.Errorf("%v and %v agree on %d, not %d", c.a, c.b, got, c.want)
		}
		if got := c.b.common(c.a); got != c.want {
			t.Errorf("%v and %v agree on %d, not %d", c.b, c.a, got, c.want)
		}
	}
}

func TestPayloadIsCanonical(t *testing.T) {
	for _, p := range []payload{{}, {[]byte("head"), 7, []byte("caps")}, {make([]byte, maxCertificate), 1 << 63, make([]byte, maxCaps)}} {
		b := p.encode()
		if len(b)%payloadUnit != 0 || len(b) > maxPayload {
			t.Errorf("payload of %d bytes", len(b))
		}
		got, err := parsePayload(b)
		if err != nil || !bytes.Equal(got.head, p.head) || got.epoch != p.epoch || !bytes.Equal(got.caps, p.caps) {
			t.Errorf("payload came back as %v, %v", got, err)
		}
		padded := append(bytes.Clone(b), make([]byte, payloadUnit)...)
		if _, err := parsePayload(padded); err == nil {
			t.Error("a payload with padding to spare was taken")
		}
		b[len(b)-1]++
		if _, err := parsePayload(b); err == nil && len(p.head) < maxCertificate {
			t.Error("a payload with dirty padding was taken")
		}
	}
}

func TestPayloadFieldsHaveLimits(t *testing.T) {
	for _, p := range []payload{{head: make([]byte, maxCertificate+1)}, {caps: make([]byte, maxCaps+1)}, {head: make([]byte, 9000)}} {
		if _, err := parsePayload(p.encode()); err == nil {
			t.Errorf("%d and %d bytes were taken", len(p.head), len(p.caps))
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add(payload{[]byte("head"), 7, []byte("caps")}.encode())
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, payloadUnit))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePayload(b)
		if err == nil && !bytes.Equal(p.encode(), b) {
			t.Errorf("%x was taken and is not canonical", b)
		}
	})
}

func FuzzItems(f *testing.F) {
	f.Add(make([]byte, 63), byte(0))
	f.Add(append([]byte{0, 4, 1, 2, 3, 0, 1}, make([]byte, 56)...), byte(flagMore))
	f.Add(append([]byte{0, 62}, make([]byte, 61)...), byte(flagEnd))
	f.Fuzz(func(t *testing.T, b []byte, flags byte) {
		items, err := trim(b, flags)
		if err != nil {
			return
		}
		for o := (&opener{items: items, flags: flags}); len(o.items) > 0; {
			if item, _, err := o.item(); err != nil || len(item) > len(b) {
				t.Fatalf("%x: %v", b, err)
			}
		}
	})
}
