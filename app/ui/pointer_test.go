package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// point moves the pointer over a spot of a bubble and gives its shape there.
func point(r *bubbleRow, at fyne.Position) desktop.Cursor {
	r.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: r.corner().Add(at)}})
	return r.Cursor()
}

func TestThePointerShowsWhatCanBePressed(t *testing.T) {
	n := newTalkNode()
	n.befriend(anaID, "Ana")
	quoted := n.say(anaID, anaID, "first", 3*time.Minute).ID
	m := n.say(anaID, anaID, "see https://example.org now", time.Minute)
	m.Kind, m.ReplyTo, m.Quote = control.KindReply, quoted, &control.Quote{Author: anaID, Text: "first"}
	m.Reactions = []control.Reactions{{Emoji: "👍", By: []string{anaID}}}
	withWindow(t, n, func(t *testing.T) {
		r := n.drawn(t, m.Text)
		link := r.b.fit.lines[0].spans[1]
		for name, c := range map[string]struct {
			at   fyne.Position
			want desktop.Cursor
		}{
			"the link":      {r.b.fit.text.AddXY(link.x+4, 8), desktop.PointerCursor},
			"plain words":   {r.b.fit.text.AddXY(4, 8), desktop.DefaultCursor},
			"the quote":     {fyne.NewPos(30, 20), desktop.PointerCursor},
			"the reaction":  {r.chips[0].Position().Subtract(r.corner()).AddXY(5, 5), desktop.PointerCursor},
			"beside":        {fyne.NewPos(r.b.fit.size.Width+20, 10), desktop.DefaultCursor},
			"behind a link": {r.b.fit.text.AddXY(link.x+link.width+6, 8), desktop.DefaultCursor},
		} {
			if got := point(r, c.at); got != c.want {
				t.Errorf("over %s the pointer is %v", name, got)
			}
			r.MouseOut()
			if r.Cursor() != desktop.DefaultCursor {
				t.Error("away from the bubble the pointer is still a hand")
			}
		}
	})
}

func TestTheMenuOffersWhatCanBeDone(t *testing.T) {
	n := history(6)
	withWindow(t, n, func(t *testing.T) {
		c := n.w.win.Canvas()
		for words, want := range map[string]int{"message 2": 5, "message 5": 3} { // ours can be edited and deleted
			r := n.drawn(t, words)
			r.TappedSecondary(&fyne.PointEvent{Position: r.corner().AddXY(10, 10), AbsolutePosition: fyne.NewPos(c.Size().Width-5, c.Size().Height-5)})
			top := c.Overlays().Top()
			if top == nil {
				t.Fatalf("no menu for %q", words)
			}
			each(top, func(o fyne.CanvasObject) {
				if m, ok := o.(*widget.PopUpMenu); ok {
					if free := c.Size().Subtract(m.Position().Add(m.Size())); free.Width < menuMargin || free.Height < menuMargin {
						t.Errorf("the menu for %q leaves %v to the window's edges", words, free)
					}
				}
			})
			if got := len(n.w.shell.chat.timeline.actions(r.b.m)); got != want {
				t.Errorf("for %q there are %d things to do", words, got)
			}
			if n.w.shell.chat.timeline.selected != r.b.m.ID {
				t.Error("the message is not selected")
			}
			c.Overlays().Remove(top)
		}
		r := n.drawn(t, "message 5")
		r.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(r.b.at-5, 5)})
		if c.Overlays().Top() != nil {
			t.Error("beside the bubble there is a menu")
		}
	})
}

func TestAClickBesideABubbleGivesTheKeyboardToTheTimeline(t *testing.T) {
	n := history(6)
	withWindow(t, n, func(t *testing.T) {
		r := n.drawn(t, "message 5")
		r.Tapped(&fyne.PointEvent{Position: fyne.NewPos(r.b.at-5, 5)})
		if n.w.win.Canvas().Focused() != n.w.shell.chat.timeline {
			t.Error("the timeline does not have the keyboard")
		}
		if r.ring.Hidden {
			t.Error("nothing shows where the keyboard is")
		}
		n.w.win.Canvas().Focus(n.w.shell.chat.composer.entry)
		if !r.ring.Hidden {
			t.Error("the ring stays")
		}
	})
}

func TestALinkIsOpenedOrCopiedOrLeft(t *testing.T) {
	n := history(1)
	withWindow(t, n, func(t *testing.T) {
		link := "https://example.org/a?b=c"
		n.w.askLink(link)
		n.press(t, n.w.modals[0].layer, "Copy")
		if got := n.w.app.Clipboard().Content(); got != link || len(n.w.modals) != 0 {
			t.Errorf("%q was copied, %d cards are open", got, len(n.w.modals))
		}
		n.w.askLink(link)
		n.press(t, n.w.modals[0].layer, "Open")
		if len(n.w.modals) != 0 {
			t.Error("the card stays")
		}
		n.w.askLink("http://plain.example")
		if got := wordsOn(n.w.modals[0].layer); !strings.Contains(got, "without encryption") {
			t.Errorf("nobody warns of plain http:\n%s", got)
		}
		n.w.closeModal()
		for _, bad := range []string{"https://", "https://%zz", "file:///etc/passwd", "javascript:alert(1)", "http://[::1"} {
			n.w.askLink(bad)
			if len(n.w.modals) != 0 {
				t.Errorf("%q can be opened", bad)
				n.w.closeModal()
			}
		}
		if !n.w.toast.Visible() {
			t.Error("nothing says why")
		}
		n.w.toast.Tapped(nil)
		if n.w.toast.Visible() {
			t.Error("a click does not put it away")
		}
	})
}

func TestAnEmojiIsPickedIntoTheText(t *testing.T) {
	n := history(1)
	withWindow(t, n, func(t *testing.T) {
		n.types("hi ")
		c := n.w.shell.chat.composer
		c.emoji.Tapped(nil)
		n.settle()
		if n.w.win.Canvas().Overlays().Top() == nil {
			t.Fatal("no emoji are shown")
		}
		found := n.w.win.Canvas().Focused()
		test.Type(found, "thumbs up")
		n.settle()
		found.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if got := c.entry.Text; !strings.HasPrefix(got, "hi 👍") {
			t.Errorf("the entry holds %q", got)
		}
	})
}

func TestWhatIsPressedIsReachedByKeyboardAndNamed(t *testing.T) {
	n := history(1)
	withWindow(t, n, func(t *testing.T) {
		r := n.w.shell.roster
		for name, p := range map[string]*pressed{"Search people, messages": &r.search.pressed, "Reachable directly": &r.foot.line.pressed} {
			if p.AccessibilityLabel() != name || p.AccessibilityRole() != fyne.AccessibleRoleButton || p.Cursor() != desktop.PointerCursor {
				t.Errorf("%q is not named", name)
			}
			opened := false
			p.tap = func() { opened = true }
			p.FocusGained()
			if p.ring.StrokeWidth == 0 {
				t.Errorf("%q has no ring", name)
			}
			for _, key := range []fyne.KeyName{fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter} {
				opened = false
				if p.TypedKey(&fyne.KeyEvent{Name: key}); !opened {
					t.Errorf("%s does not press %q", key, name)
				}
			}
			opened = false
			if p.TypedRune(' '); opened {
				t.Error("Space presses twice")
			}
			if p.Tapped(nil); !opened {
				t.Error("a click does not press")
			}
			p.FocusLost()
			if p.ring.StrokeWidth != 0 {
				t.Errorf("%q keeps its ring", name)
			}
			p.MouseIn(nil)
			p.MouseMoved(nil)
			p.MouseOut()
		}
	})
}

func TestRowsReadThemselvesOut(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		for words, want := range map[string]string{
			"Found the chart you asked about, sending it over": "Ana, 18:02: Found the chart you asked about, sending it over",
			"Jackets are packed. Call you about the route?":    "You, 14:33: Jackets are packed. Call you about the route?, delivered",
		} {
			r := n.drawn(t, words)
			if got := r.AccessibilityLabel(); got != want || r.AccessibilityRole() != fyne.AccessibleRoleText {
				t.Errorf("it reads %q, not %q", got, want)
			}
		}
		row := n.w.shell.roster.reel.drawn["crew-id-7"].(*rosterRow)
		if got := row.AccessibilityLabel(); !strings.HasPrefix(got, "Harbour crew, Bo: tides") || !strings.HasSuffix(got, ", 3 new") {
			t.Errorf("a friend reads %q", got)
		}
		row.Tapped(nil)
		n.settle()
		if n.w.shell.open != "crew-id-7" || row.AccessibilityRole() != fyne.AccessibleRoleButton {
			t.Error("a press on a friend opens nothing")
		}
	})
}
