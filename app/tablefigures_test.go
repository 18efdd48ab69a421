package app_test

import (
	"bufio"
	"crypto/ed25519"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

// tableEnv makes this program the strangers that a figure needs: the number of
// nodes of a table, which it keeps at an address of its own until it is ended.
const tableEnv = "ENTRENOUS_TABLE_NODES"

const (
	tableNodes = 24
	// Addresses of two machines with a cable between them.
	ourEnd, strangersEnd = "10.9.0.1", "10.9.0.2"
)

// TestStrangersOfTheFigures is no test: TestFigures runs it in a process of its own.
func TestStrangersOfTheFigures(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv(tableEnv))
	if err != nil {
		t.Skip("run by the figures")
	}
	var first []string
	for range count {
		_, key, err := ed25519.GenerateKey(nil)
		must(t, err)
		h, err := transport.Listen(t.Context(), transport.Config{
			Key: key, Listen: []string{"/ip4/" + strangersEnd + "/udp/0/quic-v1"}, NoLAN: true,
			Lend: &transport.Lend{Duration: 2 * time.Minute, Bytes: 128 << 10},
			DHT:  &transport.DHT{Bootstrap: first, AnyAddr: true, Serve: true},
		})
		must(t, err)
		if first == nil {
			first = h.Addrs()
		}
		defer func() { _ = h.Close() }()
	}
	fmt.Println("table at " + first[0])
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// measureIdleTable counts what a daemon sends to and hears from strangers while
// nothing happens: it leaves word for a friend who is away, looks for that friend,
// and is reached through strangers' relays.
func measureIdleTable(t *testing.T) []figure {
	home := quietNetwork(t)
	if home == "" {
		return nil
	}
	outside := home + "-strangers"
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", args, err, out)
		}
	}
	ip("netns", "add", outside)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", outside).Run() })
	ip("link", "add", "out", "netns", home, "type", "veth", "peer", "name", "in", "netns", outside)
	for _, end := range [][3]string{{home, "out", ourEnd}, {outside, "in", strangersEnd}} {
		ip("-n", end[0], "addr", "add", end[2]+"/24", "dev", end[1])
		ip("-n", end[0], "link", "set", end[1], "up")
		ip("-n", end[0], "link", "set", "lo", "up")
	}
	table := strangersIn(t, outside)
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.netns, bo.netns = home, home
	ana.listen = "/ip4/" + ourEnd + "/udp/4001/quic-v1"
	ana.wake("--bootstrap", table)
	bo.wake()
	befriend(ana, bo)
	bo.ok("quit")
	// Searches follow a friend's leaving at once, after 0.5, 2 and 22 seconds, and then
	// a quarter of an hour later.
	began, left := time.Now(), deviceBytes(t, ana, "out")
	count := func(at time.Duration) float64 {
		<-time.After(at - time.Since(began))
		return float64(deviceBytes(t, ana, "out") - left)
	}
	const early, late = 6 * time.Minute, 15 * time.Minute
	searched, all := count(early), count(late)
	return []figure{{
		"a friend left, a table of " + strconv.Itoa(tableNodes) + " strangers: traffic with them, over the first quarter of an hour", "≤ 1,000 B/s", "Tox 10,000–20,000 B/s",
		fmt.Sprintf("%.0f B/s", all/late.Seconds()),
	}, {
		"the same between two searches, from the sixth minute on", "≤ 1,000 B/s", "Tox 10,000–20,000 B/s",
		fmt.Sprintf("%.0f B/s", (all-searched)/(late-early).Seconds()),
	}}
}

// strangersIn starts the nodes of a table in a network namespace, and gives the
// address of one.
func strangersIn(t *testing.T, space string) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command("ip", "netns", "exec", space, self, "-test.run", "^TestStrangersOfTheFigures$")
	cmd.Env = append(os.Environ(), tableEnv+"="+strconv.Itoa(tableNodes))
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "table at "); ok {
			return at
		}
	}
	t.Fatal("the strangers ended")
	return ""
}
