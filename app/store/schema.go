package store

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// keySelf is the setting that says whose account this is.
const keySelf = "store.self"

// migrations bring a database from one schema to the next: entry i leads to
// user_version i+1. Entries are never changed once released.
//
// A row of the table event is one event as it came, or redacted (bytes); the
// other columns are an index over it. shown is 0 for effects and for what is
// left of a deleted conversation, 1 for rows, 2 for rows that count as unread
// until they are read; touched says that effects point at it. kind is that of an
// effect or of a call's record whose body can be read, else 0: it finds the few
// among any number with one target that count.
// The full-text index holds no text, only words, see flushWords, and none yet of
// rows after the one in the table indexed. It must not
// have detail=none: together with secure-delete, FTS5 then loses rows when a
// word is taken from one and given back in the same transaction.
var migrations = [...]string{`
CREATE TABLE kv(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE contact(
	id BLOB PRIMARY KEY, state INTEGER NOT NULL, name TEXT NOT NULL, own_name TEXT NOT NULL,
	since INTEGER NOT NULL, last_seen INTEGER NOT NULL, verified INTEGER NOT NULL, muted INTEGER NOT NULL,
	secret BLOB NOT NULL, rendezvous BLOB NOT NULL, request TEXT NOT NULL, once BLOB) WITHOUT ROWID;
CREATE TABLE device(
	id BLOB PRIMARY KEY, person BLOB NOT NULL, cert BLOB, peer TEXT NOT NULL, addrs TEXT NOT NULL,
	pair_old BLOB, pair_new BLOB, last_seen INTEGER NOT NULL, revoked INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX device_person ON device(person);
CREATE TABLE list(person BLOB PRIMARY KEY, list BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE conv(id INTEGER PRIMARY KEY, conv BLOB NOT NULL UNIQUE, depth INTEGER NOT NULL DEFAULT 0);
CREATE TABLE chain(
	id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, device BLOB NOT NULL, person BLOB, key BLOB, private BLOB,
	seq INTEGER NOT NULL DEFAULT 0, hash BLOB, tip INTEGER NOT NULL DEFAULT 0, depth INTEGER NOT NULL DEFAULT 0,
	seen INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0, forgotten INTEGER NOT NULL DEFAULT 0, UNIQUE(conv, device));
CREATE TABLE event(
	id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, conv INTEGER NOT NULL, chain INTEGER NOT NULL,
	seq INTEGER NOT NULL, depth INTEGER NOT NULL, time INTEGER NOT NULL, shown INTEGER NOT NULL,
	touched INTEGER NOT NULL DEFAULT 0, target BLOB, bytes BLOB NOT NULL);
CREATE UNIQUE INDEX event_chain ON event(chain, seq);
CREATE INDEX event_row ON event(conv, depth, time) WHERE shown > 0;
CREATE INDEX event_target ON event(target) WHERE target IS NOT NULL;
CREATE TABLE fork(hash BLOB PRIMARY KEY, conv INTEGER NOT NULL, device BLOB NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX fork_chain ON fork(conv, device);
CREATE TABLE receipt(
	conv INTEGER NOT NULL, author BLOB NOT NULL, device BLOB NOT NULL, delivered INTEGER NOT NULL,
	seen INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(conv, author, device)) WITHOUT ROWID;
CREATE TABLE draft(conv BLOB PRIMARY KEY, text TEXT NOT NULL, reply BLOB, editing BLOB) WITHOUT ROWID;
CREATE TABLE invite(once BLOB PRIMARY KEY, created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, detail=column, tokenize='ascii');
INSERT INTO words(words, rank) VALUES('secure-delete', 1);
`, `
ALTER TABLE event ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
UPDATE event SET kind=aim_kind(bytes) WHERE target IS NOT NULL;
DROP INDEX event_target;
CREATE INDEX event_target ON event(target, kind, chain, depth) WHERE target IS NOT NULL;
CREATE INDEX event_call ON event(target, conv) WHERE shown > 0 AND target IS NOT NULL;
`, `
CREATE TABLE indexed(id INTEGER NOT NULL);
INSERT INTO indexed SELECT coalesce(max(id), 0) FROM event;
`}

// migrate brings the database to the newest schema, step by step, each in
// one transaction.
func (c *conn) migrate() error {
	var version int
	err := c.one(func(s *sqlite3.Stmt) { version = s.ColumnInt(0) }, `PRAGMA user_version`)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version > len(migrations) {
		return fmt.Errorf("schema %d, this version knows %d: %w", version, len(migrations), ErrNewer)
	}
	if version < len(migrations) {
		if err := c.db.CreateFunction("aim_kind", 1, sqlite3.DETERMINISTIC|sqlite3.DIRECTONLY, aimKind); err != nil {
			return explain(err)
		}
	}
	for ; version < len(migrations); version++ {
		if err := c.step(version); err != nil {
			return fmt.Errorf("bring schema from %d to %d: %w", version, version+1, err)
		}
	}
	return nil
}

// aimKind is the SQL function that finds an event's kind for the index.
func aimKind(ctx sqlite3.Context, arg ...sqlite3.Value) {
	e, err := chat.ParseEvent(arg[0].RawBlob())
	if err != nil {
		ctx.ResultInt(0) // Rebuild drops it
		return
	}
	_, kind := aim(e)
	ctx.ResultInt(int(kind))
}

func (c *conn) step(version int) error {
	script := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version=%d; COMMIT", migrations[version], version+1)
	if err := c.db.Exec(script); err != nil {
		if !c.db.GetAutocommit() {
			_ = c.db.Exec(`ROLLBACK`)
		}
		return explain(err)
	}
	return nil
}
