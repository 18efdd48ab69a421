package node

import (
	"net/netip"
	"testing"

	"github.com/entrenous/entrenous/transport"
)

func TestTheDoctorSaysWhetherTheRouterLetsFriendsInByIPv6(t *testing.T) {
	six, four := netip.MustParseAddr("2a00:8::2"), netip.MustParseAddr("11.0.0.2")
	asked := transport.Firewall{Asked: true}
	for _, c := range []struct {
		own   []netip.Addr
		wall  transport.Firewall
		reach string
		want  Finding
	}{
		{[]netip.Addr{six}, transport.Firewall{Asked: true, Open: true}, reachDirect, good("ipv6", "ipv6.open")},
		{[]netip.Addr{six}, asked, reachRelay, warn("ipv6", "ipv6.shut")},
		{[]netip.Addr{six, four}, asked, reachDirect, good("ipv6", "ipv6.on")},
		{[]netip.Addr{six}, transport.Firewall{}, reachRelay, good("ipv6", "ipv6.on")},
		{[]netip.Addr{four}, transport.Firewall{}, reachDirect, good("ipv6", "ipv6.unneeded")},
		{nil, transport.Firewall{}, reachRelay, warn("ipv6", "ipv6.off")},
	} {
		if got := lookAtIPv6(c.own, c.wall, c.reach); got.Code != c.want.Code || got.State != c.want.State {
			t.Errorf("at %v with %+v, reached %s: %+v, want %+v", c.own, c.wall, c.reach, got, c.want)
		}
	}
}
