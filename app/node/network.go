package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/transport"
)

// Network are the choices a person made about how this device meets the
// network. They hold from the next Open on: whoever changes them ends the node
// and opens it again.
type Network struct {
	LANOnly bool     `json:"lan_only"`        // talk to local networks only
	Relays  []string `json:"relays"`          // multiaddrs with /p2p/ of relays to be reachable through
	NoMap   bool     `json:"no_port_mapping"` // do not ask the router to open a port
	Lend    Lending  `json:"lend"`
}

const (
	networkKey = "network"
	maxRelays  = 8
)

// Network gives the choices that are stored; flags of this run may add to them.
func (n *Node) Network() Network { return n.network }

// PutNetwork checks and stores choices, and says whether they differ from those
// this node was opened with.
func (n *Node) PutNetwork(ctx context.Context, w Network) (changed bool, err error) {
	if w, err = w.checked(); err != nil {
		return false, err
	}
	b, err := json.Marshal(w)
	if err != nil {
		return false, fmt.Errorf("encode network settings: %w", err)
	}
	if err := n.store.Write(ctx, func(tx *store.Tx) error { return tx.Set(networkKey, b) }); err != nil {
		return false, fmt.Errorf("keep network settings: %w", err)
	}
	return w.LANOnly != n.network.LANOnly || w.NoMap != n.network.NoMap || !slices.Equal(w.Relays, n.network.Relays) || w.Lend != n.network.Lend, nil
}

func (w Network) checked() (Network, error) {
	var relays []string
	for _, r := range w.Relays {
		r = strings.TrimSpace(r)
		if err := transport.CheckRelay(r); err != nil {
			return w, fmt.Errorf("%w: %w", ErrSetting, err)
		}
		if !slices.Contains(relays, r) {
			relays = append(relays, r)
		}
	}
	if w.Lend.Rate < 0 || w.Lend.Rate > 1<<40 || w.Lend.Month < 0 || w.Lend.Month > 1<<40 {
		return w, fmt.Errorf("%w: a limit of what is lent is a number of 0 or more", ErrSetting)
	}
	if len(relays) > maxRelays {
		return w, fmt.Errorf("%w: %d relays, where %d are enough", ErrSetting, len(relays), maxRelays)
	}
	w.Relays = relays
	return w, nil
}

// readNetwork reads what is stored and joins it with what this run was given.
func (n *Node) readNetwork() error {
	b, err := n.store.Value(networkKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read network settings: %w", err)
	}
	if err := json.Unmarshal(b, &n.network); err != nil {
		return fmt.Errorf("decode network settings: %w", err)
	}
	n.cfg.LANOnly = n.cfg.LANOnly || n.network.LANOnly
	n.cfg.NoMap = n.cfg.NoMap || n.network.NoMap
	n.cfg.Relays = slices.Concat(n.cfg.Relays, n.network.Relays)
	return nil
}

// AsksRouter says whether this run may ask the router to open a port.
func (n *Node) AsksRouter() bool { return !n.cfg.NoMap }

// Relays says how it goes with each relay, the ones of this run's flags among them.
func (n *Node) Relays() []transport.RelayState { return n.host.Standing().Relays }

// NameOf is the friend whose device a peer is, else the end of its name.
func (n *Node) NameOf(p transport.Peer) string { return n.known().nameOf(p) }
