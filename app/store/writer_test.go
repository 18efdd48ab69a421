package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/app/store"
)

func TestManyWritersShareCommitsAndLoseNothing(t *testing.T) {
	s := open(t, t.TempDir())
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Go(func() {
			for i := range 10 {
				key := fmt.Sprintf("%d/%d", w, i)
				if err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.Set(key, []byte(key)) }); err != nil {
					t.Error(err)
				}
				if v, err := s.Value(key); err != nil || string(v) != key {
					t.Errorf("written and not there: %q, %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAFailingWriteIsUndoneAlone(t *testing.T) {
	s := open(t, t.TempDir())
	no := errors.New("no")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				if err := tx.Set(fmt.Sprint(i), []byte("x")); err != nil {
					return err
				}
				if i%2 == 1 {
					return no
				}
				return nil
			})
			if (i%2 == 1) != errors.Is(err, no) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range 40 {
		_, err := s.Value(fmt.Sprint(i))
		if (i%2 == 1) != errors.Is(err, store.ErrNotFound) {
			t.Errorf("value %d: %v", i, err)
		}
	}
}

func TestAFailedAppendIsNotFoundByItsWords(t *testing.T) {
	s := open(t, t.TempDir())
	no := errors.New("no")
	e := text(t, s, bo, "desk", "there")
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		next, err := tx.Next(talk, e.Device)
		if err != nil {
			return err
		}
		next.Kind, next.Body = e.Kind, []byte("phantom")
		if added, err := tx.Append(next, bo.id); !added || err != nil {
			t.Errorf("%v, %v", added, err)
		}
		return no
	})
	if !errors.Is(err, no) || len(find(t, s, "phantom")) != 0 || len(lastPage(t, s)) != 1 {
		t.Errorf("%v", err)
	}
}

func TestATransactionSeesItsOwnWrites(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, func(tx *store.Tx) error {
		if err := tx.PutContact(friend()); err != nil {
			return err
		}
		c, err := tx.Contact(bo.id)
		if err == nil && c.Name != "Bo" {
			t.Error("it reads something else")
		}
		if _, err := s.Contact(bo.id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("others see it before the commit: %v", err)
		}
		return err
	})
}

func TestAReadSeesOneMoment(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, func(tx *store.Tx) error { return tx.Set("n", []byte("1")) })
	err := s.Read(func(v *store.View) error {
		if _, err := v.Value("n"); err != nil {
			return err
		}
		write(t, s, func(tx *store.Tx) error { return tx.Set("n", []byte("2")) })
		got, err := v.Value("n")
		if string(got) != "1" {
			t.Errorf("it changed to %q under the reader", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWriteThatNobodyWaitsForIsNotBegun(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Write(ctx, func(tx *store.Tx) error { return tx.Set("n", []byte("1")) })
	_, valueErr := s.Value("n")
	if err == nil != (valueErr == nil) {
		t.Errorf("it says %v, and reading says %v", err, valueErr)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s, err := store.Open(t.Context(), config(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if _, err := s.Contacts(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

func BenchmarkWritersInParallel(b *testing.B) {
	s := open(b, b.TempDir())
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Write(b.Context(), func(tx *store.Tx) error { return tx.Set("n", []byte("1")) }); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestAWriteInNoHurrySharesTheCommitOfTheNext(t *testing.T) {
	no := errors.New("no")
	d, name := newDisk(t)
	cfg := config(t.TempDir())
	cfg.VFS = name
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		told := make(chan error, 2)
		soon := func(key string, fails error) {
			f := func(tx *store.Tx) error { return errors.Join(tx.Set(key, []byte{1}), fails) }
			if err := s.WriteSoon(t.Context(), f, func(err error) { told <- err }); err != nil {
				t.Fatal(err)
			}
		}
		syncs := func() (n int) {
			d.set(func() {
				for _, o := range d.trace {
					if o.kind == opSync {
						n++
					}
				}
			})
			return n
		}
		write(t, s, func(tx *store.Tx) error { return tx.Set("before", []byte{1}) })
		before := syncs()
		soon("patient", nil)
		soon("failing", no)
		write(t, s, func(tx *store.Tx) error { return tx.Set("hasty", []byte{1}) })
		if n := syncs() - before; n != 1 {
			t.Errorf("three writes took %d commits", n)
		}
		if err := <-told; err != nil {
			t.Errorf("the patient one: %v", err)
		}
		if err := <-told; !errors.Is(err, no) {
			t.Errorf("the failing one: %v", err)
		}
		begin := time.Now()
		soon("lonely", nil)
		if err := <-told; err != nil || time.Since(begin) != 2*time.Millisecond {
			t.Errorf("a lonely one was told %v after %v", err, time.Since(begin))
		}
		for key, want := range map[string]bool{"patient": true, "failing": false, "hasty": true, "lonely": true} {
			if _, err := s.Value(key); (err == nil) != want {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}
