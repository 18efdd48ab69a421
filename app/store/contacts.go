package store

import (
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// ContactState is how far two people have got with each other.
type ContactState uint8

// The states of a contact. Their numbers are kept on the disk.
const (
	Sent    ContactState = 1 // we asked
	Request ContactState = 2 // they asked
	Friend  ContactState = 3 // both agreed
	Blocked ContactState = 4 // we want nothing from them
	Removed ContactState = 5 // one of us ended it; the history stays
)

// Contact is a person the account knows.
type Contact struct {
	ID          identity.ID
	State       ContactState
	Name        string // what we call them; "" for what they call themselves
	OwnName     string // what they call themselves
	Since       time.Time
	LastSeen    time.Time // zero: never
	Verified    bool      // the safety number was compared
	Muted       bool
	Rendezvous  [16]byte // their address secret as we know it
	RequestText string   // what was said with the request
	Once        []byte   // the one-time secret the request came or went with
}

// String names the state.
func (s ContactState) String() string {
	switch s {
	case Sent:
		return "sent"
	case Request:
		return "request"
	case Friend:
		return "friend"
	case Blocked:
		return "blocked"
	case Removed:
		return "removed"
	}
	return fmt.Sprintf("state-%d", uint8(s))
}

const contactColumns = `id, state, name, own_name, since, last_seen, verified, muted, rendezvous, request, once`

// PutContact keeps c, in place of what was kept of the same person.
func (tx *Tx) PutContact(c Contact) error {
	// The column secret is one that nothing needs.
	return tx.c.exec(`INSERT OR REPLACE INTO contact(`+contactColumns+`, secret) VALUES(?,?,?,?,?,?,?,?,?,?,?,x'')`,
		c.ID[:], int(c.State), c.Name, c.OwnName, millis(c.Since), millis(c.LastSeen), c.Verified, c.Muted,
		c.Rendezvous[:], c.RequestText, c.Once)
}

// Contact returns a person, or ErrNotFound.
func (v *View) Contact(id identity.ID) (c Contact, err error) {
	err = v.c.one(func(s *sqlite3.Stmt) { c = contact(s) }, `SELECT `+contactColumns+` FROM contact WHERE id=?`, id[:])
	if err != nil {
		return Contact{}, fmt.Errorf("contact %s: %w", id.Short(), err)
	}
	return c, nil
}

// Contacts returns everybody, in the order of their ids.
func (v *View) Contacts() (all []Contact, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		all = append(all, contact(s))
		return nil
	}, `SELECT `+contactColumns+` FROM contact ORDER BY id`)
	return all, err
}

// DeleteContact forgets a person: their devices and the conversation with
// them as DeleteConversation does, its search index included. The pages that
// held it are overwritten.
func (tx *Tx) DeleteContact(id identity.ID) error {
	if err := tx.DeleteConversation(chat.Direct(tx.self, id)); err != nil {
		return err
	}
	for _, sql := range [...]string{
		`DELETE FROM device WHERE person=?`,
		`DELETE FROM list WHERE person=?`,
		`DELETE FROM contact WHERE id=?`,
	} {
		if err := tx.c.exec(sql, id[:]); err != nil {
			return fmt.Errorf("delete contact %s: %w", id.Short(), err)
		}
	}
	return nil
}

// Contact returns a person, or ErrNotFound.
func (s *Store) Contact(id identity.ID) (Contact, error) {
	return read(s, func(v *View) (Contact, error) { return v.Contact(id) })
}

// Contacts returns everybody, in the order of their ids.
func (s *Store) Contacts() ([]Contact, error) { return read(s, (*View).Contacts) }

func contact(s *sqlite3.Stmt) (c Contact) {
	fill(c.ID[:], s, 0)
	c.State = ContactState(s.ColumnInt(1))
	c.Name, c.OwnName = s.ColumnText(2), s.ColumnText(3)
	c.Since, c.LastSeen = moment(s, 4), moment(s, 5)
	c.Verified, c.Muted = s.ColumnBool(6), s.ColumnBool(7)
	fill(c.Rendezvous[:], s, 8)
	c.RequestText = s.ColumnText(9)
	c.Once = blob(s, 10)
	return c
}
