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

	"github.com/entrenous/entrenous/app/control"
)

// The laboratory of real kernels: two homes behind routers made of network
// namespaces and nftables, a relay between them. Run by `make natlab`.

// natRules are a home router's: everything goes out under its own address, and
// nothing comes in that was not asked for.
const natRules = `table ip nat {
 chain post {
  type nat hook postrouting priority 100;
  oifname "wan" masquerade %s
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

// lab is a small internet. Its addresses are ones that libp2p takes for public;
// the namespaces have no way out.
type lab struct {
	t   *testing.T
	bin string
	tag string
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

// home puts a host behind a router. masquerade is what nftables does to it:
// "" keeps a port whoever is spoken to, "random" takes another one each time.
func (l *lab) home(name, public, inside, masquerade string) {
	l.t.Helper()
	router, host, wan := l.ns("r"+name), l.ns(name), l.ns("w")
	l.space("r" + name)
	l.space(name)
	l.ip("link", "add", "w"+name, "netns", wan, "type", "veth", "peer", "name", "wan", "netns", router)
	l.ip("-n", wan, "link", "set", "w"+name, "master", "br0", "up")
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
	text := fmt.Sprintf(natRules, masquerade)
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.run("ip", "netns", "exec", router, "nft", "-f", rules)
}

// start runs the program in a namespace until the test ends, and gives its
// first line.
func (l *lab) start(space string, args ...string) map[string]any {
	l.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", l.ns(space), l.bin}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var first map[string]any
	if err != nil || json.Unmarshal(line, &first) != nil {
		l.t.Fatalf("%s %v: %q, %v", space, args, line, err)
	}
	return first
}

func TestNATLab(t *testing.T) {
	bin := os.Getenv("ENTRENOUS_NATLAB")
	switch {
	case bin == "":
		t.Skip("run by make natlab")
	case os.Geteuid() != 0:
		t.Skip("network namespaces with NAT need root")
	}
	for i, c := range []struct {
		name, a, b string
		want       string
	}{
		{"cone and cone", "", "", "direct"},
		{"symmetric and cone", "random,persistent", "", "relay"},
		{"symmetric and symmetric", "random,persistent", "random,persistent", "relay"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &lab{t: t, bin: bin, tag: fmt.Sprintf("%d%d", os.Getpid()%10000, i)}
			l.space("w")
			l.ip("-n", l.ns("w"), "link", "add", "br0", "type", "bridge")
			l.ip("-n", l.ns("w"), "link", "set", "br0", "up")
			l.ip("-n", l.ns("w"), "addr", "add", "11.0.0.1/24", "dev", "br0")
			l.home("a", "11.0.0.10", "10.1.0", c.a)
			l.home("b", "11.0.0.20", "10.2.0", c.b)
			l.friends(c.want)
		})
	}
}

func (l *lab) friends(want string) {
	l.t.Helper()
	dir := l.t.TempDir()
	ana, bo := filepath.Join(dir, "ana"), filepath.Join(dir, "bo")
	relay := l.start("w", "relay", "--json", "--profile", filepath.Join(dir, "relay"), "--listen", "/ip4/11.0.0.1/udp/4001/quic-v1")
	at := fmt.Sprint(relay["addrs"].([]any)[0])
	for name, d := range map[string]string{"a": ana, "b": bo} {
		l.run(l.bin, "init", "--profile", d, "--name", filepath.Base(d), "--no-passphrase")
		l.start(name, "daemon", "--json", "--no-lan", "--audio", "null", "--profile", d, "--relay", at)
	}
	ca, cb := control.Dial(ana), control.Dial(bo)
	l.until("the invite names the relay", 10*time.Second, func(ctx context.Context) bool {
		s, err := ca.Status(ctx)
		return err == nil && strings.Contains(strings.Join(s.Addrs, " "), "p2p-circuit")
	})
	i, err := ca.Invite(l.t.Context(), control.NewInvite{Once: true})
	if err != nil {
		l.t.Fatal(err)
	}
	began := time.Now()
	if _, err := cb.Add(l.t.Context(), control.NewContact{Link: i.Link}); err != nil {
		l.t.Fatal(err)
	}
	l.until("both are friends", 15*time.Second, func(ctx context.Context) bool {
		c, err := cb.Contact(ctx, "ana")
		return err == nil && c.State == control.Friend && c.Presence == control.Online
	})
	l.t.Logf("friends after %v", time.Since(began).Round(time.Millisecond))
	if _, err := cb.Send(l.t.Context(), "ana", control.NewMessage{Text: "through two routers", Wait: control.Delivered, Timeout: 10_000}); err != nil {
		l.t.Fatal(err)
	}
	l.until("the path is "+want, 15*time.Second, func(ctx context.Context) bool {
		c, err := ca.Contact(ctx, "bo")
		return err == nil && strings.HasPrefix(c.Path, want)
	})
	l.t.Logf("%s after %v", want, time.Since(began).Round(time.Millisecond))
	if _, err := ca.Send(l.t.Context(), "bo", control.NewMessage{Text: "and back", Wait: control.Delivered, Timeout: 10_000}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) until(what string, limit time.Duration, holds func(context.Context) bool) {
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
