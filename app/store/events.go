package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// ErrChains says that a conversation has as many chains as it may have.
var ErrChains = errors.New("too many devices in the conversation")

// maxForks bounds the evidence kept against one device in one conversation:
// the first few prove as much as thousands.
const maxForks = 16

// chain is a device's row in a conversation.
type chain struct {
	of       chat.ConvID
	id, conv int64
	person   identity.ID // zero until the first event
	tip      chat.Tip
	depth    uint64 // of the tip
	deepest  uint64 // of the conversation
	seen     uint64
	// forgotten is up to where the chain is of a conversation that was
	// deleted here: kept without bodies, because the chain goes on.
	forgotten uint64
}

// Append puts a verified event, written by a device of author, into the log
// and the index. It returns false and no error for an event that is there
// already. A gap is chat.ErrGap, and nothing is kept; another event at the same place is
// chat.ErrFork, and the event is kept as evidence if the caller's function
// does not fail for it. The signature is the caller's to check.
//
// Once a row is deleted, its body and those of its edits are nowhere in the
// database, in whatever order they came. What is held stays as it is held: a
// redacted event that comes again whole is not made whole, nor the other way
// round.
func (tx *Tx) Append(e *chat.Event, author identity.ID) (added bool, err error) {
	ch, err := tx.chain(e.Conv, e.Device)
	if err != nil {
		return false, err
	}
	if !ch.person.IsZero() && ch.person != author {
		return false, fmt.Errorf("append %s: device %s has another owner", e.Hash().Short(), e.Device.Short())
	}
	var prev *chat.Tip
	if ch.tip.Seq > 0 {
		prev = &ch.tip
	}
	err = chat.Check(e, prev)
	switch {
	case errors.Is(err, chat.ErrStale):
		return false, tx.compare(e, ch)
	case errors.Is(err, chat.ErrFork):
		return false, errors.Join(err, tx.keepFork(e, ch))
	case err != nil:
		return false, err
	}
	if err := tx.checkDepth(e, ch); err != nil {
		return false, err
	}
	if err := tx.insert(e, author, ch); err != nil {
		tx.last = nil
		return false, err
	}
	return true, nil
}

// chain returns the chain of a device, made if there is none. The last one
// is at hand: events come in runs.
func (tx *Tx) chain(conv chat.ConvID, device identity.DeviceID) (ch *chain, err error) {
	if tx.last != nil && tx.last.of == conv && tx.last.tip.Device == device {
		return tx.last, nil
	}
	ch, err = tx.findChain(conv, device)
	if errors.Is(err, ErrNotFound) {
		ch, err = tx.beginChain(conv, device)
	}
	if err != nil {
		return nil, err
	}
	tx.last = ch
	return ch, nil
}

func (tx *Tx) beginChain(conv chat.ConvID, device identity.DeviceID) (*chain, error) {
	if err := tx.c.exec(`INSERT INTO conv(conv) VALUES(?) ON CONFLICT DO NOTHING`, conv[:]); err != nil {
		return nil, fmt.Errorf("begin conversation: %w", err)
	}
	n, err := tx.c.number(`SELECT count(*) FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?)`, conv[:])
	if err != nil {
		return nil, err
	}
	if n >= chat.MaxTips {
		return nil, fmt.Errorf("begin chain of %s: %w", device.Short(), ErrChains)
	}
	if err := tx.c.exec(`INSERT INTO chain(conv, device) SELECT id, ? FROM conv WHERE conv=?`, device[:], conv[:]); err != nil {
		return nil, fmt.Errorf("begin chain: %w", err)
	}
	return tx.findChain(conv, device)
}

func (v *View) findChain(conv chat.ConvID, device identity.DeviceID) (*chain, error) {
	ch := &chain{of: conv, tip: chat.Tip{Device: device}}
	err := v.c.one(func(s *sqlite3.Stmt) {
		ch.id, ch.conv, ch.deepest = s.ColumnInt64(0), s.ColumnInt64(1), uint64(s.ColumnInt64(2))
		fill(ch.person[:], s, 3)
		ch.tip.Seq = uint64(s.ColumnInt64(4))
		fill(ch.tip.Hash[:], s, 5)
		ch.depth, ch.seen, ch.forgotten = uint64(s.ColumnInt64(6)), uint64(s.ColumnInt64(7)), uint64(s.ColumnInt64(8))
	}, `SELECT chain.id, conv.id, conv.depth, person, seq, hash, chain.depth, seen, forgotten
		FROM conv JOIN chain ON chain.conv=conv.id WHERE conv.conv=? AND device=?`, conv[:], device[:])
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// compare tells an event that is in the log from one that claims its place.
func (tx *Tx) compare(e *chat.Event, ch *chain) error {
	var held chat.Hash
	err := tx.c.one(func(s *sqlite3.Stmt) { fill(held[:], s, 0) }, `SELECT hash FROM event WHERE chain=? AND seq=?`, ch.id, e.Seq)
	if err != nil {
		return fmt.Errorf("event %d of %s: %w", e.Seq, e.Device.Short(), err)
	}
	if held == e.Hash() {
		return nil
	}
	fork := fmt.Errorf("event %d is %s here: %w", e.Seq, held.Short(), chat.ErrFork)
	return errors.Join(fork, tx.keepFork(e, ch))
}

func (tx *Tx) keepFork(e *chat.Event, ch *chain) error {
	n, err := tx.c.number(`SELECT count(*) FROM fork WHERE conv=? AND device=?`, ch.conv, e.Device[:])
	if err != nil || n >= maxForks {
		return err
	}
	h := e.Hash()
	return tx.c.exec(`INSERT INTO fork(hash, conv, device, bytes) VALUES(?,?,?,?) ON CONFLICT DO NOTHING`,
		h[:], ch.conv, e.Device[:], e.Encode())
}

// checkDepth looks up what e builds on.
func (tx *Tx) checkDepth(e *chat.Event, ch *chain) error {
	known, missing := ch.depth, 0
	for _, h := range e.Heads {
		d, err := tx.c.number(`SELECT depth FROM event WHERE hash=? AND conv=?`, h[:], ch.conv)
		if err != nil {
			return err
		}
		if d == 0 {
			missing++
		}
		known = max(known, uint64(d))
	}
	return chat.CheckDepth(e, known, missing, ch.deepest)
}

// insert writes the event and everything that follows from it.
func (tx *Tx) insert(e *chat.Event, author identity.ID, ch *chain) error {
	h := e.Hash()
	target, isEffect := e.Target()
	row := ch.shown(e)
	if e.Seq <= ch.forgotten {
		e = e.Redact()
	}
	at, kind := aim(e)
	args := []any{h[:], ch.conv, ch.id, e.Seq, e.Depth, e.Time, row, at, int(kind), e.Encode()}
	err := tx.c.exec(`INSERT INTO event(hash, conv, chain, seq, depth, time, shown, target, kind, bytes) VALUES(?,?,?,?,?,?,?,?,?,?)`, args...)
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	id := tx.c.db.LastInsertRowID()
	unread := 0
	if row == shownCounts && author != tx.self && e.Seq > ch.seen {
		unread = 1
	}
	err = tx.c.exec(`UPDATE chain SET person=?, seq=?, hash=?, tip=?, depth=?, unread=unread+? WHERE id=?`,
		author[:], e.Seq, h[:], id, e.Depth, unread, ch.id)
	if err == nil && e.Depth > ch.deepest {
		err = tx.c.exec(`UPDATE conv SET depth=? WHERE id=?`, e.Depth, ch.conv)
	}
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	ch.person, ch.tip.Seq, ch.tip.Hash, ch.depth, ch.deepest = author, e.Seq, h, e.Depth, max(ch.deepest, e.Depth)
	switch {
	case isEffect:
		return tx.touch(id, e, h, target)
	case row == shownNot:
		return nil
	}
	if err := tx.show(id, e, h, author, ch); err != nil {
		return err
	}
	if b, ok := callOf(e); ok {
		return tx.oneRow(ch.conv, b.Call)
	}
	return nil
}

// Tips returns the last event of every chain, in the order of the devices.
func (v *View) Tips(conv chat.ConvID) (tips []chat.Tip, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		t := chat.Tip{Seq: uint64(s.ColumnInt64(1))}
		fill(t.Device[:], s, 0)
		fill(t.Hash[:], s, 2)
		tips = append(tips, t)
		return nil
	}, `SELECT device, seq, hash FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND seq>0 ORDER BY device`, conv[:])
	return tips, err
}

// Depth returns the greatest depth of a conversation: 0 if it is empty.
func (v *View) Depth(conv chat.ConvID) (uint64, error) {
	n, err := v.c.number(`SELECT depth FROM conv WHERE conv=?`, conv[:])
	return uint64(n), err
}

// Event returns an event of any conversation, or ErrNotFound.
func (v *View) Event(h chat.Hash) (*chat.Event, error) {
	var b []byte
	err := v.c.one(func(s *sqlite3.Stmt) { b = blob(s, 0) }, `SELECT bytes FROM event WHERE hash=?`, h[:])
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", h.Short(), err)
	}
	e, err := chat.ParseEvent(b)
	if err != nil {
		return nil, fmt.Errorf("%w: event %s: %w", ErrDamaged, h.Short(), err)
	}
	return e, nil
}

// Forks returns the events kept as evidence: each stands against the one in
// the log with the same device and sequence number, or builds on such a one.
func (v *View) Forks(conv chat.ConvID) (forks []*chat.Event, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		e, err := chat.ParseEvent(s.ColumnRawBlob(0))
		if err != nil {
			return fmt.Errorf("%w: fork: %w", ErrDamaged, err)
		}
		forks = append(forks, e)
		return nil
	}, `SELECT bytes FROM fork WHERE conv=(SELECT id FROM conv WHERE conv=?) ORDER BY hash`, conv[:])
	return forks, err
}

// Tips returns the last event of every chain, in the order of the devices.
func (s *Store) Tips(conv chat.ConvID) ([]chat.Tip, error) {
	return read(s, func(v *View) ([]chat.Tip, error) { return v.Tips(conv) })
}

// Depth returns the greatest depth of a conversation: 0 if it is empty.
func (s *Store) Depth(conv chat.ConvID) (uint64, error) {
	return read(s, func(v *View) (uint64, error) { return v.Depth(conv) })
}

// Event returns an event of any conversation, or ErrNotFound.
func (s *Store) Event(h chat.Hash) (*chat.Event, error) {
	return read(s, func(v *View) (*chat.Event, error) { return v.Event(h) })
}

// Forks returns the events kept as evidence.
func (s *Store) Forks(conv chat.ConvID) ([]*chat.Event, error) {
	return read(s, func(v *View) ([]*chat.Event, error) { return v.Forks(conv) })
}
