package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

func (p *program) watchCommand() *cobra.Command {
	cmd := verb(p, "watch", "Print what happens, as it happens", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		w, err := c.Watch(ctx, false)
		if err != nil {
			return err
		}
		defer w.Close()
		t := &teller{client: c, names: map[string]string{}}
		if !p.json {
			t.learn(ctx)
		}
		for {
			ch, err := w.Next()
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if err := p.print(p.fill(ctx, c, ch), func(w io.Writer) { fmt.Fprintln(w, t.line(ctx, ch, time.Now())) }); err != nil {
				return err
			}
		}
	})
	cmd.Long = `Print what happens, as it happens, until it is interrupted or the node ends: a
line each for a message, how far one of ours has come, who is here, who is
writing, and so on. Of a text as much is shown as fits a line; “entrenous
history” has it whole.

With --json each line is a change with its type, the ids of whom and what it
concerns, and the message where it is about one.`
	return cmd
}

// happening is a change with what it is about, for scripts.
type happening struct {
	control.Change
	Message *control.Message `json:"message,omitempty"`
}

// fill looks up the message that a change names: a change carries no content.
func (p *program) fill(ctx context.Context, c *control.Client, ch control.Change) happening {
	h := happening{Change: ch}
	if p.json && ch.ID != "" && (ch.Type == control.ChangeMessage || ch.Type == control.ChangeRow) {
		if m, err := c.Message(ctx, ch.ID); err == nil {
			h.Message = &m
		}
	}
	return h
}

// teller puts changes into words. It looks up what they are about, and
// remembers names for when their people are gone.
type teller struct {
	client *control.Client
	names  map[string]string
}

// learn takes down everybody's name. A locked node tells none yet.
func (t *teller) learn(ctx context.Context) {
	all, _ := t.client.Contacts(ctx)
	for _, c := range all {
		t.names[c.ID] = c.Name
	}
}

// line is one change for people, with the time of day.
func (t *teller) line(ctx context.Context, ch control.Change, now time.Time) string {
	return now.Local().Format("15:04:05") + "  " + t.words(ctx, ch)
}

func (t *teller) words(ctx context.Context, ch control.Change) string {
	switch ch.Type {
	case control.ChangeHello:
		return "what happens from here on is told; Ctrl+C ends it"
	case control.ChangeReset:
		return "more has happened than can be told; “entrenous contacts” shows how things are"
	case control.ChangeMessage, control.ChangeRow, control.ChangeState:
		return t.aboutMessage(ctx, ch)
	case control.ChangePresence:
		return t.name(ctx, ch.Who) + " is " + map[bool]string{true: "here", false: "away"}[ch.State == control.Online]
	case control.ChangeTyping:
		return t.name(ctx, ch.Who) + map[bool]string{true: " is writing", false: " has stopped writing"}[ch.State == "on"]
	case control.ChangeContact:
		return t.aboutContact(ctx, ch.Who)
	case control.ChangeRead:
		return "what " + t.name(ctx, ch.Who) + " wrote is read"
	case control.ChangeDraft:
		return "the draft to " + t.name(ctx, ch.Who) + " has changed"
	case control.ChangeCall:
		return "call with " + t.name(ctx, ch.Who) + ": " + ch.State
	case control.ChangeSettings, control.ChangeDevices:
		return "your " + ch.Type + " have changed"
	case control.ChangeNetwork:
		return "the network has changed"
	}
	return strings.TrimSpace(ch.Type + " " + ch.State)
}

// contact looks a person up, and remembers the name.
func (t *teller) contact(ctx context.Context, who string) (c control.Contact, known bool) {
	c, err := t.client.Contact(ctx, who)
	if err == nil {
		t.names[who] = c.Name
	}
	return c, err == nil
}

// name is what a person is called here, now or last.
func (t *teller) name(ctx context.Context, who string) string {
	t.contact(ctx, who)
	if name, ok := t.names[who]; ok {
		return name
	}
	return "somebody unknown"
}

func (t *teller) aboutContact(ctx context.Context, who string) string {
	c, known := t.contact(ctx, who)
	if !known {
		return t.name(ctx, who) + " is removed"
	}
	switch c.State {
	case control.Request:
		if c.Note != "" {
			return c.Name + " asks to be a friend: " + oneLine(c.Note)
		}
		return c.Name + " asks to be a friend"
	case control.SentReq:
		return c.Name + " is asked to be a friend"
	case control.Blocked:
		return c.Name + " is blocked"
	}
	return c.Name + " is a friend"
}

func (t *teller) aboutMessage(ctx context.Context, ch control.Change) string {
	name := t.name(ctx, ch.Who)
	m, err := t.client.Message(ctx, ch.ID)
	if err != nil {
		return "a message with " + name + " has changed"
	}
	said := oneLine(messageText(m, name))
	switch {
	case ch.Type == control.ChangeState:
		return "to " + name + ", " + ch.State + ": " + said
	case m.Kind == control.KindDevice:
		return said
	}
	from := name
	if m.Mine {
		from = "you to " + name
	}
	if ch.Type == control.ChangeRow {
		from += ", changed"
	}
	return from + ": " + said + messageMarks(m)
}

// oneLine is a glance at a text, in one line.
func oneLine(s string) string { return strings.Join(strings.Fields(control.Glance(s)), " ") }
