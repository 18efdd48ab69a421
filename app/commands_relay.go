package app

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/transport"
)

// relaysEnv names relays, separated by spaces, for a node that the window starts.
const relaysEnv = "ENTRENOUS_RELAYS"

// relayKeyName is the file of a relay's network key.
const relayKeyName = "relay.key"

const relayUnit = `[Unit]
Description=Entrenous relay
Wants=network-online.target
After=network-online.target

[Service]
DynamicUser=yes
StateDirectory=entrenous-relay
ExecStart=%s relay --profile /var/lib/entrenous-relay --listen /ip4/0.0.0.0/udp/4001/quic-v1 --listen /ip4/0.0.0.0/tcp/4001 --listen /ip6/::/udp/4001/quic-v1 --listen /ip6/::/tcp/4001
Restart=on-failure
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes

[Install]
WantedBy=multi-user.target
`

func (p *program) relayCommand() *cobra.Command {
	cfg := transport.Config{Lend: &transport.Lend{}, NoLAN: true}
	var unit bool
	var find finding
	var mib int64
	var terms relayTerms
	cmd := &cobra.Command{
		Use: "relay", Short: "Carry encrypted traffic between friends who cannot reach each other", Args: args(cobra.NoArgs),
		Long: `Carry traffic between friends whose routers keep them apart, from a computer with
an address that everybody can reach. What passes is encrypted end to end: a relay
sees network addresses and amounts, nothing else. It helps both to connect
directly where their routers allow that, and tells whoever asks at which address
they are seen (STUN). What it passed on stands in the profile folder and in the
metrics: this month in all, this week for each device.

Friends name it with “entrenous daemon --relay ADDRESS”, or in $` + relaysEnv + ` for the
window; its addresses then travel in their invites.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if unit {
				self, err := os.Executable()
				if err != nil {
					return fmt.Errorf("find the program: %w", err)
				}
				fmt.Fprintf(p.out, relayUnit, self)
				return nil
			}
			if err := checkAddrs(cfg.Listen, nil, find); err != nil {
				return err
			}
			cfg.Lend.Bytes = mib << 20
			cfg.DHT = find.served(cfg.Listen)
			if cfg.Lend.Open && (cfg.DHT == nil || len(terms.peers) > 0) {
				return &usageError{errors.New("--open: neither with --no-dht, by which nobody finds it, nor with --for")}
			}
			return p.relay(cmd.Context(), cfg, terms)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&cfg.Listen, "listen", nil, "a `multiaddr` to listen on; again for more (default: port 4001, QUIC and TCP, IPv4 and IPv6)")
	f.DurationVar(&cfg.Lend.Duration, "circuit-time", 0, "how long one connection may last (default 12h)")
	f.Int64Var(&mib, "circuit-data", 0, "how many `MiB` one connection may carry in each direction (default 1024)")
	f.IntVar(&cfg.Lend.Reservations, "people", 0, "how many may be reached through it at once (default 128)")
	f.Int64Var(&terms.rate, "rate", 0, "pass on at most so many `KiB` a second, all together (default: as fast as it goes)")
	f.Int64Var(&terms.month, "month", 0, "pass on at most so many `MiB` a month (default: no limit)")
	f.BoolVar(&cfg.Lend.Open, "open", false, "offer it to strangers too, who find it by themselves; each connection then lasts 2 minutes and carries 128 KiB, enough to find a direct way, unless --circuit-time and --circuit-data say more")
	f.StringArrayVar(&terms.peers, "for", nil, "a `peer` id, or an address with one, that may be reached through it; again for more (default: everybody)")
	f.StringVar(&terms.metrics, "metrics", "", "an `address` of this machine, such as 127.0.0.1:9464, at which a monitoring program reads /metrics")
	find.flags(cmd)
	f.BoolVar(&unit, "print-unit", false, "print a systemd unit that runs it, and do nothing else")
	return cmd
}

// defaultRelayPort is the one libp2p nodes commonly listen on.
const defaultRelayPort = 4001

// relayTerms are what the owner of a relay gives, and to whom.
type relayTerms struct {
	rate, month int64 // KiB a second, MiB a month; 0 is no limit
	peers       []string
	metrics     string
}

func (p *program) relay(ctx context.Context, cfg transport.Config, terms relayTerms) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	l, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer l.release()
	if cfg.Key, err = relayKey(dir); err != nil {
		return err
	}
	cfg.Log, cfg.Port = p.logger(), defaultRelayPort
	cfg.Lend.Meter, cfg.Lend.Rate, cfg.Lend.STUN = &transport.Meter{}, terms.rate<<10, true
	if cfg.Lend.For, err = only(terms.peers); err != nil {
		return err
	}
	books, err := openBooks(dir, terms.month<<20, cfg.Lend.Meter, cfg.Log)
	if err != nil {
		return err
	}
	h, err := transport.Listen(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(p.runRelay(ctx, h, books, terms.metrics), h.Close())
}

// runRelay says where the relay is, and keeps its books until ctx ends.
func (p *program) runRelay(ctx context.Context, h *transport.Host, books *relayBooks, metrics string) error {
	out := struct {
		Type    string   `json:"type"`
		Addrs   []string `json:"addrs"`
		Metrics string   `json:"metrics,omitempty"`
	}{Type: "ready", Addrs: h.Addrs()}
	if metrics != "" {
		at, stop, err := books.serve(ctx, metrics)
		if err != nil {
			return err
		}
		out.Metrics = at
		defer func() {
			if err := stop(); err != nil {
				books.log.Warn("metrics", "err", err)
			}
		}()
	}
	var err error
	if p.json {
		err = json.NewEncoder(p.out).Encode(out)
	} else {
		fmt.Fprintln(p.out, "Relaying. Friends name one of these addresses:")
		fmt.Fprintln(p.out, "  "+strings.Join(out.Addrs, "\n  "))
	}
	books.run(ctx)
	return err
}

// relayKey reads the relay's key, or makes it: its address holds it, so it must
// stay the same.
func relayKey(dir string) (ed25519.PrivateKey, error) {
	name := filepath.Join(dir, relayKeyName)
	seed, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		err = os.WriteFile(name, seed, 0o600)
	}
	if err != nil {
		return nil, cannotWrite(dir, err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the key in %s has %d bytes instead of %d", name, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// namedRelays are those of the flags and of the environment.
func namedRelays(flags []string) []string {
	return append(flags, strings.Fields(os.Getenv(relaysEnv))...)
}
