package ui

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// A plane is a plain surface. Fyne draws it from one pixel, enlarged; of each
// pixel of a canvas.Rectangle it works out whether that is part of a border or
// of a shadow, which costs several times as much where no graphics card helps.
type plane struct {
	*canvas.Raster
	color color.Color
}

func newPlane() *plane {
	p := &plane{color: color.Transparent}
	p.Raster = &canvas.Raster{ScaleMode: canvas.ImageScalePixels, Generator: func(int, int) image.Image {
		one := image.NewRGBA(image.Rect(0, 0, 1, 1))
		one.Set(0, 0, p.color)
		return one
	}}
	return p
}

// paint gives it another colour.
func (p *plane) paint(c color.Color) {
	if p.color != c {
		p.color = c
		p.Refresh()
	}
}

// A slab is a surface with round ends, drawn as two narrow rectangles with
// planes between them: what is round costs by the pixel.
type slab struct {
	left, right canvas.Rectangle
	edge, body  *plane
	all         []fyne.CanvasObject
}

func newSlab() *slab {
	s := &slab{edge: newPlane(), body: newPlane()}
	s.all = []fyne.CanvasObject{&s.left, &s.right, s.edge.Raster, s.body.Raster}
	return s
}

// objects are what is drawn, the lowest first.
func (s *slab) objects() []fyne.CanvasObject { return s.all }

// paint gives the surface a colour, and a border of a pixel unless that is
// transparent.
func (s *slab) paint(surface, border color.Color) {
	stroke := float32(1)
	if border == color.Transparent {
		stroke = 0
	}
	for _, r := range []*canvas.Rectangle{&s.left, &s.right} {
		r.FillColor, r.StrokeColor, r.StrokeWidth = surface, border, stroke
	}
	s.edge.paint(border)
	s.edge.Hidden = stroke == 0
	s.body.paint(surface)
}

// place puts the slab somewhere, with corners of a radius.
func (s *slab) place(at fyne.Position, size fyne.Size, radius float32) {
	end := fyne.NewSize(radius+2, size.Height) // its straight side, with what is soft beside it, lies under the planes
	s.left.TopLeftCornerRadius, s.left.BottomLeftCornerRadius = radius, radius
	s.left.Move(at)
	s.left.Resize(end)
	s.right.TopRightCornerRadius, s.right.BottomRightCornerRadius = radius, radius
	s.right.Move(at.AddXY(size.Width-end.Width, 0))
	s.right.Resize(end)
	between := fyne.NewSize(size.Width-2*radius, size.Height)
	s.edge.Move(at.AddXY(radius, 0))
	s.edge.Resize(between)
	s.body.Move(at.AddXY(radius, s.left.StrokeWidth))
	s.body.Resize(between.SubtractWidthHeight(0, 2*s.left.StrokeWidth))
}
