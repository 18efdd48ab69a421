package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// maxBatch is how many writes share one commit at most.
	maxBatch = 1024
	// patience is how long a write of WriteSoon waits for others: the delay that
	// it adds.
	patience = 2 * time.Millisecond
)

// Tx is the one writing transaction. It sees its own writes. It is valid
// inside the function it was given to, and not safe for concurrent use.
type Tx struct {
	View
	words []wordChange // full-text changes that wait, those of earlier commits first
	// indexNow says that they wait no longer than this commit.
	indexNow bool
	last     *chain // the chain that was last looked up or appended to; nil: look it up
	// erased says that something was taken off the disk for good.
	erased bool
}

// job is one call of Write on its way through the writer.
type job struct {
	f     func(tx *Tx) error
	soon  bool        // it waits a moment for others to share its commit with
	taken atomic.Bool // by the writer, or by a caller who gave up
	err   error
	then  func(err error) // is told the outcome
}

// Write runs f in a transaction and returns when that is on the disk. Writes
// that wait at the same time are committed together, with one sync for all:
// f runs exactly once, alone, in a savepoint of its own, and if it returns an
// error its changes are undone and Write returns that error. f must not block
// and must not call methods of the Store. If the disk is full, or fails,
// nothing of f's batch is kept.
//
// If ctx ends while f waits its turn, f is not run. Once it runs, Write waits
// for the outcome.
func (s *Store) Write(ctx context.Context, f func(tx *Tx) error) error {
	done := make(chan struct{})
	j := &job{f: f, then: func(error) { close(done) }}
	if err := s.put(ctx, j); err != nil {
		return err
	}
	select {
	case <-done:
		return j.err
	case <-ctx.Done():
	}
	if j.taken.CompareAndSwap(false, true) {
		return fmt.Errorf("write: %w", ctx.Err())
	}
	<-done
	return j.err
}

// WriteSoon is Write for what comes again if it is lost, such as a receipt. It
// does not wait for the disk: then is called with the outcome, by the writer,
// which it must not hold up. If WriteSoon returns an error, it is not called.
// Alone the write waits two milliseconds for another one, so that it seldom has
// a commit of its own that others must wait for.
func (s *Store) WriteSoon(ctx context.Context, f func(tx *Tx) error, then func(err error)) error {
	return s.put(ctx, &job{f: f, soon: true, then: then})
}

// put hands a job to the writer.
func (s *Store) put(ctx context.Context, j *job) error {
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	select {
	case s.jobs <- j:
		return nil
	case <-s.closing:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("write: %w", ctx.Err())
	}
}

// write is the one writer: it takes all jobs that wait, commits them
// together, and starts again. It ends when the store closes.
func (s *Store) write() {
	still := time.NewTimer(indexAfter)
	defer still.Stop()
	for {
		select {
		case j := <-s.jobs:
			s.commit(s.gather(j))
			still.Reset(indexAfter)
		case <-still.C:
			s.indexRest()
		case <-s.closing:
			return
		}
	}
}

// gather adds to the first job whatever else is waiting. As long as no job is
// in a hurry, it waits for one.
func (s *Store) gather(first *job) []*job {
	batch, hurry := []*job{first}, !first.soon
	var lapse <-chan time.Time
	if !hurry {
		lapse = time.After(patience)
	}
	for len(batch) < maxBatch {
		j := s.another(hurry, lapse)
		if j == nil {
			break
		}
		batch, hurry = append(batch, j), hurry || !j.soon
	}
	return batch
}

// another gives a job that waits, or nil; without hurry, one that comes before
// the lapse.
func (s *Store) another(hurry bool, lapse <-chan time.Time) *job {
	select {
	case j := <-s.jobs:
		return j
	default:
	}
	if hurry {
		return nil
	}
	select {
	case j := <-s.jobs:
		return j
	case <-lapse:
	case <-s.closing:
	}
	return nil
}

func (s *Store) commit(batch []*job) {
	err := s.transact(batch)
	if err != nil {
		s.log.Warn("commit failed", "err", err, "writes", len(batch))
	}
	s.erase()
	for _, j := range batch {
		if j.err == nil {
			j.err = err
		}
		j.then(j.err)
	}
}

// erase makes what the last commits took away unreadable in the log too. If a
// reader still needs it, or the disk fails, the next commit tries again.
func (s *Store) erase() {
	if !s.toErase {
		return
	}
	done, err := s.writer.emptyLog()
	if err != nil {
		s.log.Warn("old pages stay in the log", "err", err)
	}
	s.toErase = !done
}

// transact runs a batch. Its error means that nothing of it was kept.
func (s *Store) transact(batch []*job) (err error) {
	c := s.writer
	if err := c.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil && !c.db.GetAutocommit() {
			err = errors.Join(err, c.exec(`ROLLBACK`))
		}
	}()
	tx := &Tx{View: View{c: c, self: s.self}, words: s.waiting}
	for _, j := range batch {
		if !j.taken.CompareAndSwap(false, true) {
			continue
		}
		if err := tx.run(j); err != nil {
			return err
		}
	}
	if err := tx.index(); err != nil {
		return fmt.Errorf("index words: %w", err)
	}
	if err := c.exec(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.waiting = tx.words
	s.toErase = s.toErase || tx.erased
	return nil
}

// run runs one job in a savepoint. Its error is one that ends the batch: the
// disk is full or broken, and what other jobs wrote cannot be trusted to stay.
func (tx *Tx) run(j *job) error {
	if err := tx.c.exec(`SAVEPOINT job`); err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	words := tx.words
	j.err = j.f(tx)
	if tx.c.db.GetAutocommit() || errors.Is(j.err, ErrDiskFull) {
		return j.err
	}
	if j.err != nil {
		tx.words, tx.last = words, nil
		if err := tx.c.exec(`ROLLBACK TO job`); err != nil {
			return fmt.Errorf("undo write: %w", err)
		}
	}
	return tx.c.exec(`RELEASE job`)
}
