package ui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// luminance is relative luminance as WCAG 2.2 defines it.
func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	part := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n.R) + 0.7152*part(n.G) + 0.0722*part(n.B)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestTextCanBeRead holds every ink against every surface that it stands on.
func TestTextCanBeRead(t *testing.T) {
	pairs := map[fyne.ThemeColorName][]fyne.ThemeColorName{
		colorInk:                   {colorBack, colorSide, colorSoft, colorMine, colorTheirs, colorPill, colorHit, colorWrite, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground},
		colorMuted:                 {colorBack, colorSide, colorSoft, colorMine, colorTheirs, colorPill, colorHit, colorWrite, theme.ColorNameInputBackground, theme.ColorNameOverlayBackground},
		theme.ColorNamePlaceHolder: {theme.ColorNameInputBackground, colorWrite, colorBack, colorPill},
		colorAccent:                {colorBack, colorSide, colorSoft, colorMine, colorTheirs, theme.ColorNameOverlayBackground},
		colorWarn:                  {colorBack, colorSide, colorSoft, colorPill, theme.ColorNameOverlayBackground},
		colorDanger:                {colorBack, colorSide, theme.ColorNameOverlayBackground},
		colorOnAccent:              {colorAccent},
		colorOnDanger:              {colorDanger},
	}
	for _, look := range []struct {
		appearance string
		variant    fyne.ThemeVariant
		least      float64
	}{
		{appearanceLight, theme.VariantDark, 4.5},
		{appearanceDark, theme.VariantLight, 4.5},
		{appearanceContrast, theme.VariantLight, 7},
		{appearanceContrast, theme.VariantDark, 7},
	} {
		th := &Theme{Appearance: look.appearance}
		for ink, grounds := range pairs {
			for _, ground := range grounds {
				if c := contrast(th.Color(ink, look.variant), th.Color(ground, look.variant)); c < look.least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, less than %v", look.appearance, ink, ground, c, look.least)
				}
			}
		}
	}
}

func TestTheSystemDecidesUnlessAskedOtherwise(t *testing.T) {
	for _, c := range []struct {
		appearance string
		variant    fyne.ThemeVariant
		want       color.Color
	}{
		{"", theme.VariantLight, rgba(0xfbfaf8ff)},
		{"system", theme.VariantDark, rgba(0x171615ff)},
		{appearanceLight, theme.VariantDark, rgba(0xfbfaf8ff)},
		{appearanceDark, theme.VariantLight, rgba(0x171615ff)},
		{appearanceContrast, theme.VariantLight, rgba(0xffffffff)},
	} {
		if got := (&Theme{Appearance: c.appearance}).Color(colorBack, c.variant); got != c.want {
			t.Errorf("%q in variant %d is %v", c.appearance, c.variant, got)
		}
	}
}

func TestTextSizeScalesTextAndNothingElse(t *testing.T) {
	for size, want := range map[float32]float32{0: 14, 0.8: 11.2, 1.6: 22.4, 9: 22.4, 0.1: 11.2} {
		th := &Theme{TextSize: size}
		if got := th.Size(theme.SizeNameText); math.Abs(float64(got-want)) > 0.01 {
			t.Errorf("at %v, text is %v", size, got)
		}
		if got := th.Size(theme.SizeNameInputRadius); got != 12 {
			t.Errorf("at %v, a radius is %v", size, got)
		}
	}
}

func TestFriendsAreToldApartByTheirColours(t *testing.T) {
	pairs := make(map[[2]uint32]bool)
	for i := range 400 {
		one, two := avatarPair(string(rune('a'+i%26)) + string(rune('a'+i/26)))
		if one == two {
			t.Fatal("an avatar of one colour")
		}
		pairs[[2]uint32{one, two}] = true
	}
	if len(pairs) < 60 {
		t.Errorf("400 people have %d avatars", len(pairs))
	}
	a1, a2 := avatarPair("ana")
	b1, b2 := avatarPair("ANA")
	if a1 != b1 || a2 != b2 {
		t.Error("the same person looks different")
	}
}
