package assets_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/assets"
)

func TestEveryLanguageHasWords(t *testing.T) {
	for _, lang := range assets.Languages() {
		words, err := assets.Words(lang)
		if err != nil || len(words) < 50 {
			t.Errorf("%s has %d words: %v", lang, len(words), err)
		}
	}
	if _, err := assets.Words("xx"); err == nil {
		t.Error("a language that does not exist has words")
	}
}

func TestPicturesHaveTheirSizes(t *testing.T) {
	for _, c := range []struct {
		name string
		png  []byte
		side int
	}{
		{"icon", assets.Icon(), 512},
		{"tray", assets.Tray(false), 64},
		{"tray, unread", assets.Tray(true), 64},
	} {
		img, err := png.Decode(bytes.NewReader(c.png))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s := img.Bounds().Size(); s.X != c.side || s.Y != c.side {
			t.Errorf("%s is %v", c.name, s)
		}
	}
	for name, svg := range map[string][]byte{"mark": assets.IconSVG(), "smile": assets.Smile()} {
		if !strings.HasPrefix(string(svg), "<svg ") {
			t.Errorf("%s is no SVG", name)
		}
	}
}

func TestTheUnreadTrayIconDiffers(t *testing.T) {
	if bytes.Equal(assets.Tray(false), assets.Tray(true)) {
		t.Error("nobody can tell whether something is unread")
	}
}

func TestTheTrayIconShowsOnEveryPanel(t *testing.T) {
	for _, unread := range []bool{false, true} {
		img, err := png.Decode(bytes.NewReader(assets.Tray(unread)))
		if err != nil {
			t.Fatal(err)
		}
		dark, light := 0, 0
		for y := range 64 {
			for x := range 64 {
				switch r, _, _, a := img.At(x, y).RGBA(); {
				case a < 0xe000:
				case r < 0x4000:
					dark++
				case r > 0xd000:
					light++
				}
			}
		}
		if dark < 300 || light < 300 {
			t.Errorf("unread %v: %d dark and %d light pixels of 4096", unread, dark, light)
		}
	}
}
