package app_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/entrenous/entrenous/app/control"
)

// What “local networks only” promises, proved: two machines (network
// namespaces) on one cable, each with a way out and a name server that lead
// nowhere. Every packet that leaves them is looked at.

// cable joins two machines that end with the test.
type cable struct {
	t     *testing.T
	names [2]string
}

func newCable(t *testing.T) *cable {
	t.Helper()
	if os.Geteuid() != 0 || missing("ip") {
		t.Skip("network namespaces need root, and the ip program")
	}
	c := &cable{t: t}
	tag := fmt.Sprintf("%d%d", os.Getpid()%100000, time.Now().UnixNano()%1000)
	for i, end := range []string{"a", "b"} {
		c.names[i] = "en" + tag + end
		if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", c.names[i]).CombinedOutput(); err != nil {
			t.Skipf("no network namespace here: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", c.names[i]).Run() })
		// In a changed root one can be made and not entered.
		if out, err := exec.CommandContext(t.Context(), "ip", "-n", c.names[i], "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Skipf("no network namespace can be entered here: %s", out)
		}
	}
	c.ip("link", "add", "eth0", "netns", c.names[0], "type", "veth", "peer", "name", "eth0", "netns", c.names[1])
	for i, name := range c.names {
		c.ip("-n", name, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "eth0")
		c.ip("-n", name, "addr", "add", fmt.Sprintf("fd77::%d/64", i+1), "dev", "eth0", "nodad")
		c.ip("-n", name, "link", "set", "eth0", "up")
		// A router that is there and swallows everything, so that what is sent
		// to the world is seen on the cable.
		c.ip("-n", name, "neigh", "add", "10.77.0.254", "lladdr", "02:00:00:00:00:fe", "dev", "eth0")
		c.ip("-n", name, "route", "add", "default", "via", "10.77.0.254")
	}
	return c
}

func (c *cable) ip(args ...string) {
	c.t.Helper()
	if out, err := exec.CommandContext(c.t.Context(), "ip", args...).CombinedOutput(); err != nil {
		c.t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// ear hears every packet of a machine.
type ear struct {
	expected func(to netip.AddrPort) bool

	mu    sync.Mutex
	stray []string // packets to elsewhere
	near  int      // packets to where they are expected to go
}

// inside runs f on a machine of the cable.
func (c *cable) inside(name string, f func() error) {
	c.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		ns, err := os.Open("/var/run/netns/" + name)
		if err == nil {
			err = errors.Join(unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET), ns.Close())
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	must(c.t, <-done)
}

// listen opens a packet socket (packet(7)) in a machine, which hears until the
// test ends, and tells packets that are expected from others.
func (c *cable) listen(name string, expected func(to netip.AddrPort) bool) *ear {
	c.t.Helper()
	fd := -1
	c.inside(name, func() (err error) {
		const everything = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, everything&0xffff)
		return err
	})
	must(c.t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	e, quit, done := &ear{expected: expected}, make(chan struct{}), make(chan struct{})
	c.t.Cleanup(func() { close(quit); <-done })
	go func() {
		defer close(done)
		defer unix.Close(fd)
		buf := make([]byte, 1<<16)
		for {
			n, from, err := unix.Recvfrom(fd, buf, 0)
			select {
			case <-quit:
				return
			default:
			}
			if l, ok := from.(*unix.SockaddrLinklayer); err == nil && ok {
				e.take(l, buf[:n])
			}
		}
	}()
	return e
}

// take looks at one packet: those that come in are somebody else's.
func (e *ear) take(l *unix.SockaddrLinklayer, p []byte) {
	if l.Pkttype != unix.PACKET_OUTGOING {
		return
	}
	to, what, ok := destination(l.Protocol>>8|l.Protocol<<8, p)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.expected(to) {
		e.near++
		return
	}
	e.stray = append(e.stray, what+" to "+to.String())
}

// destination reads where an IP packet goes.
func destination(protocol uint16, p []byte) (netip.AddrPort, string, bool) {
	var to netip.Addr
	var next byte
	var rest []byte
	switch {
	case protocol == unix.ETH_P_IP && len(p) >= 20 && len(p) >= int(p[0]&15)*4:
		to, next, rest = netip.AddrFrom4([4]byte(p[16:20])), p[9], p[int(p[0]&15)*4:]
	case protocol == unix.ETH_P_IPV6 && len(p) >= 40:
		to, next, rest = netip.AddrFrom16([16]byte(p[24:40])), p[6], p[40:]
	default:
		return netip.AddrPort{}, "", false // ARP and its like never leave a network
	}
	if (next == unix.IPPROTO_UDP || next == unix.IPPROTO_TCP) && len(rest) >= 4 {
		return netip.AddrPortFrom(to, binary.BigEndian.Uint16(rest[2:])), fmt.Sprintf("protocol %d", next), true
	}
	return netip.AddrPortFrom(to, 0), fmt.Sprintf("protocol %d", next), true
}

// staysNear says whether a packet stays on the cable, and asks no name server:
// to the subnets on it, to the machine itself, or to a multicast group that no
// router passes on.
func staysNear(to netip.AddrPort) bool {
	if to.Port() == 53 {
		return false
	}
	for _, near := range []string{"10.77.0.0/24", "127.0.0.0/8", "224.0.0.0/24", "fd77::/64", "fe80::/10", "ff01::/16", "ff02::/16", "::1/128"} {
		if netip.MustParsePrefix(near).Contains(to.Addr()) {
			return true
		}
	}
	return false
}

// count is how many packets went to the cable.
func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.near
}

// heard gives what strayed, and how much did not, and begins anew.
func (e *ear) heard() (stray []string, near int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stray, near, e.stray, e.near = e.stray, e.near, nil, 0
	return stray, near
}

// at starts the person's daemon on a machine of the cable.
func (c *cable) at(i int, p *person, args ...string) {
	c.t.Helper()
	cmd := p.command(append([]string{"daemon", "--json", "--audio", "tone", "--auto-answer"}, args...)...)
	cmd.Args = append([]string{"ip", "netns", "exec", c.names[i], p.bin}, cmd.Args[1:]...)
	cmd.Path = "/usr/sbin/ip"
	p.daemon = start(c.t, cmd)
	var ready struct{ Type, ID string }
	must(c.t, json.Unmarshal([]byte(p.daemon.line(c.t)), &ready))
	p.id = ready.ID
}

// nowhere are a relay and a place to look for people that lead to the router.
var nowhere = []string{
	"--relay", "/ip4/11.9.9.9/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
	"--bootstrap", "/dns4/nobody.example/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
}

func TestOnLocalNetworksOnlyNotOnePacketLeaves(t *testing.T) {
	c := newCable(t)
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ears := [2]*ear{c.listen(c.names[0], staysNear), c.listen(c.names[1], staysNear)}

	c.at(0, ana, nowhere...)
	eventually(t, "the ear hears a node that may leave", func() bool {
		stray, _ := ears[0].heard()
		return len(stray) > 0
	})
	var n control.Network
	ana.json(&n, "network", "--lan-only", "--add-relay", nowhere[1])
	if !n.LANOnly || len(n.Relays) != 1 || len(n.States) != 0 {
		t.Errorf("after the switch: %+v", n)
	}
	// What left before the switch is forgotten, and nothing after: to start is what
	// most would be sent for.
	ana.sleep()
	ears[0].heard()
	c.at(0, ana, nowhere...)
	c.at(1, bo, append([]string{"--lan-only"}, nowhere...)...)

	meetNearby(t, ana, bo)
	ana.send(bo, "does anybody hear us?")
	bo.send(ana, "nobody")
	if kinds, _ := types(t, ana.lines("call", "Bo", "--for", "1s", "--json")); kinds[len(kinds)-1] != "ended" || !strings.Contains(strings.Join(kinds, " "), "first_audio") {
		t.Errorf("the call: %v", kinds)
	}
	before := ears[0].count()
	eventually(t, "some signs of life pass while both are idle", func() bool { return ears[0].count() > before+5 })
	for i, e := range ears {
		stray, near := e.heard()
		if len(stray) > 0 {
			t.Errorf("machine %d sends %d packets elsewhere, the first %s", i, len(stray), stray[0])
		}
		if near < 50 {
			t.Errorf("machine %d was heard to send only %d packets: the ear is deaf", i, near)
		}
	}
	withoutAWayOut(t, c, ana, bo)
}

// meetNearby makes two people friends who see each other on the network only.
func meetNearby(t *testing.T, ana, bo *person) {
	t.Helper()
	ana.ok("visible", "--for", "5m")
	var seen control.Neighbour
	eventually(t, "bo sees ana nearby", func() bool {
		var n control.Nearby
		bo.json(&n, "nearby")
		for _, who := range n.People {
			seen = who
		}
		return len(n.People) == 1
	})
	bo.ok("nearby", "Ana", "--note", "we sit at one table")
	ana.sees(bo, control.Request, control.Away)
	ana.ok("accept", "Bo")
	bo.sees(ana, control.Friend, control.Online)
	ana.sees(bo, control.Friend, control.Online)
	var s control.Safety
	ana.json(&s, "verify", "Bo", "--ok")
	if strings.Join(seen.Words, " ") != strings.Join(s.Words, " ") || !s.Verified {
		t.Errorf("nearby the words are %v, in the safety check %v", seen.Words, s.Words)
	}
	ana.ok("visible", "--off")
	var who control.Contact
	ana.json(&who, "contacts")
	if who.Path != "lan" || who.RTT <= 0 {
		t.Errorf("the path is %q, %v ms", who.Path, who.RTT)
	}
}

// withoutAWayOut takes the routers away and starts both anew.
func withoutAWayOut(t *testing.T, c *cable, ana, bo *person) {
	t.Helper()
	ana.sleep()
	bo.sleep()
	for _, name := range c.names {
		c.ip("-n", name, "route", "del", "default")
	}
	c.at(0, ana)
	c.at(1, bo, "--lan-only")
	ana.sees(bo, control.Friend, control.Online)
	bo.send(ana, "still here")
	if kinds, _ := types(t, bo.lines("call", "Ana", "--for", "1s", "--json")); !strings.Contains(strings.Join(kinds, " "), "first_audio") {
		t.Errorf("the call: %v", kinds)
	}
}
