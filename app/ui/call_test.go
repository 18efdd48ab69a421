package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/entrenous/entrenous/app/control"
)

// press taps what is called so under o.
func (n *talkNode) press(t *testing.T, o fyne.CanvasObject, name string) {
	t.Helper()
	var found fyne.Tappable
	each(o, func(o fyne.CanvasObject) {
		if a, ok := o.(fyne.Accessible); ok && found == nil && a.AccessibilityLabel() == name {
			found, _ = o.(fyne.Tappable)
		}
	})
	if found == nil {
		t.Fatalf("nothing to press is called %q among:\n%s", name, wordsOn(o))
	}
	found.Tapped(&fyne.PointEvent{})
	n.settle()
}

// top is the layer in front of the window, nil for none.
func (n *talkNode) top() fyne.CanvasObject {
	if len(n.w.modals) == 0 {
		return nil
	}
	return n.w.modals[len(n.w.modals)-1].layer
}

// bar is the words of all call bars.
func (n *talkNode) bar() string {
	return wordsOn(n.w.shell.chat.call) + wordsOn(n.w.shell.call)
}

func wantBar(t *testing.T, n *talkNode, want ...string) {
	t.Helper()
	n.settle()
	for _, s := range want {
		if got := n.bar(); !strings.Contains(got, s) {
			t.Errorf("%q is not to be read on the call bar:\n%s", s, got)
		}
	}
}

func TestACallIsMadeSpokenInAndEnded(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.press(t, n.w.shell.chat.header, "Call")
		wantBar(t, n, "Calling Ana", "Looking for their devices", "Hang up")
		n.shot(t, "call-calling")
		n.call("call1", harbourAna, func(c *control.Call) { c.State = control.CallRinging })
		wantBar(t, n, "It rings")
		n.call("call1", harbourAna, func(c *control.Call) { c.State, c.Answered = control.CallConnecting, talkNow() })
		wantBar(t, n, "In call with Ana", "Connecting", "Mute")
		n.call("call1", harbourAna, active)
		wantBar(t, n, "12:41 · sounds great · direct · 38 ms mouth to ear", "Devices", "Hang up")
		n.wait(2 * time.Second)
		n.shot(t, "call-light")
		n.call("call1", harbourAna, func(c *control.Call) { c.State = control.CallReconnecting })
		wantBar(t, n, "Connection lost, trying again · 12:41")
		n.shot(t, "call-reconnecting")
		n.call("call1", harbourAna, active)
		n.press(t, n.w.shell.chat.call, "Hang up")
		wantBar(t, n, "Call with Ana", "Ended after 12:41")
		n.shot(t, "call-ended")
		n.wait(goodbye + time.Second)
		if got := n.bar(); got != "" || n.w.shell.chat.call.Visible() {
			t.Errorf("the bar of an ended call stays: %q", got)
		}
	})
}

const harbourAna = "ana-id-1"

func TestAPersonWhoIsAwayIsNotCalledAndTheButtonSaysWhy(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.w.openConversation("bo-id-3", "")
		n.settle()
		if !n.w.shell.chat.header.call.Disabled() {
			t.Error("somebody who is away can be called")
		}
		n.press(t, n.w.shell.chat.header, "Call")
		wantWords(t, n.w.toast, "Bo is away. Write, and it arrives when they return")
		if n.done("POST /contacts/bo-id-3/call") != 0 {
			t.Error("the node was asked to call them")
		}
		n.meet("bo-id-3", control.ChangePresence, func(c *control.Contact) { c.Presence = control.Online })
		n.settle()
		if n.w.shell.chat.header.call.Disabled() {
			t.Error("they are here, and cannot be called")
		}
	})
}

func TestAnIncomingCallIsAnsweredWithEnterOnceTheKeysAreAwake(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", "crew-id-7", func(*control.Call) {})
		n.settle()
		wantWords(t, n.top(), "Harbour crew")
		wantWords(t, n.top(), "is calling you")
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if n.done("POST /calls/c1/answer") != 0 {
			t.Fatal("Enter answers before anybody can have read the card")
		}
		n.wait(startle + 10*time.Millisecond)
		n.shot(t, "call-incoming")
		n.w.typed(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
		if n.done("POST /calls/c1/answer") != 1 || n.top() != nil {
			t.Error("Enter does not answer")
		}
		if n.w.shell.open != "crew-id-7" {
			t.Error("the conversation is not shown")
		}
		wantBar(t, n, "In call with Harbour crew")
	})
}

func TestAnIncomingCallIsDeclined(t *testing.T) {
	for name, how := range map[string]func(t *testing.T, n *talkNode){
		"with Escape":   func(_ *testing.T, n *talkNode) { n.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape}) },
		"by the button": func(t *testing.T, n *talkNode) { n.press(t, n.top(), "Decline") },
	} {
		t.Run(name, func(t *testing.T) {
			n := harbour()
			withWindow(t, n, func(t *testing.T) {
				n.call("c1", harbourAna, func(*control.Call) {})
				n.wait(time.Second)
				how(t, n)
				n.settle()
				if n.done("POST /calls/c1/decline") != 1 || n.top() != nil || n.bar() != "" {
					t.Errorf("the call is not declined, or leaves something behind: %q", n.bar())
				}
			})
		})
	}
}

func TestAnIncomingCallIsAnsweredWithAMessage(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, func(*control.Call) {})
		n.wait(time.Second)
		n.press(t, n.top(), "Answer with a message")
		n.shot(t, "call-incoming-words")
		n.press(t, n.top(), "I will call you back")
		if n.done("POST /calls/c1/decline") != 1 {
			t.Error("the call rings on")
		}
		rows := n.rows[harbourAna]
		if got := rows[len(rows)-1]; !got.Mine || got.Text != "I will call you back" {
			t.Errorf("the last row is %q", got.Text)
		}
	})
}

func TestTheCardGoesWhenTheRingingStopsAndNothingElsePutsItAway(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.w.showHelp()
		n.call("c1", harbourAna, func(*control.Call) {})
		n.wait(time.Second)
		n.w.closeModal() // the help, under the card
		if len(n.w.modals) != 1 {
			t.Fatalf("%d layers are left", len(n.w.modals))
		}
		wantWords(t, n.top(), "is calling you")
		n.w.closeModals()
		wantWords(t, n.top(), "is calling you")
		n.call("c1", harbourAna, ended(control.EndMissed))
		n.settle()
		if n.top() != nil || n.bar() != "" {
			t.Error("a card or a bar is left of a call that rings no longer")
		}
	})
}

func TestASecondCallHoldsTheFirst(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("c1", harbourAna, active)
		n.call("c2", "crew-id-7", func(c *control.Call) { c.Waiting = true })
		n.wait(time.Second)
		wantWords(t, n.top(), "is calling while you speak with Ana")
		n.shot(t, "call-waiting")
		n.press(t, n.top(), "Accept and hold")
		wantBar(t, n, "In call with Ana", "on hold", "In call with Harbour crew", "Resume")
		n.shot(t, "call-held")
		n.press(t, n.w.shell.chat.call, "Resume")
		if got := n.exchange.edits; len(got) != 1 || got[0] != `{"held":false}` {
			t.Errorf("the node was told %q", got)
		}
	})
}

func TestTheMicrophoneIsMutedByKeyAndByButton(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		key := &desktop.CustomShortcut{KeyName: fyne.KeyM, Modifier: fyne.KeyModifierShortcutDefault}
		n.w.shell.chat.composer.entry.TypedShortcut(key) // without a call nothing happens
		n.call("c1", harbourAna, active)
		n.settle()
		n.w.shell.chat.composer.entry.TypedShortcut(key)
		wantBar(t, n, "Unmute")
		n.press(t, n.w.shell.chat.call, "Unmute")
		wantBar(t, n, "Mute")
		if got := strings.Join(n.exchange.edits, " "); got != `{"muted":true} {"muted":false}` {
			t.Errorf("the node was told %s", got)
		}
	})
}

func TestPushToTalkLastsAsLongAsTheKey(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		entry := n.w.shell.chat.composer.entry
		n.call("c1", harbourAna, active)
		n.settle()
		entry.KeyDown(&fyne.KeyEvent{Name: fyne.KeyF8}) // not asked for in this call
		n.call("c1", harbourAna, func(c *control.Call) { c.PushToTalk = true })
		wantBar(t, n, "Hold to talk")
		entry.KeyDown(&fyne.KeyEvent{Name: fyne.KeyF8})
		n.settle()
		n.shot(t, "call-talking")
		entry.KeyUp(&fyne.KeyEvent{Name: fyne.KeyF8})
		n.settle()
		n.w.keyDown(&fyne.KeyEvent{Name: desktop.KeyControlRight})
		n.settle()
		n.w.setFront(false) // the key comes up where nobody sees it
		n.settle()
		want := `{"talking":true} {"talking":false} {"talking":true} {"talking":false}`
		if got := strings.Join(n.exchange.edits, " "); got != want {
			t.Errorf("the node was told %s", got)
		}
	})
}

func TestKeysAreMutedOnlyInACallWhereTheyWouldBeHeard(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		entry := n.w.shell.chat.composer.entry
		write := func(r rune) { entry.TypedRune(r); n.settle() }
		write('a') // nobody hears
		n.call("c1", harbourAna, active)
		n.settle()
		write('b')
		n.call("c1", harbourAna, func(c *control.Call) { c.Muted = true })
		n.settle()
		write('c') // nobody hears either
		if got := strings.Join(n.exchange.edits, " "); got != `{"typing":true}` {
			t.Errorf("the node was told %s", got)
		}
	})
}

func TestLevelsMoveInACallOnlyAndCalmlyOutOfSight(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.wait(time.Hour)
		if lines, open := n.followed(); lines != 0 || open != 0 {
			t.Fatal("something is followed without a call")
		}
		n.call("c1", harbourAna, active)
		n.settle()
		before, _ := n.followed()
		n.wait(10 * time.Second)
		after, _ := n.followed()
		if got := after - before; got < 90 || got > 110 {
			t.Errorf("%d states came in 10 s", got)
		}
		n.w.setFront(false)
		n.wait(2 * time.Second)
		before, _ = n.followed()
		n.wait(10 * time.Second)
		after, _ = n.followed()
		if got := after - before; got > 12 {
			t.Errorf("out of sight %d states came in 10 s", got)
		}
		n.call("c1", harbourAna, ended(control.EndCompleted))
		n.wait(time.Minute)
		if _, open := n.followed(); open != 0 {
			t.Errorf("%d feeds go on after the call", open)
		}
	})
}

func TestAFrenchCallSaysWhoCallsAndWhoIsBusy(t *testing.T) {
	n := harbour()
	n.settings.Language = "fr"
	withWindow(t, n, func(t *testing.T) {
		n.press(t, n.w.shell.chat.header, "Appeler")
		wantBar(t, n, "Appel vers Ana")
		n.call("call1", harbourAna, ended(control.EndBusy))
		wantBar(t, n, "Ana est déjà en communication")
	})
}

func TestCallingAgainTakesTheEndOfTheLastCallAway(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.press(t, n.w.shell.chat.header, "Call")
		n.call("call1", harbourAna, ended(control.EndMissed))
		wantBar(t, n, "Ana did not answer", "Call again")
		n.press(t, n.w.shell.chat.header, "Call") // not the one in the bar
		wantBar(t, n, "Calling Ana")
		if got := n.bar(); strings.Contains(got, "did not answer") {
			t.Errorf("above the new call the old one goes on: %s", got)
		}
	})
}

func TestTheEndSaysWhy(t *testing.T) {
	for reason, want := range map[string]string{
		control.EndMissed: "Ana did not answer", control.EndAway: "Ana could not be reached. Write instead, it arrives later",
		control.EndDeclined: "Ana cannot talk now", control.EndBusy: "Ana is in another call",
		control.EndFailed: "No way for sound to Ana was found. Try again in a moment", control.EndLost: "The connection to Ana was lost",
		control.EndStale: "The call came too late", control.EndBroken: "No microphone or loudspeaker could be opened. Look at the sound settings",
		"invented later": "Ended",
	} {
		n := harbour()
		withWindow(t, n, func(t *testing.T) {
			n.press(t, n.w.shell.chat.header, "Call")
			n.call("call1", harbourAna, ended(reason))
			wantBar(t, n, "Call with Ana", want, "Call again")
			n.press(t, n.w.shell.chat.call, "Call again")
			wantBar(t, n, "Calling Ana")
			n.press(t, n.w.shell.chat.call, "Hang up")
			n.press(t, n.w.shell.chat.call, "Close")
			if got := n.bar(); got != "" {
				t.Errorf("the bar stays: %s", got)
			}
		})
	}
}

func TestCallsEndWithTheNodeThatHeldThem(t *testing.T) {
	n := harbour()
	withWindow(t, n, func(t *testing.T) {
		n.call("spoken", harbourAna, active)
		n.call("rings", "crew-id-7", func(c *control.Call) { c.Waiting = true })
		wantBar(t, n, "In call with Ana", "sounds great")
		n.mu.Lock()
		n.refusal["GET /status"] = control.Failure{Message: "starting", Code: control.CodeState}
		n.tell(control.Change{Type: "end"})
		n.mu.Unlock()
		n.settle()
		wantBar(t, n, "Call with Ana", "The connection to Ana was lost")
		if n.w.phone.card != nil {
			t.Error("a call rings that nobody can answer")
		}
		if got := n.bar(); strings.Contains(got, "sounds great") {
			t.Errorf("the call goes on: %s", got)
		}
		n.mu.Lock()
		delete(n.refusal, "GET /status")
		n.exchange.calls = nil
		n.tell(control.Change{Type: "end"})
		n.mu.Unlock()
		n.wait(5 * time.Second)
		if got := n.bar(); got != "" {
			t.Errorf("the next node knows nothing of the call, and the bar stays: %s", got)
		}
	})
}
