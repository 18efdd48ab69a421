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
		{"tray, light panel", assets.Tray(false, false), 64},
		{"tray, light panel, unread", assets.Tray(false, true), 64},
		{"tray, dark panel", assets.Tray(true, false), 64},
		{"tray, dark panel, unread", assets.Tray(true, true), 64},
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
	for _, dark := range []bool{false, true} {
		if bytes.Equal(assets.Tray(dark, false), assets.Tray(dark, true)) {
			t.Error("nobody can tell whether something is unread")
		}
	}
}
