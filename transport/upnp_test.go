package transport

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
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
		way: &upnp{r: router{at: at, self: at.Addr()}, control: web.URL, service: upnpServices()[1], http: web.Client(), ports: map[door]uint16{}},
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
