package nodetest

import (
	"crypto/ed25519"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// Relay starts a relay that everybody can reach, and gives its addresses.
func (tn *Town) Relay() (addrs []string, stop func()) {
	tn.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tn.t.Fatal(err)
	}
	m := tn.lan.Host()
	h, err := transport.Listen(tn.t.Context(), transport.Config{
		Key: key, Lend: &transport.Lend{}, World: &transport.World{ListenUDP: m.ListenUDP, IP: m.IP, Changed: m.Changed()},
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	tn.t.Cleanup(func() { _ = h.Close() })
	return h.Addrs(), func() { _ = h.Close() }
}

// AtHome brings a person into the town behind a router of their own, reachable
// through relays.
func (tn *Town) AtHome(name string, router simnet.NAT, relays []string) *Person {
	tn.t.Helper()
	p := tn.JoinAt(name, tn.world.LAN(router))
	p.Sleep()
	p.Relays = relays
	p.Wake()
	return p
}
