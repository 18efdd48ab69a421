// Package store is the disk: one encrypted database for each account, with
// the logs of all conversations, an index over them, and what the account
// knows of people and devices.
//
// It hides SQL, the cipher below it, and the group commit that makes many
// small writes cheap. Every method is safe for concurrent use. What Write
// returned nil for is on the disk, also after a power cut.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/entrenous/entrenous/identity"
)

// Errors that a caller may want to tell apart. They come wrapped.
var (
	ErrWrongKey   = errors.New("the key does not open this database")
	ErrReadOnly   = errors.New("the database or its folder cannot be written")
	ErrDiskFull   = errors.New("the disk is full")
	ErrDamaged    = errors.New("the database is damaged")
	ErrNewer      = errors.New("the database was written by a newer version")
	ErrNotFound   = errors.New("not found")
	ErrClosed     = errors.New("the store is closed")
	ErrKeyChanged = errors.New("another key was announced before")
	ErrOtherSelf  = errors.New("the database belongs to another person")
)

// readConns is how many reads run side by side; more of them wait.
const readConns = 2

// Config says where the database is and how it is opened.
type Config struct {
	Path string       // the database file; its folder must exist
	Key  [32]byte     // opens the database; 32 random or derived bytes
	Self identity.ID  // whose account this is; zero: as it was at the last Open
	Log  *slog.Logger // nil: no log
	VFS  string       // the file system below the cipher, by its registered name; "": the machine's
}

// Store is an open database.
type Store struct {
	cfg     Config
	self    identity.ID
	log     *slog.Logger
	jobs    chan *job
	closing chan struct{}
	close   sync.Once
	writing sync.WaitGroup
	writer  *conn
	toErase bool         // by the writing goroutine: the log has pages that must not stay
	waiting []wordChange // by the writing goroutine: what the full-text index lacks
	readers chan *conn
	closed  error
}

// Open opens the database of cfg, makes it if there is none, repairs what a
// power cut left and brings an older schema up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		cfg: cfg, log: cfg.Log,
		jobs:    make(chan *job),
		closing: make(chan struct{}),
		readers: make(chan *conn, readConns),
	}
	if err := s.open(ctx); err != nil {
		s.closeConns()
		return nil, fmt.Errorf("open store: %w", s.tellKey(err))
	}
	s.writing.Go(s.write)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := prepareFiles(s.cfg.Path); err != nil {
		return err
	}
	if s.writer, err = openConn(ctx, s.cfg, false); err != nil {
		return err
	}
	if err := s.writer.migrate(); err != nil {
		return err
	}
	if s.self, err = s.writer.claim(s.cfg.Self); err != nil {
		return err
	}
	for range readConns {
		c, err := openConn(ctx, s.cfg, true)
		if err != nil {
			return err
		}
		s.readers <- c
	}
	if err := s.findWaiting(); err != nil {
		return err
	}
	return errors.Join(keepPrivate(s.cfg.Path+"-shm"), keepKeyMark(s.cfg))
}

// claim says whose database this is: the first Open that knows decides.
func (c *conn) claim(self identity.ID) (identity.ID, error) {
	v := &View{c: c}
	b, err := v.Value(keySelf)
	switch {
	case errors.Is(err, ErrNotFound) && self.IsZero():
		return self, nil
	case errors.Is(err, ErrNotFound):
		return self, c.exec(`INSERT INTO kv(key, value) VALUES(?, ?)`, keySelf, self[:])
	case err != nil:
		return self, err
	}
	var held identity.ID
	copy(held[:], b)
	if !self.IsZero() && held != self {
		return held, ErrOtherSelf
	}
	return held, nil
}

// Close waits for what is being written and read, and closes the database.
// Further calls return the same error.
func (s *Store) Close() error {
	s.close.Do(func() {
		close(s.closing)
		s.writing.Wait()
		for range readConns {
			s.closed = errors.Join(s.closed, (<-s.readers).close())
		}
		s.closed = errors.Join(s.closed, s.writer.close())
		s.writer = nil
	})
	return s.closed
}

func (s *Store) closeConns() {
	for len(s.readers) > 0 {
		_ = (<-s.readers).close()
	}
	if s.writer != nil {
		_ = s.writer.close()
	}
}

// Self returns whose account this is.
func (s *Store) Self() identity.ID { return s.self }

// View reads one consistent state of the database. It is valid inside the
// function it was given to, and not safe for concurrent use.
type View struct {
	c    *conn
	self identity.ID
}

// Read runs f on one consistent state of the database. It never waits for a
// commit.
func (s *Store) Read(f func(v *View) error) error {
	var c *conn
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	select {
	case c = <-s.readers:
	case <-s.closing:
		return ErrClosed
	}
	defer func() { s.readers <- c }()
	if err := c.exec(`BEGIN`); err != nil {
		return err
	}
	err := f(&View{c: c, self: s.self})
	return errors.Join(err, c.exec(`COMMIT`))
}

// read is Read for a function that returns something.
func read[T any](s *Store, f func(v *View) (T, error)) (out T, err error) {
	err = s.Read(func(v *View) (err error) {
		out, err = f(v)
		return err
	})
	return out, err
}

// Size returns how many bytes the database takes on the disk.
func (s *Store) Size() int64 {
	var n int64
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(s.cfg.Path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
