package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

func (p *program) daemonCommand() *cobra.Command {
	d := &daemon{}
	var find finding
	var forWindow bool
	var audio string
	cmd := &cobra.Command{
		Use: "daemon", Short: "Run the node without a window", Args: args(cobra.NoArgs),
		Long: `Run the node without a window until it is interrupted. The window and all other
commands speak to it through the socket in the profile folder.

With --json its first line is {"type":"ready",…}.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.dir()
			if err != nil {
				return err
			}
			d.cfg.Relays = namedRelays(d.cfg.Relays)
			if err := checkAddrs(d.cfg.Listen, d.cfg.Relays, find); err != nil {
				return err
			}
			if err := d.findBy(find); err != nil {
				return err
			}
			d.dir, d.log, d.setup, d.desktop = dir, p.logger(), forWindow, forWindow
			if !forWindow {
				d.passphrase = func() (string, error) { return p.passphrase("Passphrase") }
			}
			if d.cfg.Sound, d.bell, err = newSound(dir, audio, d.log); err != nil {
				return err
			}
			d.ready = p.sayReady
			return d.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&d.cfg.Listen, "listen", nil, "a `multiaddr` to listen on, such as /ip4/0.0.0.0/udp/4001/quic-v1; again for more")
	f.BoolVar(&d.cfg.LANOnly, "lan-only", false, "talk to local networks only")
	f.BoolVar(&d.cfg.NoMap, "no-port-mapping", false, "do not ask the router to open a port (PCP, NAT-PMP, UPnP)")
	f.BoolVar(&d.cfg.NoLAN, "no-lan", false, "do not announce this device on the local network, nor look for friends there")
	f.StringVar(&audio, "audio", "system", "what calls hear and speak with: `system`, null, tone, file:IN.wav,OUT.wav or pulse:SOURCE,SINK")
	f.BoolVar(&d.cfg.AutoAnswer, "auto-answer", false, "answer every call at once; friends who call may learn this computer's address, unless a route was chosen for them")
	find.flags(cmd)
	f.StringArrayVar(&d.cfg.Relays, "relay", nil, "a `multiaddr` with /p2p/ of a relay to be reachable through; again for more")
	f.BoolVar(&forWindow, "for-window", false, "started by the window: wait for it where an identity or a passphrase is missing")
	_ = f.MarkHidden("for-window")
	return cmd
}

// findBy says how friends who moved are found.
func (d *daemon) findBy(f finding) (err error) {
	d.cfg.Bootstrap = f.bootstrap
	d.cfg.DHT, err = f.table(d.cfg.Listen)
	return err
}

// checkAddrs finds addresses that cannot be meant.
func checkAddrs(listen, relays []string, find finding) error {
	for _, a := range listen {
		if !strings.HasPrefix(a, "/ip4/") && !strings.HasPrefix(a, "/ip6/") {
			return &usageError{fmt.Errorf("--listen %s: not a multiaddr such as /ip4/0.0.0.0/udp/4001/quic-v1", a)}
		}
	}
	for flag, addrs := range map[string][]string{"--bootstrap": find.bootstrap, "--relay": relays} {
		for _, a := range addrs {
			if a == noBootstrap && flag == "--bootstrap" {
				continue
			}
			_, peer, _ := strings.Cut(a, "/p2p/")
			if _, err := transport.ParsePeer(peer); err != nil || !strings.HasPrefix(a, "/") {
				return &usageError{fmt.Errorf("%s %s: not a multiaddr such as /ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3…", flag, a)}
			}
		}
	}
	return nil
}

// sayReady tells that the node runs, and where.
func (p *program) sayReady(n *node.Node) {
	out := struct {
		Type   string   `json:"type"`
		ID     string   `json:"id"`
		Device string   `json:"device"`
		Addrs  []string `json:"addrs"`
	}{"ready", n.ID().String(), n.Device().String(), n.Addrs()}
	if p.json {
		_ = json.NewEncoder(p.out).Encode(out)
		return
	}
	fmt.Fprintf(p.out, "Running as %s. Interrupt to stop.\n", n.Settings().Name)
	for _, a := range out.Addrs {
		fmt.Fprintln(p.out, "  "+a)
	}
}

// window opens the window or, where there is no display, runs the node alone.
func (p *program) window(ctx context.Context) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	if hasDisplay() {
		return p.openWindow(ctx, dir)
	}
	fmt.Fprintln(p.err, noDisplay)
	if _, _, err := identity.VaultNeeds(dir); errors.Is(err, identity.ErrNoVault) {
		fmt.Fprintln(p.err, "There is no identity here yet: make one from another terminal with “entrenous init --name NAME”.")
	}
	d := &daemon{dir: dir, log: p.logger(), setup: true, ready: p.sayReady}
	if err := d.findBy(finding{}); err != nil {
		return err
	}
	if d.cfg.Sound, d.bell, err = newSound(dir, "system", d.log); err != nil {
		return err
	}
	d.passphrase = func() (string, error) { return p.passphrase("Passphrase") }
	return d.run(ctx)
}

func (p *program) manCommand(root *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "man FOLDER", Short: "Write the manual pages into a folder", Args: args(cobra.ExactArgs(1)), Hidden: true,
		RunE: func(_ *cobra.Command, a []string) error {
			if err := os.MkdirAll(a[0], 0o755); err != nil {
				return fmt.Errorf("make the folder: %w", err)
			}
			root.DisableAutoGenTag = true // a page says nothing of the day it was made
			return doc.GenManTree(root, &doc.GenManHeader{Title: "ENTRENOUS", Section: "1", Source: "Entrenous"}, a[0])
		},
	}
	return cmd
}
