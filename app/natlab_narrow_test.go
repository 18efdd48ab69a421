package app_test

import (
	"testing"
)

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
			l := newLab(t)
			addrs, _ := l.lend("relay")
			a, b := l.dwell(r, "ana", addrs), l.dwell(r, "bo", addrs)
			a.ready()
			b.ready()
			t.Log("\n" + l.meet(a, b).String())
		})
	}
}
