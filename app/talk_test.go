package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

func unmarshal(text string, into any) error { return json.Unmarshal([]byte(text), into) }

// historyFields are those that scripts rely on.
var historyFields = []string{"id", "author", "time", "kind", "text", "state", "edited", "reactions", "reply_to"}

// history gives the messages of a conversation, each checked against the contract.
func (p *person) history(t *testing.T, with *person, args ...string) []control.Message {
	t.Helper()
	var out []control.Message
	for _, line := range p.lines(append([]string{"history", with.id}, args...)...) {
		wantFields(t, line, historyFields...)
		var m control.Message
		must(t, unmarshal(line, &m))
		out = append(out, m)
	}
	return out
}

func TestSendWaitsForTheStateAskedFor(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	for _, want := range []string{control.Written, control.Delivered} {
		line := ana.lines("send", "Bo", "as far as "+want, "--wait", want)[0]
		wantFields(t, line, "id", "state")
		var s control.Sent
		must(t, unmarshal(line, &s))
		if s.State != want || len(s.ID) != 64 {
			t.Errorf("waited for %s, got %+v", want, s)
		}
	}
	waits := start(t, ana.command("send", "Bo", "look!", "--wait", "seen", "--timeout", "20s", "--json"))
	m := bo.reads(ana, "look!")
	if m.State != control.Received {
		t.Errorf("Bo's copy is %q", m.State)
	}
	bo.ok("read", "Ana", m.ID)
	var s control.Sent
	must(t, unmarshal(waits.line(t), &s))
	if s.State != control.Seen || s.ID != m.ID {
		t.Errorf("waited until it was seen, got %+v", s)
	}
	bo.sleep()
	a := ana.try("", "send", "Bo", "later", "--wait", "delivered", "--timeout", "100ms", "--json")
	f := a.failure(t)
	if a.code != 5 || f.Code != control.CodeTimeout || !strings.Contains(f.Message, "is stored") {
		t.Errorf("nobody is there: exit %d, %+v", a.code, f)
	}
	last := ana.history(t, bo, "--limit", "1")[0]
	if last.Text != "later" || last.State != control.Written || !strings.Contains(f.Message, last.ID) {
		t.Errorf("what was not delivered in time is %+v", last)
	}
	bo.wake()
	bo.reads(ana, "later")
	if f := ana.fails(2, "send", "Bo", "x", "--wait", "carried"); f.Hint == "" {
		t.Errorf("a state that cannot be waited for: %+v", f)
	}
	ana.fails(2, "send", "Bo", "")
	ana.fails(2, "send", "Bo")
}

func TestTextComesFromStandardInput(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	a := ana.try("two\nlines\n", "send", "Bo", "-", "--wait", "delivered", "--json")
	if a.code != 0 {
		t.Fatal(a.err)
	}
	bo.reads(ana, "two\nlines")
}

func TestEachLineOfStandardInputCanBeAMessage(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	const count = 1000
	var in strings.Builder
	for i := range count {
		fmt.Fprintf(&in, "line %d\n", i)
	}
	in.WriteString("\nthe last has no end")
	a := ana.try(in.String(), "send", "Bo", "-", "--lines", "--wait", "delivered", "--json")
	answers := strings.Split(strings.TrimSpace(a.out), "\n")
	if a.code != 0 || len(answers) != count+1 {
		t.Fatalf("exit code %d, %d answers, %s", a.code, len(answers), a.err)
	}
	for _, line := range answers {
		wantFields(t, line, "id", "state")
	}
	h := bo.history(t, ana, "--limit", "2000")
	if len(h) != count+1 || h[0].Text != "line 0" || h[count-1].Text != "line 999" || h[count].Text != "the last has no end" {
		t.Fatalf("Bo has %d messages", len(h))
	}
	for i, line := range answers {
		var s control.Answer
		must(t, unmarshal(line, &s))
		if s.ID != h[i].ID || s.State != control.Delivered {
			t.Fatalf("answer %d is %+v, the message there is %s", i, s, h[i].ID)
		}
	}
	long := strings.Repeat("x", 65<<10)
	a = ana.try("before\n"+long+"\nafter\n", "send", "Bo", "-", "--lines", "--wait", "delivered")
	if a.code != 2 || !strings.HasPrefix(a.out, "delivered\nline 2: ") || !strings.HasSuffix(a.out, "\ndelivered\n") {
		t.Errorf("with a line that is too long: exit code %d, %q, %q", a.code, a.out, a.err)
	}
	a = ana.try("good\n\xff\xfe\nnever sent\n", "send", "Bo", "-", "--lines", "--wait", "delivered")
	if a.code != 2 || a.out != "delivered\n" || !strings.Contains(a.err, "Line 2 is not text") {
		t.Errorf("with a line that is no text: exit code %d, %q, %q", a.code, a.out, a.err)
	}
	ana.fails(2, "send", "Bo", "text", "--lines")
	ana.fails(4, "send", "nobody", "-", "--lines")
}

func TestRepliesEditsReactionsAndDeletionsReachTheFriend(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	first := ana.send(bo, "teh first")
	second := ana.send(bo, "the second")
	var s control.Sent
	bo.reads(ana, "the second")
	bo.json(&s, "reply", first, "an answer", "--wait", "delivered")
	bo.json(&s, "react", first, "👍")
	if s.ID != first {
		t.Errorf("react answers %+v", s)
	}
	ana.json(&s, "edit", first, "the first")
	ana.json(&s, "delete", second)
	eventually(t, "all of it is at both ends", func() bool {
		for _, who := range [][2]*person{{ana, bo}, {bo, ana}} {
			h := who[0].history(t, who[1])
			if len(h) != 3 || len(h[0].Reactions) != 1 || !h[0].Edited || h[1].Kind != control.KindDeleted {
				return false
			}
		}
		return true
	})
	for _, h := range [][]control.Message{ana.history(t, bo), bo.history(t, ana)} {
		if h[0].ID != first || h[0].Text != "the first" || h[0].Reactions[0].Emoji != "👍" || !slices.Equal(h[0].Reactions[0].By, []string{bo.id}) {
			t.Errorf("edited and reacted to: %+v", h[0])
		}
		if h[1].Text != "" || h[1].ID != second {
			t.Errorf("deleted: %+v", h[1])
		}
		if h[2].Kind != control.KindReply || h[2].ReplyTo != first || h[2].Author != bo.id || h[2].Text != "an answer" {
			t.Errorf("the answer: %+v", h[2])
		}
	}
	bo.ok("react", first, "👍", "--off")
	eventually(t, "the reaction is gone", func() bool { return len(ana.history(t, bo)[0].Reactions) == 0 })
	if f := bo.fails(7, "edit", first, "not mine"); !strings.Contains(f.Message, "author") {
		t.Errorf("editing another's message: %+v", f)
	}
	bo.fails(7, "delete", first)
	bo.fails(2, "edit", "12", "no id")
	bo.fails(4, "edit", strings.Repeat("ab", 32), "nothing there")
	if f := ana.fails(7, "edit", second, "again"); !strings.Contains(f.Message, "deleted") {
		t.Errorf("editing what was deleted: %+v", f)
	}
	ana.fails(7, "react", second, "👍")
	if f := bo.fails(2, "react", first, strings.Repeat("👍", 17)); f.Hint == "" {
		t.Errorf("a reaction of 68 bytes: %+v", f)
	}
}

func TestHistoryIsPagedBackwards(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	var want []string
	for _, text := range strings.Fields("one two three four five six seven") {
		ana.send(bo, text)
		want = append(want, text)
	}
	var got []string
	before := ""
	for range 4 {
		args := []string{"--limit", "2"}
		if before != "" {
			args = append(args, "--before", before)
		}
		h := bo.history(t, ana, args...)
		var page []string
		for _, m := range h {
			page = append(page, m.Text)
		}
		got = append(page, got...)
		before = h[0].ID
	}
	if !slices.Equal(got, want) {
		t.Errorf("paged %q, want %q", got, want)
	}
	if text := bo.ok("history", "Ana"); !strings.Contains(text, "Ana: seven") {
		t.Errorf("for people:\n%s", text)
	}
	bo.fails(2, "history", "Ana", "--limit", "0")
	if f := bo.fails(2, "search", "one", "--limit", "1000"); f.Hint == "" {
		t.Errorf("more than fits: %+v", f)
	}
	bo.fails(4, "history", "Ana", "--before", strings.Repeat("ab", 32))
}

func TestSearchFindsWordsInEveryConversation(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	id := ana.send(bo, "The ferry leaves at Noon")
	ana.send(bo, "bring a book")
	var h control.Hit
	bo.json(&h, "search", "ferry", "noon")
	if h.Message.ID != id || !strings.Contains(h.Snippet, "ferry") {
		t.Errorf("found %+v", h)
	}
	if lines := bo.lines("search", "submarine"); len(lines) != 0 {
		t.Errorf("found %q", lines)
	}
	if lines := bo.lines("search", "ferry", "--who", "Ana"); len(lines) != 1 {
		t.Errorf("found %q with --who", lines)
	}
}

func TestExportIsJSONLinesOrReadableText(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	ana.send(bo, "first\nwith two lines")
	bo.send(ana, "second")
	lines := ana.lines("export", "Bo")
	if len(lines) != 2 {
		t.Fatalf("exported %q", lines)
	}
	for _, line := range lines {
		wantFields(t, line, historyFields...)
	}
	for _, text := range []string{ana.ok("export", bo.id[:20]), ana.ok("history", "b")} { // the name is shown, however they were named
		for _, want := range []string{"you: first\nwith two lines", "  Bo: second", time.Now().UTC().Format("2006-")} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
	}
}

func TestWatchSaysWhatHappensAsItHappens(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	w := start(t, ana.command("watch", "--json"))
	next := func(kind, state string) map[string]any {
		t.Helper()
		for {
			var ch map[string]any
			must(t, unmarshal(w.line(t), &ch))
			if ch["type"] == kind && (state == "" || ch["state"] == state) {
				return ch
			}
		}
	}
	next("hello", "")
	id := ana.send(bo, "hello")
	if ch := next("message", ""); ch["id"] != id || ch["who"] != bo.id || ch["message"].(map[string]any)["text"] != "hello" {
		t.Errorf("our message: %v", ch)
	}
	if ch := next("state", "delivered"); ch["id"] != id {
		t.Errorf("its state: %v", ch)
	}
	must(t, bo.api().Typing(t.Context(), ana.id, true))
	next("typing", "on")
	bo.ok("react", id, "🙂")
	if ch := next("row", ""); ch["id"] != id {
		t.Errorf("the reaction: %v", ch)
	}
	bo.ok("read", "Ana")
	next("state", "seen")
	bo.sleep()
	if ch := next("presence", "away"); ch["who"] != bo.id {
		t.Errorf("Bo leaves: %v", ch)
	}
	bo.wake()
	next("presence", "online")
	ana.ok("rename", "Bo", "Boris")
	next("contact", "")
	ana.daemon.end(15)
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("watch ends with %d when the node does: %s", code, w.err)
	}
}

func TestWatchTellsAPersonInWords(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	w := start(t, ana.command("watch"))
	next := func(want string) {
		t.Helper()
		for seen := []string{}; ; {
			line := w.line(t)
			if strings.HasSuffix(line, "  "+want) {
				return
			}
			if seen = append(seen, line); len(seen) > 20 {
				t.Fatalf("“%s” is not among %q", want, seen)
			}
		}
	}
	next("what happens from here on is told; Ctrl+C ends it")
	id := ana.send(bo, "hello\nyou")
	next("you to Bo: hello you")
	next("to Bo, delivered: hello you")
	must(t, bo.api().Typing(t.Context(), ana.id, true))
	next("Bo is writing")
	bo.ok("react", id, "🙂")
	next("you to Bo, changed: hello you 🙂1")
	bo.send(ana, strings.Repeat("long ", 1000))
	next("Bo: " + strings.Repeat("long ", 40) + "…")
	ana.ok("rename", "Bo", "Boris")
	next("Boris is a friend")
	bo.sleep()
	next("Boris is away")
	ana.ok("remove", "Boris")
	next("Boris is removed")
}

func TestContactsShowTheBeginningOfWhatWasSaid(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	long := strings.Repeat("all of it ", 5000)
	id := ana.send(bo, long)
	must(t, ana.api().PutDraft(t.Context(), bo.id, control.Draft{Text: long}))
	line := ana.ok("contacts", "--json")
	if len(line) > 4000 {
		t.Errorf("a line has %d bytes", len(line))
	}
	var c control.Contact
	must(t, unmarshal(line, &c))
	begin := long[:200] + "…"
	if c.Draft != begin || c.Last == nil || c.Last.Text != begin || c.Last.ID != id {
		t.Errorf("it is %s", line)
	}
	m, err := ana.api().Message(t.Context(), id)
	must(t, err)
	d, err := ana.api().Draft(t.Context(), bo.id)
	must(t, err)
	if m.Text != long || d.Text != long {
		t.Errorf("whole they have %d and %d bytes of %d", len(m.Text), len(d.Text), len(long))
	}
}
