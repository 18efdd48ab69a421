package app_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// outdoors lets somebody live at a public address that everybody reaches.
func (l *lab) outdoors(name, listen string) *dweller {
	l.t.Helper()
	d := &dweller{l: l, r: router{name: "public"}, name: name, space: "w", profile: filepath.Join(l.dir, name)}
	l.run(l.bin, "init", "--profile", d.profile, "--name", name, "--no-passphrase")
	d.wakeAt(listen)
	d.c = control.Dial(d.profile)
	l.t.Cleanup(d.c.Close)
	return d
}

// wakeAt begins somebody's daemon at an address, without relays and without a
// table within reach.
func (d *dweller) wakeAt(listen string) {
	d.l.t.Helper()
	d.daemon = d.l.begin(d.space, "daemon", "--json", "--audio", "tone", "--profile", d.profile, "--no-lan", "--no-port-mapping", "--listen", listen)
	if !d.daemon.next(&struct{}{}) {
		d.l.t.Fatalf("the daemon of %s does not start", d.name)
	}
}

// TestNATLabPassOn lets two people who both moved meet again by the notes that
// they left with a friend in common, and by nothing else.
func TestNATLabPassOn(t *testing.T) {
	l := newLab(t)
	for _, ip := range []string{"11.0.0.2", "11.0.0.3"} {
		l.ip("-n", l.ns("w"), "addr", "add", ip+"/16", "dev", "br0")
	}
	ana, bo, cy := l.outdoors("ana", "/ip4/11.0.0.1/udp/4101/quic-v1"), l.outdoors("bo", "/ip4/11.0.0.2/udp/4102/quic-v1"), l.outdoors("cy", "/ip4/11.0.0.3/udp/4103/quic-v1")
	meet := func(what string, a, b *dweller) {
		t.Helper()
		l.until(what, 20*time.Second, func(ctx context.Context) bool { return a.path(ctx, b) != "none" && b.path(ctx, a) != "none" })
	}
	for _, pair := range [][2]*dweller{{ana, bo}, {ana, cy}, {bo, cy}} {
		i, err := pair[0].c.Invite(t.Context(), control.NewInvite{Once: true})
		if err == nil {
			_, err = pair[1].c.Add(t.Context(), control.NewContact{Link: i.Link})
		}
		if err != nil {
			t.Fatal(err)
		}
		meet("they are friends", pair[0], pair[1])
	}
	for _, d := range []*dweller{ana, bo, cy} {
		l.run(l.bin, "pass-on", "on", "--profile", d.profile)
	}
	ana.daemon.stop()
	bo.daemon.stop()
	bo.wakeAt("/ip4/11.0.0.2/udp/4202/quic-v1")
	meet("bo is back with cy", bo, cy)
	began := time.Now()
	ana.wakeAt("/ip4/11.0.0.1/udp/4201/quic-v1")
	meet("ana and bo are together again", ana, bo)
	t.Logf("both moved; they met after %d ms", time.Since(began).Milliseconds())
}
