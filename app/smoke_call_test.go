//go:build !headless

package app_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// sits opens the window of a person whose node runs already.
func (p *person) sits(t *testing.T, env ...string) *seat {
	t.Helper()
	s := sit(t, p.name, shotsOf(t), env...)
	s.dir, s.api = p.dir, p.api()
	s.open()
	return s
}

// clicks presses the mouse somewhere.
func (s *seat) clicks(x, y int) {
	s.t.Helper()
	s.do("mousemove", strconv.Itoa(x), strconv.Itoa(y), "click", "1")
}

// callIs says whether a seat's newest call holds something.
func (s *seat) callIs(holds func(control.Call) bool) func() bool {
	return func() bool {
		all, err := s.api.Calls(s.t.Context())
		return err == nil && len(all) > 0 && holds(all[len(all)-1])
	}
}

// TestSmokeTwoPeopleCallEachOther has two real windows call over virtual sound
// devices, by mouse and keys.
func TestSmokeTwoPeopleCallEachOther(t *testing.T) {
	needsWindows(t)
	anas, bos, voice := atVirtualSound(t, "Ana", "Bo")
	ana, bo := anas.sits(t, "FYNE_THEME=light"), bos.sits(t, "FYNE_THEME=dark")
	in := func(state string) func(control.Call) bool {
		return func(c control.Call) bool { return c.State == state }
	}

	ana.after("the conversation", func() { ana.clicks(150, 148) })
	ana.clicks(1060, 32) // Call
	ana.covered(true)
	ana.keep("first-call")
	ana.press("Return") // they may see the address
	bo.sees("that it rings", bo.callIs(in(control.CallRinging)))
	bo.covered(true)
	bo.keep("rings")
	<-time.After(time.Second) // until the keys are awake
	bo.press("Return")        // Accept
	bo.settled()
	bo.press("Return")
	ana.sees("the call", ana.callIs(in(control.CallActive)))
	bo.sees("the call", bo.callIs(in(control.CallActive)))
	bo.covered(false)

	start(t, exec.Command("bash", "-c", "while paplay -d mic1 "+voice+"; do :; done"))
	bo.sees("that ana is heard", bo.callIs(func(c control.Call) bool { return c.TheirLevel > -40 }))
	ana.sees("no echo of herself", ana.callIs(func(c control.Call) bool { return c.TheirLevel < -60 }))
	bo.store("hears", bo.picture()) // never at rest: levels move
	ana.clicks(1015, 117)           // Devices
	<-time.After(time.Second)
	ana.store("devices", ana.picture())
	ana.press("Escape")
	ana.press("ctrl+m")
	ana.sees("that she is muted", ana.callIs(func(c control.Call) bool { return c.Muted }))
	bo.sees("that ana is silent", bo.callIs(func(c control.Call) bool { return c.TheirLevel < -60 }))
	ana.clicks(1115, 117) // Hang up
	for _, s := range []*seat{ana, bo} {
		s.sees("the end", s.callIs(func(c control.Call) bool { return c.State == control.CallEnded && c.Reason == control.EndCompleted }))
		s.keep("ended")
	}
}

// takeCallPicture has two people speak, and takes the picture of it for the README.
func takeCallPicture(t *testing.T) {
	yelenas, anas, voice := atVirtualSound(t, "Yelena", "Ana", "--auto-answer")
	a := anas.api()
	for _, line := range []string{"The harbour master wants to know when we leave", "At nine, with the tide"} {
		from, to := a, yelenas.id
		if line[0] == 'A' {
			from, to = yelenas.api(), anas.id
		}
		_, err := from.Send(t.Context(), to, control.NewMessage{Text: line, Wait: control.Delivered})
		must(t, err)
	}
	s := yelenas.sits(t, "FYNE_THEME=light", "TZ="+os.Getenv("TZ"))
	s.after("the conversation", func() { s.clicks(150, 148) })
	made, err := s.api.Call(t.Context(), anas.id)
	must(t, err)
	for _, mic := range []string{"mic1", "mic2"} {
		start(t, exec.Command("bash", "-c", "while paplay -d "+mic+" "+voice+"; do :; done"))
	}
	s.sees("that the call is judged", func() bool {
		c, err := s.api.CallNow(t.Context(), made.ID)
		return err == nil && c.Quality != nil && c.Quality.Word != "" && c.Seconds > 8 && c.TheirLevel > -30
	})
	s.do("mousemove", "500", "127") // what the figures stand behind
	<-time.After(time.Second)
	savePacked(t, filepath.Join(os.Getenv(picturesEnv), "call.png"), s.picture())
}
