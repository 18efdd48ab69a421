package app_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// A home's router that opens ports when asked is somebody else's program,
// miniupnpd, as it runs in real ones.

// opener is a router that opens ports, by one protocol only.
func opener(by string) router {
	return router{name: "port-restricted, " + by, opens: by}
}

// openPorts runs miniupnpd on a home's router, until the test ends.
func (l *lab) openPorts(gate string, r router) {
	l.t.Helper()
	if missing("miniupnpd") {
		l.t.Skip("no miniupnpd here (Debian: miniupnpd-nftables), so no router that opens ports")
	}
	l.nft(gate, fmt.Sprintf(openerTable, map[bool]string{true: "iifname \"wan\" ct state new drop"}[r.six]))
	if r.opens == "NAT-PMP" { // a router that is older than PCP, and silent about it
		l.nft(gate, "table inet old {\n chain in {\n  type filter hook input priority 1;\n  udp dport 5351 @th,64,8 2 drop\n }\n}\n")
	}
	yes := map[bool]string{true: "yes", false: "no"}
	outside := ""
	if r.claims != "" {
		outside = "ext_ip=" + r.claims + "\n"
	}
	if r.six { // it will not run without
		l.ip("-n", l.ns(gate), "addr", "add", "192.168.7.1/24", "dev", "lan")
		if r.opens == "UPnP" { // which is found by IPv4
			home := "h" + strings.TrimPrefix(gate, "r")
			l.ip("-n", l.ns(home), "addr", "add", "192.168.7.2/24", "dev", "eth0")
			l.ip("-n", l.ns(home), "route", "add", "default", "via", "192.168.7.1")
		}
		outside = "ext_ip=11.0.99.1\n"
	}
	conf := filepath.Join(l.dir, gate+".conf")
	text := fmt.Sprintf(`ext_ifname=wan
%slistening_ip=lan
ipv6_disable=%s
enable_natpmp=%s
enable_upnp=%s
secure_mode=yes
min_lifetime=20
max_lifetime=%d
upnp_table_name=opened
upnp_nat_table_name=opened
upnp_forward_chain=through
upnp_nat_chain=in
upnp_nat_postrouting_chain=out
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`, outside, yes[!r.six], yes[r.opens != "UPnP"], yes[r.opens == "UPnP"], int(openLife/time.Second))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", l.ns(gate), "miniupnpd", "-d", "-f", conf, "-P", filepath.Join(l.dir, gate+".pid"))
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
}

// openLife is for how long the router opens a port, at most.
const openLife = 24 * time.Second

// openerTable is where miniupnpd writes what it opens.
const openerTable = `table inet opened {
 chain forward {
  type filter hook forward priority 0;
  jump through
  %s
 }
 chain through {
 }
 chain prerouting {
  type nat hook prerouting priority -100;
  jump in
 }
 chain postrouting {
  type nat hook postrouting priority 99;
  jump out
 }
 chain in {
 }
 chain out {
 }
}
`

// opened lists what the router has open now.
func (l *lab) opened(gate string) string { return l.letIn(gate, "in", "dnat") }

// letIn lists the rules of one of its chains that do something.
func (l *lab) letIn(gate, chain, what string) string {
	l.t.Helper()
	out, err := exec.CommandContext(l.t.Context(), "ip", "netns", "exec", l.ns(gate), "nft", "list", "chain", "inet", "opened", chain).Output()
	if err != nil {
		l.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, what) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// tells waits until a dweller tells an address, and says how long it took.
func (d *dweller) tells(addr string, limit time.Duration) time.Duration {
	d.l.t.Helper()
	began := time.Now()
	d.l.until(d.name+" tells "+addr, limit, func(ctx context.Context) bool {
		s, err := d.c.Status(ctx)
		return err == nil && strings.Contains(strings.Join(s.Addrs, " "), addr)
	})
	return time.Since(began)
}

// TestNATLabPorts lets somebody live behind a router that opens ports. Her
// friend's router is one that is never punched, and yet they meet directly.
func TestNATLabPorts(t *testing.T) {
	for _, by := range []string{"PCP", "NAT-PMP", "UPnP"} {
		t.Run(by, func(t *testing.T) {
			l := newLab(t)
			relays, _ := l.relay(1)
			ana := l.dwell(opener(by), "ana", relays)
			gate := "r" + home(ana)
			told := ana.tells("/ip4/11.0."+home(ana)+".1/udp/", time.Minute)
			found := ana.finding("port")
			if found.Code != "port.open" || found.State != "good" || len(found.Args) != 2 || found.Args[1] != by {
				t.Errorf("the doctor says %+v", found)
			}
			bo := l.dwell(routers[4], "bo", relays)
			bo.ready()
			m := l.meet(ana, bo)
			t.Logf("reached from outside and told after %d ms; met after %d ms, %s; call %s, sound after %d ms",
				told.Milliseconds(), m.met.Milliseconds(), m.path, m.callPath, m.sound.Milliseconds())
			if by != "UPnP" { // there the life is what was asked for
				l.pass(openLife + openLife/4)
			}
			if open := l.opened(gate); strings.Count(open, "\n") != 1 {
				t.Errorf("after its life the router has open: %s", open)
			}
			if err := ana.daemon.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			l.until("the ports are given back", 5*time.Second, func(context.Context) bool { return l.opened(gate) == "" })
		})
	}
}

// TestNATLabPinhole lets somebody live behind a firewall of IPv6 that lets in who
// was not asked once the machine behind it wants that, with no relay to be met by.
func TestNATLabPinhole(t *testing.T) {
	for _, by := range []string{"PCP", "UPnP"} {
		t.Run(by, func(t *testing.T) { pierce(t, by) })
	}
}

func pierce(t *testing.T, by string) {
	t.Helper()
	l := newLab(t)
	l.ip("-n", l.ns("w"), "addr", "add", "2a00:8::3/64", "dev", "br0", "nodad")
	ana, bo := l.settle(router{name: "IPv6, " + by, six: true, opens: by}, "ana"), l.outdoors("bo", "/ip6/2a00:8::3/udp/4102/quic-v1")
	gate := "r" + home(ana)
	holes := func() string { return l.letIn(gate, "through", "@nh,192,128") } // for an address of IPv6
	began := time.Now()
	l.until("the firewall lets in UDP and TCP", 20*time.Second, func(context.Context) bool { return strings.Count(holes(), "dport") == 2 })
	t.Logf("let in after %d ms:\n%s", time.Since(began).Milliseconds(), holes())
	l.until("the doctor knows", time.Second, func(context.Context) bool {
		return ana.finding("ipv6").Code == "ipv6.open" && ana.finding("network").Code == "network.direct"
	})
	ask := func(on bool) {
		t.Helper()
		if _, err := ana.c.EditNetwork(t.Context(), control.NetworkEdit{MapPort: &on}); err != nil {
			t.Fatal(err)
		}
	}
	ask(false)
	l.until("the pinholes are given back", 5*time.Second, func(context.Context) bool { return holes() == "" })
	ask(true)
	l.until("the firewall lets in both again", 20*time.Second, func(context.Context) bool { return strings.Count(holes(), "dport") == 2 })
	i, err := ana.c.Invite(t.Context(), control.NewInvite{Once: true})
	began = time.Now()
	if err == nil {
		_, err = bo.c.Add(t.Context(), control.NewContact{Link: i.Link})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.until("they are friends and connected directly", 10*time.Second, func(ctx context.Context) bool { return bo.path(ctx, ana) == "direct" && ana.path(ctx, bo) == "direct" })
	t.Logf("friends after %d ms", time.Since(began).Milliseconds())
	l.pass(openLife + openLife/4)
	if open := holes(); strings.Count(open, "dport") != 2 {
		t.Errorf("after its life the firewall lets in: %s", open)
	}
	if err := ana.daemon.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	// What was renewed miniupnpd 2.3.1 does not take back: it forgets whose it is.
	l.until("the pinholes are closed", openLife+10*time.Second, func(context.Context) bool { return holes() == "" })
}

// TestNATLabPortLater turns asking the router off, by which what is open is given
// back, makes friends through a relay, and turns it on again: the friendship moves
// to the port that the router opens.
func TestNATLabPortLater(t *testing.T) {
	l := newLab(t)
	relays, _ := l.relay(1)
	ana, bo := l.dwell(opener("PCP"), "ana", relays), l.dwell(routers[4], "bo", relays)
	ask := func(on bool) {
		t.Helper()
		if _, err := ana.c.EditNetwork(t.Context(), control.NetworkEdit{MapPort: &on}); err != nil {
			t.Fatal(err)
		}
	}
	ana.tells("/ip4/11.0."+home(ana)+".1/udp/", time.Minute)
	ask(false)
	gate := "r" + home(ana)
	l.until("nothing is open", 10*time.Second, func(context.Context) bool { return l.opened(gate) == "" })
	ana.ready()
	bo.ready()
	i, err := ana.c.Invite(t.Context(), control.NewInvite{Once: true})
	if err == nil {
		_, err = bo.c.Add(t.Context(), control.NewContact{Link: i.Link})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.until("they are friends through the relay", 20*time.Second, func(ctx context.Context) bool { return ana.path(ctx, bo) == "relay" })
	if f := ana.finding("port"); f.Code != "port.off" {
		t.Errorf("the doctor says %+v", f)
	}
	ask(true)
	began := time.Now()
	l.until("they are connected directly", time.Minute, func(ctx context.Context) bool {
		return ana.path(ctx, bo) == "direct" && bo.path(ctx, ana) == "direct"
	})
	t.Logf("directly connected %d ms after the router was asked", time.Since(began).Milliseconds())
}

// TestNATLabPortsThatLeadNowhere asks a router that opens ports, but stands
// behind another one.
func TestNATLabPortsThatLeadNowhere(t *testing.T) {
	for name, claims := range map[string]string{"it knows that": "", "it claims the carrier's address": "11.0.1.1"} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			relays, _ := l.relay(1)
			ana := l.dwell(router{name: "carrier's NAT over NAT", carrier: true, opens: "PCP", claims: claims}, "ana", relays)
			ana.ready()
			var f control.Finding
			l.until("the doctor knows", time.Minute, func(context.Context) bool {
				f = ana.finding("port")
				return f.Code == "port.useless" || f.Code == "port.refused"
			})
			t.Logf("%s: %s", f.Say, f.Do)
			s, err := ana.c.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range s.Addrs {
				if strings.Contains(a, "/ip4/11.0.1.1/") || strings.Contains(a, "/ip4/100.64.") {
					t.Errorf("she tells %s", a)
				}
			}
		})
	}
}

// finding gives what the doctor says of one thing.
func (d *dweller) finding(what string) control.Finding {
	d.l.t.Helper()
	all, err := d.c.Doctor(d.l.t.Context())
	if err != nil {
		d.l.t.Fatal(err)
	}
	for _, f := range all {
		if f.What == what {
			return f
		}
	}
	return control.Finding{}
}
