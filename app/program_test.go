package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

const (
	// binaryEnv tells the tests which program they test. Without it TestMain
	// builds one, without a window.
	binaryEnv = "ENTRENOUS_TEST_BINARY"
	// benchEnv names the program to measure, and asks for the long tests.
	benchEnv = "ENTRENOUS_BENCH"
)

func TestMain(m *testing.M) {
	// Nothing that runs in tests looks for anybody on the internet.
	os.Setenv("ENTRENOUS_BOOTSTRAP", "none")
	os.Exit(withBinary(m.Run))
}

// withBinary builds the program, unless there is one to test already.
func withBinary(run func() int) int {
	if bin := os.Getenv(benchEnv); bin != "" {
		os.Setenv(binaryEnv, bin)
	}
	if os.Getenv(binaryEnv) != "" {
		return run()
	}
	dir, err := os.MkdirTemp("", "entrenous-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "entrenous")
	build := exec.Command("go", "build", "-tags", "headless", "-o", bin, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	os.Setenv(binaryEnv, bin)
	return run()
}

// person is somebody with one profile, and the node that runs on it.
type person struct {
	t         testing.TB
	name, dir string
	bin       string
	listen    string // of the daemon
	netns     string // the network namespace of the daemon; "" is the machine's
	sound     string // the socket of its sound server; "" is the machine's
	id        string
	daemon    *running
}

// newPerson makes a profile without a passphrase.
func newPerson(t testing.TB, name string) *person {
	t.Helper()
	p := stranger(t, name)
	var made control.SetupDone
	p.json(&made, "init", "--name", name, "--no-passphrase")
	p.id = made.ID
	return p
}

// stranger is somebody who has no identity yet.
func stranger(t testing.TB, name string) *person {
	t.Helper()
	return &person{t: t, name: name, dir: filepath.Join(t.TempDir(), "profile"), bin: os.Getenv(binaryEnv), listen: freeAddr(t)}
}

// freeAddr is an address on this machine that stays the same over restarts.
func freeAddr(t testing.TB) string {
	t.Helper()
	var c net.ListenConfig
	l, err := c.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", l.LocalAddr().(*net.UDPAddr).Port)
}

// friends are two people who know each other, both awake and connected.
func friends(t testing.TB) (ana, bo *person) {
	t.Helper()
	ana, bo = newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.wake()
	bo.wake()
	befriend(ana, bo)
	return ana, bo
}

func befriend(ana, bo *person) {
	ana.t.Helper()
	var i control.Invite
	ana.json(&i, "invite", "--once")
	bo.ok("add", i.Link)
	ana.sees(bo, control.Friend, control.Online)
	bo.sees(ana, control.Friend, control.Online)
}

// sees waits until o is in a state here, and present or not.
func (p *person) sees(o *person, state, presence string) {
	p.t.Helper()
	c := p.api()
	eventually(p.t, fmt.Sprintf("%s sees %s as %s, %s", p.name, o.name, state, presence), func() bool {
		who, err := c.Contact(p.t.Context(), o.id)
		return err == nil && who.State == state && who.Presence == presence
	})
}

// answer is what a command left.
type answer struct {
	out, err string
	code     int
}

// failure is the error of a command with --json.
func (a answer) failure(t testing.TB) control.Failure {
	t.Helper()
	var f control.Failure
	if err := json.Unmarshal([]byte(a.err), &f); err != nil || f.Message == "" {
		t.Fatalf("standard error is not {\"error\":…}: %q", a.err)
	}
	return f
}

func (p *person) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), p.bin, append([]string{"--profile", p.dir}, args...)...)
	cmd.Env = environment(p.dir)
	if p.sound != "" {
		cmd.Env = append(cmd.Env, "PULSE_SERVER=unix:"+p.sound)
	}
	return cmd
}

// environment is that of a user without a keyring, a display and settings.
func environment(home string) []string {
	return []string{"HOME=" + filepath.Dir(home), "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "ENTRENOUS_BOOTSTRAP=none", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent"}
}

// try runs a command to its end, with some standard input.
func (p *person) try(in string, args ...string) answer {
	p.t.Helper()
	return finish(p.t, p.command(args...), in)
}

func finish(t testing.TB, cmd *exec.Cmd, in string) answer {
	t.Helper()
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &complaint
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return answer{out.String(), complaint.String(), cmd.ProcessState.ExitCode()}
}

// ok runs a command that must succeed, and gives what it printed.
func (p *person) ok(args ...string) string {
	p.t.Helper()
	a := p.try("", args...)
	if a.code != 0 {
		p.t.Fatalf("%s: entrenous %s: exit code %d\n%s", p.name, strings.Join(args, " "), a.code, a.err)
	}
	return a.out
}

// json runs a command with --json that answers with one object.
func (p *person) json(into any, args ...string) {
	p.t.Helper()
	lines := p.lines(args...)
	if len(lines) != 1 {
		p.t.Fatalf("%v: %d lines, want one", args, len(lines))
	}
	must(p.t, json.Unmarshal([]byte(lines[0]), into))
}

// lines runs a command with --json, each line of which must be an object.
func (p *person) lines(args ...string) []string {
	p.t.Helper()
	out := strings.TrimSuffix(p.ok(append(args, "--json")...), "\n")
	if out == "" {
		return nil
	}
	lines := strings.Split(out, "\n")
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			p.t.Fatalf("%v: not a JSON object: %q", args, line)
		}
	}
	return lines
}

// fails runs a command with --json that must fail with a code.
func (p *person) fails(code int, args ...string) control.Failure {
	p.t.Helper()
	a := p.try("", append(args, "--json")...)
	if a.code != code {
		p.t.Errorf("entrenous %s: exit code %d, want %d\n%s", strings.Join(args, " "), a.code, code, a.err)
	}
	if a.out != "" {
		p.t.Errorf("entrenous %s failed, and wrote to standard output: %q", strings.Join(args, " "), a.out)
	}
	return a.failure(p.t)
}

// api speaks to the person's node as a bot would.
func (p *person) api() *control.Client {
	p.t.Helper()
	c := control.Dial(p.dir)
	p.t.Cleanup(c.Close)
	return c
}

// running is a process that goes on.
type running struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	out  *transcript
	err  *transcript
}

// transcript keeps what a process writes, and lets somebody wait for lines.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	lines chan string
}

func (tr *transcript) read(r io.Reader) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		tr.mu.Lock()
		tr.text.WriteString(in.Text() + "\n")
		tr.mu.Unlock()
		select {
		case tr.lines <- in.Text():
		default:
		}
	}
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// start starts a process whose output is kept. It is killed when the test ends.
func start(t testing.TB, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, done: make(chan struct{})}
	r.out, r.err = &transcript{lines: make(chan string, 1024)}, &transcript{lines: make(chan string, 1024)}
	out, err := cmd.StdoutPipe()
	must(t, err)
	complaint, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	var readers sync.WaitGroup
	readers.Go(func() { r.out.read(out) })
	readers.Go(func() { r.err.read(complaint) })
	go func() {
		readers.Wait()
		_ = cmd.Wait()
		close(r.done)
	}()
	t.Cleanup(func() { r.end(syscall.SIGKILL) })
	return r
}

// end sends a signal and waits until the process is gone.
func (r *running) end(s syscall.Signal) int {
	_ = r.cmd.Process.Signal(s) // gone already is fine
	<-r.done
	return r.cmd.ProcessState.ExitCode()
}

// line waits for the next line of standard output.
func (r *running) line(t testing.TB) string {
	t.Helper()
	select {
	case line := <-r.out.lines:
		return line
	case <-r.done:
		select {
		case line := <-r.out.lines:
			return line
		default:
		}
		t.Fatalf("%v ended: %s", r.cmd.Args, r.err)
	case <-time.After(20 * time.Second):
		t.Fatalf("%v says nothing: %s", r.cmd.Args, r.err)
	}
	return ""
}

// wake starts the person's daemon and waits until it is ready.
func (p *person) wake(args ...string) {
	p.t.Helper()
	cmd := p.command(append([]string{"daemon", "--json", "--no-lan", "--listen", p.listen}, args...)...)
	if p.netns != "" {
		cmd.Args = append([]string{"ip", "netns", "exec", p.netns, p.bin}, cmd.Args[1:]...)
		cmd.Path = "/usr/sbin/ip"
	}
	p.daemon = start(p.t, cmd)
	var ready struct{ Type, ID string }
	must(p.t, json.Unmarshal([]byte(p.daemon.line(p.t)), &ready))
	if ready.Type != "ready" {
		p.t.Fatalf("the first line of the daemon is of type %q", ready.Type)
	}
	p.id = ready.ID
}

// sleep ends the daemon in good order.
func (p *person) sleep() {
	p.t.Helper()
	if code := p.daemon.end(syscall.SIGTERM); code != 0 {
		p.t.Errorf("%s's daemon ended with %d: %s", p.name, code, p.daemon.err)
	}
}

// die ends it without warning.
func (p *person) die() { p.daemon.end(syscall.SIGKILL) }

// eventually waits until what is said holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	within(t, 20*time.Second, what, holds)
}

func within(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(limit); ; <-look.C {
		if holds() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v it is not so that %s", limit, what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// texts are those of a conversation, oldest first.
func (p *person) texts(with *person) []string {
	p.t.Helper()
	var out []string
	for _, line := range p.lines("history", with.id, "--limit", "500") {
		var m control.Message
		must(p.t, json.Unmarshal([]byte(line), &m))
		out = append(out, m.Text)
	}
	return out
}

// reads waits until a text is in the conversation.
func (p *person) reads(from *person, text string) control.Message {
	p.t.Helper()
	var found control.Message
	c := p.api()
	eventually(p.t, fmt.Sprintf("%s reads %.40q", p.name, text), func() bool {
		page, err := c.Messages(p.t.Context(), from.id, control.PageQuery{Limit: 100})
		for _, m := range page.Rows {
			if err == nil && m.Text == text {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// send writes a message and gives its id.
func (p *person) send(to *person, text string) string {
	p.t.Helper()
	var s control.Sent
	p.json(&s, "send", to.id, text, "--wait", "delivered")
	return s.ID
}
