package app

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

func (p *program) networkCommand() *cobra.Command {
	var lanOnly bool
	var add, remove []string
	var cmd *cobra.Command
	cmd = verb(p, "network", "Show how this device meets the network, or change it", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		now, err := c.Network(ctx)
		if err != nil {
			return err
		}
		var e control.NetworkEdit
		if cmd.Flags().Changed("lan-only") {
			e.LANOnly = &lanOnly
		}
		if len(add)+len(remove) > 0 {
			relays := slices.DeleteFunc(append(now.Relays, add...), func(r string) bool { return slices.Contains(remove, r) })
			e.Relays = &relays
		}
		if e != (control.NetworkEdit{}) {
			if now, err = c.EditNetwork(ctx, e); err != nil {
				return err
			}
		}
		return p.print(now, func(w io.Writer) { showNetwork(w, now) })
	})
	cmd.Long = `Show how this device meets the network, or change it. With a change the node
begins anew, in a fraction of a second; a call ends.

With --lan-only nothing leaves the networks that this computer is on: friends
there are found, written to and called as always, even where there is no internet.`
	cmd.Flags().BoolVar(&lanOnly, "lan-only", false, "talk to local networks only (--lan-only=false: to all)")
	cmd.Flags().StringArrayVar(&add, "add-relay", nil, "a `multiaddr` with /p2p/ of a relay to be reachable through; again for more")
	cmd.Flags().StringArrayVar(&remove, "remove-relay", nil, "a `multiaddr` of a relay to let go; again for more")
	return cmd
}

func showNetwork(w io.Writer, n control.Network) {
	switch {
	case n.Forced:
		fmt.Fprintln(w, "Only local networks are used, as this node was started to do.")
	case n.LANOnly:
		fmt.Fprintln(w, "Only local networks are used.")
	default:
		fmt.Fprintln(w, "All networks are used.")
	}
	for _, r := range n.States {
		state := "does not answer"
		if r.Ready {
			state = "passes on to you"
		}
		fmt.Fprintf(w, "Relay %s %s\n  %s\n", r.Name, state, r.Addr)
	}
}
