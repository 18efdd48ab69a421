package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// DHT says by which distributed hash table (Kademlia) friends find each other
// far away. The zero value is a table of its own that knows nobody.
type DHT struct {
	// Bootstrap holds multiaddrs with /p2p/ of nodes to begin with; DNS names in
	// them are looked up when they are needed.
	Bootstrap []string
	// Network is a secret shared by the nodes of a private network; they form a
	// table of their own. Empty is the public table that IPFS nodes keep (Amino).
	Network string
	// AnyAddr lets the table name nodes at private addresses too. Without it
	// nobody in the table can make this machine knock at doors of its own network.
	AnyAddr bool
	// Serve makes the host itself a node of the table, for a relay. Others take
	// part under a passing name, and serve where they have a public address.
	Serve bool
}

// PublicBootstrap lists the nodes run by the libp2p project for everybody to
// find the public table by.
func PublicBootstrap() []string {
	return []string{
		"/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
		"/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
		"/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
		"/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
		"/ip4/104.131.131.82/udp/4001/quic-v1/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
	}
}

// prefix is the name of the table's protocol.
func (d *DHT) prefix() protocol.ID {
	if d.Network == "" {
		return dht.DefaultPrefix
	}
	sum := sha256.Sum256([]byte("entrenous/1 private table\x00" + d.Network))
	return protocol.ID("/entrenous/" + hex.EncodeToString(sum[:8]))
}

// bootstrap reads the addresses to begin with.
func (d *DHT) bootstrap() ([]peer.AddrInfo, error) {
	infos, err := relaysOf(d.Bootstrap)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	return infos, nil
}

// openTable joins the table with p. A server answers others and looks after
// its neighbours; a client does nothing unasked.
func (d *DHT) openTable(p host.Host, server bool, begin []peer.AddrInfo) (*table, error) {
	t := &table{walks: map[string]walk{}}
	opts := []dht.Option{
		dht.ProtocolPrefix(d.prefix()), dht.Mode(dht.ModeClient), dht.BootstrapPeers(begin...),
		dht.WithCustomMessageSender(func(p host.Host, protocols []protocol.ID) pb.MessageSenderWithDisconnect {
			return &wire{p2p: p, protocols: protocols, answered: t.heard, checks: map[peer.ID]*check{}}
		}),
	}
	if server {
		opts = append(opts, dht.Mode(dht.ModeServer))
	} else {
		opts = append(opts, dht.DisableAutoRefresh())
	}
	if !d.AnyAddr {
		opts = append(opts, dht.AddressFilter(publicOnly), dht.QueryFilter(dht.PublicQueryFilter),
			// Many nodes at one address are one node with many names.
			dht.RoutingTablePeerDiversityFilter(dht.NewRTPeerDiversityFilter(p, 2, 3)))
	}
	var err error
	if t.dht, err = dht.New(p, opts...); err != nil {
		return nil, fmt.Errorf("join the table: %w", err)
	}
	return t, nil
}

func publicOnly(addrs []ma.Multiaddr) []ma.Multiaddr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
}

// serveOthers makes a relay keep word for others: on its board, and as a node of
// the table.
func (h *Host) serveOthers(life context.Context) error {
	if h.cfg.LANOnly {
		return nil
	}
	if h.cfg.Lend != nil {
		h.serveBoard()
	}
	d := h.cfg.DHT
	if d == nil || !d.Serve {
		return nil
	}
	begin, err := d.bootstrap()
	if err != nil {
		return err
	}
	t, err := d.openTable(h.p2p, true, begin)
	if err != nil {
		return err
	}
	if h.cfg.Lend != nil && h.cfg.Lend.Open {
		h.wg.Go(func() { h.offer(life, t) })
	}
	h.wg.Go(func() {
		<-h.quit
		if err := t.dht.Close(); err != nil {
			h.log.Debug("leave the table", "err", err)
		}
	})
	return nil
}
