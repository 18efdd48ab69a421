package store_test

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func friend() store.Contact {
	return store.Contact{
		ID: bo.id, State: store.Friend, Name: "Bo", OwnName: "Bohumil", Since: noon, LastSeen: noon.Add(time.Hour),
		Verified: true, Muted: true, Rendezvous: [16]byte{2}, RequestText: "it is me", Once: []byte("0123456789abcdef"),
	}
}

func desk() store.Device {
	return store.Device{
		ID: bo.device("desk"), Person: bo.id, Cert: []byte("cert"), Peer: "12D3KooW", Addrs: []string{"/ip4/192.0.2.1"},
		PairOld: []byte("old"), PairNew: []byte("new"), LastSeen: noon, Revoked: true,
	}
}

func TestContactsComeBackAsTheyWerePut(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Contact(bo.id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody yet: %v", err)
	}
	empty := store.Contact{ID: who("cleo").id, State: store.Request}
	write(t, s, func(tx *store.Tx) error { return errors.Join(tx.PutContact(friend()), tx.PutContact(empty)) })
	for _, want := range []store.Contact{friend(), empty} {
		if got, err := s.Contact(want.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
	changed := friend()
	changed.State = store.Blocked
	write(t, s, func(tx *store.Tx) error { return tx.PutContact(changed) })
	if all, err := s.Contacts(); err != nil || len(all) != 2 {
		t.Errorf("%d contacts, %v", len(all), err)
	}
	if got, _ := s.Contact(bo.id); got.State != store.Blocked || got.State.String() != "blocked" {
		t.Errorf("state %v", got.State)
	}
}

func TestDevicesComeBackAsTheyWerePut(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Device(bo.device("desk")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("none yet: %v", err)
	}
	bare := store.Device{ID: bo.device("phone"), Person: bo.id}
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutDevice(desk()), tx.PutDevice(bare), tx.PutList(bo.id, []byte("one")), tx.PutList(bo.id, []byte("two")))
	})
	for _, want := range []store.Device{desk(), bare} {
		if got, err := s.Device(want.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
	if all, err := s.Devices(bo.id); err != nil || len(all) != 2 {
		t.Errorf("%d devices, %v", len(all), err)
	}
	if all, err := s.Devices(ana.id); err != nil || len(all) != 0 {
		t.Errorf("%d devices of ana, %v", len(all), err)
	}
	if list, err := s.List(bo.id); err != nil || string(list) != "two" {
		t.Errorf("%q, %v", list, err)
	}
	if _, err := s.List(ana.id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no list: %v", err)
	}
}

func TestAForgottenContactLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	text(t, s, bo, "desk", "our secret")
	receive(t, s, ana, "laptop", bo, "desk", 1, 0)
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutContact(friend()), tx.PutDevice(desk()), tx.PutList(bo.id, []byte("list")),
			tx.PutConvKey(talk, bo.device("desk"), [32]byte{1}, nil), tx.PutDraft(talk, store.Draft{Text: "and another"}))
	})
	write(t, s, func(tx *store.Tx) error { return tx.DeleteContact(bo.id) })
	_, contact := s.Contact(bo.id)
	_, device := s.Device(bo.device("desk"))
	_, list := s.List(bo.id)
	_, key := s.ConvKey(talk, bo.device("desk"))
	for what, err := range map[string]error{"contact": contact, "device": device, "list": list, "key": key} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d, _ := s.Draft(talk); d != (store.Draft{}) {
		t.Errorf("%+v", d)
	}
	rs, _ := s.Receipts(talk)
	all, _ := s.Conversations()
	if len(rs) != 0 || len(all) != 0 || len(find(t, s, "secret")) != 0 || len(lastPage(t, s)) != 0 {
		t.Error("the conversation is still there")
	}
	text(t, s, bo, "desk", "hello again")
	if got := find(t, s, "secret"); len(got) != 0 {
		t.Errorf("an old word finds %q", got)
	}
}

func TestSettingsComeBackAsTheyWereSet(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Value("theme"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("none yet: %v", err)
	}
	for _, v := range [][]byte{[]byte("dark"), {}, []byte("light")} {
		write(t, s, func(tx *store.Tx) error { return tx.Set("theme", v) })
		if got, err := s.Value("theme"); err != nil || got == nil || string(got) != string(v) {
			t.Errorf("%q, %v", got, err)
		}
	}
	write(t, s, func(tx *store.Tx) error { return tx.Set("theme", nil) })
	if _, err := s.Value("theme"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}

func TestDraftsComeBackAsTheyWerePut(t *testing.T) {
	s := open(t, t.TempDir())
	want := store.Draft{Text: "well, I", ReplyTo: chat.Hash{1}, Editing: chat.Hash{2}}
	write(t, s, func(tx *store.Tx) error { return tx.PutDraft(talk, want) })
	if got, err := s.Draft(talk); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	write(t, s, func(tx *store.Tx) error { return tx.PutDraft(talk, store.Draft{}) })
	if got, err := s.Draft(talk); err != nil || got != (store.Draft{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnInviteIsGoodOnce(t *testing.T) {
	s := open(t, t.TempDir())
	once, old, forever := [16]byte{1}, [16]byte{2}, [16]byte{3}
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(
			tx.PutInvite(store.Invite{Once: once, Created: noon, Expires: noon.Add(time.Hour)}),
			tx.PutInvite(store.Invite{Once: old, Created: noon.Add(-time.Hour), Expires: noon}),
			tx.PutInvite(store.Invite{Once: forever, Created: noon.Add(time.Second)}))
	})
	use := func(o [16]byte) error {
		return s.Write(t.Context(), func(tx *store.Tx) error { return tx.UseInvite(o, noon) })
	}
	for what, row := range map[string]struct{ got, want error }{
		"a good one":        {use(once), nil},
		"the same again":    {use(once), store.ErrUsed},
		"an old one":        {use(old), store.ErrExpired},
		"one without end":   {use(forever), nil},
		"one never given":   {use([16]byte{9}), store.ErrNotFound},
		"one taken back":    {errors.Join(s.Write(t.Context(), func(tx *store.Tx) error { return tx.DeleteInvite(old) }), use(old)), store.ErrNotFound},
		"a used one, still": {use(forever), store.ErrUsed},
	} {
		if !errors.Is(row.got, row.want) {
			t.Errorf("%s: %v", what, row.got)
		}
	}
	all, err := s.Invites()
	if err != nil || len(all) != 2 || all[0].Once != once || !all[0].Used || !all[1].Expires.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestADatabaseRemembersWhoseItIs(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), config(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := config(dir)
	cfg.Self = identity.ID{}
	s, err = store.Open(t.Context(), cfg)
	if err != nil || s.Self() != ana.id {
		t.Fatalf("%v, %v", s.Self(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Self = bo.id
	if _, err := store.Open(t.Context(), cfg); !errors.Is(err, store.ErrOtherSelf) {
		t.Errorf("bo opens ana's: %v", err)
	}
}

func TestFilesAreForNobodyElse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	text(t, s, bo, "desk", "hello")
	if s.Size() == 0 {
		t.Error("it takes no room")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}
