package ui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

func TestASlabIsRoundAtItsCornersAndHasABorderOfAPixel(t *testing.T) {
	surface, border := color.NRGBA{R: 200, G: 100, B: 50, A: 255}, color.NRGBA{A: 255}
	s := newSlab()
	s.paint(surface, border)
	s.place(fyne.NewPos(3, 4), fyne.NewSize(120, 40), 14)
	img := s.picture(120, 40)
	for name, c := range map[string]struct {
		x, y int
		want color.Color
	}{
		"the corner":       {0, 0, color.NRGBA{}},
		"the far corner":   {119, 39, color.NRGBA{}},
		"the upper edge":   {60, 0, border},
		"the left edge":    {0, 20, border},
		"the right edge":   {119, 20, border},
		"the lower edge":   {60, 39, border},
		"under the border": {60, 1, surface},
		"the middle":       {60, 20, surface},
		"beside the curve": {14, 14, surface},
	} {
		if got := color.NRGBAModel.Convert(img.At(c.x, c.y)); got != c.want {
			t.Errorf("%s is %v, not %v", name, got, c.want)
		}
	}
	for y := range 40 {
		for x := range 120 {
			if img.At(x, y) != img.At(119-x, 39-y) {
				t.Fatalf("the picture is not even at %d, %d", x, y)
			}
		}
	}
	if b := s.picture(0, 0).Bounds(); !b.Empty() {
		t.Errorf("without room there is a picture of %v", b)
	}
}

func TestFyneClearsAWindowWithOurGround(t *testing.T) {
	for _, variant := range []fyne.ThemeVariant{theme.VariantLight, theme.VariantDark} {
		look := &Theme{}
		r, g, b, a := look.Color(theme.ColorNameBackground, variant).RGBA()
		shown := func(v uint32) uint8 { return uint8(math.Round(float64(v) / (255 * 255) * 255)) }
		if got, want := (color.NRGBA{shown(r), shown(g), shown(b), shown(a)}), look.Color(colorBack, variant); got != want {
			t.Errorf("a window is cleared with %v, not with %v", got, want)
		}
	}
}
