package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

func TestAnIDComesBackFromItsText(t *testing.T) {
	for n := range byte(50) {
		person := identity.FromSeed(seedOf(n)).ID()
		if got, err := identity.ParseID(person.String()); err != nil || got != person {
			t.Fatalf("%v came back as %v, %v", person, got, err)
		}
		device := deviceOf(t, n).ID()
		if got, err := identity.ParseDeviceID(device.String()); err != nil || got != device {
			t.Fatalf("%v came back as %v, %v", device, got, err)
		}
	}
}

func TestAPersonIsNeverTakenForADevice(t *testing.T) {
	key := identity.FromSeed(seedOf(1)).ID()
	if _, err := identity.ParseDeviceID(key.String()); err == nil {
		t.Error("a person's text was read as a device")
	}
	if _, err := identity.ParseID(identity.DeviceID(key).String()); err == nil {
		t.Error("a device's text was read as a person")
	}
}

func TestEverySingleMistakeInAnIDIsFound(t *testing.T) {
	text := identity.FromSeed(seedOf(1)).ID().String()
	for i := range text {
		for _, c := range "023456789acdefghjklmnpqrstuvwxyzbio1 A-é" {
			if mistaken := text[:i] + string(c) + text[i+1:]; mistaken != text {
				if _, err := identity.ParseID(mistaken); err == nil {
					t.Fatalf("%s was read", mistaken)
				}
			}
		}
	}
	for _, mistaken := range []string{"", text[:57], text + "q", strings.ToUpper(text), " " + text} {
		if _, err := identity.ParseID(mistaken); err == nil {
			t.Errorf("%q was read", mistaken)
		}
	}
}

func TestIDsTravelInJSONAsText(t *testing.T) {
	type card struct {
		Person identity.ID
		Device identity.DeviceID
		Names  map[identity.ID]string
	}
	person := identity.FromSeed(seedOf(1)).ID()
	sent := card{person, deviceOf(t, 1).ID(), map[identity.ID]string{person: "Ana"}}
	b, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(`"Person":"`+person.String()+`"`)) {
		t.Errorf("json: %s", b)
	}
	var got card
	if err := json.Unmarshal(b, &got); err != nil || got.Person != sent.Person || got.Device != sent.Device || got.Names[person] != "Ana" {
		t.Errorf("came back as %+v, %v", got, err)
	}
	for _, wrong := range []string{`{"Person":"abc"}`, `{"Device":"` + person.String() + `"}`} {
		if err := json.Unmarshal([]byte(wrong), &got); err == nil {
			t.Errorf("%s was read", wrong)
		}
	}
}

func TestTheLogHoldsNoSecretsAndNoWholeIDs(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	who, device := identity.FromSeed(seedOf(1)), deviceOf(t, 2)
	invite := identity.Invite{Person: who.ID(), Rendezvous: who.AddressSecret()}
	log.Info("all", "seed", seedOf(1), "identity", who, "id", who.ID(), "device", device, "device id", device.ID(),
		"invite", invite, "unlock", identity.Unlock{Passphrase: []byte("correct horse")},
		"record", identity.Record{Person: who.ID(), Addrs: []string{"/ip4/203.0.113.7"}})
	for _, secret := range []string{who.ID().String(), device.ID().String(), "203.0.113.7", "correct", "[1 1 1", "[2 2 2", "010101", "020202"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, &out)
		}
	}
	if !strings.Contains(out.String(), who.ID().Short()) || len(who.ID().Short()) != 8 || len(device.ID().Short()) != 8 {
		t.Errorf("the short id is missing: %s", &out)
	}
}

func TestNobodyIsZero(t *testing.T) {
	if !(identity.ID{}).IsZero() || !(identity.DeviceID{}).IsZero() {
		t.Error("the zero values are somebody")
	}
	if identity.FromSeed(seedOf(1)).ID().IsZero() || deviceOf(t, 1).ID().IsZero() {
		t.Error("somebody is zero")
	}
}

func TestASignatureHoldsForOneTypeOnly(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	pub, message := key.Public().(ed25519.PublicKey), []byte("hello")
	signature := identity.Sign(key, "greeting", message)
	if !identity.Verify(pub, "greeting", message, signature) {
		t.Fatal("a good signature is refused")
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)
	for name, holds := range map[string]bool{
		"other type":       identity.Verify(pub, "farewell", message, signature),
		"no type":          identity.Verify(pub, "", message, signature),
		"other message":    identity.Verify(pub, "greeting", []byte("hellp"), signature),
		"other key":        identity.Verify(other, "greeting", message, signature),
		"short key":        identity.Verify(pub[:31], "greeting", message, signature),
		"no key":           identity.Verify(nil, "greeting", message, signature),
		"short signature":  identity.Verify(pub, "greeting", message, signature[:63]),
		"no signature":     identity.Verify(pub, "greeting", message, nil),
		"plain Ed25519":    ed25519.Verify(pub, message, signature),
		"undomained":       identity.Verify(pub, "greeting", message, ed25519.Sign(key, message)),
		"shifted boundary": identity.Verify(pub, "greetin", append([]byte("g\x00"), message...), signature),
	} {
		if holds {
			t.Errorf("%s: the signature holds", name)
		}
	}
}

// A key of small order lets one signature fit many messages: with R the neutral
// point and S zero, every message whose hash divides by the order verifies.
func TestKeysOfSmallOrderVerifyNothing(t *testing.T) {
	small := []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
	forged := append([]byte{1}, make([]byte, 63)...)
	for _, key := range small {
		pub, works := unhex(t, key), false
		for n := range byte(200) {
			message := []byte{n}
			works = works || ed25519.Verify(pub, append([]byte("entrenous/1 x\x00"), message...), forged)
			if identity.Verify(pub, "x", message, forged) {
				t.Fatalf("%s: a forged signature holds", key)
			}
		}
		if !works {
			t.Errorf("%s: the forgery does not even work without the table", key)
		}
	}
}
