package ui

import (
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// avatarInks are the colours that the two circles are drawn from: apart enough
// from each other to be told at 40 pixels, and calm on both themes.
var avatarInks = []uint32{ // around the colour wheel
	0xe07a5fff, 0xd98b3bff, 0xd9b04aff, 0x8a9a5bff, 0x4f9d69ff, 0x0f766eff,
	0x2a8fa3ff, 0x3d85b0ff, 0x5b7ab8ff, 0x8b6fd0ff, 0xb565b5ff, 0xe0708aff,
}

// presence says which dot an avatar wears.
type presence int

const (
	presenceNone presence = iota // no dot
	presenceOnline
	presenceNearby // on the same network
	presenceAway
)

// presenceOf is the dot of a contact; only friends have one.
func presenceOf(c control.Contact) presence {
	switch {
	case c.State != control.Friend:
		return presenceNone
	case c.Presence != control.Online:
		return presenceAway
	case c.Path == "lan":
		return presenceNearby
	}
	return presenceOnline
}

// An avatar is two circles in two colours drawn from an id, so that people
// recognise friends by sight.
type avatar struct {
	widget.BaseWidget
	id    string
	size  float32
	dot   presence
	under fyne.ThemeColorName // the surface it stands on, drawn around the dot
}

// newAvatar makes an avatar of a width and height. Those of 64 and more are
// rounded squares.
func newAvatar(id string, size float32, dot presence) *avatar {
	a := &avatar{id: id, size: size, dot: dot, under: colorSide}
	a.ExtendBaseWidget(a)
	return a
}

// set shows another person, or another dot.
func (a *avatar) set(id string, dot presence) {
	if a.id == id && a.dot == dot {
		return
	}
	a.id, a.dot = id, dot
	a.Refresh()
}

// stand says which surface the avatar stands on.
func (a *avatar) stand(on fyne.ThemeColorName) {
	if a.under != on {
		a.under = on
		a.Refresh()
	}
}

func (a *avatar) MinSize() fyne.Size { return fyne.NewSquareSize(a.size) }

func (a *avatar) CreateRenderer() fyne.WidgetRenderer {
	r := &avatarRenderer{a: a}
	r.face = canvas.NewRaster(r.picture)
	r.face.ScaleMode = canvas.ImageScalePixels
	return r
}

// An avatarRenderer draws an avatar as one picture: six shapes would be drawn
// anew, one by one, in each frame.
type avatarRenderer struct {
	a    *avatar
	face *canvas.Raster
}

func (r *avatarRenderer) Destroy()                     {}
func (r *avatarRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(r.a.size) }
func (r *avatarRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.face} }

// Layout leaves room for the dot, which hangs over the edge.
func (r *avatarRenderer) Layout(size fyne.Size) {
	s := min(size.Width, size.Height)
	place(r.face, fyne.NewPos((size.Width-s)/2, (size.Height-s)/2), s+avatarHang)
}

// avatarHang is how far the picture of an avatar goes beyond it, to the right
// and below.
const avatarHang = 2

func place(o fyne.CanvasObject, at fyne.Position, d float32) {
	o.Move(at)
	o.Resize(fyne.NewSquareSize(d))
}

func (r *avatarRenderer) Refresh() {
	r.Layout(r.a.Size())
	r.face.Refresh()
}

// A disc is part of an avatar: a square with round corners around a middle, in
// points. With a radius of half its side it is a circle.
type disc struct {
	x, y, half, radius float64
	color              color.NRGBA
}

// discs are what an avatar of a side is drawn of, from the back to the front.
func (a *avatar) discs(side float64) []disc {
	one, two := avatarPair(a.id)
	radius := side / 2
	if a.size >= 64 {
		radius = side * 0.26
	}
	d, mid := side*0.545/2, side/2
	parts := []disc{
		{mid, mid, mid, radius, withAlpha(rgba(one), 0.18)},
		{side*0.1 + d, mid, d, d, withAlpha(rgba(one), 0.95)},
		{side*0.9 - d, mid, d, d, withAlpha(rgba(two), 0.75)},
	}
	if a.dot == presenceNone {
		return parts
	}
	dot := max(side*0.25, 8) / 2
	at := side - dot*1.24 // the dot's middle, so that it hangs over the edge a little
	under := color.NRGBAModel.Convert(theme.Color(a.under)).(color.NRGBA)
	shown := colorMuted
	switch a.dot {
	case presenceOnline:
		shown = colorGood
	case presenceNearby:
		shown = colorAccent
	}
	parts = append(parts,
		disc{at, at, dot + 2, dot + 2, under},
		disc{at, at, dot, dot, color.NRGBAModel.Convert(theme.Color(shown)).(color.NRGBA)})
	if a.dot == presenceAway {
		parts = append(parts, disc{at, at, dot - 2, dot - 2, under})
	}
	return parts
}

// picture draws the avatar in so many pixels.
func (r *avatarRenderer) picture(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	wide := float64(r.face.Size().Width)
	if wide <= avatarHang {
		return img
	}
	k := float64(w) / wide
	parts := r.a.discs(wide - avatarHang)
	for y := range h {
		for x := range w {
			var c color.NRGBA
			for _, d := range parts {
				c = over(c, d.color, d.covers((float64(x)+0.5)/k, (float64(y)+0.5)/k, k))
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// covers is how much of a pixel of 1/k points a disc covers.
func (d disc) covers(x, y, k float64) float64 {
	dx, dy := math.Abs(x-d.x)-d.half+d.radius, math.Abs(y-d.y)-d.half+d.radius
	out := min(max(dx, dy), 0) + math.Hypot(max(dx, 0), max(dy, 0)) - d.radius
	return min(max(0.5-out*k, 0), 1)
}

// over lays a share of a colour over another.
func over(below, c color.NRGBA, share float64) color.NRGBA {
	top, under := share*float64(c.A)/255, float64(below.A)/255
	all := top + under*(1-top)
	if all == 0 {
		return color.NRGBA{}
	}
	part := func(b, a uint8) uint8 {
		return uint8(math.Round((float64(a)*top + float64(b)*under*(1-top)) / all))
	}
	return color.NRGBA{part(below.R, c.R), part(below.G, c.G), part(below.B, c.B), uint8(math.Round(all * 255))}
}

// avatarPair draws two colours from an id, a quarter of the wheel apart or
// more.
func avatarPair(id string) (one, two uint32) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(id))) // a hash takes everything
	n := uint32(len(avatarInks))
	i := h.Sum32() % n
	j := (i + n/4 + h.Sum32()/n%(n/2+1)) % n
	return avatarInks[i], avatarInks[j]
}
