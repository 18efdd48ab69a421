package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/entrenous/entrenous/app/control"
)

func TestALinkAsksBeforeItOpens(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	n.say(anaID, anaID, "look: https://friends.example@evil.example/path", time.Minute)
	withWindow(t, n, func(t *testing.T) {
		r := n.drawn(t, n.rows[anaID][0].Text)
		link := r.b.fit.lines[0].spans[1]
		r.Tapped(&fyne.PointEvent{Position: r.corner().Add(r.b.fit.text).AddXY(link.x+5, 8)})
		n.settle()
		if len(n.w.modals) != 1 {
			t.Fatal("nothing was asked")
		}
		if got := wordsOn(n.w.modals[0].layer); !strings.Contains(got, "\nevil.example\n") {
			t.Errorf("the host is not said: %s", got)
		}
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if len(n.w.modals) != 0 {
			t.Error("Escape does not close the question")
		}
	})
}

func TestAReactionIsPutOnAndTakenBack(t *testing.T) {
	n := history(4)
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		tl.react(n.rows[anaID][3], "👍")
		n.settle()
		r := n.drawn(t, "message 3")
		if got := painted(r); !strings.Contains(got, "👍") || !strings.HasSuffix(got, "1") {
			t.Fatalf("the reaction is not to be seen in %q", got)
		}
		r.Tapped(&fyne.PointEvent{Position: r.chips[0].Position().AddXY(4, 4)})
		n.settle()
		if got := painted(n.drawn(t, "message 3")); strings.Contains(got, "👍") {
			t.Errorf("the reaction is still to be seen in %q", got)
		}
	})
}

func TestAQuoteLeadsToWhatItQuotes(t *testing.T) {
	n := history(1500)
	first := n.rows[anaID][7]
	r := n.say(anaID, anaID, "as I said", 0)
	r.Kind, r.ReplyTo, r.Quote = control.KindReply, first.ID, &control.Quote{Author: anaID, Text: first.Text}
	withWindow(t, n, func(t *testing.T) {
		row := n.drawn(t, "as I said")
		row.Tapped(&fyne.PointEvent{Position: row.corner().AddXY(30, 20)})
		n.settle()
		n.wantSeen(t, "message 7")
		tl := n.w.shell.chat.timeline
		if tl.hit != first.ID {
			t.Error("the message is not marked")
		}
		n.wait(hitTime)
		if tl.hit != "" {
			t.Error("the mark stays")
		}
		tl.toNewest()
		n.settle()
		n.wantSeen(t, "as I said")
	})
}

func TestTheKeyboardWalksThroughMessages(t *testing.T) {
	n := history(200)
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		tl.rest()
		key := func(k fyne.KeyName) { tl.TypedKey(&fyne.KeyEvent{Name: k}); n.settle() }
		want := func(words string) {
			t.Helper()
			if m, _ := tl.chosen(); m.Text != words {
				t.Fatalf("%q is selected, not %q", m.Text, words)
			}
			n.wantSeen(t, words)
		}
		want("message 199")
		for range 80 {
			key(fyne.KeyUp)
		}
		want("message 119")
		key(fyne.KeyDown)
		want("message 120")
		key(fyne.KeyReturn)
		if r := n.w.shell.chat.composer.replyTo; r == nil || r.Text != "message 120" {
			t.Error("Enter does not reply")
		}
		tl.rest()
		key(desktop.KeyMenu)
		if n.w.win.Canvas().Overlays().Top() == nil {
			t.Error("the Menu key opens no menu")
		}
		tl.TypedShortcut(&fyne.ShortcutCopy{})
		if got := n.w.app.Clipboard().Content(); got != "message 120" {
			t.Errorf("%q was copied", got)
		}
		key(fyne.KeyEnd)
		n.wantSeen(t, "message 199")
	})
}

// choice picks an entry of the menu that is open, by its words.
func (n *talkNode) choice(t *testing.T, words string) {
	t.Helper()
	var all []string
	var found fyne.Tappable
	each(n.w.win.Canvas().Overlays().Top(), func(o fyne.CanvasObject) {
		item, ok := o.(fyne.Tappable)
		w, drawn := o.(fyne.Widget)
		if !ok || !drawn {
			return
		}
		for _, part := range test.WidgetRenderer(w).Objects() {
			if x, ok := part.(*canvas.Text); ok && x.Text != "" {
				all = append(all, x.Text)
				if x.Text == words {
					found = item
				}
			}
		}
	})
	if found == nil {
		t.Fatalf("no menu offers %q, only %q", words, all)
	}
	found.Tapped(&fyne.PointEvent{})
	n.settle()
}

func TestWhatCanBePressedInAMessageIsReachedByKeyboard(t *testing.T) {
	n := history(1500)
	first := n.rows[anaID][7]
	m := n.say(anaID, anaID, "https://a.example/x and https://b.example\n"+strings.Repeat("line\n", 60)+"https://a.example/x", 0)
	m.Kind, m.ReplyTo, m.Quote = control.KindReply, first.ID, &control.Quote{Author: anaID, Text: first.Text}
	m.Reactions = []control.Reactions{{Emoji: "👍", By: []string{anaID, "yelena"}, Mine: true}, {Emoji: "🎉", By: []string{anaID}}}
	id := m.ID
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		menu := func() {
			t.Helper()
			tl.rest()
			tl.choose(id)
			tl.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
			tl.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF10})
			tl.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
			n.settle()
		}
		tl.rest()
		tl.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF10})
		if n.w.win.Canvas().Overlays().Top() != nil {
			t.Error("F10 alone opens a menu")
		}
		menu()
		n.choice(t, "Open https://b.example")
		if len(n.w.modals) != 1 || !strings.Contains(wordsOn(n.top()), "\nb.example\n") {
			t.Fatal("the link is not asked about")
		}
		n.w.closeModal()
		menu()
		n.choice(t, "Show all of it")
		if !tl.unfolded[id] {
			t.Error("the text is not unfolded")
		}
		menu()
		n.choice(t, "Take back 👍")
		if !slices.Contains(n.asked, "POST /messages/"+id+"/reactions") {
			t.Error("the reaction is not taken back")
		}
		menu()
		n.choice(t, "Go to the message it answers")
		n.wantSeen(t, "message 7")
	})
}

func TestTheKeysOfReadingAreListed(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"Shift F10", "Menu", "Delete", "Ctrl C", "right Ctrl", "Reply to it", "Copy its text"},
		"fr": {"Maj F10", "Menu", "Suppr", "Ctrl C", "Ctrl droit", "Y répondre", "Copier son texte"},
	} {
		n := history(2)
		n.settings.Language = lang
		withWindow(t, n, func(t *testing.T) {
			n.w.showHelp()
			n.settle()
			said := wordsOn(n.top())
			each(n.top(), func(o fyne.CanvasObject) {
				if x, ok := o.(*canvas.Text); ok {
					said += x.Text + "\n"
				}
			})
			for _, words := range want {
				if !strings.Contains(said, words) {
					t.Errorf("in %s %q is not listed:\n%s", lang, words, said)
				}
			}
		})
	}
}

func TestADoubleClickReplies(t *testing.T) {
	n := history(4)
	withWindow(t, n, func(t *testing.T) {
		r := n.drawn(t, "message 3")
		r.DoubleTapped(&fyne.PointEvent{Position: r.corner().AddXY(20, 15)})
		c := n.w.shell.chat.composer
		if c.replyTo == nil || c.replyTo.Text != "message 3" {
			t.Fatal("no reply was begun")
		}
		test.Type(c.entry, "yes")
		c.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if last := n.rows[anaID][4]; last.ReplyTo != r.b.m.ID || last.Text != "yes" {
			t.Errorf("what was sent is %+v", last)
		}
		n.wantSeen(t, "yes")
	})
}

func TestDeletingAsksFirst(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.w.shell.chat.timeline.act(n.rows[anaID][1], actDelete)
		n.settle()
		if n.rows[anaID][1].Kind == control.KindDeleted {
			t.Fatal("deleted without a question")
		}
		n.press(t, n.w.modals[0].layer, "Delete")
		if n.rows[anaID][1].Kind != control.KindDeleted {
			t.Error("not deleted")
		}
	})
}

func TestOnlyOurOwnMessagesCanBeEdited(t *testing.T) {
	n := history(6)
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		tl.act(n.rows[anaID][4], actEdit)
		if n.w.shell.chat.composer.editing != nil {
			t.Error("a message of a friend can be edited")
		}
		if got := tl.actions(control.Message{Kind: control.KindCall}); got != nil {
			t.Errorf("a call offers %v", got)
		}
	})
}

func TestACallIsReachedByKeyboard(t *testing.T) {
	n := history(2)
	c := n.say(anaID, anaID, "", 0)
	c.Kind, c.Call = control.KindCall, &control.CallRow{Reason: control.EndMissed}
	withWindow(t, n, func(t *testing.T) {
		tl := n.w.shell.chat.timeline
		n.w.win.Canvas().Focus(tl)
		if tl.selected != c.ID {
			t.Fatalf("%q is selected, not the call", tl.selected)
		}
		if r := tl.reel.drawn[c.ID].(*noteRow); r.ground.StrokeWidth == 0 {
			t.Error("it is not to be seen that the call is selected")
		}
		tl.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if len(n.w.modals) != 1 || !strings.Contains(wordsOn(n.w.modals[0].layer), "Call Ana") {
			t.Fatal("Enter tells nothing of the call")
		}
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		tl.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
		if r := tl.reel.drawn[c.ID].(*noteRow); tl.selected == c.ID || r.ground.StrokeWidth != 0 {
			t.Error("the selection stays on the call")
		}
	})
}

func TestShiftTabGoesUpwardsFromTheComposer(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		canvas, chat := n.w.win.Canvas(), n.w.shell.chat
		canvas.Focus(chat.composer.entry)
		for i, want := range []fyne.Focusable{chat.timeline, chat.header.more, chat.header.search} {
			canvas.FocusPrevious()
			if got := canvas.Focused(); got != want {
				t.Fatalf("after %d steps %T has the keyboard", i+1, got)
			}
		}
	})
}
