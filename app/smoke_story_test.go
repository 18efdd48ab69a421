//go:build !headless

package app_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/entrenous/entrenous/app/control"
)

func makeFriends(t *testing.T, ana, bo *seat) {
	ana.press("ctrl+n")
	ana.covered(true)
	ana.both("invite")
	ana.press("Escape")
	ana.covered(false)
	lookAround(t, ana, bo)
	invite, err := ana.api.Invite(t.Context(), control.NewInvite{Once: true})
	must(t, err)
	bo.press("ctrl+n")
	bo.covered(true)
	bo.after("where a link goes", func() { bo.press("Tab", "Tab", "Tab", "space") }) // Close, Give, Take
	bo.write("entrenous:pqqqq")
	bo.after("what is wrong with it", func() { bo.press("Return") })
	bo.both("take-wrong")
	bo.press("ctrl+a")
	bo.write(invite.Link)
	bo.keep("take")
	bo.press("Return")
	for _, s := range []*seat{ana, bo} {
		s.sees("a friend on this network", func() bool {
			c := s.contact()
			return c.State == control.Friend && c.Presence == control.Online && c.Path == "lan"
		})
	}
	bo.covered(false)
	bo.both("friend")
	ana.keep("friend")
}

// lookAround has both show themselves on their network, and no longer.
func lookAround(t *testing.T, ana, bo *seat) {
	for _, s := range []*seat{ana, bo} {
		s.press("ctrl+n")
		s.covered(true)
		s.after("who is nearby", func() { s.press("Tab", "Tab", "Tab", "Tab", "space") }) // Close, Give, Take, Nearby
		s.after("that one is visible", func() { s.press("Tab", "space") })
	}
	for _, s := range []*seat{ana, bo} {
		s.sees("the other nearby", func() bool {
			got, err := s.api.Nearby(t.Context())
			return err == nil && len(got.People) == 1
		})
		s.both("nearby")
		s.after("that one is hidden again", func() { s.press("space") })
		s.press("Escape")
		s.covered(false)
	}
}

// says types a text and sends it, and waits until the other has it before the
// eyes.
func says(from, to *seat, text string, keys func()) control.Message {
	from.t.Helper()
	keys()
	from.press("Return")
	to.sees("what "+from.name+" wrote", func() bool { return to.row(text).ID != "" })
	from.sees("that it was seen", func() bool { return from.row(text).State == control.Seen })
	return from.row(text)
}

func talk(t *testing.T, ana, bo *seat) {
	ana.write("Hel") // her first friend's conversation opened by itself
	bo.sees("that Ana writes", func() bool { return bo.contact().Typing })
	bo.keep("typing")
	says(ana, bo, "Hello Bo", func() { ana.write("lo Bo") })
	two := "Tea at four?\nI bring the scones"
	asked := says(ana, bo, two, func() {
		ana.write("Tea at four?")
		ana.press("shift+Return")
		ana.write("I bring the scones")
	})
	says(bo, ana, "Yes, at four", func() {
		bo.after("a reply", func() { bo.press("Escape", "Return") })
		bo.write("Yes, at four")
		bo.both("reply")
	})
	if got := ana.row("Yes, at four"); got.ReplyTo != asked.ID {
		t.Errorf("the answer is no reply: %+v", got)
	}
	ana.after("the message to edit", func() { ana.press("Up") })
	ana.press("ctrl+End")
	ana.write(" and jam")
	ana.keep("edit")
	ana.press("Return")
	bo.sees("the new words", func() bool { return bo.row(two + " and jam").Edited })

	ana.after("a chosen message", func() { ana.press("Escape") })
	ana.after("the menu", func() { ana.press("Menu") })
	ana.keep("menu")
	ana.after("the emoji", func() { ana.press("Down", "Down", "Return") })
	ana.both("emoji")
	ana.write("thumb")
	ana.keep("emoji-found")
	ana.press("Return")
	bo.sees("the reaction", func() bool {
		r := bo.row("Yes, at four").Reactions
		return len(r) == 1 && !r[0].Mine
	})
	bo.both("conversation")
	ana.both("conversation")
}

func killTheWindow(t *testing.T, ana, _ *seat) {
	node := ana.node()
	ana.write("Not sent yet")
	ana.sees("that the draft is kept", func() bool { return ana.contact().Draft == "Not sent yet" })
	ana.win.end(syscall.SIGKILL)
	if !alive(node) || ana.node() != node {
		t.Fatal("the node went with the window")
	}
	ana.open()
	ana.keep("draft")
	ana.press("Return")
	ana.sees("that the draft was there to be sent", func() bool { return ana.row("Not sent yet").ID != "" })
}

// secondWindow is another start of the program on the same profile, while the
// window of somebody else covers the first.
func secondWindow(t *testing.T, ana, _ *seat) {
	bare := ana.settled()
	guest := sit(t, "Guest", ana.shots, "DISPLAY="+ana.display)
	guest.screen = ana.screen
	guest.open()
	if same(bare, guest.settled()) || guest.do("getwindowfocus") != guest.id {
		t.Fatal("the guest's window does not cover the first")
	}
	second := start(t, ana.command())
	within(t, screenPatience, "the second window gives way", func() bool {
		select {
		case <-second.done:
			return true
		default:
			return false
		}
	})
	if code := second.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d: %s", code, second.err)
	}
	if !alive(ana.win.cmd.Process.Pid) {
		t.Error("the first window is gone")
	}
	within(t, screenPatience, "the first window is in front again, with the keyboard", func() bool {
		return ana.do("getwindowfocus") == ana.id && ana.picture().RGBAAt(2, screenHigh/2) == sideLight
	})
	guest.win.end(syscall.SIGKILL)
	guest.endNode()
	ana.settled()
}

// A look is how a window can be.
type look struct {
	name, appearance, language string
	wide                       int
}

// tour keeps a picture of every card in every look.
func tour(t *testing.T, ana, _ *seat) {
	for _, l := range []look{
		{"dark-fr", "dark", "fr", screenWide}, // first, for the window is light and English already
		{"light-en", "light", "en", screenWide},
		{"light-fr-narrow", "light", "fr", 480},
		{"dark-en-narrow", "dark", "en", 480},
	} {
		set, err := ana.api.Settings(t.Context())
		must(t, err)
		set.Appearance, set.Language = l.appearance, l.language
		ana.after(l.name, func() { _, err = ana.api.PutSettings(t.Context(), set) })
		must(t, err)
		ana.resize(l.wide)
		ana.keep("conversation-" + l.name)
		for _, card := range []struct {
			name string
			keys []string
			then string // what is typed
		}{
			{"switcher", []string{"ctrl+k"}, "tea"},
			{"search", []string{"ctrl+f"}, "at four"},
			{"settings", []string{"ctrl+comma"}, ""},
			{"keys", []string{"F1"}, ""},
		} {
			ana.press(card.keys...)
			ana.covered(true)
			if card.then != "" {
				ana.after("what was found", func() { ana.write(card.then) })
			}
			ana.keep(card.name + "-" + l.name)
			if card.name == "settings" {
				ana.pages(card.name + "-" + l.name)
			}
			ana.press("Escape")
			ana.covered(false)
		}
		ana.after("the panel", func() { ana.press("ctrl+i") })
		ana.keep("panel-" + l.name)
		ana.after("no panel", func() { ana.press("ctrl+i") })
		ana.resize(screenWide)
	}
}

// keepAndComeBack saves a conversation and a backup, from which somebody before
// an empty window becomes Ana again.
func keepAndComeBack(t *testing.T, ana, _ *seat) {
	ana.press("alt+Down") // to the composer
	ana.after("the panel", func() { ana.press("ctrl+i") })
	ana.press(slices.Repeat([]string{"Tab"}, tabsToSave)...)
	ana.after("where the conversation is", func() { ana.press("Return") })
	ana.keep("saved")
	text := ana.saved("*.jsonl")
	if got, err := os.ReadFile(text); err != nil || !strings.Contains(string(got), "Yes, at four") {
		t.Errorf("the saved conversation holds %s, %v", got, err)
	}
	ana.after("no panel", func() { ana.press("ctrl+i") })

	ana.press("ctrl+comma")
	ana.covered(true)
	ana.after("what asks for a passphrase", func() { ana.press("shift+Tab", "Return") })
	ana.after("that it needs one", func() { ana.press("Return") })
	ana.write("seal it well")
	ana.both("backup")
	ana.press("Return")
	file := ana.saved("*.age")
	ana.press("Escape")
	ana.covered(false)

	again := sit(t, "Again", ana.shots, "FYNE_THEME=light")
	again.open()
	again.after("where a backup goes", func() { again.press("Tab", "Tab", "Tab", "Tab", "Tab", "space") })
	again.write(file)
	again.press("Tab", "Tab")
	again.write("another")
	again.press("Return")
	within(t, screenPatience, "what is wrong shows", func() bool { return again.shows(dangerLight) })
	again.both("comeback-wrong")
	again.press("ctrl+a")
	again.write("seal it well")
	again.press("Return")
	again.sees("what Ana wrote", func() bool {
		m := again.row("Hello Bo")
		return m.Mine && again.row("Yes, at four").ReplyTo != ""
	})
	was, err := ana.api.Status(t.Context())
	must(t, err)
	is, err := again.api.Status(t.Context())
	must(t, err)
	if is.ID != was.ID || is.Device == was.Device || is.Name != was.Name || is.KeyKept != "passphrase" {
		t.Errorf("Ana came back as %+v, and was %+v", is, was)
	}
	again.covered(false)
	again.keep("comeback")
	again.win.end(syscall.SIGKILL)
	again.endNode()
}

// tabsToSave is how far the way to save a conversation is from the composer.
const tabsToSave = 11

// gone says whether somebody's window has ended.
func gone(s *seat) bool { return !alive(s.win.cmd.Process.Pid) }

// closeToTray has Ana stay reachable without a window.
func closeToTray(t *testing.T, ana, bo *seat) {
	set, err := ana.api.Settings(t.Context())
	must(t, err)
	set.CloseToTray = true
	_, err = ana.api.PutSettings(t.Context(), set)
	must(t, err)
	ana.settled()
	node := ana.node()
	ana.press("ctrl+w")
	within(t, screenPatience, "the window closes", func() bool { return gone(ana) })
	if ana.node() != node {
		t.Error("the node went with the window")
	}
	if c := bo.contact(); c.Presence != control.Online {
		t.Errorf("Bo sees Ana as %s", c.Presence)
	}
	ana.open()
}

func quit(t *testing.T, ana, bo *seat) {
	node := ana.node()
	ana.press("ctrl+q")
	within(t, screenPatience, "window and node end", func() bool { return gone(ana) && !alive(node) })
	bo.sees("that Ana went away", func() bool { return bo.contact().Presence == control.Away })
	bo.keep("away")
	last := bo.node()
	bo.after("that the node is gone", func() {
		if err := syscall.Kill(last, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	})
	bo.both("node-gone")
	bo.press("ctrl+q")
	within(t, screenPatience, "Bo's window ends", func() bool { return gone(bo) })
}
