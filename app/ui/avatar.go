package ui

import (
	"hash/fnv"
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
	r := &avatarRenderer{
		a: a, field: &canvas.Rectangle{}, left: &canvas.Circle{}, right: &canvas.Circle{},
		gap: &canvas.Circle{}, dot: &canvas.Circle{}, hole: &canvas.Circle{},
	}
	r.objects = []fyne.CanvasObject{r.field, r.left, r.right, r.gap, r.dot, r.hole}
	r.paint()
	return r
}

type avatarRenderer struct {
	a                           *avatar
	field                       *canvas.Rectangle
	left, right, gap, dot, hole *canvas.Circle
	objects                     []fyne.CanvasObject
}

func (r *avatarRenderer) Destroy()                     {}
func (r *avatarRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(r.a.size) }
func (r *avatarRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *avatarRenderer) Layout(size fyne.Size) {
	s := min(size.Width, size.Height)
	at := fyne.NewPos((size.Width-s)/2, (size.Height-s)/2)
	r.field.Move(at)
	r.field.Resize(fyne.NewSquareSize(s))
	r.field.CornerRadius = s / 2
	if r.a.size >= 64 {
		r.field.CornerRadius = s * 0.26
	}
	d := s * 0.545
	place(r.left, at.AddXY(s*0.1, (s-d)/2), d)
	place(r.right, at.AddXY(s*0.9-d, (s-d)/2), d)

	dot := max(s*0.25, 8)
	c := at.AddXY(s-dot*0.62, s-dot*0.62) // the dot's middle, so that it hangs over the edge a little
	place(r.gap, c.SubtractXY(dot/2+2, dot/2+2), dot+4)
	place(r.dot, c.SubtractXY(dot/2, dot/2), dot)
	place(r.hole, c.SubtractXY(dot/2-2, dot/2-2), dot-4)
}

func place(o fyne.CanvasObject, at fyne.Position, d float32) {
	o.Move(at)
	o.Resize(fyne.NewSquareSize(d))
}

func (r *avatarRenderer) Refresh() {
	r.paint()
	r.Layout(r.a.Size())
	for _, o := range r.objects {
		o.Refresh()
	}
}

func (r *avatarRenderer) paint() {
	one, two := avatarPair(r.a.id)
	r.field.FillColor = withAlpha(rgba(one), 0.18)
	r.left.FillColor = withAlpha(rgba(one), 0.95)
	r.right.FillColor = withAlpha(rgba(two), 0.75)

	dotted, hollow := r.a.dot != presenceNone, r.a.dot == presenceAway
	under := theme.Color(r.a.under)
	r.gap.Hidden, r.dot.Hidden, r.hole.Hidden = !dotted, !dotted, !hollow
	r.gap.FillColor, r.hole.FillColor = under, under
	switch r.a.dot {
	case presenceOnline:
		r.dot.FillColor = theme.Color(colorGood)
	case presenceNearby:
		r.dot.FillColor = theme.Color(colorAccent)
	default:
		r.dot.FillColor = theme.Color(colorMuted)
	}
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
