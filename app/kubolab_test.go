package app_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// The laboratory with a third party: a Kubo node that nobody here wrote is all
// the internet that two friends have. Run by `make kubo`.

const kuboEnv = "ENTRENOUS_KUBO"

// yardRules are a router's that lets nobody in who was not asked.
const yardRules = `table ip nat {
 chain post {
  type nat hook postrouting priority 100;
  oifname "wan" masquerade
 }
}
table ip door {
 chain in {
  type filter hook input priority 0;
  iifname "wan" ct state new drop
 }
 chain through {
  type filter hook forward priority 0;
  iifname "wan" ct state new drop
 }
}
`

// yard is a small internet of network namespaces with a Kubo node in its
// middle. Its addresses are ones that libp2p takes for public; nothing leads
// out of it.
type yard struct {
	t        *testing.T
	bin, tag string
}

func (l *yard) run(args ...string) {
	l.t.Helper()
	if out, err := exec.CommandContext(l.t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

func (l *yard) ip(args ...string) { l.t.Helper(); l.run(append([]string{"ip"}, args...)...) }

func (l *yard) ns(name string) string { return "ek" + l.tag + name }

// space makes a namespace that ends with the test.
func (l *yard) space(name string) {
	l.t.Helper()
	l.ip("netns", "add", l.ns(name))
	l.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.ns(name)).Run() })
	l.ip("-n", l.ns(name), "link", "set", "lo", "up")
}

// home puts a machine behind a router.
func (l *yard) home(name, public, inside string) {
	l.t.Helper()
	router, host := l.ns("r"+name), l.ns(name)
	l.space("r" + name)
	l.space(name)
	l.ip("link", "add", "w"+name, "netns", l.ns("w"), "type", "veth", "peer", "name", "wan", "netns", router)
	l.ip("-n", l.ns("w"), "link", "set", "w"+name, "master", "br0", "up")
	l.ip("-n", router, "addr", "add", public+"/24", "dev", "wan")
	l.ip("-n", router, "link", "set", "wan", "up")
	l.ip("link", "add", "lan", "netns", router, "type", "veth", "peer", "name", "eth0", "netns", host)
	l.ip("-n", router, "addr", "add", inside+".1/24", "dev", "lan")
	l.ip("-n", router, "link", "set", "lan", "up")
	l.ip("-n", host, "addr", "add", inside+".2/24", "dev", "eth0")
	l.ip("-n", host, "link", "set", "eth0", "up")
	l.ip("-n", host, "route", "add", "default", "via", inside+".1")
	l.run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	rules := filepath.Join(l.t.TempDir(), "nat")
	must(l.t, os.WriteFile(rules, []byte(yardRules), 0o600))
	l.run("ip", "netns", "exec", router, "nft", "-f", rules)
}

func (l *yard) until(what string, limit time.Duration, holds func(context.Context) bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), limit)
	defer cancel()
	for !holds(ctx) {
		select {
		case <-ctx.Done():
			l.t.Fatalf("not within %v: %s", limit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// outside puts a machine onto the internet with an address of its own.
func (l *yard) outside(name, ip string) {
	l.t.Helper()
	l.space(name)
	l.ip("link", "add", "w"+name, "netns", l.ns("w"), "type", "veth", "peer", "name", "eth0", "netns", l.ns(name))
	l.ip("-n", l.ns("w"), "link", "set", "w"+name, "master", "br0", "up")
	l.ip("-n", l.ns(name), "addr", "add", ip+"/24", "dev", "eth0")
	l.ip("-n", l.ns(name), "link", "set", "eth0", "up")
}

// kubo runs a Kubo node in a namespace: bootstrap node, server of the table and
// relay in one. It gives its address.
func (l *yard) kubo(space, ip string) string {
	l.t.Helper()
	dir := filepath.Join(l.t.TempDir(), "ipfs")
	at := "/ip4/" + ip + "/udp/4001/quic-v1"
	ipfs := func(args ...string) string {
		cmd := exec.CommandContext(l.t.Context(), "ip", append([]string{"netns", "exec", l.ns(space), os.Getenv(kuboEnv)}, args...)...)
		cmd.Env = append(os.Environ(), "IPFS_PATH="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			l.t.Fatalf("ipfs %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	ipfs("init")
	for key, value := range map[string]string{
		"Addresses.Swarm": `["` + at + `"]`, "Addresses.API": `"/ip4/127.0.0.1/tcp/0"`, "Addresses.Gateway": `[]`,
		"Bootstrap": `[]`, "Discovery.MDNS.Enabled": `false`, "Routing": `{"Type":"dhtserver"}`, "AutoTLS.Enabled": `false`, "AutoConf.Enabled": `false`,
		"DNS.Resolvers": `{}`, "Ipns.DelegatedPublishers": `[]`, "Routing.DelegatedRouters": `[]`,
		"Swarm.RelayService.Enabled": `true`, "Internal": `{"Libp2pForceReachability":"public"}`, "Swarm.DisableNatPortMap": `true`,
	} {
		ipfs("config", "--json", key, value)
	}
	id := ipfs("config", "Identity.PeerID")
	cmd := exec.Command("ip", "netns", "exec", l.ns(space), os.Getenv(kuboEnv), "daemon")
	cmd.Env = append(os.Environ(), "IPFS_PATH="+dir, "IPFS_TELEMETRY=off")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(l.t, err)
	must(l.t, cmd.Start())
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Daemon is ready") {
			go func() {
				for lines.Scan() { //nolint:revive // what it says later is of no interest, but must be read
				}
			}()
			return at + "/p2p/" + id
		}
	}
	l.t.Fatalf("kubo ended: %v", lines.Err())
	return ""
}

// internet is a lab with a Kubo node in its middle.
func internet(t *testing.T, bin, tag string) (l *yard, kubo string) {
	t.Helper()
	l = &yard{t: t, bin: bin, tag: tag}
	l.space("w")
	layWire(l.ip, l.ns("w"))
	l.outside("k", "11.0.0.1")
	return l, l.kubo("k", "11.0.0.1")
}

func TestKuboLab(t *testing.T) {
	bin := os.Getenv("ENTRENOUS_NATLAB")
	switch {
	case bin == "" || os.Getenv(kuboEnv) == "":
		t.Skip("run by make kubo")
	case os.Geteuid() != 0:
		t.Skip("network namespaces with NAT need root")
	}
	tag := strconv.Itoa(os.Getpid() % 10_000)
	t.Run("found again after both moved", func(t *testing.T) { foundThroughKubo(t, bin, "k"+tag) })
	t.Run("reached through its relay", func(t *testing.T) { reachedThroughKubo(t, bin, "r"+tag) })
}

func foundThroughKubo(t *testing.T, bin, tag string) {
	l, kubo := internet(t, bin, tag)
	l.home("a", "11.0.0.10", "10.1.0")
	l.outside("b", "11.0.0.20")
	dir := t.TempDir()
	ana, bo := filepath.Join(dir, "ana"), filepath.Join(dir, "bo")
	people := map[string]string{"a": ana, "b": bo}
	var stops []func()
	start := func() {
		for name, d := range people {
			stops = append(stops, l.daemon(name, "--profile", d, "--bootstrap", kubo))
		}
	}
	for _, d := range people {
		l.run(bin, "init", "--profile", d, "--name", filepath.Base(d), "--no-passphrase")
	}
	start()
	l.befriend(bo, ana)
	for _, stop := range stops {
		stop()
	}
	// Both move: Bo to another address, Ana's router to another one.
	l.ip("-n", l.ns("b"), "addr", "del", "11.0.0.20/24", "dev", "eth0")
	l.ip("-n", l.ns("b"), "addr", "add", "11.0.0.120/24", "dev", "eth0")
	l.ip("-n", l.ns("ra"), "addr", "del", "11.0.0.10/24", "dev", "wan")
	l.ip("-n", l.ns("ra"), "addr", "add", "11.0.0.110/24", "dev", "wan")
	start()
	began := time.Now()
	l.until("they see each other again", 30*time.Second, func(ctx context.Context) bool {
		c, err := control.Dial(ana).Contact(ctx, "bo")
		return err == nil && c.Presence == control.Online
	})
	t.Logf("found through Kubo's table and connected after %v", time.Since(began).Round(time.Millisecond))
	if _, err := control.Dial(ana).Send(t.Context(), "bo", control.NewMessage{Text: "found you", Wait: control.Delivered, Timeout: 10_000}); err != nil {
		t.Fatal(err)
	}
}

func reachedThroughKubo(t *testing.T, bin, tag string) {
	l, kubo := internet(t, bin, tag)
	l.home("a", "11.0.0.10", "10.1.0")
	l.home("b", "11.0.0.20", "10.2.0")
	dir := t.TempDir()
	ana, bo := filepath.Join(dir, "ana"), filepath.Join(dir, "bo")
	for name, d := range map[string]string{"a": ana, "b": bo} {
		l.run(bin, "init", "--profile", d, "--name", filepath.Base(d), "--no-passphrase")
		l.daemon(name, "--profile", d, "--bootstrap", kubo, "--relay", kubo)
	}
	l.until("the invite names the relay", 10*time.Second, func(ctx context.Context) bool {
		s, err := control.Dial(bo).Status(ctx)
		return err == nil && strings.Contains(strings.Join(s.Addrs, " "), "p2p-circuit")
	})
	began := time.Now()
	l.befriend(bo, ana)
	t.Logf("friends through Kubo's relay after %v", time.Since(began).Round(time.Millisecond))
	l.until("the path is direct", 15*time.Second, func(ctx context.Context) bool {
		c, err := control.Dial(ana).Contact(ctx, "bo")
		return err == nil && c.Path == "direct"
	})
	t.Logf("direct after %v", time.Since(began).Round(time.Millisecond))
}

// daemon runs a node until the test ends or it is stopped.
func (l *yard) daemon(space string, args ...string) (stop func()) {
	l.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", l.ns(space), l.bin, "daemon", "--json", "--no-lan", "--no-port-mapping", "--audio", "null"}, args...)...)
	out, err := cmd.StdoutPipe()
	must(l.t, err)
	must(l.t, cmd.Start())
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
		}
	}
	l.t.Cleanup(stop)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, `"ready"`) {
		l.t.Fatalf("%s: %q, %v", space, line, err)
	}
	return stop
}

// befriend makes two people friends by an invite of the first.
func (l *yard) befriend(from, to string) {
	l.t.Helper()
	i, err := control.Dial(from).Invite(l.t.Context(), control.NewInvite{Once: true})
	must(l.t, err)
	_, err = control.Dial(to).Add(l.t.Context(), control.NewContact{Link: i.Link})
	must(l.t, err)
	l.until("both are friends", 20*time.Second, func(ctx context.Context) bool {
		c, err := control.Dial(to).Contact(ctx, filepath.Base(from))
		return err == nil && c.State == control.Friend && c.Presence == control.Online
	})
}
