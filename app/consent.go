package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/entrenous/entrenous/app/control"
)

// consent comes before the first call with a friend whose safety number was not
// compared, who then may learn where this computer is. A person at a terminal is
// asked, and the choice is kept with the friend, as in the window. Without a
// terminal it is only said; a script that reads --json has decided.
func (p *program) consent(ctx context.Context, c *control.Client, who string) error {
	x, err := c.Contact(ctx, who)
	if err != nil {
		return err
	}
	if p.json || x.State != control.Friend || x.Verified || x.Asked {
		return nil
	}
	tty, ok := p.in.(*os.File)
	switch {
	case !ok || !term.IsTerminal(int(tty.Fd())):
		fmt.Fprintf(p.err, "In a direct call %s sees your network address. “entrenous route %s through” keeps it from them.\n", x.Name, x.Name)
		return nil
	case x.Called: // they know it already
		return nil
	}
	fmt.Fprintf(p.err, "This is your first call with %s, and you have not compared safety numbers yet.\n"+
		"In a direct call %s sees your network address, which tells roughly where you are.\n", x.Name, x.Name)
	route, err := p.askRoute(tty)
	if err != nil {
		return err
	}
	_, err = c.EditContact(ctx, x.ID, control.ContactEdit{Route: &route})
	return err
}

// askRoute lets the person at a terminal choose.
func (p *program) askRoute(tty *os.File) (route string, err error) {
	err = p.atTerminal(tty, func(t *term.Terminal) error {
		t.SetPrompt("Connect directly (d), only through friends and relays (t), or not at all (n)? ")
		for route == "" {
			typed, err := t.ReadLine()
			if err != nil {
				return err
			}
			switch strings.ToLower(strings.TrimSpace(typed)) {
			case "d":
				route = control.RouteDirect
			case "t":
				route = control.RouteThrough
			case "n":
				return io.EOF
			}
		}
		return nil
	})
	return route, err
}

// atTerminal asks something on a terminal, which shows nothing by itself
// meanwhile. Ctrl+C and Ctrl+D are context.Canceled.
func (p *program) atTerminal(tty *os.File, ask func(*term.Terminal) error) error {
	before, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return fmt.Errorf("quiet the terminal: %w", err)
	}
	defer func() { _ = term.Restore(int(tty.Fd()), before) }()
	err = ask(term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{tty, p.err}, ""))
	if errors.Is(err, io.EOF) {
		return context.Canceled
	}
	return err
}
