package identity_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// noon is when these tests take place.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// seedOf makes the n-th person's seed, the same in every run.
func seedOf(n byte) identity.Seed { return identity.Seed(bytes.Repeat([]byte{n}, 32)) }

// deviceOf makes the n-th device, the same in every run.
func deviceOf(t testing.TB, n byte) *identity.Device {
	t.Helper()
	secret := bytes.Repeat([]byte{n}, 129)
	secret[0] = 1
	d, err := identity.ParseDevice(secret)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// certify gives a person's device a certificate for a year.
func certify(t testing.TB, who *identity.Identity, d *identity.Device, name string) identity.Certificate {
	t.Helper()
	c, err := who.Certify(d.Public(), name, noon(), noon().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listOf signs the list that follows prev.
func listOf(t testing.TB, who *identity.Identity, prev *identity.DeviceList, certs ...identity.Certificate) *identity.DeviceList {
	t.Helper()
	l, err := who.SignList(prev, certs, noon())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// encoded is what v writes.
func encoded(t testing.TB, v interface{ MarshalBinary() ([]byte, error) }) []byte {
	t.Helper()
	b, err := v.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyFlip calls try with the copies of b that differ in one bit, every
// step-th bit. A step of 7 reaches every byte.
func everyFlip(b []byte, step int, try func(at int, flipped []byte)) {
	for i := 0; i < len(b)*8; i += step {
		flipped := bytes.Clone(b)
		flipped[i/8] ^= 1 << (i % 8)
		try(i/8, flipped)
	}
}
