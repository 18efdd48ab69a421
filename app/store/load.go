package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/entrenous/entrenous/app/chat"
)

// Load adds what a snapshot has and the store has not. What is in the store
// stays: an old snapshot takes nothing back, and loading one twice, or again
// after it failed half way, does no harm. A snapshot of another account is
// ErrOtherSelf; one that is cut off is loaded as far as it goes, and is
// ErrSnapshot.
func (s *Store) Load(ctx context.Context, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	l := loading{store: s}
	for lines.Scan() && !l.ended {
		if err := l.line(ctx, lines.Bytes()); err != nil {
			return fmt.Errorf("load snapshot: line %d: %w", l.count+1, err)
		}
	}
	if err := l.flush(ctx); err != nil {
		return fmt.Errorf("load snapshot: %w", err)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("load snapshot: %w: %w", ErrSnapshot, err)
	}
	if !l.ended {
		return fmt.Errorf("load snapshot: cut off after %d lines: %w", l.count, ErrSnapshot)
	}
	return nil
}

// loading is a snapshot on its way in.
type loading struct {
	store   *Store
	count   int
	ended   bool
	pending []line
}

func (l *loading) line(ctx context.Context, b []byte) error {
	var next line
	if err := json.Unmarshal(b, &next); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	switch {
	case l.count == 0 && (next.Head == nil || next.Head.Version != snapshotVersion):
		return fmt.Errorf("no head of version %d: %w", snapshotVersion, ErrSnapshot)
	case l.count == 0 && next.Head.Self != l.store.self:
		return ErrOtherSelf
	case next.End != nil:
		if next.End.Lines != l.count {
			return fmt.Errorf("%d lines are missing: %w", next.End.Lines-l.count, ErrSnapshot)
		}
		l.ended = true
		return nil
	}
	l.count++
	l.pending = append(l.pending, next)
	if len(l.pending) < loadStep {
		return nil
	}
	return l.flush(ctx)
}

func (l *loading) flush(ctx context.Context) error {
	lines := l.pending
	l.pending = nil
	if len(lines) == 0 {
		return nil
	}
	return l.store.Write(ctx, func(tx *Tx) error {
		for _, next := range lines {
			if err := tx.load(next); err != nil {
				return err
			}
		}
		return nil
	})
}

// load puts one line where nothing is yet.
func (tx *Tx) load(l line) error {
	switch {
	case l.Value != nil:
		_, err := tx.Value(l.Value.Key)
		return ifMissing(err, func() error { return tx.Set(l.Value.Key, notNil(l.Value.Value)) })
	case l.Contact != nil:
		c := l.Contact.Contact
		copy(c.Rendezvous[:], l.Contact.Rendezvous)
		_, err := tx.Contact(c.ID)
		return ifMissing(err, func() error { return tx.PutContact(c) })
	case l.Device != nil:
		_, err := tx.Device(l.Device.ID)
		return ifMissing(err, func() error { return tx.PutDevice(*l.Device) })
	case l.List != nil:
		_, err := tx.List(l.List.Person)
		return ifMissing(err, func() error { return tx.PutList(l.List.Person, l.List.List) })
	case l.Invite != nil:
		i := l.Invite.Invite
		copy(i.Once[:], l.Invite.Once)
		return tx.c.exec(`INSERT OR IGNORE INTO invite(once, created, expires, used) VALUES(?,?,?,?)`,
			i.Once[:], millis(i.Created), millis(i.Expires), i.Used)
	case l.Draft != nil:
		d, err := tx.Draft(l.Draft.Conv)
		if err != nil || d != (Draft{}) {
			return err
		}
		return tx.PutDraft(l.Draft.Conv, l.Draft.Draft)
	}
	return tx.loadLog(l)
}

func (tx *Tx) loadLog(l line) error {
	switch {
	case l.Key != nil:
		var pub [32]byte
		copy(pub[:], l.Key.Pub)
		_, err := tx.ConvKey(l.Key.Conv, l.Key.Device)
		return ifMissing(err, func() error { return tx.PutConvKey(l.Key.Conv, l.Key.Device, pub, l.Key.Priv) })
	case l.Forgot != nil:
		ch, err := tx.chain(l.Forgot.Conv, l.Forgot.Device)
		if err != nil {
			return err
		}
		return tx.forget(ch.id, l.Forgot.Seq)
	case l.Event != nil:
		e, err := chat.ParseEvent(l.Event.Bytes)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
		if _, err = tx.Append(e, l.Event.Author); errors.Is(err, chat.ErrFork) {
			return nil // kept as evidence
		}
		return err
	case l.Receipt != nil:
		r, err := chat.ParseReceipt(l.Receipt)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
		_, err = tx.PutReceipt(r)
		return err
	case l.Seen != nil:
		ch, err := tx.chain(l.Seen.Conv, l.Seen.Device)
		if err != nil {
			return err
		}
		return tx.setSeen(ch.id, min(l.Seen.Seq, ch.tip.Seq))
	}
	return nil // the head, or something newer: not ours to lose
}

// ifMissing runs f if err says that there is nothing yet.
func ifMissing(err error, f func() error) error {
	if errors.Is(err, ErrNotFound) {
		return f()
	}
	return err
}
