package ui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

func TestASlabWithoutABorderHasTheSurfaceAtItsEdge(t *testing.T) {
	withTheme(t)
	surface, border := color.NRGBA{R: 204, G: 102, B: 51, A: 255}, color.NRGBA{B: 255, A: 255}
	s := newSlab(14)
	edge := func() [4]float32 {
		return [4]float32{s.Uniforms["edgeRed"], s.Uniforms["edgeGreen"], s.Uniforms["edgeBlue"], s.Uniforms["edgeAlpha"]}
	}
	if s.Visible() {
		t.Error("a slab of no colour is drawn")
	}
	s.paint(surface, color.Transparent)
	s.place(fyne.NewPos(3, 4), fyne.NewSize(120, 40))
	if got, want := edge(), [4]float32{0.8, 0.4, 0.2, 1}; got != want || !s.Visible() {
		t.Errorf("its edge is %v, not %v; visible: %v", got, want, s.Visible())
	}
	if s.Uniforms["corner"] != 14 || s.Uniforms["wide"] != 120 {
		t.Errorf("it is drawn with %v", s.Uniforms)
	}
	s.paint(surface, border)
	if got, want := edge(), [4]float32{0, 0, 1, 1}; got != want {
		t.Errorf("its border is %v, not %v", got, want)
	}
	s.paint(color.Transparent, color.Transparent)
	if s.Visible() {
		t.Error("it is still drawn when it has no colour any more")
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
