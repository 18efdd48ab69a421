package nodetest

import (
	"crypto/ed25519"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// Relay starts a relay that everybody can reach, and gives its addresses.
func (tn *Town) Relay() (addrs []string, stop func()) {
	tn.t.Helper()
	return tn.RelayOn(tn.lan.Host())
}

// RelayOn is Relay on a machine of the test's choice.
func (tn *Town) RelayOn(m *simnet.Host) (addrs []string, stop func()) {
	tn.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tn.t.Fatal(err)
	}
	h, err := transport.Listen(tn.t.Context(), transport.Config{
		Key: key, Lend: &transport.Lend{}, World: m.World(),
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
	lan := tn.world.LAN(router)
	p := tn.JoinAt(name, lan, relays...)
	p.Home = lan
	return p
}
