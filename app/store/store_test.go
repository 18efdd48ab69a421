package store_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// key is the key of all databases of these tests.
var key = [32]byte{1, 2, 3}

// person is somebody with devices, made from a name, so that every run of a
// test has the same ids.
type person struct{ id identity.ID }

func who(name string) person {
	return person{id: sha256.Sum256([]byte("person " + name))}
}

func (p person) device(name string) identity.DeviceID {
	return sha256.Sum256(fmt.Appendf(nil, "device %x %s", p.id, name))
}

func signer(d identity.DeviceID) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(d[:])
}

var (
	ana  = who("ana")
	bo   = who("bo")
	talk = chat.Direct(ana.id, bo.id)
)

// open opens ana's database in a folder.
func open(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), config(dir))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func config(dir string) store.Config {
	return store.Config{Path: filepath.Join(dir, "store.db"), Key: key, Self: ana.id}
}

func write(tb testing.TB, s *store.Store, f func(tx *store.Tx) error) {
	tb.Helper()
	if err := s.Write(tb.Context(), f); err != nil {
		tb.Fatal(err)
	}
}

// say appends the next event of a device.
func say(tb testing.TB, s *store.Store, p person, device string, kind chat.Kind, body []byte) *chat.Event {
	tb.Helper()
	var e *chat.Event
	write(tb, s, func(tx *store.Tx) (err error) {
		d := p.device(device)
		if e, err = tx.Next(talk, d); err != nil {
			return err
		}
		e.Time, e.Kind, e.Body = int64(1_700_000_000_000+e.Depth*1000), kind, body
		e.Sign(signer(d))
		added, err := tx.Append(e, p.id)
		if err == nil && !added {
			return fmt.Errorf("event %d of %s was there before", e.Seq, device)
		}
		return err
	})
	return e
}

func text(tb testing.TB, s *store.Store, p person, device, words string) *chat.Event {
	tb.Helper()
	return say(tb, s, p, device, chat.KindText, chat.TextBody{Text: words}.Encode())
}

func lastPage(tb testing.TB, s *store.Store) []store.RowView {
	tb.Helper()
	p, err := s.Page(talk, store.Query{})
	if err != nil {
		tb.Fatal(err)
	}
	return p.Rows
}

func texts(rows []store.RowView) (out []string) {
	for _, r := range rows {
		out = append(out, r.Text)
	}
	return out
}
