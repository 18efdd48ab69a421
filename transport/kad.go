package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	kb "github.com/libp2p/go-libp2p-kbucket"
	record "github.com/libp2p/go-libp2p-record"
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

const (
	// tableTimeout bounds one question to the table or one word left in it.
	tableTimeout = 30 * time.Second
	// nearFirst is with how many known nodes word is left while nearer ones are
	// looked for, and nearTimeout how long that may take.
	nearFirst   = 4
	nearTimeout = 5 * time.Second
	// nearAnswer is how long a known node may take to answer a question that is
	// asked again while a search lasts.
	nearAnswer = time.Second
	// maxAnswers is how many different records of one place are looked at.
	maxAnswers = 16
)

var errNobody = errors.New("no node of the table answers")

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
	opts := []dht.Option{
		dht.ProtocolPrefix(d.prefix()), dht.Mode(dht.ModeClient), dht.BootstrapPeers(begin...),
		dht.WithCustomMessageSender(func(p host.Host, protocols []protocol.ID) pb.MessageSenderWithDisconnect {
			return &wire{p, protocols}
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
	t, err := dht.New(p, opts...)
	if err != nil {
		return nil, fmt.Errorf("join the table: %w", err)
	}
	return &table{t}, nil
}

func publicOnly(addrs []ma.Multiaddr) []ma.Multiaddr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
}

// table is where word can be left with nodes that nobody here runs.
type table struct{ dht *dht.IpfsDHT }

var _ shelf = (*table)(nil)

// put leaves a record with the nodes nearest to the place.
func (t *table) put(ctx context.Context, p place, rec []byte) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	if t.dht.RoutingTable().Size() == 0 {
		return errNobody
	}
	var first sync.WaitGroup
	first.Go(func() { t.putNear(ctx, p, rec) })
	err := t.dht.PutValue(ctx, p.tableKey(), rec)
	first.Wait()
	if err != nil {
		return fmt.Errorf("leave word in the table: %w", err)
	}
	return nil
}

// putNear leaves a record with the nearest nodes that are known already. The
// search for the nearest of all waits for nodes that do not answer, seconds in
// which a friend may come by; in a small table these are the same nodes.
func (t *table) putNear(ctx context.Context, p place, rec []byte) {
	ctx, cancel := context.WithTimeout(ctx, nearTimeout)
	defer cancel()
	send, err := pb.NewProtocolMessenger(t.dht.MessageSender())
	if err != nil {
		return
	}
	var all sync.WaitGroup
	for _, id := range t.dht.RoutingTable().NearestPeers(kb.ConvertKey(p.tableKey()), nearFirst) {
		all.Go(func() { _ = send.PutValue(ctx, id, record.MakePutRecord(p.tableKey(), rec)) })
	}
	all.Wait()
}

// getNear asks the nearest nodes that are known already, some times while others
// are searched for: those who do not answer hold a search up for seconds, in which
// a friend may leave word.
func (t *table) getNear(ctx context.Context, p place, found func([]byte)) {
	ask, err := pb.NewProtocolMessenger(t.dht.MessageSender())
	if err != nil {
		return
	}
	wait := time.NewTimer(0)
	defer wait.Stop()
	for _, pause := range []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 0} {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		wait.Reset(pause)
		t.askNear(ctx, p, ask, found)
	}
}

func (t *table) askNear(ctx context.Context, p place, ask *pb.ProtocolMessenger, found func([]byte)) {
	ctx, cancel := context.WithTimeout(ctx, nearAnswer)
	defer cancel()
	var all sync.WaitGroup
	for _, id := range t.dht.RoutingTable().NearestPeers(kb.ConvertKey(p.tableKey()), nearFirst) {
		all.Go(func() {
			if rec, _, err := ask.GetValue(ctx, id, p.tableKey()); err == nil && rec != nil {
				found(rec.GetValue())
			}
		})
	}
	all.Wait()
}

// get asks the nodes nearest to the place, and hands out each record that is
// better than the one before. found may be called from several goroutines.
func (t *table) get(ctx context.Context, p place, prompt bool, found func([]byte)) error {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	if t.dht.RoutingTable().Size() == 0 {
		return errNobody
	}
	near, done := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer done()
	if prompt {
		beside.Go(func() { t.getNear(near, p, found) })
	}
	answers, err := t.dht.SearchValue(ctx, p.tableKey())
	if err != nil {
		return fmt.Errorf("ask the table: %w", err)
	}
	n := 0
	for b := range answers {
		if n++; n <= maxAnswers {
			found(b)
		}
	}
	return nil
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
