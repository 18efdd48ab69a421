package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A searchPill looks like a field and opens the switcher.
type searchPill struct {
	pressed
	ground *slab
	icon   *canvas.Image
	words  *text
	keys   *canvas.Text
}

func newSearchPill(w *Window) *searchPill {
	s := &searchPill{
		ground: newSlab(12),
		icon:   &canvas.Image{FillMode: canvas.ImageFillContain},
		words:  smallText(w.tr("roster.search")).oneLine(), keys: &canvas.Text{Text: w.keyName("Ctrl K")},
	}
	s.pressed = newPressed(w.showSwitcher, func() string { return s.words.words }, 12)
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer is for Fyne.
func (s *searchPill) CreateRenderer() fyne.WidgetRenderer {
	r := &searchPillRenderer{s}
	r.paint()
	return r
}

type searchPillRenderer struct{ s *searchPill }

func (r *searchPillRenderer) paint() {
	s := r.s
	s.paint()
	s.ground.paint(theme.Color(colorPill), color.Transparent)
	s.icon.Resource = theme.NewColoredResource(theme.SearchIcon(), colorMuted)
	s.keys.Color, s.keys.TextSize = theme.Color(colorMuted), 11*textScale()
}

func (r *searchPillRenderer) Destroy()           {}
func (r *searchPillRenderer) MinSize() fyne.Size { return fyne.NewSize(160, 36*textScale()) }

func (r *searchPillRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.s.ground.Shader, r.s.icon, r.s.words, r.s.keys, r.s.ring}
}

func (r *searchPillRenderer) Layout(size fyne.Size) {
	s, k := r.s, textScale()
	s.ground.Resize(size)
	s.ring.Resize(size)
	place(s.icon, fyne.NewPos(11, (size.Height-16*k)/2), 16*k)
	m := s.keys.MinSize()
	s.keys.Resize(m)
	s.keys.Move(fyne.NewPos(size.Width-12-m.Width, (size.Height-m.Height)/2))
	x := 11 + 16*k + 7
	s.words.Move(fyne.NewPos(x, (size.Height-18*k)/2))
	s.words.Resize(fyne.NewSize(max(size.Width-12-m.Width-8-x, 0), 18*k))
}

func (r *searchPillRenderer) Refresh() {
	r.paint()
	r.Layout(r.s.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
