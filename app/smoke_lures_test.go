//go:build !headless

package app_test

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/entrenous/entrenous/app/control"
)

// inside opens the windows of a seat on a machine of a cable.
func (s *seat) inside(machine string) {
	ip, err := exec.LookPath("ip")
	must(s.t, err)
	s.before = []string{ip, "netns", "exec", machine}
}

// TestSmokeWhatAFriendWritesIsShownAndNothingIsFetched has a real window show,
// scroll, search and hover over what lures others into looking.
func TestSmokeWhatAFriendWritesIsShownAndNothingIsFetched(t *testing.T) {
	needsWindows(t)
	c := newCable(t)
	l := newLures(t, c)
	ana, bo := l.pair(c, "--for-window")
	s := sit(t, "Ana", shotsOf(t), "FYNE_THEME=light", "PATH="+l.bin+":"+os.Getenv("PATH"))
	s.dir, s.api = ana.dir, ana.api()
	s.inside(c.names[0])
	defer l.untouched() // also where a window that fetches does not come to rest
	s.open()
	l.toldTo(ana, bo)
	s.sees("it all", func() bool { return s.contact().Unread == 0 })

	for range 40 {
		s.press(slices.Repeat([]string{"Prior"}, 5)...)
		s.settled()
		s.do("mousemove", strconv.Itoa(screenWide/2), strconv.Itoa(screenHigh/3))
	}
	s.both("lures")
	s.press("Escape", "Home")
	s.settled()
	s.after("the newest rows", func() { s.press("End") })
	for y := 100; y < screenHigh-100; y += 12 { // over links, which become hands
		s.do("mousemove", strconv.Itoa(screenWide/2), strconv.Itoa(y))
	}
	s.after("a menu", func() { s.press("Menu") })
	s.after("no menu", func() { s.press("Escape") })
	s.press("ctrl+f")
	s.covered(true)
	s.after("what was found", func() { s.write("pixel") })
	s.press("Escape")
	s.covered(false)
	s.after("the panel", func() { s.press("ctrl+i") })
	if who := s.contact(); who.State != control.Friend {
		t.Errorf("Bo is %s", who.State)
	}
}
