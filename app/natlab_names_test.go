package app_test

import (
	"context"
	"testing"
	"time"
)

// TestNATLabWithoutNames lets two people live where no name is ever answered. A
// relay and a place to look for friends that are known by name only are of no use,
// which is said; what is known by its address works.
func TestNATLabWithoutNames(t *testing.T) {
	l := newLab(t)
	relays, _ := l.relay(1)
	const nobody = "/dns4/relay.example/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	settle := func(name string) *dweller {
		return l.settle(routers[1], name, "--relay", nobody, "--relay", relays[0], "--bootstrap", nobody)
	}
	ana, bo := settle("ana"), settle("bo")
	ana.ready()
	bo.ready()
	m := l.meet(ana, bo)
	t.Log("\n" + m.String())
	if m.met > 3*time.Second {
		t.Errorf("friends after %v", m.met)
	}
	silent := "relay:…" + nobody[len(nobody)-6:]
	if f := ana.finding(silent); f.Code != "relay.silent" || f.State != "bad" || f.Do == "" {
		t.Errorf("of the relay without a name: %+v", f)
	}
	if f := ana.finding("network"); f.Code != "network.relay" {
		t.Errorf("of the network: %+v", f)
	}
	bo.daemon.stop()
	l.until("nobody to look for friends by is found, and that is said", time.Minute, func(context.Context) bool {
		f := ana.finding("finding")
		return f.Code == "finding.dead" && f.Do != ""
	})
}
