package node

import (
	"context"
	"fmt"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// tellRead tells our other devices what was just read here.
func (n *Node) tellRead(conv chat.ConvID, marks []chat.ReadMark) {
	if len(marks) == 0 {
		return
	}
	for _, l := range n.links.of(n.me.id) {
		l.send(chat.ReadFrame{Conv: conv, Marks: marks})
	}
}

// tellAllRead tells one of our other devices, which was away, what is read of
// a conversation.
func (n *Node) tellAllRead(l *link, conv chat.ConvID) error {
	if !l.own() {
		return nil
	}
	all, err := n.store.OwnReceipts(conv)
	if err != nil {
		return err
	}
	var marks []chat.ReadMark
	for _, rc := range all {
		if rc.Seen > 0 {
			marks = append(marks, chat.ReadMark{Author: rc.Author, Seen: rc.Seen})
		}
	}
	if len(marks) > 0 {
		l.send(chat.ReadFrame{Conv: conv, Marks: marks})
	}
	return nil
}

// heardRead keeps what was read on another device of ours. From anybody else
// it means nothing.
func (n *Node) heardRead(ctx context.Context, l *link, f chat.ReadFrame) error {
	who, ok := n.participant(l, f.Conv)
	if !ok || !l.own() {
		return nil
	}
	news := false
	err := n.store.Write(ctx, func(tx *store.Tx) error {
		for _, m := range f.Marks {
			changed, err := tx.PutSeen(f.Conv, m.Author, m.Seen)
			if err != nil {
				return err
			}
			news = news || changed
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what was read: %w", err)
	}
	if news {
		n.changes.tell(Change{Topic: TopicRead, Who: who})
	}
	return nil
}
