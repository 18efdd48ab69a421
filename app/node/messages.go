package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// Errors of the verbs on messages.
var (
	// ErrNoMessage means that no such message is here.
	ErrNoMessage = errors.New("no such message here")
	// ErrNotMine means that only its author may edit or delete a message.
	ErrNotMine = errors.New("only the author can change a message")
	// ErrDeleted means that the message was deleted, and nothing can be done to it.
	ErrDeleted = errors.New("the message was deleted")
	// ErrNoText means that the row is none that somebody wrote, such as a call.
	ErrNoText = errors.New("only what was written can be edited")
	// ErrEmoji means that a reaction is longer than one may be.
	ErrEmoji = errors.New("a reaction is one emoji")
	// ErrEmpty means that there is nothing to send.
	ErrEmpty = errors.New("the message is empty")
	// ErrTimeout means that a message has not come as far as was waited for.
	// It is stored and will be delivered.
	ErrTimeout = errors.New("not that far yet")
)

// signingKey gives this device's key of a conversation, made on first use.
func (n *Node) signingKey(tx *store.Tx, conv chat.ConvID) (ed25519.PrivateKey, error) {
	k, err := tx.ConvKey(conv, n.me.device.ID())
	if err == nil {
		return slices.Concat(k.Priv, k.Pub[:]), nil // what NewKeyFromSeed would compute
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	key := ed25519.NewKeyFromSeed(seed)
	return key, tx.PutConvKey(conv, n.me.device.ID(), [32]byte(key.Public().(ed25519.PublicKey)), seed)
}

// Send writes a message to a person, in answer to another one unless to is
// zero. When it returns, the message is on this disk. With a want beyond
// Written it waits until the message has come that far, or until ctx ends:
// then the error wraps ErrTimeout and the id is good all the same.
func (n *Node) Send(ctx context.Context, who identity.ID, text string, to chat.Hash, want chat.State) (chat.Hash, error) {
	posted, err := n.Post(ctx, who, []Draft{{Text: text, To: to}})
	if err != nil {
		return chat.Hash{}, err
	}
	if err := posted[0].Err; err != nil {
		return chat.Hash{}, err
	}
	return posted[0].ID, n.Await(ctx, posted[0], want)
}

// mayWrite says whether events may be written to a person now. Friends we
// asked and who have not answered yet do not count.
func (n *Node) mayWrite(who identity.ID) error {
	c, ok := n.known().contacts[who]
	switch {
	case !ok:
		return ErrNobody
	case c.State == store.Blocked:
		return ErrBlocked
	case c.State != store.Friend:
		return ErrNotFriend
	}
	return nil
}

// find gives the row of a message and whose conversation it is in.
func (n *Node) find(id chat.Hash) (store.RowView, identity.ID, error) {
	row, conv, err := n.store.Row(id)
	if errors.Is(err, store.ErrNotFound) {
		return row, identity.ID{}, ErrNoMessage
	}
	if err != nil {
		return row, identity.ID{}, err
	}
	who, ok := n.known().convs[conv]
	if !ok {
		return row, who, ErrNoMessage
	}
	return row, who, nil
}

// Message gives one row, and the person whose conversation it is in.
func (n *Node) Message(id chat.Hash) (store.RowView, identity.ID, error) { return n.find(id) }

// Edit replaces the text of a message of ours.
func (n *Node) Edit(ctx context.Context, id chat.Hash, text string) error {
	text, err := chat.CleanText(text)
	if err != nil {
		return err
	}
	if text == "" {
		return ErrEmpty
	}
	return n.alter(ctx, id, true, chat.KindEdit, chat.EditBody{Of: id, Text: text}.Encode())
}

// Delete takes a message of ours away from everyone; a tombstone stays. One that
// is deleted already is left as it is.
func (n *Node) Delete(ctx context.Context, id chat.Hash) error {
	return n.alter(ctx, id, true, chat.KindDelete, chat.DeleteBody{Of: id}.Encode())
}

// React puts an emoji under a message, or takes it back.
func (n *Node) React(ctx context.Context, id chat.Hash, emoji string, on bool) error {
	switch {
	case emoji == "":
		return ErrEmpty
	case len(emoji) > chat.MaxEmoji:
		return ErrEmoji
	}
	return n.alter(ctx, id, false, chat.KindReaction, chat.ReactionBody{Of: id, Emoji: emoji, On: on}.Encode())
}

func (n *Node) alter(ctx context.Context, id chat.Hash, mine bool, kind chat.Kind, body []byte) error {
	row, who, err := n.find(id)
	if err != nil {
		return err
	}
	switch {
	case mine && row.Author != n.me.id:
		return ErrNotMine
	case row.Deleted && kind == chat.KindDelete:
		return nil
	case row.Deleted:
		return ErrDeleted
	case kind == chat.KindEdit && row.Kind != chat.KindText && row.Kind != chat.KindReply:
		return ErrNoText
	}
	if err := n.mayWrite(who); err != nil {
		return err
	}
	return n.write(ctx, who, kind, body)
}

// Page reads a piece of the conversation with a person.
func (n *Node) Page(who identity.ID, q store.Query) (store.Page, error) {
	return n.store.Page(chat.Direct(n.me.id, who), q)
}

// FirstUnread is the first row not seen yet of the conversation with a person;
// zero when all were.
func (n *Node) FirstUnread(who identity.ID) (chat.Hash, error) {
	u, err := n.store.Unread(chat.Direct(n.me.id, who))
	return u.First, err
}

// All hands every row of the conversation with a person to f, oldest first.
func (n *Node) All(who identity.ID, f func(store.RowView) error) error {
	conv := chat.Direct(n.me.id, who)
	at, err := n.store.Oldest(conv)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, err := n.store.Row(at)
	if err != nil {
		return err
	}
	if err := f(first); err != nil {
		return err
	}
	for more := true; more; {
		p, err := n.store.Page(conv, store.Query{After: at, Limit: store.MaxPage})
		if err != nil {
			return err
		}
		for _, row := range p.Rows {
			if err := f(row); err != nil {
				return err
			}
			at = row.ID
		}
		more = p.Later && len(p.Rows) > 0
	}
	return nil
}

// Search finds words, everywhere or in the conversation with one person.
func (n *Node) Search(words string, who identity.ID, limit int) ([]store.Hit, error) {
	if who.IsZero() {
		return n.store.Search(words, nil, limit)
	}
	conv := chat.Direct(n.me.id, who)
	return n.store.Search(words, &conv, limit)
}

// With is the other person of a conversation.
func (n *Node) With(conv chat.ConvID) (identity.ID, bool) {
	id, ok := n.known().convs[conv]
	return id, ok
}

// MarkRead says that everything up to a message has been seen. Friends are
// told if the settings say so; our other devices always are, see ReadFrame.
func (n *Node) MarkRead(ctx context.Context, who identity.ID, upTo chat.Hash) error {
	conv := chat.Direct(n.me.id, who)
	var receipts []chat.Receipt
	var marks []chat.ReadMark
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		news, err := tx.MarkRead(conv, upTo)
		if err != nil || len(news) == 0 {
			return err
		}
		key, err := n.signingKey(tx, conv)
		if err != nil {
			return err
		}
		for _, rc := range news {
			marks = append(marks, chat.ReadMark{Author: rc.Author, Seen: rc.Seen})
			if rc, err = n.sign(tx, key, rc, n.settings().SendReceipts); err != nil {
				return err
			}
			receipts = append(receipts, rc)
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoMessage
	}
	if err != nil {
		return fmt.Errorf("mark read: %w", err)
	}
	n.changes.tell(Change{Topic: TopicRead, Who: who})
	n.tellRead(conv, marks)
	n.spread(who, receipts)
	return nil
}

// PutDraft keeps what is not sent yet.
func (n *Node) PutDraft(ctx context.Context, who identity.ID, d store.Draft) error {
	err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.PutDraft(chat.Direct(n.me.id, who), d) })
	if err != nil {
		return fmt.Errorf("keep draft: %w", err)
	}
	n.changes.tell(Change{Topic: TopicDraft, Who: who})
	return nil
}

// Draft gives what was kept.
func (n *Node) Draft(who identity.ID) (store.Draft, error) {
	return n.store.Draft(chat.Direct(n.me.id, who))
}
