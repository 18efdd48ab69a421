package transport

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"time"
)

const firewallService = upnpKind + "WANIPv6FirewallControl:1"

// upnpFence asks a router's IPv6 firewall for pinholes by WANIPv6FirewallControl:1
// of UPnP. Whoever asks has to call from the very address that is to be let in;
// miniupnpd, which is in most routers, turns everybody else down. So the router is
// called at its IPv6 address: the one that the default route names, at the port that
// its description by IPv4 names. Hence it is found only where there is IPv4 beside
// IPv6.
type upnpFence struct {
	control string
	ids     map[pinhole]string // by which the router knows those that it has let in
}

// findFence looks for that service of the router.
func (m *mapper) findFence(ctx context.Context) (*upnpFence, error) {
	if m.at.IsValid() {
		return nil, errNoGateway // the router that was named is no other
	}
	r, err := m.router(ctx)
	if err != nil {
		return nil, err
	}
	_, control, err := r.serviceUPnP(ctx, []string{firewallService})
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(control.Port(), 10, 16)
	if err != nil {
		return nil, errors.New("the router does not name the port of its firewall")
	}
	control.Host = netip.AddrPortFrom(m.fence.gate.Addr(), uint16(port)).String()
	return &upnpFence{control: control.String(), ids: map[pinhole]string{}}, nil
}

// open asks for a pinhole for some time, from now on where it is open already; none
// closes it.
func (f *upnpFence) open(ctx context.Context, h pinhole, life time.Duration) (time.Duration, error) {
	u := &upnp{control: f.control, service: firewallService, http: speaker(h.at)}
	if life == 0 {
		id := f.ids[h]
		delete(f.ids, h)
		_, err := u.act(ctx, "DeletePinhole", [][2]string{{"UniqueID", id}})
		return 0, err
	}
	protocol := protoTCP
	if h.udp {
		protocol = protoUDP
	}
	text, err := u.act(ctx, "AddPinhole", [][2]string{
		{"RemoteHost", ""},
		{"RemotePort", "0"},
		{"InternalClient", h.at.String()},
		{"InternalPort", decimal(h.port)},
		{"Protocol", strconv.Itoa(protocol)},
		{"LeaseTime", strconv.Itoa(int(life / time.Second))},
	})
	if err != nil {
		return 0, err
	}
	f.ids[h] = inXML(text, "UniqueID")
	return life, nil
}
