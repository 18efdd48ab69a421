package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entrenous/entrenous/transport"
)

// neighbour names the variable that makes the test binary a host on the network
// it finds itself in, instead of running tests.
const neighbour = "ENTRENOUS_TEST_NEIGHBOUR"

func TestMain(m *testing.M) {
	if racing {
		// The detector has one context for all timers of a bubble, and crashes when
		// two processors run some at once (unlockAndRun in runtime/time.go, Go 1.26).
		runtime.GOMAXPROCS(1)
	}
	if who := os.Getenv(neighbour); who != "" {
		if err := beNeighbour(who); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beNeighbour announces the tag "<who>", prints what it hears, and does what
// its standard input says, until that ends.
func beNeighbour(who string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, err := transport.Listen(ctx, transport.Config{Key: newNeighbourKey()})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	serveEcho(h)
	var tag atomic.Value
	tag.Store(who)
	changes, stop := h.Watch()
	defer stop()
	go func() {
		for e := range changes {
			if e.Kind == transport.NetworkChanged {
				fmt.Println("moved")
			}
		}
	}()
	done := make(chan error, 1)
	go func() {
		done <- h.Discover(ctx, transport.Beacon{
			Tags: func(int64) [][8]byte { return [][8]byte{asTag(fmt.Sprint(tag.Load()))} },
			Seen: func(addrs []string, tags [][8]byte) {
				for _, t := range tags {
					if name := strings.TrimRight(string(t[:]), " "); len(name) == 5 {
						fmt.Println("seen", name, len(tags), strings.Join(addrs, " "))
					}
				}
			},
		})
	}()
	fmt.Println("peer", h.Peer(), strings.Join(h.Addrs(), " "))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "dial":
			f := strings.Fields(rest)
			fmt.Println("dialled", h.Dial(ctx, transport.Peer(f[0]), f[1:]))
		case "tag":
			tag.Store(rest)
			h.Refresh()
		}
	}
	cancel()
	return errors.Join(<-done, h.Close())
}

func asTag(name string) (t [8]byte) {
	copy(t[:], fmt.Sprintf("%-8s", name))
	return t
}

// person is a neighbour process in a network namespace of its own.
type person struct {
	t    *testing.T
	say  func(string)
	hear *bufio.Scanner
}

// want returns the next line that begins with prefix.
func (p *person) want(prefix string) string {
	p.t.Helper()
	for p.hear.Scan() {
		if rest, ok := strings.CutPrefix(p.hear.Text(), prefix); ok {
			return strings.TrimSpace(rest)
		}
		p.t.Logf("heard %q", p.hear.Text())
	}
	p.t.Fatalf("ended before %q", prefix)
	return ""
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// cable makes two network namespaces joined by a virtual cable, with nothing
// else in them: whatever is multicast there stays there.
func cable(t *testing.T) (left, right string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip (iproute2)")
	}
	id := fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()%1e6)
	left, right = "en-l-"+id, "en-r-"+id
	for _, ns := range []string{left, right} {
		if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("may not make network namespaces here: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		ip(t, "-n", ns, "link", "set", "lo", "up")
	}
	if out, err := exec.CommandContext(t.Context(), "ip", "link", "add", "eth0", "netns", left,
		"type", "veth", "peer", "name", "eth0", "netns", right).CombinedOutput(); err != nil {
		t.Skipf("no virtual cables here: %s", out)
	}
	for i, ns := range []string{left, right} {
		ip(t, "-n", ns, "addr", "add", fmt.Sprintf("192.168.77.%d/24", i+1), "dev", "eth0")
		ip(t, "-n", ns, "link", "set", "eth0", "up")
	}
	return left, right
}

func live(t *testing.T, ns, who string) *person {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // ends what never comes
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", ns, exe)
	cmd.Env = append(os.Environ(), neighbour+"="+who)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &person{t: t, hear: bufio.NewScanner(out), say: func(line string) { _, _ = fmt.Fprintln(in, line) }}
}

func TestNeighboursNoticeEachOtherAndConnect(t *testing.T) {
	left, right := cable(t)
	start := time.Now()
	ana := live(t, left, "ana-1")
	ana.want("peer")
	bo := live(t, right, "bo-22")
	name, _, _ := strings.Cut(bo.want("peer"), " ")
	seen := strings.Fields(ana.want("seen bo-22"))
	t.Logf("seen after %v", time.Since(start))
	if seen[0] != "8" {
		t.Errorf("%s tags announced, want one padded to 8", seen[0])
	}
	if !slices.ContainsFunc(seen[1:], func(a string) bool { return strings.HasPrefix(a, "/ip4/192.168.77.2/udp/") }) {
		t.Errorf("bo is said to be at %v", seen[1:])
	}
	bo.want("seen ana-1")
	ana.say("dial " + name + " " + strings.Join(seen[1:], " "))
	if got := ana.want("dialled"); got != "<nil>" {
		t.Errorf("dial: %s", got)
	}
}

func TestNeighboursNoticeNewTagsAndNewNetworks(t *testing.T) {
	left, right := cable(t)
	ana, bo := live(t, left, "ana-1"), live(t, right, "bo-22")
	ana.want("seen bo-22")
	bo.say("tag bo-33")
	ana.want("seen bo-33")
	// Both move to another network, without a word to either.
	for ns, at := range map[string]string{left: "172.20.0.1/24", right: "172.20.0.2/24"} {
		ip(t, "-n", ns, "addr", "flush", "dev", "eth0")
		ip(t, "-n", ns, "addr", "add", at, "dev", "eth0")
	}
	ana.want("moved")
	for seen := ""; !strings.Contains(seen, "/ip4/172.20.0.2/udp/"); {
		seen = ana.want("seen bo-33")
	}
}

func TestTwoAccountsOnOneMachineNoticeEachOther(t *testing.T) {
	left, _ := cable(t)
	ana, bo := live(t, left, "ana-1"), live(t, left, "bo-22")
	ana.want("seen bo-22")
	bo.want("seen ana-1")
}

func TestAHostWithoutLANStaysSilent(t *testing.T) {
	h := listen(t, transport.Config{NoLAN: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- h.Discover(ctx, transport.Beacon{Tags: func(int64) [][8]byte { panic("asked for tags") }})
	}()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
