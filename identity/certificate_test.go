package identity_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/entrenous/entrenous/identity"
)

func TestACertificateComesBackAsItWas(t *testing.T) {
	who := identity.FromSeed(seedOf(1))
	for _, name := range []string{"", "laptop", "Ana’s φωνή 📱", strings.Repeat("n", 64)} {
		c := certify(t, who, deviceOf(t, 1), name)
		got, err := identity.ParseCertificate(encoded(t, c))
		if err != nil || got != c {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
		if got.Person != who.ID() || got.DeviceID() != deviceOf(t, 1).ID() || got.Name != name {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

func TestACertificateWithAnyByteChangedIsRefused(t *testing.T) {
	b := encoded(t, certify(t, identity.FromSeed(seedOf(1)), deviceOf(t, 1), "laptop"))
	everyFlip(b, 7, func(at int, flipped []byte) {
		if _, err := identity.ParseCertificate(flipped); err == nil {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	})
	for n := range b {
		if _, err := identity.ParseCertificate(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(b))
		}
	}
	if _, err := identity.ParseCertificate(append(b, 0)); err == nil {
		t.Error("a byte too many is not seen")
	}
}

func TestNobodyCertifiesForAnother(t *testing.T) {
	ana, mallory := identity.FromSeed(seedOf(1)), identity.FromSeed(seedOf(2))
	c := certify(t, mallory, deviceOf(t, 1), "laptop")
	c.Person = ana.ID()
	if _, err := identity.ParseCertificate(encoded(t, c)); err == nil {
		t.Error("mallory's signature passes for ana's")
	}
}

func TestACertificateIsOfItsTime(t *testing.T) {
	c := certify(t, identity.FromSeed(seedOf(1)), deviceOf(t, 1), "laptop")
	for _, at := range []struct {
		when time.Time
		want error
	}{
		{noon(), nil},
		{noon().AddDate(0, 6, 0), nil},
		{noon().Add(-24 * time.Hour), nil}, // clocks differ
		{noon().Add(-24*time.Hour - time.Second), identity.ErrNotYetValid},
		{noon().AddDate(1, 0, 1), nil},
		{noon().AddDate(1, 0, 1).Add(time.Second), identity.ErrExpired},
		{time.Time{}, identity.ErrNotYetValid},
	} {
		if err := c.ValidAt(at.when); !errors.Is(err, at.want) {
			t.Errorf("%v: %v", at.when, err)
		}
	}
}

func TestCertificatesThatMakeNoSenseAreNotMade(t *testing.T) {
	who, device := identity.FromSeed(seedOf(1)), deviceOf(t, 1).Public()
	for name, span := range map[string][2]time.Time{
		"backwards":   {noon(), noon().Add(-time.Hour)},
		"no time":     {noon(), noon()},
		"less than 1": {noon(), noon().Add(999 * time.Millisecond)},
		"before 1970": {time.Unix(-1, 0), noon()},
		"after 9999":  {noon(), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := who.Certify(device, "laptop", span[0], span[1]); err == nil {
			t.Errorf("%s: certified", name)
		}
	}
	c := certify(t, who, deviceOf(t, 1), "laptop")
	c.Name = "two\nlines"
	if _, err := c.MarshalBinary(); err == nil {
		t.Error("a name with a line break is written")
	}
	c.Name, c.NotAfter = "laptop", noon().Add(time.Millisecond)
	if _, err := c.MarshalBinary(); err == nil {
		t.Error("a part of a second is written")
	}
}

func TestNamesAreMadeFitToBeShown(t *testing.T) {
	for given, want := range map[string]string{
		"  Ana's   laptop\n":           "Ana's laptop",
		"a\x00b\x1b[31mc\x7f":          "ab[31mc",
		"\u202egnp.exe":                "gnp.exe",
		"a\u200b\u2066b\ufeff":         "ab",
		"x\u200e y":                    "x y",
		"a \u200b b":                   "a b",
		"\xff\xfebad\xc3":              "bad",
		"می\u200cخواهم":                "می\u200cخواهم",
		"👩\u200d💻":                     "👩\u200d💻",
		strings.Repeat("é", 40):        strings.Repeat("é", 32),
		strings.Repeat("a", 63) + " é": strings.Repeat("a", 63),
		"\u2028\u2029\u0085":           "",
	} {
		got := identity.CleanName(given)
		if got != want {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestDeviceKeysComeBackAndAreAllDifferent(t *testing.T) {
	d, err := identity.NewDevice()
	if err != nil {
		t.Fatal(err)
	}
	got, err := identity.ParseDevice(encoded(t, d))
	if err != nil || got.ID() != d.ID() || got.Public() != d.Public() || !got.Peer.Equal(d.Peer) || !got.Noise.Equal(d.Noise) || !got.Msg.Equal(d.Msg) {
		t.Fatalf("came back as %v, %v", got, err)
	}
	p := d.Public()
	if p.Sig == p.Noise || p.Noise == p.Msg || bytes.Equal(d.Sig.Seed(), d.Peer.Seed()) || d.String() != d.ID().Short() {
		t.Error("two keys are the same")
	}
	b := encoded(t, d)
	for _, wrong := range [][]byte{nil, b[:128], append(bytes.Clone(b), 0), append([]byte{2}, b[1:]...)} {
		if _, err := identity.ParseDevice(wrong); err == nil {
			t.Errorf("%d bytes are taken for a device", len(wrong))
		}
	}
	if _, err := new(identity.Device).MarshalBinary(); err == nil {
		t.Error("a device without keys is written")
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("Ana's laptop")
	f.Add("a\u200b \u202e\xff")
	f.Add(strings.Repeat("é ", 40))
	f.Fuzz(func(t *testing.T, name string) {
		clean := identity.CleanName(name)
		if len(clean) > 64 || !utf8.ValidString(clean) || identity.CleanName(clean) != clean {
			t.Errorf("%q became %q and then %q", name, clean, identity.CleanName(clean))
		}
	})
}

func FuzzParseCertificate(f *testing.F) {
	b := encoded(f, certify(f, identity.FromSeed(seedOf(1)), deviceOf(f, 1), "laptop"))
	f.Add(b)
	f.Add(b[:100])
	f.Add(append(bytes.Clone(b), 0))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := identity.ParseCertificate(b); err == nil && !bytes.Equal(encoded(t, c), b) {
			t.Errorf("%x is written otherwise", b)
		}
		if d, err := identity.ParseDevice(b); err == nil && !bytes.Equal(encoded(t, d), b) {
			t.Errorf("%x is written otherwise", b)
		}
	})
}

func BenchmarkParseCertificate(b *testing.B) {
	c := encoded(b, certify(b, identity.FromSeed(seedOf(1)), deviceOf(b, 1), "laptop"))
	for b.Loop() {
		if _, err := identity.ParseCertificate(c); err != nil {
			b.Fatal(err)
		}
	}
}
