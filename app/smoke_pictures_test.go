//go:build !headless

package app_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
)

// picturesEnv names the folder for the pictures of the README.
const picturesEnv = "ENTRENOUS_PICTURES"

// TestPictures has the program take the pictures of the README.
func TestPictures(t *testing.T) {
	if os.Getenv(picturesEnv) == "" {
		t.Skip("takes the pictures of the README: make shots")
	}
	needsWindows(t)
	inOwnNetwork(t, func(t *testing.T) {
		t.Run("main", takePictures)
		t.Run("call", takeCallPicture)
	})
}

func takePictures(t *testing.T) {
	now := time.Now().Truncate(time.Minute)
	past := now.Add(-40 * 24 * time.Hour)
	yelena, ana := act(t, "Yelena", past), act(t, "Ana", past)
	bo, amin, dad := act(t, "Bo", past), act(t, "محمد الأمين", past), act(t, "Dad", past)
	for _, a := range []*actor{dad, amin, bo, ana} {
		yelena.befriends(a)
	}
	yelena.reads(dad, dad.says(yelena, now.Add(-50*time.Hour), "Your mother says hello", chat.Hash{}))
	yelena.reads(amin, amin.says(yelena, now.Add(-27*time.Hour), "شكرا جزيلا", chat.Hash{}))
	for _, line := range []string{"The tide tables are in", "Slack water at six", "Looks good for Sunday"} {
		bo.says(yelena, now.Add(-80*time.Minute), line, chat.Hash{})
	}
	talkOfTheBoat(yelena, ana, now)
	must(t, yelena.node.Verify(t.Context(), ana.node.ID(), true))
	who, friend := ana.node.ID().String(), yelena.node.ID()
	bo.stop()
	dad.stop()

	shots := os.Getenv(picturesEnv)
	s := yelena.takesSeat("Yelena", shots, "FYNE_THEME=light", "TZ="+os.Getenv("TZ"))
	s.open()
	_, err := s.api.Unlock(t.Context(), castPassphrase)
	must(t, err)
	s.sees("Ana", func() bool {
		c, err := s.api.Contact(t.Context(), who)
		return err == nil && c.Presence == control.Online
	})
	s.settled()
	for _, l := range []struct{ name, keys string }{{"light", "ctrl+i"}, {"dark", "ctrl+i"}} {
		set, err := s.api.Settings(t.Context())
		must(t, err)
		set.Appearance = l.name
		_, err = s.api.PutSettings(t.Context(), set)
		must(t, err)
		s.settled()
		s.press(l.keys) // the panel stands in the light picture only
		s.settled()
		ana.node.Typing(friend, false)
		ana.node.Typing(friend, true)
		s.sees("that Ana writes", func() bool {
			c, err := s.api.Contact(t.Context(), who)
			return err == nil && c.Typing
		})
		path := filepath.Join(shots, "main-"+l.name+".png")
		savePacked(t, path, s.settled())
		if f, err := os.Stat(path); err != nil || f.Size() > 190<<10 {
			t.Errorf("%s has %d bytes: %v", path, f.Size(), err)
		}
	}
}

// talkOfTheBoat is the conversation in the pictures.
func talkOfTheBoat(yelena, ana *actor, now time.Time) {
	yesterday := now.Add(-21 * time.Hour)
	first := ana.says(yelena, yesterday, "Found the chart you asked about, it was in the blue folder", chat.Hash{})
	yelena.reads(ana, first)
	thanks := yelena.says(ana, yesterday.Add(2*time.Minute), "Perfect, thank you! I will print it tonight", chat.Hash{})
	ana.reads(yelena, thanks)
	must(ana.t, ana.node.React(ana.t.Context(), thanks, "👍", true))
	today := now.Add(-9 * time.Minute)
	ana.says(yelena, today, "Use the big paper, the depths are tiny on A4", thanks)
	boat := ana.says(yelena, today.Add(4*time.Minute), "And the boat leaves at nine, bring the warm jackets", chat.Hash{})
	yelena.reads(ana, boat)
	packed := yelena.says(ana, today.Add(5*time.Minute), "Jackets are packed 🙂 Call you about the route?", chat.Hash{})
	ana.reads(yelena, packed)
	yelena.says(ana, today.Add(6*time.Minute), "Bo has the tide tables", chat.Hash{})
	yelena.at(now)
	ana.at(now)
}
