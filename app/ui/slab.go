package ui

import (
	"image"
	"image/color"
	"math"

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

// A slab is a surface with round corners, drawn as one picture that is made
// once for its size: an area that a canvas.Rectangle works out pixel by pixel
// for each frame is dear where no graphics card helps.
type slab struct {
	*canvas.Raster
	surface, border color.Color
	radius          float32
}

func newSlab() *slab {
	s := &slab{surface: color.Transparent, border: color.Transparent}
	s.Raster = &canvas.Raster{ScaleMode: canvas.ImageScalePixels, Generator: s.picture}
	return s
}

// paint gives the surface a colour, and a border of a pixel unless that is
// transparent.
func (s *slab) paint(surface, border color.Color) {
	if s.surface != surface || s.border != border {
		s.surface, s.border = surface, border
		s.Refresh()
	}
}

// place puts the slab somewhere, with corners of a radius.
func (s *slab) place(at fyne.Position, size fyne.Size, radius float32) {
	if s.radius != radius {
		s.radius = radius
		s.Refresh()
	}
	s.Move(at)
	s.Resize(size)
}

// picture draws the slab in so many pixels. Between the corners all is as at
// their ends.
func (s *slab) picture(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == 0 || h == 0 {
		return img
	}
	k := float64(w) / float64(s.Size().Width)
	radius := min(float64(s.radius)*k, float64(w)/2, float64(h)/2)
	corner := int(radius) + 2 // with what is soft beside it
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		if y > corner && y < h-corner {
			copy(row, img.Pix[corner*img.Stride:])
			continue
		}
		for x := range w {
			if x > corner && x < w-corner {
				copy(row[4*x:], row[4*corner:4*corner+4])
				continue
			}
			c := s.pixel(float64(2*x+1-w)/2, float64(2*y+1-h)/2, float64(w)/2, float64(h)/2, radius, k)
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = c.R, c.G, c.B, c.A
		}
	}
	return img
}

// pixel is the colour at a place seen from the middle of a slab whose halves
// are so wide and high.
func (s *slab) pixel(x, y, wide, high, radius, k float64) color.RGBA {
	dx, dy := math.Abs(x)-wide+radius, math.Abs(y)-high+radius
	out := min(max(dx, dy), 0) + math.Hypot(max(dx, 0), max(dy, 0)) - radius // how far it is from the edge
	c := s.surface
	if s.border != color.Transparent {
		c = mix(s.surface, s.border, smooth(out+math.Round(k)))
	}
	return color.RGBAModel.Convert(withAlpha(c, float32(1-smooth(out)))).(color.RGBA)
}

// smooth goes from 0 to 1 where d crosses 0, over a pixel.
func smooth(d float64) float64 {
	t := min(max(d+0.5, 0), 1)
	return t * t * (3 - 2*t)
}

// mix is a colour between two: a at 0, b at 1.
func mix(a, b color.Color, share float64) color.Color {
	from, to := color.NRGBAModel.Convert(a).(color.NRGBA), color.NRGBAModel.Convert(b).(color.NRGBA)
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*share)) }
	return color.NRGBA{R: part(from.R, to.R), G: part(from.G, to.G), B: part(from.B, to.B), A: part(from.A, to.A)}
}
