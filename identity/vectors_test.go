package identity_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// vectors were made by an independent program in another language. If a test on
// them breaks, people lose their identities: change the code, not the file.
type vectors struct {
	Seed               string          `json:"seed"`
	Words              []string        `json:"words"`
	Person             identity.ID     `json:"person"`
	Address            string          `json:"address"`
	DeviceSecret       string          `json:"device_secret"`
	Device             string          `json:"device"`
	SecondDeviceSecret string          `json:"second_device_secret"`
	Name               string          `json:"name"`
	NotBefore          int64           `json:"not_before"`
	NotAfter           int64           `json:"not_after"`
	Certificate        string          `json:"certificate"`
	FirstList          string          `json:"first_list"`
	FirstListHash      string          `json:"first_list_hash"`
	SecondList         string          `json:"second_list"`
	Record             string          `json:"record"`
	RecordSecret       string          `json:"record_secret"`
	RecordIssued       int64           `json:"record_issued"`
	RecordPeer         string          `json:"record_peer"`
	RecordAddrs        []string        `json:"record_addrs"`
	RendezvousDay      int64           `json:"rendezvous_day"`
	RendezvousKey      string          `json:"rendezvous_key"`
	PlainInvite        string          `json:"plain_invite"`
	Once               string          `json:"once"`
	InviteExpires      int64           `json:"invite_expires"`
	InviteHints        []identity.Hint `json:"invite_hints"`
	FullInvite         string          `json:"full_invite"`
	OncePair           string          `json:"once_pair"`
	OtherPerson        identity.ID     `json:"other_person"`
	SafetyNumber       string          `json:"safety_number"`
	SafetyWords        []string        `json:"safety_words"`
	SafetyQR           string          `json:"safety_qr"`
	VaultFile          string          `json:"vault_file"`
	VaultPassphrase    string          `json:"vault_passphrase"`
	VaultSecret        string          `json:"vault_secret"`
	VaultPayload       string          `json:"vault_payload"`
	VaultDBKey         string          `json:"vault_db_key"`
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vectors) device(t testing.TB, secret string) *identity.Device {
	t.Helper()
	d, err := identity.ParseDevice(unhex(t, secret))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFrozenWordsStillRestoreThePersonAndTheAddress(t *testing.T) {
	v := readVectors(t)
	seed := identity.Seed(unhex(t, v.Seed))
	if !slices.Equal(seed.Words(), v.Words) {
		t.Errorf("words: %v", seed.Words())
	}
	who := identity.FromSeed(seed)
	if who.ID() != v.Person {
		t.Errorf("person: %v", who.ID())
	}
	if address := who.AddressSecret(); hex.EncodeToString(address[:]) != v.Address {
		t.Errorf("address: %x", address)
	}
}

func TestFrozenDevicesAndListsAreStillSignedTheSame(t *testing.T) {
	v := readVectors(t)
	who := identity.FromSeed(identity.Seed(unhex(t, v.Seed)))
	laptop, phone := v.device(t, v.DeviceSecret), v.device(t, v.SecondDeviceSecret)
	if laptop.ID().String() != v.Device || hex.EncodeToString(encoded(t, laptop)) != v.DeviceSecret {
		t.Error("the device's keys changed")
	}
	from, to := time.Unix(v.NotBefore, 0), time.Unix(v.NotAfter, 0)
	first, err := who.Certify(laptop.Public(), v.Name, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(encoded(t, first)) != v.Certificate {
		t.Error("the certificate changed")
	}
	second, err := who.Certify(phone.Public(), "phone", from, to)
	if err != nil {
		t.Fatal(err)
	}
	one, err := who.SignList(nil, []identity.Certificate{first}, from)
	if err != nil {
		t.Fatal(err)
	}
	hash := one.Hash()
	if hex.EncodeToString(encoded(t, one)) != v.FirstList || hex.EncodeToString(hash[:]) != v.FirstListHash {
		t.Error("the first list changed")
	}
	two, err := who.SignList(one, []identity.Certificate{first, second}, from.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(encoded(t, two)) != v.SecondList {
		t.Error("the second list changed")
	}
}

func TestAFrozenRecordStillOpens(t *testing.T) {
	v := readVectors(t)
	secret := [16]byte(unhex(t, v.RecordSecret))
	r, err := identity.OpenRecord(unhex(t, v.Record), secret, v.Person)
	if err != nil {
		t.Fatal(err)
	}
	if r.Device.String() != v.Device || r.Issued.Unix() != v.RecordIssued || !slices.Equal(r.Addrs, v.RecordAddrs) ||
		!bytes.Equal(r.Peer, unhex(t, v.RecordPeer)) || hex.EncodeToString(encoded(t, r.List)) != v.SecondList {
		t.Errorf("record: %+v", r)
	}
	key := identity.RendezvousKey(secret, v.Person, v.RendezvousDay)
	if hex.EncodeToString(key[:]) != v.RendezvousKey {
		t.Errorf("rendezvous key: %x", key)
	}
}

func TestFrozenInvitesAreStillReadAndWritten(t *testing.T) {
	v := readVectors(t)
	plain := identity.Invite{Person: v.Person, Rendezvous: [16]byte(unhex(t, v.Address))}
	full := plain
	full.Once, full.Expires, full.Hints = unhex(t, v.Once), time.Unix(v.InviteExpires, 0).UTC(), v.InviteHints
	for text, want := range map[string]identity.Invite{v.PlainInvite: plain, v.FullInvite: full} {
		if want.String() != text {
			t.Errorf("written: %s", want)
		}
		if got, err := identity.ParseInvite(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read: %+v, %v", got, err)
		}
	}
	if pair := identity.OncePair(full.Once); hex.EncodeToString(pair[:]) != v.OncePair {
		t.Errorf("once pair: %x", pair)
	}
}

func TestFrozenSafetyNumbersAreTheSame(t *testing.T) {
	v := readVectors(t)
	if got := identity.SafetyNumber(v.Person, v.OtherPerson); got != v.SafetyNumber {
		t.Errorf("number: %s", got)
	}
	if got := identity.SafetyWords(v.Person, v.OtherPerson); !slices.Equal(got, v.SafetyWords) {
		t.Errorf("words: %v", got)
	}
	if got := identity.SafetyQR(v.Person, v.OtherPerson); got != v.SafetyQR {
		t.Errorf("qr: %s", got)
	}
}

func TestAFrozenVaultStillOpens(t *testing.T) {
	v, dir := readVectors(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vault.b"), unhex(t, v.VaultFile), 0o600); err != nil {
		t.Fatal(err)
	}
	vault, err := identity.OpenVault(dir, identity.Unlock{Passphrase: []byte(v.VaultPassphrase), Secret: unhex(t, v.VaultSecret)})
	if err != nil {
		t.Fatal(err)
	}
	key := vault.Key("db")
	if string(vault.Payload()) != v.VaultPayload || hex.EncodeToString(key[:]) != v.VaultDBKey {
		t.Errorf("payload %q, key %x", vault.Payload(), key)
	}
}
