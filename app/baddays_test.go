package app_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// ledger is what one side was told about what it wrote.
type ledger struct {
	tried     int
	written   map[string]bool // acknowledged as on this disk
	delivered map[string]bool // acknowledged as on the friend's
}

// scribble writes to a friend until told to stop, whatever happens to the node.
func scribble(p *person, to string, stop <-chan struct{}) *ledger {
	l := &ledger{written: map[string]bool{}, delivered: map[string]bool{}}
	c := p.api()
	for {
		select {
		case <-stop:
			return l
		default:
		}
		l.tried++
		text := fmt.Sprintf("%s %d", p.name, l.tried)
		m := control.NewMessage{Text: text}
		if l.tried%2 == 0 {
			m.Wait, m.Timeout = control.Delivered, 200
		}
		s, err := c.Send(p.t.Context(), to, m)
		f := (*control.Failure)(nil)
		switch {
		case errors.As(err, &f) && f.Code == control.CodeNotHere:
			<-time.After(2 * time.Millisecond)
		case err == nil && s.State == control.Delivered:
			l.delivered[text] = true
			fallthrough
		case err == nil, errors.As(err, &f) && f.Code == control.CodeTimeout:
			l.written[text] = true
		}
	}
}

func TestKillingEitherNodeLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	t.Log(killAndCount(t, 12))
}

// killAndCount kills both sides at random moments while both write, and checks
// what is there in the end.
func killAndCount(t *testing.T, kills int) string {
	t.Helper()
	ana, bo := friends(t)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	var byAna, byBo *ledger
	anaID, boID := ana.id, bo.id
	writing.Go(func() { byAna = scribble(ana, boID, stop) })
	writing.Go(func() { byBo = scribble(bo, anaID, stop) })
	for range kills {
		<-time.After(time.Duration(rand.Int64N(int64(300 * time.Millisecond))))
		victim := []*person{ana, bo}[rand.IntN(2)]
		victim.die()
		victim.wake() // the database opens
	}
	close(stop)
	writing.Wait()
	ana.sees(bo, control.Friend, control.Online)
	last, lastBo := ana.send(bo, "the end"), bo.send(ana, "the end")
	bo.readsID(ana, last)
	ana.readsID(bo, lastBo)
	atAna, atBo := ana.export(bo), bo.export(ana)
	for _, l := range []*ledger{byAna, byBo} {
		for text := range l.written {
			if atAna[text] != 1 || atBo[text] != 1 {
				t.Errorf("%q was acknowledged, and is %d times at Ana's and %d times at Bo's", text, atAna[text], atBo[text])
			}
		}
	}
	for text, n := range atAna {
		if text != "the end" && (n != 1 || atBo[text] != 1) {
			t.Errorf("%q is %d times at Ana's and %d times at Bo's", text, n, atBo[text])
		}
	}
	if len(atAna) != len(atBo) {
		t.Errorf("Ana has %d messages, Bo %d", len(atAna), len(atBo))
	}
	return fmt.Sprintf("%d kills, %d messages acknowledged, %d of them as delivered", kills,
		len(byAna.written)+len(byBo.written), len(byAna.delivered)+len(byBo.delivered))
}

// readsID waits until a message is in the conversation.
func (p *person) readsID(from *person, id string) {
	p.t.Helper()
	c := p.api()
	eventually(p.t, p.name+" has the last message of "+from.name, func() bool {
		_, err := c.Message(p.t.Context(), id)
		return err == nil
	})
}

// export counts the texts of a whole conversation.
func (p *person) export(with *person) map[string]int {
	p.t.Helper()
	out := map[string]int{}
	for _, line := range p.lines("export", with.id) {
		var m control.Message
		must(p.t, unmarshal(line, &m))
		out[m.Text]++
	}
	return out
}

// smallDisk puts a profile on a file system of its own.
func (p *person) smallDisk(t *testing.T, size string) {
	t.Helper()
	must(t, os.MkdirAll(p.dir, 0o700))
	if err := syscall.Mount("tmpfs", p.dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("needs root, to mount a small disk for the test: %v", err)
	}
	t.Cleanup(func() {
		if p.daemon != nil {
			p.die()
		}
		if err := syscall.Unmount(p.dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

// fill takes all room on the disk; the function it returns gives it back.
func (p *person) fill(t *testing.T) (empty func()) {
	t.Helper()
	name := filepath.Join(p.dir, "ballast")
	f, err := os.Create(name)
	must(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() { must(t, os.Remove(name)) }
}

func TestAFullDiskIsSaidLosesNothingAndHeals(t *testing.T) {
	t.Parallel()
	ana, bo := stranger(t, "Ana"), newPerson(t, "Bo")
	ana.smallDisk(t, "24M")
	ana.ok("init", "--name", "Ana", "--no-passphrase")
	ana.wake("--verbose")
	bo.wake("--verbose")
	defer func() {
		if t.Failed() {
			t.Logf("Ana:\n%s\nBo:\n%s", ana.daemon.err, bo.daemon.err)
		}
	}()
	befriend(ana, bo)
	kept := []string{"before"}
	ana.send(bo, "before")
	empty := ana.fill(t)
	var f control.Failure
	for i := 0; f.Code == "" && i < 1000; i++ {
		text := fmt.Sprintf("%d %s", i, strings.Repeat("filling the disk ", 500))
		a := ana.try(text, "send", "Bo", "-", "--json")
		if a.code == 0 {
			kept = append(kept, text)
			continue
		}
		if f = a.failure(t); a.code != 8 {
			t.Fatalf("exit code %d: %+v", a.code, f)
		}
	}
	t.Logf("after %d messages: %s. %s.", len(kept), f.Message, f.Hint)
	if f.Code != control.CodeDisk || !strings.Contains(f.Message, "full") || !strings.Contains(f.Hint, "room") {
		t.Errorf("a full disk: %+v", f)
	}
	if text := ana.ok("doctor"); !strings.Contains(text, "full") {
		t.Errorf("doctor does not see it:\n%s", text)
	}
	bo.fails(5, "send", "Ana", "while the disk was full", "--wait", "delivered", "--timeout", "300ms")
	empty()
	after := ana.send(bo, "after")
	bo.readsID(ana, after)
	kept = append(kept, "after")
	ana.reads(bo, "while the disk was full")
	ana.die()
	ana.wake()
	for _, p := range []*person{ana, bo} {
		with := map[*person]*person{ana: bo, bo: ana}[p]
		got := p.export(with)
		for _, text := range kept {
			if got[text] != 1 {
				t.Errorf("%.20q was acknowledged, and %s has it %d times", text, p.name, got[text])
			}
		}
	}
}

func TestAFullDiskAtTheStartIsSaid(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	ana.smallDisk(t, "4M")
	ana.ok("init", "--name", "Ana", "--no-passphrase")
	empty := ana.fill(t)
	a := ana.try("", "daemon", "--no-lan", "--listen", ana.listen, "--json")
	if f := a.failure(t); a.code != 8 || !strings.Contains(f.Message, "full") && !strings.Contains(f.Message, "no space") {
		t.Errorf("exit code %d: %+v", a.code, f)
	}
	empty()
	ana.wake()
	bo := stranger(t, "Bo")
	bo.smallDisk(t, "64k")
	empty = bo.fill(t)
	a = bo.try("", "init", "--name", "Bo", "--no-passphrase", "--json")
	if f := a.failure(t); a.code != 8 {
		t.Errorf("init: exit code %d: %+v", a.code, f)
	}
	empty()
}

func TestAReadOnlyProfileIsSaid(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	ana.smallDisk(t, "8M")
	ana.ok("init", "--name", "Ana", "--no-passphrase")
	must(t, syscall.Mount("", ana.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	f := ana.fails(8, "daemon", "--no-lan", "--listen", ana.listen)
	if f.Code != control.CodeDisk || !strings.Contains(f.Message, ana.dir) || f.Hint == "" {
		t.Errorf("says %+v", f)
	}
	must(t, syscall.Mount("", ana.dir, "", syscall.MS_REMOUNT, ""))
	ana.wake()
	ana.ok("id")

	bo := stranger(t, "Bo")
	bo.smallDisk(t, "8M")
	must(t, syscall.Mount("", bo.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	bo.fails(8, "init", "--name", "Bo", "--no-passphrase")
}

func TestNothingInTheFolderOrTheLogsCanBeRead(t *testing.T) {
	t.Parallel()
	ana, bo := stranger(t, "Ana Xylander"), stranger(t, "Bo Quillfeather")
	secrets := map[string]string{}
	for _, p := range []*person{ana, bo} {
		var made control.SetupDone
		p.json(&made, "init", "--name", p.name, "--no-passphrase", "--device-name", p.name+"'s old laptop")
		p.id = made.ID
		p.wake("--verbose")
		secrets[p.name+"'s name"], secrets[p.name+"'s id"], secrets[p.name+"'s device"] = p.name, made.ID, made.Device
		secrets[p.name+"'s words"] = strings.Join(made.Words[:3], " ")
	}
	var i control.Invite
	ana.json(&i, "invite", "--once")
	bo.ok("add", i.Link, "--as", "Zephyrine", "--note", "note of a kumquat")
	ana.sees(bo, control.Friend, control.Online)
	bo.sees(ana, control.Friend, control.Online)
	id := ana.send(bo, "the word is ptarmigan")
	bo.send(ana, "wrapped in aubergine")
	ana.ok("edit", id, "the word is bufflehead")
	must(t, ana.api().PutDraft(t.Context(), bo.id, control.Draft{Text: "a draft of gallimaufry"}))
	ana.ok("search", "bufflehead")
	bo.die()
	bo.wake("--verbose")
	ana.sees(bo, control.Friend, control.Online)
	ana.fails(4, "history", "Zephyrine-Zebulon")
	var safety control.Safety
	ana.json(&safety, "verify", bo.id)
	for what, text := range map[string]string{
		"a message": "ptarmigan", "an edited message": "bufflehead", "an answer": "aubergine", "a draft": "gallimaufry", "a local name": "Zephyrine",
		"a note": "kumquat", "an invite": strings.TrimPrefix(i.Link, "entrenous:"), "a name in part": "Quillfeather", "a safety number": strings.Fields(safety.Number)[0] + " ",
	} {
		secrets[what] = text
	}
	logs := map[string][]byte{"Ana's log": []byte(ana.daemon.err.String()), "Bo's log": []byte(bo.daemon.err.String())}
	if len(logs["Ana's log"]) == 0 {
		t.Error("there is no log to look into")
	}
	for _, p := range []*person{ana, bo} {
		key, err := os.ReadFile(filepath.Join(p.dir, "key"))
		must(t, err)
		raw := strings.TrimSpace(string(key[bytes.LastIndexByte(bytes.TrimSpace(key), ' ')+1:]))
		secrets[p.name+"'s key"] = raw
		if b, err := hex.DecodeString(raw); err == nil {
			secrets[p.name+"'s raw key"] = string(b)
		}
		collect(t, p, logs)
	}
	for where, b := range logs {
		for what, secret := range secrets {
			if bytes.Contains(bytes.ToLower(b), bytes.ToLower([]byte(secret))) {
				t.Errorf("%s holds %s: %s", where, what, around(b, secret))
			}
		}
	}
	t.Logf("looked for %d secrets in %d places", len(secrets), len(logs))
}

// around is the line of a log that holds a secret.
func around(b []byte, secret string) string {
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		if bytes.Contains(bytes.ToLower(line), bytes.ToLower([]byte(secret))) && len(line) < 1000 {
			return string(line)
		}
	}
	return "(not in one line)"
}

// collect reads every file of a profile except the key file.
func collect(t *testing.T, p *person, into map[string][]byte) {
	t.Helper()
	must(t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if d.Name() == "key" {
			return nil
		}
		into[p.name+"'s "+d.Name()], err = os.ReadFile(path)
		return err
	}))
}

func TestTextsOfEveryKindArriveAsTheyWere(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	const limit = 64 << 10
	for what, text := range map[string]string{
		"64 KiB":               strings.Repeat("x", limit),
		"10,000 emoji":         strings.Repeat("🦦", 10_000),
		"families and flags":   strings.Repeat("👩‍👩‍👧‍👦🇫🇷", 500),
		"right to left":        "שלום, كيف حالك؟ good",
		"combining marks":      "Z" + strings.Repeat("\u0335", 300) + "algo",
		"lines and a tab":      "first\n\n\tsecond",
		"looks like a command": "--json -- $(rm -rf /) `x` %s %n",
		"looks like JSON":      `{"text":"x"}` + "\\u0000",
		"looks like a picture": "![](http://example.org/x.png) <img src=file:///etc/passwd>",
	} {
		a := ana.try(text, "send", "Bo", "-", "--wait", "delivered", "--json")
		if a.code != 0 {
			t.Errorf("%s: exit code %d: %s", what, a.code, a.err)
			continue
		}
		last := bo.history(t, ana, "--limit", "1")[0]
		if last.Text != text {
			t.Errorf("%s: sent %d bytes, arrived %d: %.60q", what, len(text), len(last.Text), last.Text)
		}
	}
	over := ana.try(strings.Repeat("x", limit+1), "send", "Bo", "-", "--json")
	f := over.failure(t)
	t.Logf("one byte too long: %s. %s.", f.Message, f.Hint)
	if over.code != 2 || f.Code != control.CodeTooLong || !strings.Contains(f.Message, "65536") {
		t.Errorf("one byte too long: exit code %d: %+v", over.code, f)
	}
	huge := ana.try(strings.Repeat("🦦", 1<<20), "send", "Bo", "-", "--json")
	if f := huge.failure(t); huge.code != 2 || f.Code != control.CodeTooLong {
		t.Errorf("4 MiB: exit code %d: %+v", huge.code, f)
	}
	if a := ana.try("\xff\xfe", "send", "Bo", "-", "--json"); a.code != 2 {
		t.Errorf("what is no text: exit code %d: %s", a.code, a.err)
	}
	ana.ok("id")
}

func TestBidiControlsAndInvisibleCharactersDeceiveNobody(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	evil := "photo\u202Egpj.exe \u2066hidden\u2069 zero\u200Bwidth\u200Fmark \x1b]0;title\a\x1b[2J"
	ana.send(bo, evil)
	if got := bo.history(t, ana)[0].Text; got != evil {
		t.Errorf("scripts get %q", got)
	}
	for _, shown := range []string{bo.ok("history", "Ana"), bo.ok("export", "Ana"), bo.ok("search", "photo")} {
		if strings.ContainsAny(shown, "\u202E\x1b\a") || strings.Count(shown, "\u2066") != strings.Count(shown, "\u2069") {
			t.Errorf("people get %q", shown)
		}
		if !strings.Contains(shown, "photogpj.exe") {
			t.Errorf("the rest is gone: %q", shown)
		}
	}
	ana.ok("rename", "Bo", "Bo\u202Eslav\u200B")
	var c control.Contact
	must(t, unmarshal(ana.lines("contacts")[0], &c))
	if strings.ContainsAny(c.Name, "\u202E\u200B") {
		t.Errorf("a name keeps controls: %q", c.Name)
	}
}
