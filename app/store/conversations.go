package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/entrenous/entrenous/app/chat"
)

// Conversation is what a list of conversations shows of one.
type Conversation struct {
	Conv     chat.ConvID
	Unread   int
	First    chat.Hash // the first unread row; zero if there is none. Of Summary only
	Last     *RowView  // nil: no row yet
	Activity int64     // grows with every event that comes in, whatever its clock says: the order of the list
}

// Unread is what waits to be read in a conversation.
type Unread struct {
	Count int
	First chat.Hash // the first unread row; zero if there is none
}

// Summary returns one conversation; one without events is empty.
func (v *View) Summary(conv chat.ConvID) (c Conversation, err error) {
	c.Conv = conv
	u, err := v.Unread(conv)
	if err != nil {
		return c, err
	}
	c.Unread, c.First = u.Count, u.First
	c.Activity, err = v.c.number(`SELECT max(tip) FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND seq>forgotten`, conv[:])
	if err != nil {
		return c, err
	}
	return c, v.last(&c)
}

// Arrived is the Activity of a conversation in which something comes in now, or
// of the one in which something came in last.
func (v *View) Arrived() (int64, error) { return v.c.number(`SELECT max(tip) FROM chain`) }

func (v *View) last(c *Conversation) error {
	p, err := v.Page(c.Conv, Query{Limit: 1})
	if len(p.Rows) > 0 {
		c.Last = &p.Rows[0]
	}
	return err
}

// Conversations returns all conversations that are not empty, the last active
// first.
func (v *View) Conversations() ([]Conversation, error) {
	var all []Conversation
	err := v.c.each(func(s *sqlite3.Stmt) error {
		c := Conversation{Unread: s.ColumnInt(1), Activity: s.ColumnInt64(2)}
		fill(c.Conv[:], s, 0)
		all = append(all, c)
		return nil
	}, `SELECT conv.conv, sum(unread), max(tip) FROM conv JOIN chain ON chain.conv=conv.id
		WHERE seq>forgotten GROUP BY conv.id ORDER BY max(tip) DESC, conv.id`)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := v.last(&all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Unread says what waits to be read in a conversation.
func (v *View) Unread(conv chat.ConvID) (u Unread, err error) {
	n, err := v.c.number(`SELECT sum(unread) FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?)`, conv[:])
	if err != nil || n == 0 {
		return Unread{}, err
	}
	u.Count = int(n)
	err = v.c.one(func(s *sqlite3.Stmt) { fill(u.First[:], s, 0) }, `
		WITH first AS (SELECT (SELECT event.id FROM event
				WHERE event.chain=chain.id AND event.seq>chain.seen AND shown=2 ORDER BY event.seq LIMIT 1) AS id
			FROM chain WHERE conv=(SELECT id FROM conv WHERE conv=?) AND unread>0)
		SELECT hash FROM event JOIN first ON event.id=first.id ORDER BY depth, time, hash LIMIT 1`, conv[:])
	if errors.Is(err, ErrNotFound) {
		return u, fmt.Errorf("%w: unread rows are counted but not found", ErrDamaged)
	}
	return u, err
}

// DeleteConversation removes a conversation's log and everything drawn from
// it. The pages that held it are overwritten.
//
// Chains whose private key is here stay, without bodies and shown nowhere: if
// the two meet again they must go on where they were, because another first
// event by another key is what a forger would show. Everybody else's chains
// come back then, from whoever has them.
func (tx *Tx) DeleteConversation(conv chat.ConvID) error {
	tx.last, tx.erased, tx.indexNow = nil, true, true
	number, err := tx.c.number(`SELECT id FROM conv WHERE conv=?`, conv[:])
	if err != nil {
		return err
	}
	if err := tx.forgetWords(number); err != nil {
		return err
	}
	for _, sql := range [...]string{
		`DELETE FROM event WHERE conv=? AND chain IN (SELECT id FROM chain WHERE private IS NULL)`,
		`DELETE FROM fork WHERE conv=?`,
		`DELETE FROM receipt WHERE conv=?`,
		`DELETE FROM chain WHERE conv=? AND private IS NULL`,
		`UPDATE event SET shown=0, touched=0 WHERE conv=?`,
		`UPDATE chain SET forgotten=seq WHERE conv=?`,
		`UPDATE conv SET depth=(SELECT coalesce(max(depth), 0) FROM chain WHERE chain.conv=conv.id) WHERE id=?`,
		`DELETE FROM conv WHERE id=? AND NOT EXISTS (SELECT 1 FROM chain WHERE chain.conv=conv.id)`,
	} {
		if err := tx.c.exec(sql, number); err != nil {
			return fmt.Errorf("delete conversation %s: %w", conv.Short(), err)
		}
	}
	if err := tx.redactAll(number); err != nil {
		return fmt.Errorf("delete conversation %s: %w", conv.Short(), err)
	}
	return tx.c.exec(`DELETE FROM draft WHERE conv=?`, conv[:])
}

// forgetWords takes a conversation out of the full-text index.
func (tx *Tx) forgetWords(conv int64) error {
	rows, err := tx.bases(0, baseQuery+`event.conv=? AND shown>0`, conv)
	if err != nil {
		return err
	}
	return tx.eachText(rows, func(id int64, text string) { tx.changeWords(id, text, "") })
}

// Conversations returns all conversations that are not empty, the last active
// first.
func (s *Store) Conversations() ([]Conversation, error) {
	return read(s, (*View).Conversations)
}

// Summary returns one conversation; one without events is empty.
func (s *Store) Summary(conv chat.ConvID) (Conversation, error) {
	return read(s, func(v *View) (Conversation, error) { return v.Summary(conv) })
}

// Unread says what waits to be read in a conversation.
func (s *Store) Unread(conv chat.ConvID) (Unread, error) {
	return read(s, func(v *View) (Unread, error) { return v.Unread(conv) })
}
