package app

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

const aboutProgram = `Entrenous carries messages straight between you and your friends: encrypted end
to end, without any server. Every installation is client and server at once.

Without a command the window opens. The commands speak to the node that runs
behind it, or to one started with “entrenous daemon”.

WHO is a friend's name as you call them, their id, or a unique beginning of either.`

const aboutExits = `
Exit codes: 0 done · 1 failed · 2 wrong use · 3 no node runs · 4 nobody or no message fits ·
5 --wait ended · 6 wrong passphrase · 7 not possible now · 8 disk full or read-only.
With --json, answers are one JSON object a line on standard output, and errors
{"error":…,"hint":…,"code":…} on standard error.`

// root builds the tree of commands.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use: "entrenous", Short: "Messages straight between friends", Long: aboutProgram + "\n" + aboutExits,
		Args: args(cobra.NoArgs), SilenceErrors: true, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return p.window(c.Context()) },
		Example: `  entrenous                          open the window
  entrenous init --name Ana          make an identity without a window
  entrenous invite --once            a link that makes you friends at once
  entrenous send Bo "Tea at four?"   write to a friend`,
	}
	f := root.PersistentFlags()
	f.StringVar(&p.profile, "profile", "", "profile `folder` (default: $"+profileEnv+", else the system's data folder)")
	f.StringVar(&p.passFile, "passphrase-file", "", "read the passphrase from the first line of a `file`")
	f.BoolVar(&p.json, "json", false, "one JSON object a line")
	f.BoolVarP(&p.verbose, "verbose", "v", false, "log each step of the protocol to standard error")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddGroup(&cobra.Group{ID: "account", Title: "Your account:"}, &cobra.Group{ID: "people", Title: "People:"},
		&cobra.Group{ID: "talk", Title: "Messages:"}, &cobra.Group{ID: "call", Title: "Calls:"}, &cobra.Group{ID: "run", Title: "Running and watching:"})
	group(root, "account", p.initCommand(), p.restoreCommand(), p.idCommand(), p.backupCommand())
	group(root, "people", p.inviteCommand(), p.addCommand(), p.contactsCommand(), p.acceptCommand(), p.renameCommand(), p.routeCommand(),
		p.visibleCommand(), p.nearbyCommand(), p.blockCommand(), p.unblockCommand(), p.removeCommand(), p.verifyCommand())
	group(root, "talk", p.sendCommand(), p.replyCommand(), p.editCommand(), p.deleteCommand(), p.reactCommand(),
		p.readCommand(), p.historyCommand(), p.searchCommand(), p.exportCommand())
	group(root, "call", p.callCommand(), p.answerCommand(), p.declineCommand(), p.hangupCommand(), p.muteCommand(),
		p.holdCommand(), p.recordCommand(), p.callsCommand(), p.devicesCommand(),
		p.allowEchoCommand(), p.volumeCommand(), p.saveBandwidthCommand(), p.lowLatencyCommand())
	group(root, "run", p.daemonCommand(), p.relayCommand(), p.watchCommand(), p.statusCommand(), p.doctorCommand(), p.networkCommand(), p.lendCommand(), p.passOnCommand(), p.quitCommand())
	root.AddCommand(p.manCommand(root))
	return root
}

func group(root *cobra.Command, id string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = id
		root.AddCommand(c)
	}
}

// verb makes a command that asks the node one thing.
func verb(p *program, use, short string, check cobra.PositionalArgs, run func(ctx context.Context, c *control.Client, a []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args(check),
		RunE: func(cmd *cobra.Command, a []string) error {
			c, err := p.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return run(cmd.Context(), c, a)
		},
	}
}

func (p *program) idCommand() *cobra.Command {
	return verb(p, "id", "Show your id and this device's", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		s, err := readyStatus(ctx, c)
		if err != nil {
			return err
		}
		out := struct {
			ID     string `json:"id"`
			Device string `json:"device"`
			Name   string `json:"name"`
		}{s.ID, s.Device, s.Name}
		return p.print(out, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s, device %s\n", s.ID, s.Name, s.Device) })
	})
}

// readyStatus asks for the status of a node that is running.
func readyStatus(ctx context.Context, c *control.Client) (control.Status, error) {
	s, err := c.Status(ctx)
	switch {
	case err != nil:
		return s, err
	case s.State == control.Empty:
		return s, &control.Failure{Message: "This profile has no identity yet", Hint: "Make one with “entrenous init --name NAME”", Code: control.CodeState}
	case s.State == control.Locked:
		return s, &control.Failure{Message: "This profile is locked", Hint: "Unlock it in the window, or start “entrenous daemon --passphrase-file FILE”", Code: control.CodeState}
	}
	return s, nil
}

func (p *program) statusCommand() *cobra.Command {
	return verb(p, "status", "Say how the node is doing", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		s, err := c.Status(ctx)
		if err != nil {
			return err
		}
		return p.print(s, func(w io.Writer) {
			if s.State != control.Ready {
				fmt.Fprintf(w, "The profile is %s.\n", s.State)
				return
			}
			fmt.Fprintf(w, "%s on %s, process %d\n%d of %d friends are here, %d messages unread\n", s.Name, s.DeviceName, s.PID, s.Online, s.Friends, s.Unread)
			fmt.Fprintln(w, reachText(s))
			for _, a := range s.Addrs {
				fmt.Fprintln(w, "  "+a)
			}
		})
	})
}

func reachText(s control.Status) string {
	switch s.Reach {
	case control.ReachDirect:
		return "Others can reach this computer directly:"
	case control.ReachRelay:
		return "Others can reach this computer through a relay:"
	case control.ReachLAN:
		return "People on this network can reach this computer:"
	}
	return "This computer is on no network:"
}

func (p *program) doctorCommand() *cobra.Command {
	return verb(p, "doctor", "Look for what is wrong, and say what to do", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		if _, err := readyStatus(ctx, c); err != nil {
			return err
		}
		found, err := c.Doctor(ctx)
		if err != nil {
			return err
		}
		for _, f := range found {
			err := p.print(f, func(w io.Writer) {
				fmt.Fprintf(w, "%s %s\n", map[string]string{"good": "✓", "warn": "!", "bad": "✗"}[f.State], f.Say)
				if f.Do != "" {
					fmt.Fprintf(w, "  → %s\n", f.Do)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *program) quitCommand() *cobra.Command {
	return verb(p, "quit", "Stop the node and its window", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		return c.Quit(ctx)
	})
}
