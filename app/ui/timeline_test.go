package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

const anaID = "ana-id-1"

// history is a node with one friend and so many rows, three minutes apart.
func history(rows int) *talkNode {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	for i := range rows {
		author := anaID
		if i/3%2 == 0 {
			author = "yelena"
		}
		n.say(anaID, author, fmt.Sprintf("message %d", i), time.Duration(rows-i)*3*time.Minute)
	}
	return n
}

// seen gives the texts of the bubbles in sight, from top to bottom.
func (n *talkNode) seen() []string {
	var all []string
	for _, o := range n.w.shell.chat.timeline.reel.inView {
		if r, ok := o.(*bubbleRow); ok {
			all = append(all, r.b.m.Text)
		}
	}
	return all
}

func (n *talkNode) wantSeen(t *testing.T, words string) {
	t.Helper()
	if !slices.Contains(n.seen(), words) {
		t.Errorf("%q is not in sight, only %q", words, n.seen())
	}
}

// row is the drawn bubble of a text.
func (n *talkNode) drawn(t *testing.T, words string) *bubbleRow {
	t.Helper()
	for _, o := range n.w.shell.chat.timeline.reel.inView {
		if r, ok := o.(*bubbleRow); ok && r.b.m.Text == words {
			return r
		}
	}
	t.Fatalf("%q is not in sight, only %q", words, n.seen())
	return nil
}

// painted gives every text of a bubble as it stands on the screen.
func painted(r *bubbleRow) string {
	var all []string
	for _, t := range r.texts[:r.used] {
		all = append(all, t.Text)
	}
	return strings.Join(all, "|")
}

func TestAConversationOpensAtItsEnd(t *testing.T) {
	n := history(1000)
	withWindow(t, n, func(t *testing.T) {
		n.wantSeen(t, "message 999")
		if rows := len(n.w.shell.chat.timeline.rows); rows != pageRows {
			t.Errorf("%d rows were asked for to show one screen", rows)
		}
	})
}

func TestScrollingUpReadsWhatWasBeforeAndKeepsItsPlace(t *testing.T) {
	n := history(5000)
	withWindow(t, n, func(t *testing.T) {
		reel := n.w.shell.chat.timeline.reel
		last := 999_999
		for range 600 {
			reel.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 300)})
			before := n.seen()
			n.settle()
			if after := n.seen(); !slices.Equal(before, after) {
				t.Fatalf("what arrived moved the window from %q to %q", before, after)
			}
			var now int
			fmt.Sscanf(n.seen()[0], "message %d", &now)
			if now > last || last < 5000 && last-now > 12 {
				t.Fatalf("after message %d came %d", last, now)
			}
			last = now
		}
		if held := len(n.w.shell.chat.timeline.rows); held > keptRows {
			t.Errorf("%d rows are held", held)
		}
		if last > 2000 {
			t.Errorf("all these turns of the wheel led to message %d only", last)
		}
		for range 700 {
			reel.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -300)})
			n.settle()
		}
		n.wantSeen(t, "message 4999")
	})
}

func TestTheVeryTopKeepsItsPlaceToo(t *testing.T) {
	n := history(1000)
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		tl.reel.scrollTo(0) // at once, before anything could arrive
		id := n.rows[anaID][945].ID
		was := topOf(t, tl.reel, id)
		n.settle()
		if now := topOf(t, tl.reel, id); now != was {
			t.Errorf("what arrived moved a message from %v to %v", was, now)
		}
		if held := len(tl.rows); held != pageRows+moreRows {
			t.Errorf("%d rows are held", held)
		}
	})
}

func TestThousandsOfRowsAreDrawnByAFewWidgets(t *testing.T) {
	n := history(3000)
	withWindow(t, n, func(t *testing.T) {
		reel := n.w.shell.chat.timeline.reel
		made := make(map[fyne.CanvasObject]bool)
		for range 1000 {
			reel.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 90)})
			n.settle()
			for _, o := range reel.inView {
				made[o] = true
			}
		}
		if len(made) > 60 {
			t.Errorf("%d widgets were made", len(made))
		}
	})
}

func TestAMessageThatArrivesIsSeenAtTheEnd(t *testing.T) {
	n := history(100)
	withWindow(t, n, func(t *testing.T) {
		n.receive(anaID, "are you there?")
		n.settle()
		n.wantSeen(t, "are you there?")
		if n.contacts[0].Unread != 0 {
			t.Error("what was in sight was not marked as seen")
		}
	})
}

func TestAMessageThatArrivesFarBelowIsCounted(t *testing.T) {
	n := history(300)
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		tl.reel.scrollTo(0)
		n.settle()
		before := n.seen()
		n.receive(anaID, "one")
		n.settle()
		n.receive(anaID, "two")
		n.settle()
		if !slices.Equal(before, n.seen()) {
			t.Error("new messages moved what was being read")
		}
		if n.contacts[0].Unread != 2 {
			t.Error("messages out of sight were marked as seen")
		}
		if !tl.down.Visible() || tl.down.words != "2 new" {
			t.Errorf("the button says %q", tl.down.words)
		}
		tl.down.Tapped(nil)
		n.settle()
		n.wantSeen(t, "two")
		if tl.down.Visible() || n.contacts[0].Unread != 0 {
			t.Error("at the end something is still new")
		}
	})
}

func TestNothingIsSeenWhileTheWindowIsBehind(t *testing.T) {
	n := history(10)
	withWindow(t, n, func(t *testing.T) {
		n.w.setFront(false)
		n.receive(anaID, "behind your back")
		n.settle()
		if n.contacts[0].Unread != 1 {
			t.Fatal("a message was seen in a window that was behind")
		}
		n.w.setFront(true)
		n.settle()
		if n.contacts[0].Unread != 0 {
			t.Error("the message was not seen when the window came to the front")
		}
	})
}

func TestTheFirstUnseenMessageHasALineAbove(t *testing.T) {
	for _, far := range []int{3, 200} {
		n := history(400)
		n.contacts[0].Unread = far
		n.unread[anaID] = n.rows[anaID][400-far].ID
		withWindow(t, n, func(t *testing.T) {
			if n.w.shell.open != "" {
				t.Fatal("a conversation with unseen messages was opened unasked")
			}
			n.w.openConversation(anaID, "")
			n.settle()
			n.wantSeen(t, fmt.Sprintf("message %d", 400-far))
			tl := n.w.shell.chat.timeline
			if i := tl.reel.index(unreadKey); i < 0 || tl.reel.tops[i] < tl.reel.offset {
				t.Error("the line is not in sight")
			}
		})
	}
}

func TestAStateThatCameFurtherIsSaid(t *testing.T) {
	n := history(4)
	n.rows[anaID][1].State = control.Written
	id := n.rows[anaID][1].ID
	withWindow(t, n, func(t *testing.T) {
		for _, state := range []string{control.Written, control.Delivered, control.Seen} {
			n.change(id, control.ChangeState, func(m *control.Message) { m.State = state })
			n.settle()
			if got := painted(n.drawn(t, "message 1")); !strings.HasSuffix(got, "|"+state) {
				t.Errorf("%q does not say %s", got, state)
			}
		}
	})
}

func TestEditsAndDeletionsReachTheScreen(t *testing.T) {
	n := history(4)
	id := n.rows[anaID][3].ID
	withWindow(t, n, func(t *testing.T) {
		n.change(id, control.ChangeRow, func(m *control.Message) { m.Text, m.Edited = "better words", true })
		n.settle()
		if got := painted(n.drawn(t, "better words")); !strings.Contains(got, "edited") {
			t.Errorf("%q does not say that it was edited", got)
		}
		n.change(id, control.ChangeRow, func(m *control.Message) { m.Text, m.Kind = "", control.KindDeleted })
		n.settle()
		if got := painted(n.drawn(t, "")); !strings.Contains(got, "Message deleted") {
			t.Errorf("a deleted message says %q", got)
		}
	})
}

func TestBubblesGroupWithinFiveMinutes(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	n.say(anaID, anaID, "first", 20*time.Minute)
	n.say(anaID, anaID, "second", 16*time.Minute)
	n.say(anaID, anaID, "much later", 2*time.Minute)
	n.say(anaID, "yelena", "mine", time.Minute)
	withWindow(t, n, func(t *testing.T) {
		for words, first := range map[string]bool{"first": true, "second": false, "much later": true, "mine": true} {
			if got := n.drawn(t, words).b.first; got != first {
				t.Errorf("%q begins a group: %v", words, got)
			}
		}
	})
}

func TestABubbleIsNeverWiderThanItsShare(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	n.say(anaID, anaID, strings.Repeat("word ", 300), time.Minute)
	n.say(anaID, anaID, strings.Repeat("x", 3000), time.Minute)
	n.say(anaID, anaID, "https://example.org/"+strings.Repeat("y", 3000), time.Minute)
	n.say(anaID, "yelena", "short", time.Minute)
	withWindow(t, n, func(t *testing.T) {
		for _, width := range []float32{480, 720, 1200} {
			n.size(width, 780)
			n.settle()
			for _, b := range n.w.shell.chat.timeline.bubbles {
				if most := (b.at - 2*bubbleSide) * bubbleShare; b.fit.size.Width > most+1 {
					t.Errorf("in %v, a bubble is %v wide where %v is the most", width, b.fit.size.Width, most)
				}
			}
		}
	})
}

func TestALongTextIsFoldedUntilAskedFor(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	n.say(anaID, anaID, strings.Repeat("line\n", 100), time.Minute)
	withWindow(t, n, func(t *testing.T) {
		b := n.drawn(t, n.rows[anaID][0].Text)
		if lines := len(b.b.fit.lines); lines != foldShown {
			t.Fatalf("%d lines are shown", lines)
		}
		more := b.corner().AddXY(20, b.b.fit.text.Y+float32(foldShown)*20+5)
		b.Tapped(&fyne.PointEvent{Position: more})
		n.settle()
		if lines := len(n.drawn(t, n.rows[anaID][0].Text).b.fit.lines); lines != 100 {
			t.Errorf("unfolded, %d lines are shown", lines)
		}
	})
}

func TestPeersTextIsOnlyEverText(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	hostile := "# head ![x](http://evil.example/x.png) **bold** <b>x</b> \x1b[31m \u202egnp.exe file:///etc/passwd"
	n.say(anaID, anaID, hostile, time.Minute)
	withWindow(t, n, func(t *testing.T) {
		r := n.drawn(t, hostile)
		got := painted(r)
		for _, want := range []string{"# head", "**bold** <b>x</b>", "file:///etc/passwd"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not shown as it was written in %q", want, got)
			}
		}
		if strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%q holds marks that turn the text", got)
		}
		for _, l := range r.b.fit.lines {
			for _, s := range l.spans {
				if strings.HasPrefix(s.link, "file") {
					t.Errorf("%q is a link", s.link)
				}
			}
		}
	})
}

// TestTheTimelineReachesTheLineAboveTheComposer looks for a stripe in which
// rows are cut off.
func TestTheTimelineReachesTheLineAboveTheComposer(t *testing.T) {
	n := history(60)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat
		foot := func(o fyne.CanvasObject) float32 { return o.Position().Y + o.Size().Height }
		if line := c.renderer.over.Position().Y; foot(c.timeline) != line || foot(c.typing) > line {
			t.Errorf("the timeline ends at %v, who writes is told at %v, the line is at %v", foot(c.timeline), foot(c.typing), line)
		}
		last := n.drawn(t, "message 59")
		if end := c.timeline.Position().Y + foot(last); end > c.typing.Position().Y {
			t.Errorf("the last message ends at %v, below the words of who writes at %v", end, c.typing.Position().Y)
		}
		if c.hush.Visible() {
			t.Error("nobody writes, and there is a ground for it")
		}
		n.meet(anaID, control.ChangeTyping, func(who *control.Contact) { who.Typing = true })
		n.settle()
		if !c.hush.Visible() || c.hush.Position().Y > c.typing.Position().Y || foot(c.hush) != foot(c.timeline) {
			t.Error("who writes is told over the messages")
		}
	})
}
