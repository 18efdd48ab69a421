package app

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

// testSound hears whether this machine can call, alone or with a friend's.
func (p *program) testSound(ctx context.Context, c *control.Client, who []string) error {
	set, err := c.Settings(ctx)
	if err != nil {
		return err
	}
	words := spokenWords(set.Language)
	step := func(step string) {
		if !p.json {
			fmt.Fprintln(p.out, inWords(words, "test.step."+step))
		}
	}
	test := c.FollowTest
	if len(who) > 0 {
		test = func(ctx context.Context, step func(string)) (control.EchoReport, error) {
			return c.FollowTestWith(ctx, who[0], step)
		}
	}
	r, err := test(ctx, step)
	if err != nil {
		return err
	}
	return p.print(r, func(w io.Writer) {
		for _, say := range r.Sentences(func(key string, args ...any) string { return inWords(words, key, args...) }) {
			fmt.Fprintln(w, say)
		}
	})
}

func (p *program) allowEchoCommand() *cobra.Command {
	var off bool
	cmd := p.about("allow-echo", "Let a friend's machine test its sound with this one", func(ctx context.Context, c *control.Client, who string) (control.Contact, error) {
		on := !off
		return c.EditContact(ctx, who, control.ContactEdit{Echo: &on})
	})
	cmd.Long = `Let a friend's machine test its sound with this one, whenever both are online,
until it is taken back with --off. Nobody has to answer and nothing rings: what
this machine receives it sends back, for 15 seconds at most. The microphone
stays closed. The friend runs “entrenous call --test YOU”.`
	cmd.Flags().BoolVar(&off, "off", false, "take it back")
	return cmd
}

func (p *program) volumeCommand() *cobra.Command {
	cmd := verb(p, "volume WHO DB", "Hear somebody louder or quieter in calls", cobra.ExactArgs(2), func(ctx context.Context, c *control.Client, a []string) error {
		db, err := strconv.ParseFloat(a[1], 64)
		if err != nil || math.IsNaN(db) || db < -40 || db > 20 {
			return &usageError{fmt.Errorf("%q is no volume: say decibels from -40 to 20, where 0 is as they are", a[1])}
		}
		who, err := c.EditContact(ctx, a[0], control.ContactEdit{Volume: &db})
		if err != nil {
			return err
		}
		return p.print(who, func(w io.Writer) { fmt.Fprintf(w, "%s: %+.0f dB\n", who.Name, who.Volume) })
	})
	cmd.Long = `Hear somebody louder or quieter, by decibels: 6 is twice as loud, -6 half. It
holds for the call that goes on and for those to come. For less than nothing
write “entrenous volume WHO -- -6”.`
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

func (p *program) devicesCommand() *cobra.Command {
	var mic, speaker, ring string
	cmd := verb(p, "devices", "List microphones and loudspeakers, or choose them", cobra.NoArgs, nil)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.client()
		if err != nil {
			return err
		}
		defer c.Close()
		var choice control.SoundChoice
		ask := c.SoundDevices
		for name, f := range map[string]struct {
			from string
			to   **string
		}{"mic": {mic, &choice.Mic}, "speaker": {speaker, &choice.Speaker}, "ring": {ring, &choice.Ring}} {
			if cmd.Flags().Changed(name) {
				*f.to = &f.from
				ask = func(ctx context.Context) ([]control.SoundDevice, error) { return c.ChooseSound(ctx, choice) }
			}
		}
		all, err := ask(cmd.Context())
		if err != nil {
			return err
		}
		return p.showDevices(all)
	}
	cmd.Flags().StringVar(&mic, "mic", "", "take the microphone with this `id`; empty is the system's choice")
	cmd.Flags().StringVar(&speaker, "speaker", "", "take the loudspeaker with this `id`; empty is the system's choice")
	cmd.Flags().StringVar(&ring, "ring", "", "ring at the loudspeaker with this `id`; empty rings where calls are heard")
	return cmd
}

func (p *program) showDevices(all []control.SoundDevice) error {
	if p.json {
		for _, d := range all {
			if err := p.print(d, nil); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintln(p.out, "There are no sound devices to choose from.")
		return nil
	}
	t := tabwriter.NewWriter(p.out, 2, 8, 2, ' ', 0)
	for _, d := range all {
		mark, rings := " ", ""
		if d.Chosen {
			mark = "*"
		}
		if d.Rings {
			rings = "rings"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", mark, d.Kind, rings, d.Name, d.ID)
	}
	return t.Flush()
}
