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
	var lanOnly, mapPort bool
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
		if cmd.Flags().Changed("map-port") {
			e.MapPort = &mapPort
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
	cmd.Flags().BoolVar(&mapPort, "map-port", true, "ask the router to open a port (--map-port=false: do not)")
	cmd.Flags().StringArrayVar(&add, "add-relay", nil, "a `multiaddr` with /p2p/ of a relay to be reachable through; again for more")
	cmd.Flags().StringArrayVar(&remove, "remove-relay", nil, "a `multiaddr` of a relay to let go; again for more")
	return cmd
}

func (p *program) lendCommand() *cobra.Command {
	var rate, month int64
	var theirs bool
	var cmd *cobra.Command
	cmd = verb(p, "lend [on|off]", "Pass on for friends whose routers keep them apart, and see what was", cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), func(ctx context.Context, c *control.Client, a []string) error {
		now, err := c.Network(ctx)
		if err != nil {
			return err
		}
		next := now.Lend
		if len(a) == 1 {
			next.On = a[0] == "on"
		}
		for flag, set := range map[string]func(){
			"rate": func() { next.Rate = rate }, "month": func() { next.Month = month }, "theirs": func() { next.ToTheirs = theirs },
		} {
			if cmd.Flags().Changed(flag) {
				set()
			}
		}
		if next != now.Lend {
			if now, err = c.EditNetwork(ctx, control.NetworkEdit{Lend: &next}); err != nil {
				return err
			}
		}
		return p.print(now, func(w io.Writer) { showLent(w, now) })
	})
	cmd.ValidArgs = []string{"on", "off"}
	cmd.Long = `Pass on, on a computer that can be reached from everywhere, what friends and
theirs cannot send each other directly. It is encrypted between them: you see who
meets whom, when and how much. Strangers are not served; friends find out by
themselves that you lend a hand. Not while you hide your address from anybody.`
	cmd.Flags().Int64Var(&rate, "rate", 0, "at most so many `KiB` a second, all together (0: no limit)")
	cmd.Flags().Int64Var(&month, "month", 0, "at most so many `MiB` a month (0: no limit)")
	cmd.Flags().BoolVar(&theirs, "theirs", false, "let people who are no friends of yours reach your friends through you")
	return cmd
}

func showLent(w io.Writer, n control.Network) {
	if n.Lend.On {
		fmt.Fprintln(w, "You lend your friends a hand.")
	} else {
		fmt.Fprintln(w, "You do not lend a hand.")
	}
	fmt.Fprintf(w, "This month %s were passed on", inBytes(n.Lent.Month))
	if n.Lend.Month > 0 {
		fmt.Fprintf(w, " of %s", inBytes(n.Lend.Month<<20))
	}
	fmt.Fprintln(w, ".")
	for _, one := range n.Lent.Week {
		fmt.Fprintf(w, "  %s for %s this week\n", inBytes(one.Bytes), one.Name)
	}
}

// inBytes is an amount for people.
func inBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.0f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
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
	if !n.MapPort || n.Unasked {
		fmt.Fprintln(w, "The router is not asked to open a port.")
	}
	for _, r := range n.States {
		state := "does not answer"
		switch {
		case r.Ready && r.Small:
			state = "passes on a little to you: too little for calls"
		case r.Ready && r.From == "open":
			state = "passes on to you, offered by a stranger"
		case r.Ready:
			state = "passes on to you"
		}
		fmt.Fprintf(w, "Relay %s %s\n  %s\n", r.Name, state, r.Addr)
	}
}

// choice is a command for one of the settings that is on or off, and what it says of each.
type choice struct {
	name, short, long string
	on, off           string
	of                func(*control.Settings) *bool
}

func (p *program) choiceCommand(h choice) *cobra.Command {
	cmd := verb(p, h.name+" [on|off]", h.short, cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), func(ctx context.Context, c *control.Client, a []string) error {
		set, err := c.Settings(ctx)
		if err == nil && len(a) == 1 && *h.of(&set) != (a[0] == "on") {
			*h.of(&set) = a[0] == "on"
			set, err = c.PutSettings(ctx, set)
		}
		if err != nil {
			return err
		}
		on, said := *h.of(&set), h.off
		if on {
			said = h.on
		}
		return p.print(struct {
			On bool `json:"on"`
		}{on}, func(w io.Writer) { fmt.Fprintln(w, said) })
	})
	cmd.ValidArgs = []string{"on", "off"}
	cmd.Long = h.long
	return cmd
}

func (p *program) passOnCommand() *cobra.Command {
	return p.choiceCommand(choice{
		name: "pass-on", short: "Let friends in common help to meet again who both moved",
		of:  func(s *control.Settings) *bool { return &s.PassOn },
		on:  "Friends who take part pass on sealed notes of where you are, and you theirs.",
		off: "Nobody passes on where you are.",
		long: `When you and a friend both moved, a friend of both who is connected hands on where
each of you is. The notes are sealed for the friend they are for: whoever hands
them on sees how many you leave, and neither what they say nor who reads them.
All three must have turned this on; it is off until you do.`,
	})
}

func (p *program) saveBandwidthCommand() *cobra.Command {
	return p.choiceCommand(choice{
		name: "save-bandwidth", short: "Let calls send less while nobody speaks",
		of:  func(s *control.Settings) *bool { return &s.SaveBandwidth },
		on:  "Calls that begin now send less while nobody speaks.",
		off: "Calls send the same all the time, whether somebody speaks or not.",
		long: `Calls send packets of one size at an even pace, so that who watches the line does
not learn when somebody speaks. With this on they send little in pauses, which is
worth it where each byte is paid for, and shows when you speak. It holds for what
this computer sends, in calls that begin from then on; it is off until you say so.`,
	})
}

func (p *program) lowLatencyCommand() *cobra.Command {
	return p.choiceCommand(choice{
		name: "low-latency", short: "Let calls be heard as soon as can be",
		of:  func(s *control.Settings) *bool { return &s.LowLatency },
		on:  "Calls that begin now are heard as soon as can be.",
		off: "Calls are heard at the usual delay.",
		long: `What a friend says is heard here some 15 ms sooner with this on, for instance to make music
together. It makes this computer work more, as sound goes to the loudspeaker in
bites of 5 ms instead of 10, and leaves more gaps on a bad line. It holds for this
computer, in calls that begin from then on; it is off until you say so.`,
	})
}
