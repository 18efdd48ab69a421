package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// ErrSnapshot says that what was to be loaded is no snapshot, or not a whole
// one.
var ErrSnapshot = errors.New("not a whole snapshot")

// A snapshot is JSON, one line for one thing, in the order in which Load can
// take it: no line needs a later one. The first line is the head, the last
// one counts the others.
const (
	snapshotVersion = 1
	maxLine         = 1 << 20 // bytes
	loadStep        = 256     // lines in one transaction
)

// line is one line of a snapshot: one of its fields.
type line struct {
	Head    *headLine    `json:"head,omitempty"`
	Value   *valueLine   `json:"value,omitempty"`
	Contact *contactLine `json:"contact,omitempty"`
	Device  *Device      `json:"device,omitempty"`
	List    *listLine    `json:"list,omitempty"`
	Key     *keyLine     `json:"key,omitempty"`
	Forgot  *markLine    `json:"forgot,omitempty"`
	Event   *eventLine   `json:"event,omitempty"`
	Receipt []byte       `json:"receipt,omitempty"`
	Seen    *markLine    `json:"seen,omitempty"`
	Draft   *draftLine   `json:"draft,omitempty"`
	Invite  *inviteLine  `json:"invite,omitempty"`
	End     *endLine     `json:"end,omitempty"`
}

type headLine struct {
	Version int         `json:"entrenous"`
	Self    identity.ID `json:"self"`
}

type valueLine struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// contactLine and inviteLine hold what JSON would write as lists of numbers
// as base64.
type contactLine struct {
	Contact
	Rendezvous []byte
}

type inviteLine struct {
	Invite
	Once []byte
}

type listLine struct {
	Person identity.ID
	List   []byte
}

type keyLine struct {
	Conv   chat.ConvID
	Device identity.DeviceID
	Pub    []byte
	Priv   []byte `json:",omitempty"`
}

type eventLine struct {
	Author identity.ID
	Bytes  []byte
}

// markLine marks a place in a chain.
type markLine struct {
	Conv   chat.ConvID
	Device identity.DeviceID
	Seq    uint64
}

type draftLine struct {
	Conv chat.ConvID
	Draft
}

type endLine struct {
	Lines int
}

// Snapshot writes all that the store holds to w, as of one moment and not
// encrypted: secrets included. It is for the caller to seal.
func (s *Store) Snapshot(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(buffered)
	n := 0
	put := func(l line) error {
		n++
		if err := ctx.Err(); err != nil {
			return err
		}
		return enc.Encode(l)
	}
	err := s.Read(func(v *View) error {
		if err := put(line{Head: &headLine{Version: snapshotVersion, Self: v.self}}); err != nil {
			return err
		}
		if err := v.dumpPeople(put); err != nil {
			return err
		}
		if err := v.dumpLogs(put); err != nil {
			return err
		}
		return put(line{End: &endLine{Lines: n}})
	})
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}

func (v *View) dumpPeople(put func(line) error) error {
	return errors.Join(
		v.c.each(func(s *sqlite3.Stmt) error {
			return put(line{Value: &valueLine{Key: s.ColumnText(0), Value: blob(s, 1)}})
		}, `SELECT key, value FROM kv WHERE key<>? ORDER BY key`, keySelf),
		v.c.each(func(s *sqlite3.Stmt) error {
			c := contact(s)
			return put(line{Contact: &contactLine{Contact: c, Rendezvous: c.Rendezvous[:]}})
		}, `SELECT `+contactColumns+` FROM contact ORDER BY id`),
		v.c.each(func(s *sqlite3.Stmt) error {
			d := device(s)
			return put(line{Device: &d})
		}, `SELECT `+deviceColumns+` FROM device ORDER BY id`),
		v.c.each(func(s *sqlite3.Stmt) error {
			l := &listLine{List: blob(s, 1)}
			fill(l.Person[:], s, 0)
			return put(line{List: l})
		}, `SELECT person, list FROM list ORDER BY person`),
		v.c.each(func(s *sqlite3.Stmt) error {
			i := invite(s)
			return put(line{Invite: &inviteLine{Invite: i, Once: i.Once[:]}})
		}, `SELECT once, created, expires, used FROM invite ORDER BY once`),
	)
}

// dumpLogs writes events in the order in which they came: each chain in order.
func (v *View) dumpLogs(put func(line) error) error {
	return errors.Join(
		v.c.each(func(s *sqlite3.Stmt) error {
			k := &keyLine{Pub: blob(s, 2), Priv: blob(s, 3)}
			fill(k.Conv[:], s, 0)
			fill(k.Device[:], s, 1)
			return put(line{Key: k})
		}, `SELECT conv.conv, device, key, private FROM chain JOIN conv ON conv.id=chain.conv WHERE key IS NOT NULL ORDER BY chain.id`),
		v.dumpMarks(`forgotten`, func(l *markLine) error { return put(line{Forgot: l}) }),
		v.c.each(func(s *sqlite3.Stmt) error {
			e := &eventLine{Bytes: blob(s, 1)}
			fill(e.Author[:], s, 0)
			return put(line{Event: e})
		}, `SELECT person, bytes FROM event JOIN chain ON chain.id=event.chain ORDER BY event.id`),
		v.c.each(func(s *sqlite3.Stmt) error {
			return put(line{Receipt: blob(s, 0)})
		}, `SELECT bytes FROM receipt ORDER BY conv, author, device`),
		v.dumpMarks(`seen`, func(l *markLine) error { return put(line{Seen: l}) }),
		v.c.each(func(s *sqlite3.Stmt) error {
			d := &draftLine{Draft: Draft{Text: s.ColumnText(1)}}
			fill(d.Conv[:], s, 0)
			fill(d.ReplyTo[:], s, 2)
			fill(d.Editing[:], s, 3)
			return put(line{Draft: d})
		}, `SELECT conv, text, reply, editing FROM draft ORDER BY conv`),
	)
}

// dumpMarks hands over one of the places that chains have marked.
func (v *View) dumpMarks(column string, put func(*markLine) error) error {
	return v.c.each(func(s *sqlite3.Stmt) error {
		l := &markLine{Seq: uint64(s.ColumnInt64(2))}
		fill(l.Conv[:], s, 0)
		fill(l.Device[:], s, 1)
		return put(l)
	}, `SELECT conv.conv, device, `+column+` FROM chain JOIN conv ON conv.id=chain.conv WHERE `+column+`>0 ORDER BY chain.id`)
}
