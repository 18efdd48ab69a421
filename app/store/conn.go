package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
)

// conn is one connection with the statements it has prepared. Not safe for
// concurrent use.
type conn struct {
	db    *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
}

// busyTimeout is how long a connection waits for another's lock; only opening
// and closing ever contend.
const busyTimeout = 10 * time.Second

func openConn(ctx context.Context, cfg Config, reading bool) (*conn, error) {
	name, err := cipherVFS(cfg.VFS)
	if err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Opaque: (&url.URL{Path: cfg.Path}).EscapedPath(), RawQuery: "vfs=" + url.QueryEscape(name)}
	db, err := sqlite3.OpenContext(ctx, uri.String())
	if err != nil {
		return nil, explain(err)
	}
	c := &conn{db: db, stmts: make(map[string]*sqlite3.Stmt)}
	if err := c.setUp(cfg.Key, reading); err != nil {
		_ = c.close()
		return nil, explain(err)
	}
	return c, nil
}

// setUp says how the connection treats the file. synchronous=FULL is what
// keeps acknowledged commits over a power cut; NORMAL does not.
func (c *conn) setUp(key [32]byte, reading bool) error {
	if err := c.db.BusyTimeout(busyTimeout); err != nil {
		return err
	}
	// Otherwise a statement is planned anew each time its parameters change.
	if _, err := c.db.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return err
	}
	pragmas := []string{
		`PRAGMA hexkey='` + hex.EncodeToString(key[:]) + `'`,
		`PRAGMA synchronous=FULL`, // before the log is opened: walFile relies on it
		`PRAGMA journal_mode=WAL`,
		`PRAGMA secure_delete=ON`,
		`PRAGMA temp_store=memory`,
		`PRAGMA trusted_schema=OFF`,
		`PRAGMA cell_size_check=ON`,
		`PRAGMA cache_size=-8192`,
		`PRAGMA wal_autocheckpoint=4000`, // 16 MiB: pages that many commits touch are carried over once
	}
	if reading {
		pragmas = append(pragmas, `PRAGMA query_only=ON`, `PRAGMA cache_size=-4096`)
	}
	for _, p := range pragmas {
		if err := c.db.Exec(p); err != nil {
			return err
		}
	}
	return fts5.Register(c.db)
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	return explain(c.db.Close())
}

// stmt returns the statement for sql with its parameters bound. It is
// prepared once for each connection, so two uses of one text must not nest.
func (c *conn) stmt(sql string, args []any) (*sqlite3.Stmt, error) {
	s := c.stmts[sql]
	if s == nil {
		var err error
		if s, _, err = c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, explain(err)
		}
		c.stmts[sql] = s
	}
	for i, a := range args {
		if err := bind(s, i+1, a); err != nil {
			return nil, explain(err)
		}
	}
	return s, nil
}

func bind(s *sqlite3.Stmt, i int, a any) error {
	switch a := a.(type) {
	case nil:
		return s.BindNull(i)
	case int:
		return s.BindInt64(i, int64(a))
	case int64:
		return s.BindInt64(i, a)
	case uint64:
		return s.BindInt64(i, int64(a))
	case bool:
		return s.BindBool(i, a)
	case string:
		return s.BindText(i, a)
	case []byte:
		if a == nil {
			return s.BindNull(i) // BindBlob makes an empty one of it
		}
		return s.BindBlob(i, a)
	}
	return fmt.Errorf("parameter %d is a %T", i, a)
}

// exec runs a statement that returns no rows.
func (c *conn) exec(sql string, args ...any) error {
	s, err := c.stmt(sql, args)
	if err != nil {
		return err
	}
	return explain(s.Exec())
}

// each calls f for every row. What f reads from the statement is valid until
// f returns.
func (c *conn) each(f func(s *sqlite3.Stmt) error, sql string, args ...any) error {
	s, err := c.stmt(sql, args)
	if err != nil {
		return err
	}
	for s.Step() {
		if err := f(s); err != nil {
			_ = s.Reset()
			return err
		}
	}
	return explain(errors.Join(s.Err(), s.Reset()))
}

// one calls f for the first row and returns ErrNotFound if there is none.
func (c *conn) one(f func(s *sqlite3.Stmt), sql string, args ...any) error {
	s, err := c.stmt(sql, args)
	if err != nil {
		return err
	}
	found := s.Step()
	if found {
		f(s)
	}
	if err := errors.Join(s.Err(), s.Reset()); err != nil {
		return explain(err)
	}
	if !found {
		return ErrNotFound
	}
	return nil
}

// number returns the integer that a query gives, 0 for none.
func (c *conn) number(sql string, args ...any) (n int64, err error) {
	err = c.one(func(s *sqlite3.Stmt) { n = s.ColumnInt64(0) }, sql, args...)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// blob returns a copy of a column; nil for NULL and for nothing.
func blob(s *sqlite3.Stmt, col int) []byte { return s.ColumnBlob(col, nil) }

// fill copies a column of fixed size.
func fill(dst []byte, s *sqlite3.Stmt, col int) { copy(dst, s.ColumnRawBlob(col)) }

// moment reads a time kept in Unix milliseconds; 0 is the zero time.
func moment(s *sqlite3.Stmt, col int) time.Time {
	ms := s.ColumnInt64(col)
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// millis is what moment reads.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
