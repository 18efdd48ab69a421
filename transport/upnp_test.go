package transport

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

// upnpRouter is a router of 8.1.2.3 that opens ports by UPnP only, and counts how
// often each was asked for.
type upnpRouter struct {
	mu     sync.Mutex
	opened map[string]string // “UDP 4001” to who has it
	asked  map[string]int
	lease  string // what was asked for last
}

func (r *upnpRouter) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	value := func(name string) string { return inXML(body, name) }
	r.mu.Lock()
	defer r.mu.Unlock()
	port := value("NewProtocol") + " " + value("NewExternalPort")
	switch action := q.Header.Get("SOAPAction"); {
	case strings.Contains(action, "#GetExternalIPAddress"):
		_, _ = io.WriteString(w, "<a><NewExternalIPAddress>8.1.2.3</NewExternalIPAddress></a>")
	case strings.Contains(action, "#DeletePortMapping"):
		delete(r.opened, port)
	case r.opened[port] != "" && r.opened[port] != value("NewInternalClient"):
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "<a><errorCode>718</errorCode></a>")
	default:
		r.opened[port] = value("NewInternalClient")
		r.asked[port]++
		r.lease = value("NewLeaseDuration")
	}
}

// deafToPMP answers PCP and NAT-PMP that it does not open ports by them.
func deafToPMP(t *testing.T) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 64)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte{0, 128 | b[1], 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}, from)
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// oneDoor is a network that listens on one port.
type oneDoor struct{ network.Network }

func (oneDoor) ListenAddresses() []ma.Multiaddr {
	return []ma.Multiaddr{ma.StringCast("/ip4/0.0.0.0/udp/4001/quic-v1")}
}

func TestAPortByUPnPIsAskedForAgainBeforeItClosesAndTakenAgainWhereTheRouterForgotIt(t *testing.T) {
	r := &upnpRouter{opened: map[string]string{}, asked: map[string]int{}}
	web := httptest.NewServer(r)
	defer web.Close()
	at := deafToPMP(t)
	m := &mapper{
		net: oneDoor{}, at: at, log: slog.New(slog.DiscardHandler), open: map[door]netip.AddrPort{}, state: RouterState{By: UPnP},
		way: &upnp{r: router{at: at, self: at.Addr()}, control: web.URL, service: portServices()[1], http: web.Client(), ports: map[door]uint16{}},
	}
	d := door{udp: true, port: 4001}
	leads := func(when string, to uint16) {
		t.Helper()
		if m.open[d] != netip.AddrPortFrom(netip.MustParseAddr("8.1.2.3"), to) || m.state.By != UPnP {
			t.Fatalf("%s: %v, %+v", when, m.open, m.state)
		}
	}
	const port = "UDP 4001"

	again := m.ask(t.Context())
	leads("at first", 4001)
	if r.lease != "7200" || again > time.Hour {
		t.Errorf("a mapping of %s s is asked for again after %v", r.lease, again)
	}
	m.ask(t.Context())
	leads("again", 4001)
	if r.asked[port] != 2 {
		t.Errorf("the router was asked %d times", r.asked[port])
	}

	clear(r.opened) // it was started anew
	m.ask(t.Context())
	leads("forgotten", 4001)
	if r.opened[port] != "127.0.0.1" {
		t.Error("what the router forgot was not taken again")
	}

	clear(r.opened)
	r.opened[port] = "192.168.1.9" // and somebody else was faster
	m.ask(t.Context())
	if to := m.open[d].Port(); to == 4001 || to == 0 || r.opened[port] != "192.168.1.9" {
		t.Errorf("taken by another: %v, %v", m.open, r.opened)
	}

	m.giveBack(t.Context())
	if len(r.opened) != 1 {
		t.Errorf("given back, and the router has %v", r.opened)
	}
}

// sixDoor is a network that listens on one port of IPv6.
type sixDoor struct{ network.Network }

func (sixDoor) InterfaceListenAddresses() ([]ma.Multiaddr, error) {
	return []ma.Multiaddr{ma.StringCast("/ip6/::1/udp/4001/quic-v1")}, nil
}

// firewall is that of a router which lets in by UPnP only, and only who asks for
// themselves.
type firewall struct {
	mu    sync.Mutex
	holes map[string]string // id to “client port protocol lease”
	ids   int
}

func (f *firewall) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	value := func(name string) string { return inXML(body, name) }
	f.mu.Lock()
	defer f.mu.Unlock()
	who, err := netip.ParseAddrPort(q.RemoteAddr)
	switch action := q.Header.Get("SOAPAction"); {
	case err == nil && strings.HasSuffix(action, "WANIPv6FirewallControl:1#AddPinhole\"") && value("InternalClient") == who.Addr().String():
		f.ids++
		id := strconv.Itoa(f.ids)
		f.holes[id] = strings.Join([]string{value("InternalClient"), value("InternalPort"), value("Protocol"), value("LeaseTime")}, " ")
		_, _ = io.WriteString(w, "<a><UniqueID>"+id+"</UniqueID></a>")
	case strings.HasSuffix(action, "#DeletePinhole\"") && f.holes[value("UniqueID")] != "":
		delete(f.holes, value("UniqueID"))
	default:
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "<a><errorCode>606</errorCode></a>")
	}
}

func TestAFirewallOfUPnPIsAskedToLetInIPv6AndToldWhenThatIsOver(t *testing.T) {
	f := &firewall{holes: map[string]string{}}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(f)
	_ = web.Listener.Close()
	web.Listener = l
	web.Start()
	defer web.Close()
	at := netip.MustParseAddrPort("[::1]:1")
	m := &mapper{net: sixDoor{}, at: at, log: slog.New(slog.DiscardHandler), fence: fence{
		gate: at, by: map[netip.Addr]*pcp{}, upnp: &upnpFence{control: web.URL, ids: map[pinhole]string{}},
	}}
	m.pierce(t.Context())
	if m.wall != (Firewall{Asked: true, Open: true}) || len(f.holes) != 1 || f.holes["1"] != "::1 4001 17 7200" {
		t.Errorf("it is %+v, and lets in %v", m.wall, f.holes)
	}
	m.giveBack(t.Context())
	if len(f.holes) != 0 {
		t.Errorf("in the end it lets in %v", f.holes)
	}
}
