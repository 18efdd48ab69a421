package store_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// rounds returns how often a bad day is repeated: few times under -short,
// and as often as the environment says for a long run.
func rounds(tb testing.TB, short, usual int) int {
	tb.Helper()
	if n, err := strconv.Atoi(os.Getenv("ENTRENOUS_BAD_DAYS")); err == nil {
		return n
	}
	if testing.Short() {
		return short
	}
	return usual
}

// numbered writes message i of bo's desk; its last word is its own.
func numbered(ctx context.Context, s *store.Store, i int) error {
	return s.Write(ctx, func(tx *store.Tx) error {
		e, err := tx.Next(talk, bo.device("desk"))
		if err != nil {
			return err
		}
		if e.Seq != uint64(i) {
			return fmt.Errorf("the next is %d, not %d", e.Seq, i)
		}
		e.Time, e.Kind = int64(i), chat.KindText
		e.Body = fmt.Appendf(nil, "message number%d %s", i, strings.Repeat("lorem ipsum ", i%40))
		_, err = tx.Append(e, bo.id)
		return err
	})
}

// wantNumbered checks that all messages up to some number, at least acked,
// are there once each, readable and found. It returns the last one's number.
func wantNumbered(tb testing.TB, s *store.Store, acked int) int {
	tb.Helper()
	tips, err := s.Tips(talk)
	if err != nil {
		tb.Fatal(err)
	}
	last := 0
	if len(tips) == 1 {
		last = int(tips[0].Seq)
	}
	if last < acked {
		tb.Fatalf("%d were acknowledged, %d are there", acked, last)
	}
	p, err := s.Page(talk, store.Query{Limit: store.MaxPage})
	if err != nil {
		tb.Fatal(err)
	}
	for i, r := range p.Rows {
		if want := last - len(p.Rows) + 1 + i; !strings.HasPrefix(r.Text, fmt.Sprintf("message number%d ", want)) {
			tb.Fatalf("row %d is %.40q", want, r.Text)
		}
	}
	if u, err := s.Unread(talk); err != nil || u.Count != last {
		tb.Fatalf("%d unread of %d, %v", u.Count, last, err)
	}
	for _, i := range []int{1, acked, last} {
		if i > 0 && i <= last && len(found(tb, s, fmt.Sprintf("number%d message", i))) != 1 {
			tb.Fatalf("message %d of %d is not found by its words", i, last)
		}
	}
	if err := s.Check(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return last
}

// A journal cut anywhere, with any part of what was not synced lost, opens
// again and has everything that was acknowledged.
func TestAPowerCutTakesNothingThatWasAcknowledged(t *testing.T) {
	const messages = 60
	d, name := newDisk(t)
	cfg := config(t.TempDir())
	cfg.VFS = name
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= messages; i++ {
		if err := numbered(t.Context(), s, i); err != nil {
			t.Fatal(err)
		}
		d.note(op{kind: opAck, ack: i})
		if i%7 == 0 {
			indexAll(t, s) // the power goes in the middle of this too
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d.note(op{kind: opAck, ack: messages})
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range rounds(t, 10, 40) {
		// A part of the cuts falls into the making of the database.
		n := rng.IntN(len(d.trace) + 1)
		if round%8 == 0 {
			n = rng.IntN(len(d.trace)/20 + 1)
		}
		files, acked := cutPower(d.trace, n, rng)
		dir := filepath.Join(t.TempDir(), fmt.Sprint(round))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		files.lay(t, dir)
		after, err := store.Open(t.Context(), config(dir))
		if err != nil {
			t.Fatalf("cut after %d of %d steps: %v", n, len(d.trace), err)
		}
		last := wantNumbered(t, after, acked)
		if err := numbered(t.Context(), after, last+1); err != nil {
			t.Fatalf("cut after %d of %d steps, then written: %v", n, len(d.trace), err)
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	d, name := newDisk(t)
	cfg := config(t.TempDir())
	cfg.VFS = name
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last, fulls := 0, 0
	for room := 0; room < 300_000; room += 49_152 {
		d.set(func() { d.room = room })
		for {
			err := numbered(t.Context(), s, last+1)
			if errors.Is(err, store.ErrDiskFull) {
				fulls++
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			last++
		}
		wantNumbered(t, s, last)
	}
	d.set(func() { d.room = -1 })
	if err := numbered(t.Context(), s, last+1); err != nil {
		t.Fatalf("there is room again: %v", err)
	}
	if got := wantNumbered(t, s, last+1); got != last+1 || fulls == 0 {
		t.Errorf("%d messages, %d were acknowledged; the disk was full %d times", got, last+1, fulls)
	}
}

func TestADiskThatCannotBeWrittenIsToldApart(t *testing.T) {
	d, name := newDisk(t)
	dir := t.TempDir()
	cfg := config(dir)
	cfg.VFS = name
	d.readOnly = true
	if _, err := store.Open(t.Context(), cfg); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("made on it: %v", err)
	}
	d.readOnly = false
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d.set(func() { d.readOnly = true })
	if err := numbered(t.Context(), s, 1); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("written to it: %v", err)
	}
	d.set(func() { d.readOnly = false })
	if os.Geteuid() == 0 {
		return // permissions stop nobody
	}
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), config(locked)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("in a folder without permission: %v", err)
	}
}

// closed makes a database with some messages and closes it.
func closed(tb testing.TB, messages int) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	s, err := store.Open(tb.Context(), config(dir))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 1; i <= messages; i++ {
		if err := numbered(tb.Context(), s, i); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestAWrongKeyIsNotTakenForDamage(t *testing.T) {
	dir := closed(t, 3)
	before, err := os.ReadFile(config(dir).Path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := config(dir)
	wrong.Key[0]++
	for _, what := range []string{"with the mark", "without the mark"} {
		if _, err := store.Open(t.Context(), wrong); !errors.Is(err, store.ErrWrongKey) || errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if err := os.Remove(wrong.Path + ".mark"); err != nil && what == "with the mark" {
			t.Fatal(err)
		}
	}
	after, err := os.ReadFile(config(dir).Path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the wrong key changed the file, %v", err)
	}
	wantNumbered(t, open(t, dir), 3)
}

func TestDamageIsFoundAndTold(t *testing.T) {
	dir := closed(t, 60)
	path := config(dir).Path
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.New(rand.NewPCG(1, 2))
	for page := 0; page < len(good)/4096; page += 4 {
		bad := slices.Clone(good)
		for i := range 4096 {
			bad[page*4096+i] = byte(noise.Uint32())
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), config(dir))
		if err == nil {
			err = errors.Join(s.Check(t.Context()), s.Close())
		}
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("page %d of %d is noise, and it says %v", page, len(good)/4096, err)
		}
	}
}

func TestADatabaseOfANewerVersionIsLeftAlone(t *testing.T) {
	dir := closed(t, 1)
	db, err := sqlite3.Open("file:" + config(dir).Path + "?vfs=adiantum&hexkey=" + hex.EncodeToString(key[:]))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(`PRAGMA user_version=99`), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), config(dir)); !errors.Is(err, store.ErrNewer) {
		t.Error(err)
	}
}

func TestNothingReadableIsOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), config(dir))
	if err != nil {
		t.Fatal(err)
	}
	e := text(t, s, bo, "desk", "the treasure is under the harbour")
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutContact(friend()), tx.PutDevice(desk()), tx.Set("secretsetting", []byte("secretvalue")))
	})
	h := e.Hash()
	needles := []string{
		"treasure", "harbour", "Bohumil", "12D3KooW", "192.0.2.1", "secretsetting", "secretvalue", "SQLite", "CREATE TABLE",
		string(bo.id[:]), bo.id.String(), string(h[:]), h.String(), string(talk[:]), string(e.Sig[:]),
	}
	look := func(when string) {
		t.Helper()
		files, err := os.ReadDir(dir)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range needles {
				if bytes.Contains(b, []byte(n)) {
					t.Errorf("%s: %s has %q in it", when, f.Name(), n)
				}
			}
		}
	}
	look("while it is open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("closed")
}
