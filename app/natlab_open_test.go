package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// TestNATLabOpenRelay lets two people behind routers that are never punched find,
// in a table of strangers, a relay that somebody offers to everybody.
func TestNATLabOpenRelay(t *testing.T) {
	l := newLab(t)
	table, _ := l.lend("table", "--listen", "/ip4/11.0.0.1/udp/4001/quic-v1")
	l.ip("-n", l.ns("w"), "addr", "add", "11.0.0.2/16", "dev", "br0")
	open, _ := l.lend("open", "--open", "--bootstrap", table[0], "--listen", "/ip4/11.0.0.2/udp/4001/quic-v1")
	l.pass(3 * time.Second) // until it is offered
	ana, bo := l.settle(routers[4], "ana", "--bootstrap", table[0]), l.settle(routers[4], "bo", "--bootstrap", table[0])
	// Nobody is asked for a relay before somebody may need it: an invite does.
	began := time.Now()
	i, err := ana.c.Invite(t.Context(), control.NewInvite{Once: true})
	if err == nil {
		_, err = bo.c.Add(t.Context(), control.NewContact{Link: i.Link})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.until("they are friends through a relay", 3*time.Second, func(ctx context.Context) bool { return ana.path(ctx, bo) == "relay" })
	t.Logf("friends after %d ms", time.Since(began).Milliseconds())
	who, err := ana.c.Contact(t.Context(), "bo")
	if name := strings.TrimPrefix(who.Path, "relay:…"); err != nil || !strings.HasSuffix(open[0], name) {
		t.Errorf("the path is %s, %v; the open relay is %s", who.Path, err, open[0])
	}
	if f := ana.finding("relay:" + strings.TrimPrefix(who.Path, "relay:")); f.Code != "relay.small" {
		t.Errorf("the doctor says %+v", f)
	}
}
