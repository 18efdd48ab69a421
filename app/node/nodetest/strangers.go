package nodetest

import (
	"crypto/ed25519"
	"time"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// Strangers brings some machines into the town that belong to nobody here and
// keep a table together, and gives the table. Nobody is told of it.
func (tn *Town) Strangers(n int) *transport.DHT {
	tn.t.Helper()
	var bootstrap []string
	for range n {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			tn.t.Fatal(err)
		}
		h, err := transport.Listen(tn.t.Context(), transport.Config{
			Key: key, World: tn.lan.Host().World(), DHT: &transport.DHT{Bootstrap: bootstrap, AnyAddr: true, Serve: true},
		})
		if err != nil {
			tn.t.Fatal(err)
		}
		tn.t.Cleanup(func() { _ = h.Close() })
		if len(bootstrap) == 0 {
			bootstrap = h.Addrs()
		}
	}
	tn.Pass(2 * time.Second) // to get to know each other
	return &transport.DHT{Bootstrap: bootstrap, AnyAddr: true}
}

// Elsewhere is a person who goes to bed, and wakes at a new place where nobody
// has been before.
func (tn *Town) Elsewhere(p *Person, router simnet.NAT) {
	p.Sleep()
	p.Host.Move(tn.world.LAN(router))
}

// DeadTable is a table of whose nodes none answers.
func (tn *Town) DeadTable() *transport.DHT {
	tn.t.Helper()
	t := tn.Strangers(0)
	for range 3 {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			tn.t.Fatal(err)
		}
		public, ok := key.Public().(ed25519.PublicKey)
		if !ok {
			tn.t.Fatal("not an Ed25519 key")
		}
		peer, err := transport.PeerOf(public)
		if err != nil {
			tn.t.Fatal(err)
		}
		t.Bootstrap = append(t.Bootstrap, "/ip4/8.9.9.9/udp/4001/quic-v1/p2p/"+string(peer))
	}
	return t
}

// OpenRelay brings a stranger's relay into the town, who offers it to everybody
// in the table.
func (tn *Town) OpenRelay(table *transport.DHT, lend transport.Lend) (peer transport.Peer, stop func()) {
	tn.t.Helper()
	lend.Open = true
	return tn.tableRelay(table, lend)
}

// PublicRelay brings a node of the table into the town that passes on a little for
// anybody, and knows nothing of who uses it.
func (tn *Town) PublicRelay(table *transport.DHT) (peer transport.Peer, stop func()) {
	tn.t.Helper()
	return tn.tableRelay(table, transport.Lend{Duration: 2 * time.Minute, Bytes: 128 << 10})
}

func (tn *Town) tableRelay(table *transport.DHT, lend transport.Lend) (peer transport.Peer, stop func()) {
	tn.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tn.t.Fatal(err)
	}
	h, err := transport.Listen(tn.t.Context(), transport.Config{
		Key: key, World: tn.lan.Host().World(), Lend: &lend,
		DHT: &transport.DHT{Bootstrap: table.Bootstrap, AnyAddr: true, Serve: true},
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	tn.t.Cleanup(func() { _ = h.Close() })
	return h.Peer(), func() { _ = h.Close() }
}
