package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

func TestTheDaemonSaysFirstThatItIsReady(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	ana.daemon = start(t, ana.command("daemon", "--json", "--no-lan", "--listen", ana.listen))
	line := ana.daemon.line(t)
	var ready struct {
		Type, ID, Device string
		Addrs            []string
	}
	must(t, json.Unmarshal([]byte(line), &ready))
	if ready.Type != "ready" || ready.ID != ana.id || ready.Device == "" || len(ready.Addrs) != 1 || !strings.HasPrefix(ready.Addrs[0], ana.listen+"/p2p/") {
		t.Errorf("the first line is %s", line)
	}
	ana.ok("id") // ready means that it answers
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		begin := time.Now()
		if code := ana.daemon.end(s); code != 0 {
			t.Errorf("%v: exit code %d: %s", s, code, ana.daemon.err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%v took %v", s, took)
		}
		if _, err := os.Stat(filepath.Join(ana.dir, "socket")); err == nil {
			t.Errorf("%v leaves a socket", s)
		}
		if got := ana.daemon.err.String(); got != "" {
			t.Logf("it logs:\n%s", got)
		}
		ana.wake()
	}
	ana.ok("quit")
	<-ana.daemon.done
	if code := ana.daemon.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("after quit it ends with %d", code)
	}
}

func TestASecondDaemonIsRefusedAndNamesTheFirst(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	ana.wake()
	f := ana.fails(7, "daemon", "--no-lan", "--listen", freeAddr(t))
	if !strings.Contains(f.Message, "process "+strconv.Itoa(ana.daemon.cmd.Process.Pid)) {
		t.Errorf("it says %q", f.Message)
	}
	ana.ok("id")
	ana.die() // leaves its socket and its lock file
	ana.wake()
	ana.ok("id")
}

func TestFriendsWhoBothRestartOnAnyPortFindEachOther(t *testing.T) {
	t.Parallel()
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	for _, p := range []*person{ana, bo} {
		p.listen = "/ip4/127.0.0.1/udp/0/quic-v1"
		p.wake()
	}
	befriend(ana, bo)
	for _, p := range []*person{ana, bo} {
		p.sleep()
	}
	ana.wake()
	bo.wake()
	ana.sees(bo, control.Friend, control.Online)
	bo.sees(ana, control.Friend, control.Online)
}

func TestADaemonNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	f := ana.fails(7, "daemon", "--no-lan")
	if !strings.Contains(f.Hint, "entrenous init") {
		t.Errorf("says %+v", f)
	}
	if _, err := os.Stat(ana.dir); !os.IsNotExist(err) {
		t.Errorf("it leaves a folder: %v", err)
	}
}

func TestWithoutANodeEachCommandSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	id := strings.Repeat("ab", 32)
	for _, args := range [][]string{
		{"id"},
		{"invite"},
		{"add", "entrenous:x"},
		{"contacts"},
		{"accept", "bo"},
		{"rename", "bo", "x"},
		{"block", "bo"},
		{"unblock", "bo"},
		{"remove", "bo"},
		{"verify", "bo"},
		{"send", "bo", "hi"},
		{"edit", id, "x"},
		{"delete", id},
		{"react", id, "x"},
		{"reply", id, "x"},
		{"read", "bo"},
		{"history", "bo"},
		{"search", "x"},
		{"export", "bo"},
		{"backup", filepath.Join(t.TempDir(), "b"), "--passphrase-file", passphraseFile(t, "x")},
		{"watch"},
		{"status"},
		{"doctor"},
		{"quit"},
	} {
		f := ana.fails(3, args...)
		if f.Code != control.CodeNotHere || !strings.Contains(f.Hint, "entrenous daemon") {
			t.Errorf("%s says %+v", args[0], f)
		}
	}
	if a := ana.try("", "send", "bo", "hi"); a.code != 3 || !strings.Contains(a.err, "entrenous daemon") || strings.Contains(a.err, "{") {
		t.Errorf("for people: %q", a.err)
	}
}

func TestWrongUseIsSaidSo(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	if a := ana.try("", "sned", "bo", "x"); !strings.Contains(a.err, "“send”") {
		t.Errorf("a mistyped command: %q", a.err)
	}
	for _, args := range [][]string{
		{"sing"},
		{"send", "bo"},
		{"send", "--loud", "bo", "x"},
		{"invite", "--expires", "tomorrow"},
		{"daemon", "--listen", "localhost:4001"},
		{"daemon", "--bootstrap", "example.org"},
		{"relay", "--open", "--no-dht"},
		{"id", "twice"},
	} {
		a := ana.try("", append(args, "--json")...)
		if a.code != 2 || a.out != "" || a.failure(t).Message == "" {
			t.Errorf("%v: exit code %d, %q, %q", args, a.code, a.out, a.err)
		}
	}
}

func TestStatusAndDoctorSpeakPlainly(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	var s control.Status
	ana.json(&s, "status")
	if s.State != control.Ready || s.ID != ana.id || s.Friends != 1 || s.Online != 1 || s.PID != ana.daemon.cmd.Process.Pid || s.Name != "Ana" || s.KeyKept != "file" && s.KeyKept != "keyring" {
		t.Errorf("status %+v", s)
	}
	if text := ana.ok("status"); !strings.Contains(text, "1 of 1 friends") {
		t.Errorf("status says\n%s", text)
	}
	for _, line := range ana.lines("doctor") {
		wantFields(t, line, "what", "state", "say")
	}
	if text := ana.ok("doctor"); !strings.Contains(text, "Bo is here") {
		t.Errorf("doctor says\n%s", text)
	}
	bo.sleep()
	ana.sees(bo, control.Friend, control.Away)
	if text := ana.ok("doctor"); !strings.Contains(text, "Bo is away") {
		t.Errorf("doctor says\n%s", text)
	}
}

func TestShellsCompleteCommandsAndNames(t *testing.T) {
	t.Parallel()
	ana, _ := friends(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := ana.ok("completion", shell); len(out) < 1000 {
			t.Errorf("the completion for %s has %d bytes", shell, len(out))
		}
	}
	if out := ana.ok("__complete", "send", ""); !strings.HasPrefix(out, "Bo\n") {
		t.Errorf("send completes %q", out)
	}
	if out := ana.ok("__complete", "hist"); !strings.HasPrefix(out, "history\t") {
		t.Errorf("hist completes %q", out)
	}
}

func TestTheManualComesFromTheSameTree(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	folder := filepath.Join(t.TempDir(), "man")
	ana.ok("man", folder)
	page, err := os.ReadFile(filepath.Join(folder, "entrenous.1"))
	must(t, err)
	for _, want := range []string{".TH", "ENTRENOUS", "Exit codes", "entrenous-send(1)"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("entrenous.1 lacks %q", want)
		}
	}
	send, err := os.ReadFile(filepath.Join(folder, "entrenous-send.1"))
	must(t, err)
	if !bytes.Contains(send, []byte("written|delivered|seen")) {
		t.Error("entrenous-send.1 lacks the states")
	}
	if bytes.Contains(send, []byte("Auto generated")) {
		t.Error("entrenous-send.1 tells when and by what it was made")
	}
}

func TestTheAPISpeaksHTTPOverTheSocket(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	info, err := os.Stat(filepath.Join(ana.dir, control.SocketName))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	c := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(ana.dir, control.SocketName))
	}}}
	defer c.CloseIdleConnections()
	ask := func(method, path, body string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://entrenous"+path, strings.NewReader(body))
		must(t, err)
		res, err := c.Do(req)
		must(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		must(t, err)
		var out map[string]any
		if err := json.Unmarshal(b, &out); err != nil && !bytes.HasPrefix(b, []byte("[")) {
			t.Fatalf("%s %s: %q", method, path, b)
		}
		return res.StatusCode, out
	}
	if code, out := ask("GET", "/v1/status", ""); code != 200 || out["api"] != "v1" || out["state"] != "ready" {
		t.Errorf("status: %d %v", code, out)
	}
	if code, _ := ask("GET", "/v1/contacts", ""); code != 200 {
		t.Errorf("contacts: %d", code)
	}
	code, sent := ask("POST", "/v1/contacts/bo/messages", `{"text":"hello"}`)
	if code != 200 || sent["state"] != "written" {
		t.Errorf("send: %d %v", code, sent)
	}
	bo.reads(ana, "hello")
	if code, page := ask("GET", "/v1/contacts/bo/messages?limit=20", ""); code != 200 || len(page["rows"].([]any)) != 1 {
		t.Errorf("messages: %d %v", code, page)
	}
	for _, wrong := range []struct {
		method, path, body string
		code               int
	}{
		{"GET", "/v1/nothing", "", 404},
		{"GET", "/v2/status", "", 404},
		{"GET", "/v1/contacts/nobody", "", 404},
		{"POST", "/v1/contacts/bo/messages", `{"txet":"hello"}`, 400},
		{"POST", "/v1/contacts/bo/messages", `{`, 400},
		{"POST", "/v1/contacts/bo/messages", fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 600<<10)), 413},
		{"POST", "/v1/setup", `{"name":"Ana"}`, 409},
	} {
		if code, out := ask(wrong.method, wrong.path, wrong.body); code != wrong.code || out["error"] == nil {
			t.Errorf("%s %s %.20q: %d %v, want %d", wrong.method, wrong.path, wrong.body, code, out, wrong.code)
		}
	}
}

func TestCurlSpeaksToTheNode(t *testing.T) {
	t.Parallel()
	if missing("curl") {
		t.Skip("there is no curl here")
	}
	ana := newPerson(t, "Ana")
	ana.wake()
	cmd := ana.command()
	cmd.Path, cmd.Args = "/usr/bin/env", []string{"env", "curl", "-s", "--unix-socket", filepath.Join(ana.dir, control.SocketName), "http://entrenous/v1/status"}
	a := finish(t, cmd, "")
	var s control.Status
	decode(t, a, &s)
	if s.ID != ana.id {
		t.Errorf("curl gets %q", a.out)
	}
}

func TestWithoutADisplayTheNodeRunsAndSaysSo(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	ana.daemon = start(t, ana.command("--json"))
	var ready struct{ Type string }
	must(t, json.Unmarshal([]byte(ana.daemon.line(t)), &ready))
	if ready.Type != "ready" || !strings.Contains(ana.daemon.err.String(), "without") {
		t.Errorf("it says %q", ana.daemon.err)
	}
	ana.sleep()
}

func TestBootstrapIsWhereFriendsAreLookedForToo(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	ana.sleep()
	bo.sleep()
	ana.listen, bo.listen = freeAddr(t), freeAddr(t) // neither is where the other knows
	ana.wake()
	var s control.Status
	ana.json(&s, "status")
	bo.wake("--bootstrap", s.Addrs[0])
	bo.sees(ana, control.Friend, control.Online)
	bo.send(ana, "found you")
}

func TestAVeryLongFolderNameWorks(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	ana.dir = filepath.Join(ana.dir, strings.Repeat("a long name ", 10), strings.Repeat("another one ", 10))
	ana.ok("init", "--name", "Ana", "--no-passphrase")
	ana.wake()
	ana.ok("id")
}
