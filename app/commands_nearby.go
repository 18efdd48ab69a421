package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

func (p *program) visibleCommand() *cobra.Command {
	var span time.Duration
	var off bool
	cmd := verb(p, "visible", "Show yourself to everybody on this network for some minutes", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		v := control.Visible{Seconds: int64(span / time.Second)}
		if off {
			v.Seconds = -1
		}
		n, err := c.ShowUs(ctx, v)
		if err != nil {
			return err
		}
		return p.print(n, func(w io.Writer) { showNearby(w, n) })
	})
	cmd.Long = `Show yourself to everybody on this network for some minutes: your name, and that
one may ask you to become a friend. Otherwise only friends recognise this
device. Afterwards compare the safety number with “entrenous verify”.`
	cmd.Flags().DurationVar(&span, "for", 5*time.Minute, "how long, up to an hour")
	cmd.Flags().BoolVar(&off, "off", false, "no longer")
	return cmd
}

func (p *program) nearbyCommand() *cobra.Command {
	var note string
	cmd := verb(p, "nearby [NAME]", "List who shows themselves on this network, or ask one of them to be a friend", cobra.MaximumNArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		n, err := c.Nearby(ctx)
		if err != nil {
			return err
		}
		if len(a) == 0 {
			return p.print(n, func(w io.Writer) { showNearby(w, n) })
		}
		one, err := oneNearby(n, a[0])
		if err != nil {
			return err
		}
		who, err := c.AddNearby(ctx, one.ID, control.NewContact{Note: note})
		if err != nil {
			return err
		}
		return p.print(who, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", who.Name, stateText(who)) })
	})
	cmd.Flags().StringVar(&note, "note", "", "a few words shown with the request")
	return cmd
}

// oneNearby is the neighbour of a name or id. Anybody may use any name, so two
// of a name must be told apart by their id.
func oneNearby(n control.Nearby, who string) (control.Neighbour, error) {
	var fit []control.Neighbour
	for _, one := range n.People {
		if strings.EqualFold(one.Name, who) || one.ID == who {
			fit = append(fit, one)
		}
	}
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return control.Neighbour{}, &control.Failure{Message: "Nobody of that name or id shows themselves on this network", Hint: "Ask them to run “entrenous visible”, or to turn the switch in the window", Code: control.CodeNotFound}
	}
	f := &control.Failure{Message: "Several people nearby use this name", Hint: "Write the id of the one whose words are the same on both screens", Code: control.CodeAmbiguous}
	for _, one := range fit {
		f.Choices = append(f.Choices, one.Name+" ("+one.ID+"): "+strings.Join(one.Words, " "))
	}
	return control.Neighbour{}, f
}

func showNearby(w io.Writer, n control.Nearby) {
	if n.Until.IsZero() {
		fmt.Fprintln(w, "Only friends see you on this network.")
	} else {
		fmt.Fprintf(w, "Everybody on this network sees you until %s.\n", n.Until.Local().Format("15:04:05"))
	}
	for _, one := range n.People {
		fmt.Fprintf(w, "%s  %s\n  %s\n", one.Name, one.ID, strings.Join(one.Words, " "))
	}
}
