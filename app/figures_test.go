package app_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// figure is one line of the table.
type figure struct{ what, target, peers, measured string }

// TestFigures measures the program that ENTRENOUS_BENCH names, as processes on
// this machine, and prints what it finds beside the targets.
func TestFigures(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		t.Skip("measures for minutes: make bench, or ENTRENOUS_BENCH=./entrenous")
	}
	var table []figure
	for _, m := range []struct {
		name    string
		measure func(t *testing.T) []figure
	}{
		{"latency", measureLatency},
		{"throughput", measureThroughput},
		{"adding", measureAdding},
		{"restart", measureRestart},
		{"idle", measureIdle},
		{"idle with a table", measureIdleTable},
		{"death", measureDeath},
		{"history", measureHistory},
		{"calling", measureCalling},
		{"cost of a call", measureCallCost},
		{"killing", func(t *testing.T) []figure {
			said := killAndCount(t, 200)
			return []figure{{"kill -9 of either side while both write", "nothing lost or doubled", "", said}}
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			for _, f := range m.measure(t) {
				t.Logf("%s: %s (target %s)", f.what, f.measured, f.target)
				table = append(table, f)
			}
		})
	}
	printFigures(os.Stdout, table)
}

func printFigures(to io.Writer, table []figure) {
	w := tabwriter.NewWriter(to, 2, 8, 2, ' ', 0)
	fmt.Fprintf(w, "\nfigure\tmeasured\ttarget\tpeers\n")
	for _, f := range table {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.what, f.measured, f.target, f.peers)
	}
	fmt.Fprintf(w, "%s, %d cores, load %s\n", time.Now().Format("2006-01-02 15:04"), runtime.NumCPU(), load())
	w.Flush()
}

// load is what the machine does besides: figures taken on a busy one are worse.
func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(b))[:1], "")
}

// announced notes when a node announced each message.
type announced struct {
	mu   sync.Mutex
	when map[string]time.Time
	news chan string
}

func listen(t testing.TB, p *person) *announced {
	t.Helper()
	a := &announced{when: map[string]time.Time{}, news: make(chan string, 1<<16)}
	w, err := p.api().Watch(t.Context(), false)
	must(t, err)
	if ch, err := w.Next(); err != nil || ch.Type != control.ChangeHello {
		t.Fatalf("first change %v, %v", ch, err)
	}
	go func() {
		for {
			ch, err := w.Next()
			if err != nil {
				return
			}
			if ch.Type != control.ChangeMessage {
				continue
			}
			a.mu.Lock()
			a.when[ch.ID] = time.Now()
			a.mu.Unlock()
			a.news <- ch.ID
		}
	}()
	return a
}

func measureLatency(t *testing.T) []figure {
	ana, bo := friends(t)
	heard := listen(t, bo)
	c := ana.api()
	const warm, count = 100, 2000
	var took []time.Duration
	before := cpuOf(t, ana) + cpuOf(t, bo)
	for i := range warm + count {
		begin := time.Now()
		s, err := c.Send(t.Context(), bo.id, control.NewMessage{Text: "message number " + strconv.Itoa(i)})
		must(t, err)
		for id := range heard.news {
			if id == s.ID {
				break
			}
		}
		heard.mu.Lock()
		if i >= warm {
			took = append(took, heard.when[s.ID].Sub(begin))
		}
		heard.mu.Unlock()
	}
	slices.Sort(took)
	cost := (cpuOf(t, ana) + cpuOf(t, bo) - before) / (warm + count)
	return []figure{{
		"message, send call → stored and announced at the friend's node, p50 / p99", "≤ 3 ms / ≤ 12 ms", "Tox 28 / 49 ms, Jami 126 / 160 ms",
		fmt.Sprintf("%.2f / %.2f ms (both nodes' CPU: %v a message)", ms(took[count/2]), ms(took[count*99/100]), cost.Round(time.Microsecond)),
	}}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func measureThroughput(t *testing.T) []figure {
	return []figure{
		throughput(t, "sustained messages/s, every one durable and acknowledged (one stream)", sendStream),
		throughput(t, "the same, a request for each, 256 at a time", sendRequests),
	}
}

// throughput measures how fast ana sends messages to bo in some way, and what
// that costs.
func throughput(t *testing.T, what string, way func(t *testing.T, c *control.Client, who string, count int)) figure {
	ana, bo := friends(t)
	c := ana.api()
	const count = 40_000
	costA, costB, costC := cpuOf(t, ana), cpuOf(t, bo), cpuOfProcess(t, os.Getpid())
	begin := time.Now()
	way(t, c, bo.id, count)
	took := time.Since(begin)
	costA, costB, costC = cpuOf(t, ana)-costA, cpuOf(t, bo)-costB, cpuOfProcess(t, os.Getpid())-costC
	per := func(d time.Duration) time.Duration { return (d / count).Round(time.Microsecond) }
	if got, err := bo.api().Contact(t.Context(), ana.id); err != nil || got.Unread != count {
		t.Errorf("of %d messages %d are there, %v", count, got.Unread, err)
	}
	return figure{
		what, "≥ 5,000", "Tox 3,400, Jami 29",
		fmt.Sprintf("%.0f (CPU a message: %v: sender's node %v, friend's node %v, client %v)", count/took.Seconds(),
			per(costA+costB+costC), per(costA), per(costB), per(costC)),
	}
}

// numbered is message n, to be waited for.
func numbered(n int) control.NewMessage {
	return control.NewMessage{Text: "message number " + strconv.Itoa(n), Wait: control.Delivered}
}

// sendStream sends messages as one stream.
func sendStream(t *testing.T, c *control.Client, who string, count int) {
	s, err := c.Stream(t.Context(), who)
	must(t, err)
	defer s.End()
	go func() {
		const together = 100
		for n := 1; n <= count; n += together {
			var some []control.NewMessage
			for i := n; i < min(n+together, count+1); i++ {
				some = append(some, numbered(i))
			}
			if s.Put(some...) != nil {
				return
			}
		}
		_ = s.Close()
	}()
	for range count {
		a, err := s.Next()
		must(t, err)
		if a.State != control.Delivered {
			t.Fatalf("answer %+v", a)
		}
	}
}

// sendRequests sends messages by a request each, from many goroutines.
func sendRequests(t *testing.T, c *control.Client, who string, count int) {
	const senders = 256
	var next atomic.Int64
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for n := int(next.Add(1)); n <= count; n = int(next.Add(1)) {
				if _, err := c.Send(t.Context(), who, numbered(n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func measureAdding(t *testing.T) []figure {
	var took []time.Duration
	for range 5 {
		ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
		ana.wake()
		bo.wake()
		var i control.Invite
		ana.json(&i, "invite", "--once")
		a, b := ana.api(), bo.api()
		begin := time.Now()
		_, err := b.Add(t.Context(), control.NewContact{Link: i.Link})
		must(t, err)
		writable := func(c *control.Client, to string) bool {
			_, err := c.Send(t.Context(), to, control.NewMessage{Text: "hello", Wait: control.Delivered})
			return err == nil
		}
		eventually(t, "both can write", func() bool { return writable(b, ana.id) && writable(a, bo.id) })
		took = append(took, time.Since(begin))
		ana.sleep()
		bo.sleep()
	}
	slices.Sort(took)
	return []figure{{
		"add LINK → both can write (and both have written)", "≤ 300 ms", "Jami 2,100 ms, Tox 10,200 ms",
		fmt.Sprintf("%.0f ms, worst of 5 %.0f ms", ms(took[2]), ms(took[4])),
	}}
}

func measureRestart(t *testing.T) []figure {
	ana, bo := friends(t)
	const backlog = 100
	var took []time.Duration
	for round := range 5 {
		bo.die()
		ana.sees(bo, control.Friend, control.Away)
		c := ana.api()
		var last string
		for i := range backlog {
			last = fmt.Sprintf("round %d, message %d", round, i)
			_, err := c.Send(t.Context(), bo.id, control.NewMessage{Text: last})
			must(t, err)
		}
		begin := time.Now()
		bo.wake()
		b := bo.api()
		eventually(t, "the backlog is there", func() bool {
			page, err := b.Messages(t.Context(), ana.id, control.PageQuery{Limit: 1})
			return err == nil && len(page.Rows) == 1 && page.Rows[0].Text == last
		})
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return []figure{{
		"restart of a daemon → friend connected again and backlog of 100 delivered", "≤ 1 s", "Jami 1.1 s, Tox 10 s",
		fmt.Sprintf("%.0f ms, worst of 5 %.0f ms", ms(took[2]), ms(took[4])),
	}}
}

func measureIdle(t *testing.T) []figure {
	ana := newPerson(t, "Ana")
	ana.netns = quietNetwork(t)
	ana.wake()
	var others []*person
	for i := range 5 {
		o := newPerson(t, "Friend "+strconv.Itoa(i))
		o.netns = ana.netns
		o.wake()
		befriend(ana, o)
		others = append(others, o)
	}
	settle := time.After(10 * time.Second)
	<-settle
	const watched = 30 * time.Second
	cpu, bytes := cpuOf(t, ana), deviceBytes(t, ana, "lo")
	<-time.After(watched)
	used := cpuOf(t, ana) - cpu
	// Every byte belongs to one of the five pairs, in both directions.
	traffic := float64(deviceBytes(t, ana, "lo")-bytes) / watched.Seconds() / float64(len(others))
	return []figure{{
		"idle daemon, 5 connected friends: CPU, resident memory, traffic per friend", "≤ 0.1 %, ≤ 64 MiB, ≤ 100 B/s", "Jami 0.02 %, 87 MiB, 200 B/s; Tox 0.28 %, 4–39 MiB, 10,000 B/s",
		fmt.Sprintf("%.3f %%, %d MiB, %.0f B/s", 100*used.Seconds()/watched.Seconds(), residentMiB(t, ana), traffic),
	}}
}

func measureDeath(t *testing.T) []figure {
	ana, bo := friends(t)
	var worst time.Duration
	for range 3 {
		begin := time.Now()
		bo.die()
		ana.sees(bo, control.Friend, control.Away)
		worst = max(worst, time.Since(begin))
		bo.wake()
		ana.sees(bo, control.Friend, control.Online)
	}
	return []figure{{"dead friend noticed (kill -9), worst of 3", "≤ 10 s", "Tox 30.7 s", fmt.Sprintf("%.1f s", worst.Seconds())}}
}

func measureHistory(t *testing.T) []figure {
	ana, bo := friends(t)
	const rows = 100_000
	c := ana.api()
	var next atomic.Int64
	var group sync.WaitGroup
	for range 256 {
		group.Go(func() {
			for n := next.Add(1); n <= rows; n = next.Add(1) {
				text := fmt.Sprintf("message %d about the usual things: boats, tea, weather and trains", n)
				if n == rows/2 {
					text = "a coelacanth was seen"
				}
				if _, err := c.Send(t.Context(), bo.id, control.NewMessage{Text: text}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	begin := time.Now()
	ana.sleep()
	ana.wake()
	started := time.Since(begin)
	open := median(21, func() {
		page, err := c.Messages(t.Context(), bo.id, control.PageQuery{Limit: 50})
		must(t, err)
		if len(page.Rows) != 50 {
			t.Fatalf("%d rows", len(page.Rows))
		}
	})
	search := median(21, func() {
		hits, err := c.Search(t.Context(), "coelacanth", "", 50)
		must(t, err)
		if len(hits) != 1 {
			t.Fatalf("%d hits", len(hits))
		}
	})
	return []figure{{
		"open a conversation of 100,000; search a rare word (over the API)", "≤ 20 ms; ≤ 10 ms", "",
		fmt.Sprintf("%.1f ms; %.1f ms (daemon stopped and started: %.0f ms)", ms(open), ms(search), ms(started)),
	}}
}

func median(n int, f func()) time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		begin := time.Now()
		f()
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[n/2]
}

// cpuOf is the processor time a person's daemon has used.
func cpuOf(t testing.TB, p *person) time.Duration {
	t.Helper()
	return cpuOfProcess(t, p.daemon.cmd.Process.Pid)
}

func cpuOfProcess(t testing.TB, pid int) time.Duration {
	t.Helper()
	// Nanoseconds on the processor, for each thread.
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	must(t, err)
	var sum int64
	for _, name := range threads {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // a thread that ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		must(t, err)
		sum += ns
	}
	return time.Duration(sum)
}

func residentMiB(t testing.TB, p *person) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.daemon.cmd.Process.Pid))
	must(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	must(t, err)
	return pages * int64(os.Getpagesize()) >> 20
}

// quietNetwork makes a network namespace where nothing else is heard. Where
// that is not allowed it gives "", and other programs' traffic counts too.
func quietNetwork(t testing.TB) string {
	t.Helper()
	name := "entrenous-test-" + strconv.Itoa(os.Getpid())
	if err := exec.CommandContext(t.Context(), "ip", "netns", "add", name).Run(); err != nil {
		t.Logf("no network namespace of its own: %v", err)
		return ""
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	must(t, exec.CommandContext(t.Context(), "ip", "-n", name, "link", "set", "lo", "up").Run())
	return name
}

// deviceBytes is what came and went over a network interface that a daemon sees;
// on loopback, what one end sent and the other received is counted once.
func deviceBytes(t testing.TB, p *person, device string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", p.daemon.cmd.Process.Pid))
	must(t, err)
	_, after, ok := strings.Cut(string(b), device+":")
	if !ok {
		t.Fatalf("no interface %s", device)
	}
	received, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	must(t, err)
	if device == "lo" {
		return received
	}
	sent, err := strconv.ParseInt(strings.Fields(after)[8], 10, 64)
	must(t, err)
	return received + sent
}
