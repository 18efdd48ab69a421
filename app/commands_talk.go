package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

// maxTyped is how much of standard input is read for one text: enough to see
// that it is too long.
const maxTyped = 256 << 10

// text gives an argument, or standard input where it is “-”.
func (p *program) text(arg string) (string, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(p.in, maxTyped))
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		arg = strings.TrimSuffix(string(b), "\n")
	}
	if !utf8.ValidString(arg) && len(arg) < maxTyped {
		return "", &control.Failure{Message: "This is not text", Hint: "Only UTF-8 text can be sent", Code: control.CodeInvalid}
	}
	return arg, nil
}

// waiting holds the flags of commands that can wait for a state.
type waiting struct {
	state   string
	timeout time.Duration
}

func (w *waiting) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.state, "wait", "", "answer only when it is `written|delivered|seen`")
	cmd.Flags().DurationVar(&w.timeout, "timeout", 30*time.Second, "how long to wait")
}

func (w *waiting) message(text, replyTo string) control.NewMessage {
	return control.NewMessage{Text: text, ReplyTo: replyTo, Wait: w.state, Timeout: w.timeout.Milliseconds()}
}

func (p *program) sent(s control.Sent, err error) error {
	if err != nil {
		return err
	}
	return p.print(s, func(w io.Writer) { fmt.Fprintln(w, s.State) })
}

func (p *program) sendCommand() *cobra.Command {
	var wait waiting
	var lines bool
	cmd := verb(p, "send WHO TEXT", "Write to a friend; “-” reads standard input", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		if lines && a[1] != "-" {
			return &usageError{errors.New("--lines reads standard input: write “-” for the text")}
		}
		if lines {
			return p.sendLines(ctx, c, a[0], wait)
		}
		text, err := p.text(a[1])
		if err != nil {
			return err
		}
		return p.sent(c.Send(ctx, a[0], wait.message(text, "")))
	})
	wait.flags(cmd)
	cmd.Flags().BoolVar(&lines, "lines", false, "with “-”: each line is a message of its own, sent as soon as it is read")
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func (p *program) replyCommand() *cobra.Command {
	var wait waiting
	cmd := verb(p, "reply MESSAGE TEXT", "Answer a message", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		text, err := p.text(a[1])
		if err != nil {
			return err
		}
		m, err := c.Message(ctx, a[0])
		if err != nil {
			return err
		}
		return p.sent(c.Send(ctx, m.Who, wait.message(text, m.ID)))
	})
	wait.flags(cmd)
	return cmd
}

func (p *program) editCommand() *cobra.Command {
	return verb(p, "edit MESSAGE TEXT", "Replace the text of a message of yours", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		text, err := p.text(a[1])
		if err != nil {
			return err
		}
		return p.sent(c.Edit(ctx, a[0], text))
	})
}

func (p *program) deleteCommand() *cobra.Command {
	return verb(p, "delete MESSAGE", "Delete a message of yours for everyone", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		return p.sent(c.Delete(ctx, a[0]))
	})
}

func (p *program) reactCommand() *cobra.Command {
	var off bool
	cmd := verb(p, "react MESSAGE EMOJI", "Put an emoji under a message", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		return p.sent(c.React(ctx, a[0], control.Reaction{Emoji: a[1], Off: off}))
	})
	cmd.Flags().BoolVar(&off, "off", false, "take it back")
	return cmd
}

func (p *program) readCommand() *cobra.Command {
	cmd := verb(p, "read WHO [MESSAGE]", "Say that messages have been seen, up to one or all", cobra.RangeArgs(1, 2), func(ctx context.Context, c *control.Client, a []string) error {
		if len(a) == 2 {
			return c.MarkRead(ctx, a[0], a[1])
		}
		page, err := c.Messages(ctx, a[0], control.PageQuery{Limit: 1})
		if err != nil || len(page.Rows) == 0 {
			return err
		}
		return c.MarkRead(ctx, a[0], page.Rows[0].ID)
	})
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func (p *program) historyCommand() *cobra.Command {
	q := control.PageQuery{}
	cmd := verb(p, "history WHO", "Show what was said, oldest first", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := c.Contact(ctx, a[0])
		if err != nil {
			return err
		}
		rows, err := history(ctx, c, who.ID, q)
		if err != nil {
			return err
		}
		for _, m := range rows {
			if err := p.print(m, func(w io.Writer) { showMessage(w, m, who.Name) }); err != nil {
				return err
			}
		}
		return nil
	})
	cmd.Flags().IntVar(&q.Limit, "limit", 50, "how many messages")
	cmd.Flags().StringVar(&q.Before, "before", "", "those before a `message`")
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

// history reads the last messages, in pages as large as the node gives.
func history(ctx context.Context, c *control.Client, who string, q control.PageQuery) ([]control.Message, error) {
	const pageSize = 500
	if q.Limit < 1 {
		return nil, &usageError{errors.New("--limit must be at least 1")}
	}
	var pages [][]control.Message
	for left := q.Limit; left > 0; {
		q.Limit = min(left, pageSize)
		page, err := c.Messages(ctx, who, q)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page.Rows)
		if !page.Earlier || len(page.Rows) == 0 {
			break
		}
		left -= len(page.Rows)
		q.Before = page.Rows[0].ID
	}
	slices.Reverse(pages)
	return slices.Concat(pages...), nil
}

// showMessage writes a message as one paragraph for people.
func showMessage(w io.Writer, m control.Message, name string) {
	who, when := name, m.Time.Local().Format("2006-01-02 15:04")
	if m.Mine {
		who = "you"
	}
	if m.Kind == control.KindDevice {
		fmt.Fprintf(w, "%s  %s\n", when, messageText(m, name))
		return
	}
	fmt.Fprintf(w, "%s  %s: %s%s", when, who, messageText(m, name), messageMarks(m))
	if m.Mine && m.Kind != control.KindDeleted {
		fmt.Fprint(w, "  ["+m.State+"]")
	}
	fmt.Fprintln(w)
}

// messageText is what a message says, or what stands in its place. name is the
// friend's.
func messageText(m control.Message, name string) string {
	switch m.Kind {
	case control.KindDeleted:
		return "(deleted)"
	case control.KindDevice:
		return deviceText(m, name)
	case control.KindCall:
		return callRowText(m)
	case control.KindUnknown:
		return "(made by a newer version)"
	}
	return m.Shown()
}

// messageMarks says whether a message was edited, and the reactions to it.
func messageMarks(m control.Message) string {
	var b strings.Builder
	if m.Edited {
		b.WriteString(" (edited)")
	}
	for _, r := range m.Reactions {
		fmt.Fprintf(&b, " %s%d", r.Emoji, len(r.By))
	}
	return b.String()
}

// callRowText says what became of a call, who having called.
func callRowText(m control.Message) string {
	x := m.Call
	switch {
	case x == nil:
		return "(call)"
	case x.Seconds > 0 && x.Reason == control.EndLost:
		return "(call of " + (time.Duration(x.Seconds) * time.Second).String() + ", broke off)"
	case x.Seconds > 0:
		return "(call of " + (time.Duration(x.Seconds) * time.Second).String() + ")"
	}
	return "(call: " + x.Reason + ")"
}

// deviceText says whose devices changed, and which one came or went.
func deviceText(m control.Message, friend string) string {
	d := m.Device
	if d == nil {
		return friend + " changed devices"
	}
	who := friend
	if d.Mine {
		who = "you"
	}
	switch {
	case d.Name == "":
	case d.Act == control.DeviceAdded:
		return who + " added the device " + d.Name
	case d.Act == control.DeviceRevoked:
		return who + " removed the device " + d.Name
	}
	return who + " changed devices"
}

func (p *program) searchCommand() *cobra.Command {
	var who string
	var limit int
	cmd := verb(p, "search WORDS…", "Find messages", cobra.MinimumNArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		hits, err := c.Search(ctx, strings.Join(a, " "), who, limit)
		if err != nil {
			return err
		}
		for _, h := range hits {
			err := p.print(h, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s\n", h.Message.Time.Local().Format("2006-01-02 15:04"), h.Shown())
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	cmd.Flags().StringVar(&who, "who", "", "only in the conversation with somebody")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most")
	return cmd
}

func (p *program) exportCommand() *cobra.Command {
	cmd := verb(p, "export WHO", "Write a whole conversation: text, or JSON lines with --json", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := c.Contact(ctx, a[0])
		if err != nil {
			return err
		}
		body, err := c.Export(ctx, who.ID)
		if err != nil {
			return err
		}
		defer body.Close()
		if p.json {
			_, err := io.Copy(p.out, body)
			return err
		}
		in := json.NewDecoder(bufio.NewReader(body))
		for {
			var m control.Message
			err := in.Decode(&m)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("the export broke off: %w", err)
			}
			showMessage(p.out, m, who.Name)
		}
	})
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}
