package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Errors of UseInvite.
var (
	ErrUsed    = errors.New("the invite was used before")
	ErrExpired = errors.New("the invite has expired")
)

// Invite is a one-time invite that we gave out.
type Invite struct {
	Once    [16]byte
	Created time.Time
	Expires time.Time // zero: never
	Used    bool
}

// PutInvite keeps an invite.
func (tx *Tx) PutInvite(i Invite) error {
	return tx.c.exec(`INSERT OR REPLACE INTO invite(once, created, expires, used) VALUES(?,?,?,?)`,
		i.Once[:], millis(i.Created), millis(i.Expires), i.Used)
}

// Invites returns all invites, oldest first.
func (v *View) Invites() (all []Invite, err error) {
	err = v.c.each(func(s *sqlite3.Stmt) error {
		all = append(all, invite(s))
		return nil
	}, `SELECT once, created, expires, used FROM invite ORDER BY created, once`)
	return all, err
}

// UseInvite marks an invite as used. It returns ErrNotFound, ErrUsed or
// ErrExpired if that is not possible at the time now.
func (tx *Tx) UseInvite(once [16]byte, now time.Time) error {
	var i Invite
	err := tx.c.one(func(s *sqlite3.Stmt) { i = invite(s) },
		`SELECT once, created, expires, used FROM invite WHERE once=?`, once[:])
	switch {
	case err != nil:
		return fmt.Errorf("use invite: %w", err)
	case i.Used:
		return ErrUsed
	case !i.Expires.IsZero() && !now.Before(i.Expires):
		return ErrExpired
	}
	return tx.c.exec(`UPDATE invite SET used=1 WHERE once=?`, once[:])
}

// DeleteInvite takes an invite back.
func (tx *Tx) DeleteInvite(once [16]byte) error {
	return tx.c.exec(`DELETE FROM invite WHERE once=?`, once[:])
}

// Invites returns all invites, oldest first.
func (s *Store) Invites() ([]Invite, error) { return read(s, (*View).Invites) }

func invite(s *sqlite3.Stmt) (i Invite) {
	fill(i.Once[:], s, 0)
	i.Created, i.Expires = moment(s, 1), moment(s, 2)
	i.Used = s.ColumnBool(3)
	return i
}
