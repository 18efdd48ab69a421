package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The laboratory of real kernels: homes behind routers made of network
// namespaces and nftables, relays on the wire between them. Its addresses are
// ones that libp2p takes for public; the namespaces have no way out.

// router says what a home's router does.
type router struct {
	name    string
	nat     string // how nftables masquerades: "" keeps a port whoever is spoken to
	open    bool   // whoever sends to the router gets in, by UDP
	carrier bool   // behind a NAT of the provider's
	noUDP   bool   // lets no UDP out
	six     bool   // IPv6 only, with a firewall
	loss    int    // % of packets lost, each way
	narrow  bool   // swallows packets of more than 1,280 bytes without a word
	mtu     string // of the wire to the home
	opens   string // by which protocol it opens ports when asked
	claims  string // which address it then says that it has, where that is not its own
}

// routers are the kinds, the most open first.
var routers = []router{
	{name: "endpoint-independent", open: true},
	{name: "port-restricted"},
	{name: "carrier's NAT over NAT", carrier: true},
	{name: "IPv6 only", six: true},
	{name: "symmetric", nat: "fully-random"},
	{name: "UDP blocked", noUDP: true},
	{name: "port-restricted, 10 % lost", loss: 10},
}

// rules are the router's, for nft.
func (r router) rules(inside string) string {
	nat, through, loss := r.nat, "", ""
	if r.open || r.opens != "" {
		through = "ct status dnat accept\n  "
	}
	if r.noUDP {
		through += "meta l4proto udp drop\n  "
	}
	if r.loss > 0 {
		loss = fmt.Sprintf("numgen random mod 100 < %d drop\n  ", r.loss)
	}
	if r.narrow {
		loss += "meta length > 1280 drop\n  "
	}
	text := fmt.Sprintf(`table inet door {
 chain in {
  type filter hook input priority 0;
  meta l4proto icmpv6 accept
  iifname "wan" ct state new drop
 }
 chain through {
  type filter hook forward priority 0;
  %s%siifname "wan" ct state new drop
 }
}
`, loss, through)
	if r.six {
		if r.opens != "" { // what it opens says who gets in
			text = strings.Replace(text, "iifname \"wan\" ct state new drop\n }\n}", "}\n}", 1)
		}
		return text
	}
	text += fmt.Sprintf("table ip nat {\n chain post {\n  type nat hook postrouting priority 100;\n  oifname \"wan\" masquerade %s\n }\n", nat)
	if r.open {
		text += fmt.Sprintf(" chain pre {\n  type nat hook prerouting priority -100;\n  iifname \"wan\" meta l4proto udp dnat to %s\n }\n", inside)
	}
	return text + "}\n"
}

// lab is a small internet, the wire "w" in its middle.
type lab struct {
	t     *testing.T
	bin   string
	tag   string
	dir   string
	homes int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	bin := os.Getenv("ENTRENOUS_NATLAB")
	switch {
	case bin == "":
		t.Skip("run by make natlab")
	case os.Geteuid() != 0:
		t.Skip("network namespaces with NAT need root")
	}
	l := &lab{t: t, bin: bin, tag: fmt.Sprintf("%d%d", os.Getpid()%10000, time.Now().UnixNano()%10000), dir: t.TempDir()}
	l.space("w")
	layWire(l.ip, l.ns("w"))
	l.ip("-n", l.ns("w"), "addr", "add", "11.0.0.1/16", "dev", "br0")
	l.ip("-n", l.ns("w"), "addr", "add", "2a00:8::1/64", "dev", "br0", "nodad")
	l.forward("w")
	return l
}

// layWire makes the bridge that all homes hang on, with an address of its own:
// else it takes the least of its ports' and changes it as homes come, and whoever
// remembers the old one is not heard.
func layWire(ip func(args ...string), space string) {
	ip("-n", space, "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge")
	ip("-n", space, "link", "set", "br0", "up")
}

func (l *lab) run(args ...string) {
	l.t.Helper()
	if out, err := exec.CommandContext(l.t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

func (l *lab) ns(name string) string { return "en" + l.tag + name }

func (l *lab) ip(args ...string) { l.t.Helper(); l.run(append([]string{"ip"}, args...)...) }

// space makes a namespace that ends with the test.
func (l *lab) space(name string) {
	l.t.Helper()
	l.ip("netns", "add", l.ns(name))
	l.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.ns(name)).Run() })
	l.ip("-n", l.ns(name), "link", "set", "lo", "up")
}

func (l *lab) forward(space string) {
	l.t.Helper()
	l.run("ip", "netns", "exec", l.ns(space), "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
}

func (l *lab) nft(space, rules string) {
	l.t.Helper()
	path := filepath.Join(l.dir, space+".nft")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.run("ip", "netns", "exec", l.ns(space), "nft", "-f", path)
}

// wire joins two namespaces. The near end is called near, and hangs on the
// bridge where there is one.
func (l *lab) wire(a, near, b, far string) {
	l.t.Helper()
	l.ip("link", "add", near, "netns", l.ns(a), "type", "veth", "peer", "name", far, "netns", l.ns(b))
	if a == "w" {
		l.ip("-n", l.ns(a), "link", "set", near, "master", "br0")
	}
	l.ip("-n", l.ns(a), "link", "set", near, "up")
	l.ip("-n", l.ns(b), "link", "set", far, "up")
}

// home puts a machine behind a router of its own, and gives its name.
func (l *lab) home(r router) string {
	l.t.Helper()
	l.homes++
	n := l.homes
	name, gate := fmt.Sprintf("h%d", n), fmt.Sprintf("r%d", n)
	l.space(gate)
	l.space(name)
	l.wire(gate, "lan", name, "eth0")
	if r.mtu != "" {
		l.ip("-n", l.ns(gate), "link", "set", "lan", "mtu", r.mtu)
		l.ip("-n", l.ns(name), "link", "set", "eth0", "mtu", r.mtu)
	}
	if r.six {
		l.homeSix(n, name, gate)
	} else {
		l.homeFour(n, name, gate, r.carrier)
	}
	l.forward(gate)
	l.nft(gate, r.rules(fmt.Sprintf("10.%d.0.2", n)))
	if r.opens != "" {
		l.openPorts(gate, r)
	}
	return name
}

func (l *lab) homeFour(n int, name, gate string, carrier bool) {
	l.t.Helper()
	public := fmt.Sprintf("11.0.%d.1/16", n)
	if carrier {
		c := fmt.Sprintf("c%d", n)
		l.space(c)
		l.wire("w", c, c, "wan")
		l.ip("-n", l.ns(c), "addr", "add", public, "dev", "wan")
		l.wire(c, "lan", gate, "wan")
		l.ip("-n", l.ns(c), "addr", "add", fmt.Sprintf("100.64.%d.1/24", n), "dev", "lan")
		l.forward(c)
		l.nft(c, router{}.rules(""))
		public = fmt.Sprintf("100.64.%d.2/24", n)
		l.ip("-n", l.ns(gate), "addr", "add", public, "dev", "wan")
		l.ip("-n", l.ns(gate), "route", "add", "default", "via", fmt.Sprintf("100.64.%d.1", n))
	} else {
		l.wire("w", gate, gate, "wan")
		l.ip("-n", l.ns(gate), "addr", "add", public, "dev", "wan")
	}
	l.ip("-n", l.ns(gate), "addr", "add", fmt.Sprintf("10.%d.0.1/24", n), "dev", "lan")
	l.ip("-n", l.ns(name), "addr", "add", fmt.Sprintf("10.%d.0.2/24", n), "dev", "eth0")
	l.ip("-n", l.ns(name), "route", "add", "default", "via", fmt.Sprintf("10.%d.0.1", n))
}

func (l *lab) homeSix(n int, name, gate string) {
	l.t.Helper()
	l.wire("w", gate, gate, "wan")
	l.ip("-n", l.ns(gate), "addr", "add", fmt.Sprintf("2a00:8::%x:1/64", n), "dev", "wan", "nodad")
	l.ip("-n", l.ns(gate), "route", "add", "default", "via", "2a00:8::1")
	l.ip("-n", l.ns("w"), "route", "add", fmt.Sprintf("2a00:8:%x::/64", n), "via", fmt.Sprintf("2a00:8::%x:1", n))
	l.ip("-n", l.ns(gate), "addr", "add", "fe80::1/64", "dev", "lan", "nodad")
	l.ip("-n", l.ns(gate), "route", "add", fmt.Sprintf("2a00:8:%x::/64", n), "dev", "lan")
	l.ip("-n", l.ns(name), "addr", "add", fmt.Sprintf("2a00:8:%x::2/64", n), "dev", "eth0", "nodad")
	l.ip("-n", l.ns(name), "route", "add", "default", "via", "fe80::1", "dev", "eth0")
}

// process is the program running in a namespace.
type process struct {
	lines *bufio.Reader
	cmd   *exec.Cmd
}

// begin runs the program in a namespace until the test ends.
func (l *lab) begin(space string, args ...string) *process {
	l.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", l.ns(space), l.bin}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	p := &process{lines: bufio.NewReader(out), cmd: cmd}
	l.t.Cleanup(p.stop)
	return p
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// next gives the next line, false when there is none any more.
func (p *process) next(into any) bool {
	line, err := p.lines.ReadBytes('\n')
	return err == nil && json.Unmarshal(line, into) == nil
}

// relay runs a relay on an address of the wire, and gives its addresses.
func (l *lab) relay(number int) (addrs []string, p *process) {
	l.t.Helper()
	four, six := fmt.Sprintf("11.0.0.%d", number), fmt.Sprintf("2a00:8::%d", number)
	if number > 1 {
		l.ip("-n", l.ns("w"), "addr", "add", four+"/16", "dev", "br0")
		l.ip("-n", l.ns("w"), "addr", "add", six+"/64", "dev", "br0", "nodad")
	}
	return l.lend(fmt.Sprint("relay", number), "--listen", "/ip4/"+four+"/udp/4001/quic-v1", "--listen", "/ip4/"+four+"/tcp/4001",
		"--listen", "/ip6/"+six+"/udp/4001/quic-v1", "--listen", "/ip6/"+six+"/tcp/4001")
}

// lend runs a relay on the wire, at port 4001 of all its addresses where none is
// named, and gives its addresses.
func (l *lab) lend(profile string, args ...string) (addrs []string, p *process) {
	l.t.Helper()
	p = l.begin("w", append([]string{"relay", "--json", "--profile", filepath.Join(l.dir, profile)}, args...)...)
	var first struct {
		Addrs []string `json:"addrs"`
	}
	if !p.next(&first) || len(first.Addrs) == 0 {
		l.t.Fatal("the relay does not start")
	}
	return first.Addrs, p
}

func (l *lab) until(what string, limit time.Duration, holds func(context.Context) bool) bool {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), limit)
	defer cancel()
	for !holds(ctx) {
		select {
		case <-ctx.Done():
			l.t.Errorf("not within %v: %s", limit, what)
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}

// pass lets real time pass: kernels have no other.
func (l *lab) pass(d time.Duration) {
	select {
	case <-l.t.Context().Done():
	case <-time.After(d):
	}
}
