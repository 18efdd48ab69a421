package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// alike are two people behind routers of one kind, with a relay that both name.
func alike(t *testing.T, r router) (l *lab, a, b *dweller) {
	t.Helper()
	l = newLab(t)
	addrs, _ := l.lend("relay")
	a, b = l.dwell(r, "ana", addrs), l.dwell(r, "bo", addrs)
	a.ready()
	b.ready()
	return l, a, b
}

// TestNATLabNarrow prints by which path people meet where packets of more than
// 1,280 bytes do not come through: because their own link is so narrow, or
// because a router on the way swallows them without a word.
func TestNATLabNarrow(t *testing.T) {
	for _, r := range []router{
		{name: "narrow link", mtu: "1280"},
		{name: "narrow link, symmetric", mtu: "1280", nat: "fully-random"},
		{name: "narrow way", narrow: true},
		{name: "narrow way, symmetric", narrow: true, nat: "fully-random"},
		{name: "narrow way, IPv6", narrow: true, six: true},
	} {
		t.Run(r.name, func(t *testing.T) {
			l, a, b := alike(t, r)
			t.Log("\n" + l.meet(a, b).String())
		})
	}
}

// TestNATLabNarrowed sees that what is long arrives where the way between two
// friends who talk becomes narrow, as it does when a machine moves behind a tunnel.
func TestNATLabNarrowed(t *testing.T) {
	for _, r := range []router{{name: "direct"}, {name: "through a relay", nat: "fully-random"}} {
		t.Run(r.name, func(t *testing.T) {
			l, a, b := alike(t, r)
			l.meet(a, b)
			text := strings.Repeat("long ", 4000)
			for i, word := range []string{"wide", "narrow", "still narrow"} {
				if i == 1 {
					for _, d := range []*dweller{a, b} {
						l.nft("r"+strings.TrimPrefix(d.space, "h"), "insert rule inet door through meta length > 1280 drop\n")
					}
				}
				began := time.Now()
				if _, err := b.c.Send(t.Context(), a.name, control.NewMessage{Text: text + word, Wait: control.Delivered, Timeout: 10_000}); err != nil {
					t.Fatalf("where the way is %s: %v", word, err)
				}
				t.Logf("%s: %d bytes after %v, path %s", word, len(text), time.Since(began).Round(time.Millisecond), b.path(t.Context(), a))
			}
		})
	}
}
