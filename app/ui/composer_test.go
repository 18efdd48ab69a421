package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/entrenous/entrenous/app/control"
)

// types writes into the composer as a person does.
func (n *talkNode) types(words string) {
	test.Type(n.w.shell.chat.composer.entry, words)
	n.settle()
}

func (n *talkNode) key(k fyne.KeyName) {
	n.w.shell.chat.composer.entry.TypedKey(&fyne.KeyEvent{Name: k})
	n.settle()
}

func (n *talkNode) last() control.Message { return n.rows[anaID][len(n.rows[anaID])-1] }

func TestEnterSends(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.types("  hello  ")
		n.key(fyne.KeyReturn)
		if n.last().Text != "hello" {
			t.Fatalf("%q was sent", n.last().Text)
		}
		n.wantSeen(t, "hello")
		if got := n.w.shell.chat.composer.entry.Text; got != "" {
			t.Errorf("%q is still there", got)
		}
		n.key(fyne.KeyReturn)
		if len(n.rows[anaID]) != 3 {
			t.Error("nothing was sent as a message")
		}
	})
}

func TestWhatIsSentFromAnOldPartOfTheHistoryIsSeen(t *testing.T) {
	for name, unread := range map[string]bool{"all is read": false, "much is unread": true} {
		t.Run(name, func(t *testing.T) {
			n := history(1500)
			withWindow(t, n, func(t *testing.T) {
				tl := n.w.shell.chat.timeline
				tl.jump(n.rows[anaID][7].ID)
				n.settle()
				n.wantSeen(t, "message 7")
				if unread {
					n.mu.Lock()
					n.contact(anaID).Unread, n.unread[anaID] = 1400, n.rows[anaID][100].ID
					n.mu.Unlock()
				}
				n.types("and now this")
				n.key(fyne.KeyReturn)
				n.wantSeen(t, "and now this")
				if tl.later || !tl.atEnd() || tl.fresh != 0 {
					t.Errorf("later %v, at the end %v, %d new", tl.later, tl.atEnd(), tl.fresh)
				}
			})
		})
	}
}

func TestUpEditsTheLastMessageOfAllNotOfAnOldPart(t *testing.T) {
	n := history(1500)
	n.say(anaID, "yelena", "my last", 0)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		c.chat.timeline.jump(n.rows[anaID][7].ID)
		n.settle()
		n.key(fyne.KeyUp)
		if c.editing != nil {
			t.Fatalf("%q is edited", c.editing.Text)
		}
		n.wantSeen(t, "my last")
		n.key(fyne.KeyUp)
		if c.editing == nil || c.editing.Text != "my last" {
			t.Errorf("%v is edited", c.editing)
		}
	})
}

func TestShiftEnterBreaksTheLine(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		e := n.w.shell.chat.composer.entry
		n.types("one")
		e.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
		n.key(fyne.KeyReturn)
		e.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
		n.types("two")
		n.key(fyne.KeyReturn)
		if n.last().Text != "one\ntwo" {
			t.Errorf("%q was sent", n.last().Text)
		}
	})
}

func TestTheEntryGrowsToSixLines(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		one := c.Size().Height
		high := one
		for i := range 9 {
			c.entry.SetText(strings.Repeat("line\n", i) + "line")
			n.settle()
			now := c.Size().Height
			if i > 0 && i < 6 && now <= high || i >= 6 && now != high {
				t.Errorf("with %d lines the composer is %v high, before %v", i+1, now, high)
			}
			high = now
		}
		c.entry.SetText("")
		n.settle()
		if c.Size().Height != one {
			t.Error("it does not shrink")
		}
		c.entry.SetText(strings.Repeat("a word and another ", 12))
		n.settle()
		if c.Size().Height <= one {
			t.Error("it does not grow with words that wrap")
		}
	})
}

func TestADraftIsKeptWithinASecond(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.types("not yet")
		if n.drafts[anaID].Text != "" {
			t.Error("every key is kept")
		}
		n.wait(time.Second)
		if got := n.drafts[anaID].Text; got != "not yet" {
			t.Errorf("%q is kept", got)
		}
		n.key(fyne.KeyReturn)
		n.wait(time.Second)
		if got := n.drafts[anaID].Text; got != "" {
			t.Errorf("%q is kept although it was sent", got)
		}
	})
}

func TestADraftIsKeptWhileSomebodyTypesOn(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		for i := range 30 {
			before := n.w.shell.chat.composer.entry.Text
			n.types("word ")
			n.wait(200 * time.Millisecond)
			if i >= 5 && len(n.drafts[anaID].Text) < len(before)-4*len("word ") {
				t.Fatalf("of %q only %q is kept", before, n.drafts[anaID].Text)
			}
		}
		n.key(fyne.KeyReturn)
		n.wait(2 * time.Second)
		if got := n.drafts[anaID].Text; got != "" {
			t.Errorf("%q is kept although it was sent", got)
		}
	})
}

func TestADraftIsThereAgain(t *testing.T) {
	n := history(2)
	n.befriend("bo", "Bo")
	n.contacts[1].Last = nil
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		c.reply(n.rows[anaID][0])
		n.types("for Ana")
		n.w.openConversation("bo", "")
		n.settle()
		if c.entry.Text != "" || c.replyTo != nil {
			t.Fatalf("Bo sees %q", c.entry.Text)
		}
		n.w.openConversation(anaID, "")
		n.settle()
		if c.entry.Text != "for Ana" || c.replyTo == nil || c.replyTo.ID != n.rows[anaID][0].ID {
			t.Errorf("the draft is %q, in reply to %v", c.entry.Text, c.replyTo)
		}
		n.w.shell.leave()
		n.w.openConversation("bo", "")
		n.settle()
		if want, got := "Draft: for Ana", wordsOn(n.w.shell.roster); !strings.Contains(got, want) {
			t.Errorf("%q is not in the roster:\n%s", want, got)
		}
	})
}

func TestClosingTheWindowKeepsTheDraft(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.types("half a thou")
		n.w.close()
	})
	if got := n.drafts[anaID].Text; got != "half a thou" {
		t.Errorf("%q was kept", got)
	}
}

func TestAMessageThatWasRefusedComesBack(t *testing.T) {
	n := history(2)
	n.refusal["POST /contacts/"+anaID+"/messages"] = control.Failure{Message: "disk full", Code: control.CodeDisk}
	withWindow(t, n, func(t *testing.T) {
		n.types("precious words")
		n.key(fyne.KeyReturn)
		if got := n.w.shell.chat.composer.entry.Text; got != "precious words" {
			t.Errorf("%q is in the entry", got)
		}
		if !n.w.toast.Visible() || n.w.toast.title.words != "The disk is full or cannot be written" {
			t.Errorf("the person was told %q", n.w.toast.title.words)
		}
		if got := n.drafts[anaID].Text; got != "precious words" {
			t.Errorf("%q is kept", got)
		}
		n.wait(toastTime)
		if n.w.toast.Visible() {
			t.Error("it is said for ever")
		}
	})
}

func TestATextThatIsTooLongStaysAndSaysSo(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		c.entry.SetText(strings.Repeat("x", textMost+1))
		n.key(fyne.KeyReturn)
		if len(n.rows[anaID]) != 2 || len(c.entry.Text) != textMost+1 {
			t.Error("it was sent, or is gone")
		}
		if !c.tooBig.Visible() || !c.send.Disabled() {
			t.Error("nobody says why it is not sent")
		}
		c.entry.SetText("x")
		n.settle()
		if c.tooBig.Visible() || c.send.Disabled() {
			t.Error("a short text is too long")
		}
	})
}

func TestUpInAnEmptyEntryEditsTheLastMessage(t *testing.T) {
	n := history(6)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		n.key(fyne.KeyUp)
		if c.editing == nil || c.entry.Text != "message 2" {
			t.Fatalf("%q is being edited", c.entry.Text)
		}
		n.types(" indeed")
		n.key(fyne.KeyReturn)
		if m := n.rows[anaID][2]; m.Text != "message 2 indeed" || !m.Edited {
			t.Errorf("the message is %+v", m)
		}
		if c.editing != nil || c.entry.Text != "" || len(n.rows[anaID]) != 6 {
			t.Error("the edit does not end")
		}
		n.key(fyne.KeyUp)
		n.key(fyne.KeyEscape)
		if c.editing != nil || c.entry.Text != "" {
			t.Error("Escape does not end an edit")
		}
	})
}

func TestTypingIsToldAndEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*talkNode)
		want []string
	}{
		{"by sending", func(n *talkNode) { n.key(fyne.KeyReturn) }, []string{anaID + " true", anaID + " false"}},
		{"by silence", func(n *talkNode) { n.wait(typingFor) }, []string{anaID + " true", anaID + " false"}},
		{"by leaving", func(n *talkNode) { n.w.shell.leave() }, []string{anaID + " true", anaID + " false"}},
		{"by emptying", func(n *talkNode) { n.w.shell.chat.composer.entry.SetText("") }, []string{anaID + " true", anaID + " false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := history(2)
			withWindow(t, n, func(t *testing.T) {
				n.types("some words")
				c.end(n)
				n.settle()
				if !slices.Equal(n.typing, c.want) {
					t.Errorf("the friend was told %q", n.typing)
				}
			})
		})
	}
}

func TestTypingIsOursToTell(t *testing.T) {
	n := history(2)
	n.settings.SendTyping = false
	withWindow(t, n, func(t *testing.T) {
		n.types("some words")
		if len(n.typing) != 0 {
			t.Errorf("the friend was told %q", n.typing)
		}
	})
}

func TestMessagesKeepTheOrderTheyWereWrittenIn(t *testing.T) {
	n := history(0)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.shell.chat.composer
		for _, words := range []string{"a", "b", "c", "d", "e"} {
			test.Type(c.entry, words)
			c.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		}
		n.settle()
		var got []string
		for _, m := range n.rows[anaID] {
			got = append(got, m.Text)
		}
		if strings.Join(got, "") != "abcde" {
			t.Errorf("they were sent as %q", got)
		}
	})
}

func TestWhoTypesMeansTheComposer(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.w.shell.chat.timeline.rest()
		n.w.shell.chat.timeline.TypedRune('h')
		n.w.win.Canvas().Unfocus()
		n.w.win.Canvas().OnTypedRune()('i')
		if got := n.w.shell.chat.composer.entry.Text; got != "hi" {
			t.Errorf("the entry holds %q", got)
		}
	})
}

func TestALongNameDoesNotBreakTheHint(t *testing.T) {
	n := newTalkNode()
	n.befriend("ana", "Maximiliana Konstantinopolskaya-Featherstonehaugh, the one from the harbour office")
	withWindow(t, n, func(t *testing.T) {
		n.w.openConversation("ana", "")
		n.settle()
		c := n.w.shell.chat.composer
		if got := c.entry.PlaceHolder; !strings.HasPrefix(got, "Write to Maximiliana") {
			t.Errorf("it says %q", got)
		}
		n.size(480, 780)
		if got := c.entry.PlaceHolder; !strings.HasSuffix(got, "…") || n.w.shell.chat.timeline.body.width(got) > c.field.Size().Width-2*entryPad {
			t.Errorf("in a narrow window it says %q", got)
		}
	})
}
