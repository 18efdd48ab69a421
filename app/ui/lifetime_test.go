package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

func TestANodeThatEndedIsSaidAndItsReturnIsSeen(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		n.mu.Lock()
		n.say(anaID, anaID, "while you were away", 0)
		n.tell(control.Change{Type: "end"})
		n.status.Name = ""
		n.refusal["GET /status"] = control.Failure{Message: "starting", Code: control.CodeState}
		n.mu.Unlock()
		n.settle()
		if !n.w.banner.Visible() || !strings.Contains(n.w.banner.line.words, "The node stopped") {
			t.Fatal("nobody says that the node stopped")
		}
		if got := n.seen(); len(got) != 3 {
			t.Errorf("what was shown is gone: %q", got)
		}
		n.mu.Lock()
		delete(n.refusal, "GET /status")
		n.tell(control.Change{Type: "end"})
		n.mu.Unlock()
		n.wait(5 * time.Second)
		if n.w.banner.Visible() {
			t.Error("the banner stays")
		}
		n.wantSeen(t, "while you were away")
	})
}

func TestANodeThatReturnsDoesNotMoveWhatIsBeingRead(t *testing.T) {
	n := history(500)
	withWindow(t, n, func(t *testing.T) {
		reel := n.w.shell.chat.timeline.reel
		for range 30 {
			reel.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 200)})
			n.settle()
		}
		was := n.seen()
		n.mu.Lock()
		n.rows[anaID][0].Text = "edited meanwhile"
		n.tell(control.Change{Type: control.ChangeReset})
		n.mu.Unlock()
		n.settle()
		if now := n.seen(); strings.Join(now, "|") != strings.Join(was, "|") {
			t.Errorf("in sight was %q, is %q", was, now)
		}
	})
}

func TestTheTitleSaysHowMuchIsNew(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		if got := n.w.win.Title(); got != "(4) Entrenous" {
			t.Errorf("the title is %q", got)
		}
	})
}

func TestQuittingKeepsTheDraftFirst(t *testing.T) {
	n := history(2)
	n.settings.CloseToTray = false
	var kept string
	withWindow(t, n, func(t *testing.T) {
		n.w.quit = func() { kept = n.drafts[anaID].Text }
		n.types("half a thou")
		n.w.close()
		n.settle()
	})
	if kept != "half a thou" {
		t.Errorf("when it quit, %q was kept", kept)
	}
}

func TestAnotherWindowRaisesThisOne(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.mu.Lock()
		n.tell(control.Change{Type: control.ChangeWindow, State: "raise"})
		n.mu.Unlock()
		n.settle()
		if n.w.shown != control.Ready {
			t.Error("the window lost its page")
		}
	})
}

func TestClosingFollowsTheSettings(t *testing.T) {
	for _, tray := range []bool{true, false} {
		n := history(2)
		n.settings.CloseToTray = tray
		var quit, closed bool
		withWindow(t, n, func(t *testing.T) {
			n.w.quit, n.w.closed = func() { quit = true }, func() { closed = true }
			n.w.close()
			n.settle()
		})
		if closed != tray || quit == tray {
			t.Errorf("with close to tray %v: closed %v, quit %v", tray, closed, quit)
		}
	}
}

func TestManyChangesAreReadTwiceAtMost(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.asked = nil
		for range 200 {
			n.w.apply(control.Change{Type: control.ChangePresence, Who: anaID})
		}
		n.settle()
		asked := 0
		for _, a := range n.asked {
			if a == "GET /contacts" {
				asked++
			}
		}
		if asked > 2 {
			t.Errorf("200 changes were read in %d readings", asked)
		}
	})
}

func TestWorkInOrderKeepsItsOrderAndHasItsLastWord(t *testing.T) {
	w := newWork()
	ctx, cancel := context.WithCancel(t.Context())
	var got []int
	for i := range 50 {
		w.inOrder(func(ctx context.Context) {
			if ctx.Err() == nil {
				got = append(got, i)
			}
		})
	}
	cancel() // a window that closes at once
	w.run(ctx)
	for i := range 50 {
		if len(got) != 50 || got[i] != i {
			t.Fatalf("it was done as %v", got)
		}
	}
}
