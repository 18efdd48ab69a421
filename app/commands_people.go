package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skip2/go-qrcode"
	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

func (p *program) inviteCommand() *cobra.Command {
	var n control.NewInvite
	var expires time.Duration
	cmd := verb(p, "invite", "Make a link to hand to a friend", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		if expires != 0 && expires < time.Second {
			return &usageError{fmt.Errorf("--expires %v: at least 1s", expires)}
		}
		n.Expires = int64(expires / time.Second)
		i, err := c.Invite(ctx, n)
		if err != nil {
			return err
		}
		return p.print(i, func(w io.Writer) { showInvite(w, i) })
	})
	cmd.Long = `Make a link to hand to a friend over any channel you trust, or as a QR code.

With --once, whoever uses it first becomes a friend without another question;
it ends after a week unless --expires says otherwise. Without --once it is your
permanent address: whoever has it may ask, and you accept or not.`
	cmd.Flags().BoolVar(&n.Once, "once", false, "works once, and makes you friends at once")
	cmd.Flags().DurationVar(&expires, "expires", 0, "how long it works, such as 48h")
	return cmd
}

func showInvite(w io.Writer, i control.Invite) {
	if q, err := qrcode.New(i.QR, qrcode.Low); err == nil {
		fmt.Fprint(w, q.ToSmallString(false))
	}
	fmt.Fprintln(w, i.Link)
	if i.Once {
		fmt.Fprintf(w, "Works once, until %s.\n", i.Expires.Local().Format("2 January 15:04"))
	}
}

func (p *program) addCommand() *cobra.Command {
	var n control.NewContact
	cmd := verb(p, "add LINK", "Add the friend behind a link", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		n.Link = a[0]
		who, err := c.Add(ctx, n)
		if err != nil {
			return err
		}
		if !p.json {
			who = introduced(ctx, c, who)
		}
		return p.print(who, func(w io.Writer) {
			if who.State == control.SentReq && !who.Spent {
				fmt.Fprintf(w, "Asked. Until they answer they are called %s here.\n", who.Name)
				return
			}
			fmt.Fprintf(w, "%s: %s\n", who.Name, stateText(who))
		})
	})
	cmd.Flags().StringVar(&n.Name, "as", "", "what you call them")
	cmd.Flags().StringVar(&n.Note, "note", "", "a few words shown with the request")
	return cmd
}

// answerPatience is how long a person at a terminal waits for an answer of who
// they asked, and namePatience for the name of who answered, which comes next.
const (
	answerPatience = 2 * time.Second
	namePatience   = 10 * time.Second
)

// introduced waits a moment for the answer of somebody who was just asked, and
// who goes by the beginning of their id until then: a link carries no name.
func introduced(ctx context.Context, c *control.Client, who control.Contact) control.Contact {
	ctx, cancel := context.WithTimeout(ctx, namePatience)
	defer cancel()
	silence := time.AfterFunc(answerPatience, cancel)
	defer silence.Stop()
	changes, err := c.Watch(ctx, false)
	if err != nil {
		return who
	}
	defer changes.Close()
	for !who.Spent && strings.HasPrefix(who.ID, who.Name) {
		if _, err := changes.Next(); err != nil { // the first says hello
			break
		}
		now, err := c.Contact(ctx, who.ID)
		if err != nil {
			break
		}
		who = now
		if who.Presence == control.Online {
			silence.Stop()
		}
	}
	return who
}

func stateText(c control.Contact) string {
	switch c.State {
	case control.Friend:
		return c.Presence
	case control.Request:
		return "asks to be your friend: “entrenous accept " + c.Name + "”"
	case control.SentReq:
		if c.Spent {
			return "this invite was used or has expired: ask for a new one"
		}
		return "asked, no answer yet"
	}
	return c.State
}

func (p *program) contactsCommand() *cobra.Command {
	return verb(p, "contacts", "List everybody", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		all, err := c.Contacts(ctx)
		if err != nil {
			return err
		}
		if p.json {
			for _, one := range all {
				if err := p.print(one, nil); err != nil {
					return err
				}
			}
			return nil
		}
		if len(all) == 0 {
			fmt.Fprintln(p.out, "Nobody yet. Make a link with “entrenous invite --once”, or add one with “entrenous add LINK”.")
			return nil
		}
		t := tabwriter.NewWriter(p.out, 2, 8, 2, ' ', 0)
		for _, one := range all {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", one.Name, stateText(one), one.Path, one.ID)
		}
		return t.Flush()
	})
}

// about makes a command about one person that answers with how they are then.
func (p *program) about(use, short string, do func(context.Context, *control.Client, string) (control.Contact, error)) *cobra.Command {
	cmd := verb(p, use+" WHO", short, cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := do(ctx, c, a[0])
		if err != nil {
			return err
		}
		return p.print(who, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", who.Name, stateText(who)) })
	})
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

// completeWho lets a shell complete names.
func (p *program) completeWho(cmd *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := p.client()
	if err != nil || len(a) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
	defer cancel()
	all, err := c.Contacts(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) acceptCommand() *cobra.Command {
	return p.about("accept", "Accept somebody's request", func(ctx context.Context, c *control.Client, who string) (control.Contact, error) {
		return c.Accept(ctx, who)
	})
}

func (p *program) blockCommand() *cobra.Command {
	return p.about("block", "Refuse everything from somebody", func(ctx context.Context, c *control.Client, who string) (control.Contact, error) {
		return c.Block(ctx, who)
	})
}

func (p *program) unblockCommand() *cobra.Command {
	return p.about("unblock", "Take a block back", func(ctx context.Context, c *control.Client, who string) (control.Contact, error) {
		return c.Unblock(ctx, who)
	})
}

func (p *program) renameCommand() *cobra.Command {
	cmd := verb(p, "rename WHO NAME", "Call somebody by another name, here only", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := c.EditContact(ctx, a[0], control.ContactEdit{Name: &a[1]})
		if err != nil {
			return err
		}
		return p.print(who, func(w io.Writer) { fmt.Fprintln(w, who.Name) })
	})
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func (p *program) routeCommand() *cobra.Command {
	cmd := verb(p, "route WHO [direct|through|relay]", "Show or choose by which paths somebody is talked to", cobra.RangeArgs(1, 2), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := c.Contact(ctx, a[0])
		if err == nil && len(a) == 2 {
			who, err = c.EditContact(ctx, a[0], control.ContactEdit{Route: &a[1]})
		}
		if err != nil {
			return err
		}
		return p.print(who, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", who.Name, routeText(who.Route)) })
	})
	cmd.Long = `Show or choose by which paths somebody is talked to, and so who learns the network
address of this computer:

  direct   by any path; they learn it, as everybody does whom you call
  through  only through friends who lend a hand, and relays that you named
  relay    only through relays that you named and that are no friend's

They keep what they learnt before.`
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func routeText(route string) string {
	switch route {
	case control.RouteThrough:
		return "only through friends and relays; they do not learn your address"
	case control.RouteRelay:
		return "only through relays; neither they nor friends of yours learn your address by it"
	}
	return "by any path; they learn your address"
}

func (p *program) removeCommand() *cobra.Command {
	cmd := verb(p, "remove WHO", "Forget somebody, and everything that was said with them", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		who, err := c.Contact(ctx, a[0])
		if err != nil {
			return err
		}
		if err := c.Remove(ctx, who.ID); err != nil {
			return err
		}
		return p.print(struct {
			ID      string `json:"id"`
			Removed bool   `json:"removed"`
		}{who.ID, true}, func(w io.Writer) { fmt.Fprintf(w, "%s is removed.\n", who.Name) })
	})
	cmd.Long = `Forget somebody, and everything that was said with them. Whoever asks to be your
friend is declined by this: they are not told, and what they ask later is not
shown, until you add them or they use a one-time invite of yours.`
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	var ok, undo bool
	cmd := verb(p, "verify WHO", "Show the safety number shared with somebody", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		if ok && undo {
			return &usageError{errors.New("--ok marks the number and --undo takes the mark back: choose one")}
		}
		s, err := c.Safety(ctx, a[0])
		if err == nil && (ok || undo) {
			s, err = c.Verify(ctx, a[0], ok)
		}
		if err != nil {
			return err
		}
		return p.print(s, func(w io.Writer) { showSafety(w, s) })
	})
	cmd.Long = `Show the safety number shared with somebody. Compare it with what they see, side
by side or in a call: if it is the same, nobody sits between you. Then mark it
with --ok.`
	cmd.Flags().BoolVar(&ok, "ok", false, "mark it as compared and the same")
	cmd.Flags().BoolVar(&undo, "undo", false, "take the mark back")
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func showSafety(w io.Writer, s control.Safety) {
	groups := strings.Fields(s.Number)
	for len(groups) > 0 {
		n := min(len(groups), 4)
		fmt.Fprintln(w, strings.Join(groups[:n], " "))
		groups = groups[n:]
	}
	fmt.Fprintln(w, strings.Join(s.Words, " "))
	if s.Verified {
		fmt.Fprintln(w, "Verified.")
	}
}
