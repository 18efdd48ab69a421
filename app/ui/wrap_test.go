package ui

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func lineTexts(lines []line) []string {
	var all []string
	for _, l := range lines {
		var b strings.Builder
		for _, s := range l.spans {
			b.WriteString(s.text)
		}
		all = append(all, b.String())
	}
	return all
}

func TestTextWrapsWherePeopleWould(t *testing.T) {
	test.NewTempApp(t)
	r := newRuler(14, fyne.TextStyle{})
	em := r.width("m")
	for _, c := range []struct {
		name, text string
		width      float32
		want       []string
	}{
		{"at spaces", "mm mm mm", 5.5 * em, []string{"mm mm", "mm"}},
		{"not at all", "mm mm", 100 * em, []string{"mm mm"}},
		{"at line breaks", "a\n\nb\n", 100 * em, []string{"a", "", "b"}},
		{"inside a long word", "mmmmmm", 2.5 * em, []string{"mm", "mm", "mm"}},
		{"a long word begins its own line", "m mmmmmm", 4.5 * em, []string{"m", "mmmm", "mm"}},
		{"spaces inside stay", "a  b", 100 * em, []string{"a  b"}},
		{"a tab is a space", "a\tb", 100 * em, []string{"a b"}},
		{"what cannot be drawn goes", "a\x00b\u202ec\ufffd", 100 * em, []string{"abc"}},
		{"nothing", "", 100 * em, []string{""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lineTexts(wrap(c.text, c.width, r, math.MaxInt)); strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%q wraps to %q, not %q", c.text, got, c.want)
			}
		})
	}
}

func TestOneLineShowsTheBeginningOfAText(t *testing.T) {
	test.NewTempApp(t)
	for text, want := range map[string]string{
		"short":                              "short",
		" \n one \ntwo":                      "one  …",
		strings.Repeat("\u094d", textMost/3): strings.Repeat("\u094d", 400) + " …",
		strings.Repeat("é", 400):             strings.Repeat("é", 400),
	} {
		if got := firstLine(text); got != want {
			t.Errorf("%.20q shows %.40q", text, got)
		}
	}
}

func TestWrappingStopsWhenThereIsEnough(t *testing.T) {
	test.NewTempApp(t)
	r := newRuler(14, fyne.TextStyle{})
	for _, text := range []string{strings.Repeat("x", textMost), strings.Repeat("x ", textMost/2), strings.Repeat("\n", textMost) + "x", strings.Repeat("\u0301", textMost/2), strings.Repeat("\u094d", textMost/3)} {
		begin := time.Now()
		if n := len(wrap(text, 500, r, foldLines)); n > foldLines {
			t.Errorf("%d lines for %d wanted", n, foldLines)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("a message of the longest kind took %v", took)
		}
	}
}

func TestOnlyWebAddressesAreLinks(t *testing.T) {
	test.NewTempApp(t)
	for text, want := range map[string]string{
		"https://example.org":                  "https://example.org",
		"see (http://example.org/a?b=c#d).":    "http://example.org/a?b=c#d",
		"HTTPS://EXAMPLE.ORG":                  "HTTPS://EXAMPLE.ORG",
		"«https://example.org/ü»":              "https://example.org/ü",
		"file:///etc/passwd":                   "",
		"javascript:alert(1)":                  "",
		"entrenous:abc":                        "",
		"https://":                             "",
		"example.org":                          "",
		"xhttp://a.b":                          "http://a.b",
		"ftp://example.org https://second.org": "https://second.org",
	} {
		var got string
		for _, p := range split(text) {
			if p.link != "" {
				got = p.link
			}
		}
		if got != want {
			t.Errorf("in %q the link is %q, not %q", text, got, want)
		}
	}
}

func TestALinkStaysWholeOverLines(t *testing.T) {
	test.NewTempApp(t)
	r := newRuler(14, fyne.TextStyle{})
	link := "https://example.org/" + strings.Repeat("path/", 30)
	lines := wrap("see "+link, 200, r, math.MaxInt)
	if len(lines) < 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines[1:] {
		if got := l.spans[len(l.spans)-1].link; got != link {
			t.Errorf("a piece leads to %q", got)
		}
	}
}

func TestRightToLeftIsSetAsItIsRead(t *testing.T) {
	test.NewTempApp(t)
	const mark = "\u200e"
	for _, c := range []struct{ name, text, want string }{
		{"latin", "hello 123", "hello 123"},
		{"arabic", "شكرا جزيلا", "شكرا جزيلا"},
		{"an emoji stands at the end", "شكرا 🙏", "🙏 |شكرا"},
		{"a full stop stands at the end", "شكرا.", ".|شكرا"},
		{"latin inside arabic", "مرحبا Ana كيف", "كيف| |Ana| |مرحبا"},
		{"arabic inside latin", "Hello مرحبا you", "Hello |مرحبا| you"},
		{"a number after hebrew", "year שלום 2026 ok", "year |2026| |שלום| ok"},
		{"brackets turn round", "مرحبا (بخير)", "(|بخير|) |مرحبا"},
		{"an emoji of several parts stays whole", "شكرا 👩‍👩‍👧", "👩‍👩‍👧 |شكرا"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.ReplaceAll(screenOrder(c.text), mark, "|"); got != c.want {
				t.Errorf("%q is set as %q, not %q", c.text, got, c.want)
			}
		})
	}
}

func TestAFewEmojiAreLarge(t *testing.T) {
	for text, want := range map[string]bool{"👍": true, "👩‍👩‍👧 ": true, "❤️🎉😀": true, "👍 ok": false, "": false, "12": false, "😀😀😀😀😀😀😀": false} {
		if got := onlyEmoji(text); got != want {
			t.Errorf("%q is only emoji: %v", text, got)
		}
	}
}

// FuzzWrap feeds texts as a stranger would write them: nothing may be lost or
// wider than the bubble, but for a single character that is.
func FuzzWrap(f *testing.F) {
	for _, s := range []string{"hello world", "مرحبا Ana، (بخير) 123.", "日本語のテキスト", "https://a.b/c x", "👩‍👩‍👧👍🏽", "a\x00\u202eb", "\u0301\u0301", "👩\u200d", strings.Repeat("x", 300)} {
		f.Add(s, uint16(120))
	}
	f.Fuzz(func(t *testing.T, s string, width uint16) {
		if len(s) > 2000 {
			return
		}
		r := newRuler(14, fyne.TextStyle{})
		room := 40 + float32(width%800)
		keep := func(s string) int {
			n := 0
			for _, c := range s {
				if !unicode.IsSpace(c) && c != '\u200e' {
					n++
				}
			}
			return n
		}
		got := 0
		for _, l := range wrap(s, room, r, math.MaxInt) {
			for _, sp := range l.spans {
				got += keep(sp.text)
			}
		}
		if want := keep(legible(tidy(s))); got != want { // without a joiner that joins nothing
			t.Errorf("%q has %d characters, its lines %d", s, want, got)
		}
	})
}

func BenchmarkWrapAMessage(b *testing.B) {
	r := newRuler(14, fyne.TextStyle{})
	text := strings.Repeat("Found the chart you asked about, sending it over. ", 4)
	for b.Loop() {
		wrap(text, 500, r, foldLines)
	}
}

func BenchmarkWrapTheLongestMessage(b *testing.B) {
	r := newRuler(14, fyne.TextStyle{})
	text := strings.Repeat("x", textMost)
	for b.Loop() {
		wrap(text, 500, r, foldLines)
	}
}

// benchTimeline is a timeline of so many rows without a node.
func benchTimeline(b *testing.B, rows int) *timeline {
	b.Helper()
	app := test.NewApp()
	w := New(Options{App: app, Now: talkNow})
	w.win.Resize(fyne.NewSize(1200, 780))
	n := history(rows)
	w.contacts = n.contacts
	w.shell = newShell(w)
	w.setPage(w.shell)
	w.shell.open = anaID
	w.shell.arrange()
	t := w.shell.chat.timeline
	t.who, t.rows = anaID, n.rows[anaID]
	t.build()
	t.reel.toEnd()
	return t
}

// BenchmarkScrollStep is one turn of the wheel: 1/60 s is 16.7 ms.
func BenchmarkScrollStep(b *testing.B) {
	t := benchTimeline(b, keptRows)
	up := float32(25)
	for b.Loop() {
		if t.reel.offset <= 0 || t.reel.atEnd() {
			up = -up
			t.reel.offset += up
		}
		t.reel.scrollTo(t.reel.offset - up)
	}
}

// BenchmarkBuild is what a new page costs.
func BenchmarkBuild(b *testing.B) {
	t := benchTimeline(b, keptRows)
	for b.Loop() {
		t.bubbles = nil
		t.build()
	}
}
