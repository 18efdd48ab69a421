package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/entrenous/entrenous/app/control"
)

func TestAnEmptyProfileIsWelcomed(t *testing.T) {
	n := newTalkNode()
	n.status = control.Status{State: control.Empty}
	withWindow(t, n, func(t *testing.T) {
		if got := wordsOn(n.w.page); !strings.Contains(got, "Between us") {
			t.Errorf("no welcome in:\n%s", got)
		}
		n.mu.Lock()
		n.status = control.Status{State: control.Ready, Name: "Yelena", DeviceName: "Laptop"}
		n.tell(control.Change{Type: control.ChangeProfile, State: control.Ready})
		n.mu.Unlock()
		n.settle()
		if got := wordsOn(n.w.page); !strings.Contains(got, "Bring a friend") {
			t.Errorf("the main page did not come up:\n%s", got)
		}
	})
}

func TestALockedProfileAsksForThePassphrase(t *testing.T) {
	n := newTalkNode()
	n.status = control.Status{State: control.Locked}
	withWindow(t, n, func(t *testing.T) {
		if len(entries(n.w.page)) != 1 || n.w.shell != nil {
			t.Error("nothing asks for the passphrase")
		}
	})
}

func TestWithoutFriendsTheNextStepIsShown(t *testing.T) {
	for _, width := range []float32{1200, 480} {
		n := newTalkNode()
		withWindow(t, n, func(t *testing.T) {
			n.size(width, 780)
			n.settle()
			if got := wordsOn(n.w.page); !strings.Contains(got, "Bring a friend") {
				t.Errorf("%v wide, the next step is not shown:\n%s", width, got)
			}
			n.mu.Lock()
			n.befriend(anaID, "Ana")
			n.tell(control.Change{Type: control.ChangeContact, Who: anaID})
			n.mu.Unlock()
			n.settle()
			if got := wordsOn(n.w.page); strings.Contains(got, "Bring a friend") || !strings.Contains(got, "Ana") {
				t.Errorf("%v wide, the friend is not shown:\n%s", width, got)
			}
		})
	}
}

func TestANarrowWindowShowsOnePage(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		s := n.w.shell
		n.size(500, 780)
		if s.roster.Visible() || !s.chat.Visible() || !s.chat.header.back.Visible() {
			t.Error("with a conversation open, roster and conversation share a narrow window")
		}
		s.chat.header.back.Tapped(nil)
		n.settle()
		if !s.roster.Visible() || s.chat.Visible() || s.open != "" {
			t.Error("the arrow does not lead back")
		}
		n.w.openConversation(anaID, "")
		n.settle()
		if s.roster.Visible() || !s.chat.Visible() {
			t.Error("the conversation does not open")
		}
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if s.chat.Visible() {
			t.Error("Escape does not lead back")
		}
		n.size(1200, 780)
		if !s.roster.Visible() || s.chat.header.back.Visible() {
			t.Error("a wide window keeps to one page")
		}
	})
}

func TestTheInformationPanelComesAndGoes(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		s := n.w.shell
		s.chat.header.more.Tapped(nil)
		n.settle()
		if !s.info.Visible() || !s.chat.Visible() || s.info.Size().Width != infoWide {
			t.Error("the panel does not stand beside the conversation")
		}
		n.size(800, 780)
		if !s.info.Visible() || s.chat.Visible() {
			t.Error("where there is no room, the panel does not cover the conversation")
		}
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if s.info.Visible() || !s.chat.Visible() {
			t.Error("Escape does not close the panel")
		}
	})
}

func TestPresenceAndTypingFollowTheNode(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		h := n.w.shell.chat.header
		for _, c := range []struct {
			change func(*control.Contact)
			want   string
		}{
			{func(c *control.Contact) {}, "Direct · 12 ms · end-to-end encrypted · verified"},
			{func(c *control.Contact) { c.Path, c.RTT, c.Verified = "lan", 0.2, false }, "On this network · end-to-end encrypted"},
			{func(c *control.Contact) { c.Path, c.RTT = "relay:Bo", 80.4 }, "Through Bo · 80 ms · end-to-end encrypted"},
			{func(c *control.Contact) { c.Presence, c.LastSeen = control.Away, talkNow().Add(-time.Hour) }, "Last seen an hour ago · end-to-end encrypted"},
			{func(c *control.Contact) { c.LastSeen = time.Time{} }, "Away · end-to-end encrypted"},
			{func(c *control.Contact) { c.State = control.Blocked }, "Blocked"},
		} {
			n.meet(anaID, control.ChangePresence, c.change)
			n.settle()
			if h.line.words != c.want {
				t.Errorf("the header says %q, not %q", h.line.words, c.want)
			}
		}
	})
}

func TestOneCannotWriteToWhomOneBlocked(t *testing.T) {
	n := history(3)
	n.contacts[0].State = control.Blocked
	withWindow(t, n, func(t *testing.T) {
		n.w.openConversation(anaID, "")
		n.settle()
		s := n.w.shell
		if s.chat.composer.Visible() {
			t.Fatal("the composer is there")
		}
		n.press(t, s.chat.gate, "Unblock")
		n.settle()
		if !s.chat.composer.Visible() {
			t.Error("after unblocking, one cannot write")
		}
	})
}

func TestARequestStandsWhereTheConversationWillBe(t *testing.T) {
	n := newTalkNode()
	ask := n.befriend("ines", "Ines")
	ask.State, ask.Note = control.Request, "We met at the harbour"
	withWindow(t, n, func(t *testing.T) {
		if got := wordsOn(n.w.shell.roster); !strings.Contains(got, "Requests") {
			t.Errorf("no request in the roster:\n%s", got)
		}
		n.w.openConversation("ines", "")
		n.settle()
		if got := wordsOn(n.w.shell.chat); !strings.Contains(got, "We met at the harbour") {
			t.Errorf("the request is not shown:\n%s", got)
		}
		if n.w.shell.chat.composer.Visible() {
			t.Error("one can write to somebody who is no friend")
		}
	})
}

func TestARemovedPersonLeavesTheWindow(t *testing.T) {
	n := history(3)
	withWindow(t, n, func(t *testing.T) {
		n.mu.Lock()
		n.contacts = nil
		n.tell(control.Change{Type: control.ChangeContact, Who: anaID})
		n.mu.Unlock()
		n.settle()
		if n.w.shell.open != "" || n.w.shell.chat.Visible() {
			t.Error("the conversation is still open")
		}
	})
}

func TestTheRosterSaysWhatIsNew(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		got := wordsOn(n.w.shell.roster)
		for _, want := range []string{"typing…", "written · see you there", "Missed call", "Wants to be your friend"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not in the roster:\n%s", want, got)
			}
		}
		row := n.w.shell.roster.reel.drawn["crew-id-7"].(*rosterRow)
		if row.count.Text != "3" || row.badge.Hidden {
			t.Errorf("the badge says %q", row.count.Text)
		}
	})
}

func TestTheKeyboardWalksThroughTheRoster(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		r := n.w.shell.roster
		n.w.win.Canvas().Focus(r)
		r.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome})
		r.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
		r.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
		r.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if n.w.shell.open != "crew-id-7" {
			t.Errorf("%q is open", n.w.shell.open)
		}
		n.w.shortcut(&desktop.CustomShortcut{KeyName: fyne.KeyDown, Modifier: fyne.KeyModifierAlt})
		n.settle()
		if n.w.shell.open != "bo-id-3" {
			t.Errorf("after Alt+Down, %q is open", n.w.shell.open)
		}
	})
}

func TestShortcutsWorkWhileWriting(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.types("hello")
		e := n.w.shell.chat.composer.entry
		e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierShortcutDefault})
		n.settle()
		if len(n.w.modals) != 1 {
			t.Fatal("Ctrl+K opens nothing")
		}
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if n.w.win.Canvas().Focused() != e {
			t.Error("the keyboard does not come back to what was being written")
		}
		e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyI, Modifier: fyne.KeyModifierShortcutDefault})
		n.settle()
		if !n.w.shell.info.Visible() {
			t.Error("Ctrl+I shows nothing")
		}
	})
}

func TestEverythingIsReachedWithTab(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		seen := make(map[fyne.Focusable]bool)
		for range 40 {
			n.w.win.Canvas().FocusNext()
			seen[n.w.win.Canvas().Focused()] = true
		}
		s := n.w.shell
		for name, o := range map[string]fyne.Focusable{
			"add": s.roster.add, "search": s.roster.search, "roster": s.roster, "reach": s.roster.foot.line, "settings": s.roster.foot.set,
			"find": s.chat.header.search, "more": s.chat.header.more, "timeline": s.chat.timeline,
			"entry": s.chat.composer.entry, "emoji": s.chat.composer.emoji, "send": s.chat.composer.send,
		} {
			if !seen[o] {
				t.Errorf("%s is not reached", name)
			}
		}
	})
}

func TestAnotherLanguageIsSpokenAtOnce(t *testing.T) {
	n := history(2)
	withWindow(t, n, func(t *testing.T) {
		n.types("hello")
		n.mu.Lock()
		n.settings.Language = "fr"
		n.tell(control.Change{Type: control.ChangeSettings})
		n.mu.Unlock()
		n.settle()
		got := wordsOn(n.w.page)
		if !strings.Contains(got, "Joignable en direct") || !strings.Contains(got, "Envoyer") {
			t.Errorf("it still says:\n%s", got)
		}
		if text := n.w.shell.chat.composer.entry.Text; text != "hello" {
			t.Errorf("what was being written is now %q", text)
		}
	})
}

func TestTheFirstFriendIsOpenedWhenTheyJoin(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*control.Contact)
		opens  bool
	}{
		"who says nothing yet":          {func(*control.Contact) {}, true},
		"who wrote, so that it is read": {func(c *control.Contact) { c.Unread = 1 }, false},
		"who asks first":                {func(c *control.Contact) { c.State = control.Request }, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTalkNode()
			withWindow(t, n, func(t *testing.T) {
				n.mu.Lock()
				c.change(n.befriend(anaID, "Ana"))
				n.tell(control.Change{Type: control.ChangeContact, Who: anaID})
				n.mu.Unlock()
				n.settle()
				s := n.w.shell
				if opened := s.open == anaID; opened != c.opens {
					t.Errorf("open is %q", s.open)
				}
				if c.opens && n.w.win.Canvas().Focused() != s.chat.composer.entry {
					t.Error("one cannot write at once")
				}
			})
		})
	}
}

// TestTheFirstFriendLeavesTheCardInFrontItsKeys has them come while their link
// is still shown.
func TestTheFirstFriendLeavesTheCardInFrontItsKeys(t *testing.T) {
	n := newTalkNode()
	withWindow(t, n, func(t *testing.T) {
		n.w.showRename(control.Contact{ID: "x", Name: "X"})
		n.settle()
		before := n.w.win.Canvas().Focused()
		n.mu.Lock()
		n.befriend(anaID, "Ana")
		n.tell(control.Change{Type: control.ChangeContact, Who: anaID})
		n.mu.Unlock()
		n.settle()
		if now := n.w.win.Canvas().Focused(); now == nil || now != before {
			t.Errorf("the keyboard went from %T to %T", before, now)
		}
		if n.w.shell.open != anaID {
			t.Error("the conversation is not behind the card")
		}
	})
}
