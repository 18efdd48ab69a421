package app

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/transport"
)

const (
	// bootstrapEnv names nodes to begin with where no flag does, separated by
	// spaces; "none" turns finding far away off.
	bootstrapEnv = "ENTRENOUS_BOOTSTRAP"
	// networkEnv is the secret of a private network where the flag does not give it.
	networkEnv = "ENTRENOUS_NETWORK_KEY"

	noBootstrap = "none"
)

// finding is how friends who moved are found, as flags and environment say.
type finding struct {
	bootstrap []string
	network   string
	off       bool
}

func (f *finding) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringArrayVar(&f.bootstrap, "bootstrap", nil, "a `multiaddr` with /p2p/ of a node by which people are found, instead of the public ones; again for more")
	set.StringVar(&f.network, "network-key", "", "a `secret` shared by the nodes of a private network; needs --bootstrap")
	set.BoolVar(&f.off, "no-dht", false, "do not look for friends who moved through other people's computers")
}

// named are the nodes to begin with that somebody chose, and the secret.
func (f *finding) named() (bootstrap []string, network string) {
	bootstrap, network = f.bootstrap, f.network
	if len(bootstrap) == 0 {
		bootstrap = strings.Fields(os.Getenv(bootstrapEnv))
	}
	if network == "" {
		network = os.Getenv(networkEnv)
	}
	return bootstrap, network
}

// table is the table to use, nil for none. Who listens on this machine only
// cannot be reached from elsewhere, and asks nobody there unless told whom.
func (f *finding) table(listen []string) (*transport.DHT, error) {
	bootstrap, network := f.named()
	switch {
	case f.off, len(bootstrap) == 1 && bootstrap[0] == noBootstrap:
		return nil, nil //nolint:nilnil // no table is an answer
	case len(bootstrap) > 0:
		return &transport.DHT{Bootstrap: bootstrap, Network: network, AnyAddr: true}, nil
	case network != "":
		return nil, &usageError{errors.New("--network-key: name a node of that network with --bootstrap")}
	case onlyHere(listen):
		return nil, nil //nolint:nilnil // no table is an answer
	}
	return &transport.DHT{Bootstrap: transport.PublicBootstrap()}, nil
}

// served is the table that a relay is a node of, nil for none. It needs nobody
// to begin with: it may be the first.
func (f *finding) served(listen []string) *transport.DHT {
	if f.off {
		return nil
	}
	bootstrap, network := f.named()
	none := len(bootstrap) == 1 && bootstrap[0] == noBootstrap
	switch {
	case none, len(bootstrap) == 0 && (network != "" || onlyHere(listen)):
		return &transport.DHT{Network: network, AnyAddr: true, Serve: true}
	case len(bootstrap) > 0:
		return &transport.DHT{Bootstrap: bootstrap, Network: network, AnyAddr: true, Serve: true}
	}
	return &transport.DHT{Bootstrap: transport.PublicBootstrap(), Serve: true}
}

// onlyHere says whether every address to listen on is one that only this
// machine reaches.
func onlyHere(listen []string) bool {
	for _, a := range listen {
		if !strings.HasPrefix(a, "/ip4/127.") && !strings.HasPrefix(a, "/ip6/::1/") {
			return false
		}
	}
	return len(listen) > 0
}
