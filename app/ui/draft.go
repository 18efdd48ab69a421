package ui

import (
	"context"

	"github.com/entrenous/entrenous/app/control"
)

// readDraft fills in what the node keeps, unless something was written
// meanwhile.
func (c *composer) readDraft() {
	who, turn, had := c.who, c.entered, c.kept
	c.w.do(func(ctx context.Context) error {
		d, err := c.w.client.Draft(ctx, who)
		if err != nil {
			return err
		}
		var about *control.Message
		if id := d.ReplyTo + d.Edit; id != "" {
			if m, err := c.w.client.Message(ctx, id); err == nil {
				about = &m
			}
		}
		c.w.ui(func() {
			if c.entered == turn && c.kept == had && c.draft() == had && d != had {
				c.take(d, about)
			}
		})
		return nil
	})
}

// changedElsewhere follows a draft written in another window.
func (c *composer) changedElsewhere() {
	if c.draft() == c.kept {
		c.readDraft()
	}
}

// leave keeps the draft and ends the typing notice.
func (c *composer) leave() {
	if c.who == "" {
		return
	}
	c.turn++
	c.keep()
	c.notTyping()
}

// draft is what is written and not sent.
func (c *composer) draft() control.Draft {
	d := control.Draft{Text: c.entry.Text}
	if c.replyTo != nil {
		d.ReplyTo = c.replyTo.ID
	}
	if c.editing != nil {
		d.Edit = c.editing.ID
	}
	return d
}

// keepSoon keeps the draft in a moment. Keys meanwhile do not put it off, so
// that who types on and on loses no more than the last moment.
func (c *composer) keepSoon() {
	if c.keeping {
		return
	}
	c.keeping = true
	c.w.after(draftAfter, func() {
		c.keeping = false
		c.keep()
	})
}

// keep gives the draft to the node if it is another than the node has.
func (c *composer) keep() {
	d, who := c.draft(), c.who
	if d == c.kept || len(d.Text) > textMost {
		return
	}
	c.kept = d
	c.w.doInOrder(func(ctx context.Context) error { return c.w.client.PutDraft(ctx, who, d) })
}

// nowTyping tells the friend, again from time to time, that we write.
func (c *composer) nowTyping() {
	if !c.w.settings.SendTyping || c.editing != nil {
		return
	}
	turn := c.turn
	c.w.after(typingFor, func() {
		if c.turn == turn {
			c.notTyping()
		}
	})
	if now := c.w.now(); !c.typingOn || now.Sub(c.typingAt) >= typingFor {
		c.typingOn, c.typingAt = true, now
		c.tellTyping(true)
	}
}

func (c *composer) notTyping() {
	if c.typingOn {
		c.typingOn = false
		c.tellTyping(false)
	}
}

// tellTyping is told in order, so that the end never overtakes the beginning;
// whether it arrives matters to nobody.
func (c *composer) tellTyping(on bool) {
	who := c.who
	c.w.work.inOrder(func(ctx context.Context) {
		if err := c.w.client.Typing(ctx, who, on); err != nil {
			c.w.log.Debug("typing notice", "err", err)
		}
	})
}
