package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A bubbleRow draws bubbles, one after the other as the reel turns.
type bubbleRow struct {
	widget.BaseWidget
	b    *bubble
	at   float32 // the width it was drawn at
	size float32 // and the text size

	box       *slab
	ring, bar *canvas.Rectangle
	texts     []*canvas.Text
	used      int // of texts
	chips     []*canvas.Rectangle
	objects   []fyne.CanvasObject
	pointing  bool // the pointer is over a link
}

var (
	_ fyne.Tappable          = (*bubbleRow)(nil)
	_ fyne.SecondaryTappable = (*bubbleRow)(nil)
	_ fyne.DoubleTappable    = (*bubbleRow)(nil)
	_ desktop.Hoverable      = (*bubbleRow)(nil)
	_ desktop.Cursorable     = (*bubbleRow)(nil)
)

func newBubbleRow() *bubbleRow {
	r := &bubbleRow{box: newSlab(bubbleRadius), ring: &canvas.Rectangle{}, bar: &canvas.Rectangle{CornerRadius: 1}}
	r.ExtendBaseWidget(r)
	return r
}

// set shows a bubble.
func (r *bubbleRow) set(b *bubble) {
	if r.b == b && r.at == b.at && r.size == textScale() {
		return
	}
	r.b, r.at, r.size = b, b.at, textScale()
	r.Refresh()
}

// corner is the bubble's own corner in the row.
func (r *bubbleRow) corner() fyne.Position {
	f := &r.b.fit
	if r.b.m.Mine {
		return fyne.NewPos(r.b.at-bubbleSide-f.size.Width, f.above)
	}
	return fyne.NewPos(bubbleSide, f.above)
}

// compose puts every part of the bubble in its place and colour.
func (r *bubbleRow) compose() {
	if r.b == nil || r.b.at == 0 {
		return
	}
	b, f, k, at := r.b, &r.b.fit, textScale(), r.corner()
	r.used, r.objects = 0, append(r.objects[:0], r.box.Shader, r.ring)
	surface, border := theme.Color(colorTheirs), theme.Color(colorLine)
	if b.m.Mine {
		surface, border = theme.Color(colorMine), color.Transparent
	}
	if b.t.hit == b.m.ID {
		surface = theme.Color(colorHit)
	}
	r.box.paint(surface, border)
	r.box.place(at, f.size)
	r.composeRing(at)
	r.composeQuote(at)

	ink := theme.Color(colorInk)
	style := fyne.TextStyle{}
	if f.deleted {
		ink, style.Italic = theme.Color(colorMuted), true
	}
	y := at.Y + f.text.Y
	for _, l := range f.lines {
		for _, s := range l.spans {
			c, st := ink, style
			if s.link != "" {
				c, st.Underline = theme.Color(colorAccent), true
			}
			r.put(s.text, f.font, c, st, fyne.NewPos(at.X+f.text.X+b.lineX(l)+s.x, y), f.high)
		}
		y += f.high
	}
	if f.more != "" {
		r.put(f.more, 12*k, theme.Color(colorAccent), fyne.TextStyle{Bold: true}, fyne.NewPos(at.X+f.text.X, y), 20*k)
	}
	foot := at.Add(f.foot)
	r.put(f.stamp, 11*k, theme.Color(colorMuted), fyne.TextStyle{}, foot, 20*k)
	if f.state != "" {
		r.put(f.state, 11*k, theme.Color(colorAccent), fyne.TextStyle{}, foot.AddXY(f.stampW+4, 0), 20*k)
	}
	r.composeReactions(at)
}

func (r *bubbleRow) composeRing(at fyne.Position) {
	r.ring.FillColor = color.Transparent
	r.ring.Hidden = r.b.t.selected != r.b.m.ID || !r.b.t.focused
	r.ring.CornerRadius = bubbleRadius + 2
	r.ring.StrokeWidth, r.ring.StrokeColor = 2, theme.Color(colorRing)
	r.ring.Move(at.SubtractXY(2, 2))
	r.ring.Resize(r.b.fit.size.AddWidthHeight(4, 4))
}

func (r *bubbleRow) composeQuote(at fyne.Position) {
	q := r.b.m.Quote
	if q == nil {
		return
	}
	k, room := textScale(), r.b.fit.size.Width-2*bubblePadX-12
	r.bar.FillColor = theme.Color(colorAccent)
	r.bar.Move(at.AddXY(bubblePadX, bubblePadY))
	r.bar.Resize(fyne.NewSize(3, quoteHigh*k))
	r.objects = append(r.objects, r.bar)
	x := at.AddXY(bubblePadX+12, bubblePadY)
	label, second := r.b.t.label, r.b.t.second
	r.put(ellipsize(r.b.t.quoteName(q), room, label.width), 12*k, theme.Color(colorAccent), label.style, x, 20*k)
	r.put(ellipsize(screenOrder(firstLine(r.b.quoted())), room, second.width), 13*k, theme.Color(colorMuted), second.style, x.AddXY(0, 20*k), 20*k)
}

func (r *bubbleRow) composeReactions(at fyne.Position) {
	b, f, k := r.b, &r.b.fit, textScale()
	x := at.X + 10
	if b.m.Mine {
		x = at.X + f.size.Width - 10
		for _, s := range f.reaction {
			x -= b.chipWidth(s)
		}
		x -= float32(len(f.reaction)-1) * 4
	}
	y := at.Y + f.size.Height - (reactionHigh-reactionHang)*k
	for i, s := range f.reaction {
		if i == len(r.chips) {
			r.chips = append(r.chips, &canvas.Rectangle{})
		}
		c := r.chips[i]
		c.FillColor, c.StrokeColor, c.StrokeWidth = theme.Color(colorPill), theme.Color(colorLine), 1
		if b.m.Reactions[i].Mine {
			c.FillColor, c.StrokeColor = theme.Color(colorSoft), theme.Color(colorAccent)
		}
		w := b.chipWidth(s)
		c.CornerRadius = reactionHigh * k / 2
		c.Move(fyne.NewPos(x, y))
		c.Resize(fyne.NewSize(w, reactionHigh*k))
		r.objects = append(r.objects, c)
		sign, n, _ := strings.Cut(s, " ")
		r.put(sign, b.t.sign.size, theme.Color(colorInk), fyne.TextStyle{}, fyne.NewPos(x+8, y+4*k), reactionHigh*k) // it stands high in its line
		r.put(n, b.t.chip.size, theme.Color(colorInk), fyne.TextStyle{}, fyne.NewPos(x+8+b.t.sign.width(sign)+4, y), reactionHigh*k)
		x += w + 4
	}
}

// chipWidth is how wide a reaction is: the emoji larger than its count, because
// the font draws emoji small.
func (b *bubble) chipWidth(reaction string) float32 {
	sign, n, _ := strings.Cut(reaction, " ")
	return b.t.sign.width(sign) + 4 + b.t.chip.width(n) + 16
}

// put places one run of text, centred in a line of a height.
func (r *bubbleRow) put(s string, size float32, c color.Color, style fyne.TextStyle, at fyne.Position, high float32) {
	if r.used == len(r.texts) {
		r.texts = append(r.texts, &canvas.Text{})
	}
	t := r.texts[r.used]
	r.used++
	if t.Text != s || t.TextSize != size || t.Color != c || t.TextStyle != style {
		t.Text, t.TextSize, t.Color, t.TextStyle = s, size, c, style
		t.Refresh()
	}
	m := t.MinSize()
	t.Resize(m)
	t.Move(at.AddXY(0, (high-m.Height)/2))
	r.objects = append(r.objects, t)
}

// Tapped opens a link, follows a quote, unfolds a long text, or takes a
// reaction up or back; else it selects.
func (r *bubbleRow) Tapped(e *fyne.PointEvent) {
	b, t, p := r.b, r.b.t, e.Position.Subtract(r.corner())
	if i := r.chipAt(e.Position); i >= 0 {
		t.react(b.m, b.m.Reactions[i].Emoji)
		return
	}
	if !r.inside(p) {
		t.rest()
		return
	}
	if link := b.linkAt(p); link != "" {
		t.w.askLink(link)
		return
	}
	switch {
	case b.onMore(p):
		t.unfold(b.m.ID)
	case b.onQuote(p):
		t.jump(b.m.ReplyTo)
	}
}

// DoubleTapped begins a reply.
func (r *bubbleRow) DoubleTapped(e *fyne.PointEvent) {
	if r.inside(e.Position.Subtract(r.corner())) {
		r.b.t.act(r.b.m, actReply)
	}
}

// TappedSecondary opens the message's menu.
func (r *bubbleRow) TappedSecondary(e *fyne.PointEvent) {
	if r.inside(e.Position.Subtract(r.corner())) {
		r.b.t.menu(r.b.m, e.AbsolutePosition)
	}
}

func (r *bubbleRow) inside(p fyne.Position) bool {
	s := r.b.fit.size
	return p.X >= 0 && p.Y >= 0 && p.X < s.Width && p.Y < s.Height
}

func (r *bubbleRow) chipAt(p fyne.Position) int {
	for i := range r.b.fit.reaction {
		c := r.chips[i]
		if d := p.Subtract(c.Position()); d.X >= 0 && d.Y >= 0 && d.X < c.Size().Width && d.Y < c.Size().Height {
			return i
		}
	}
	return -1
}

// MouseIn is for Fyne.
func (r *bubbleRow) MouseIn(e *desktop.MouseEvent) { r.MouseMoved(e) }

// MouseMoved is for Fyne.
func (r *bubbleRow) MouseMoved(e *desktop.MouseEvent) {
	p := e.Position.Subtract(r.corner())
	r.pointing = r.chipAt(e.Position) >= 0 || r.inside(p) && (r.b.linkAt(p) != "" || r.b.onMore(p) || r.b.onQuote(p))
}

// MouseOut is for Fyne.
func (r *bubbleRow) MouseOut() { r.pointing = false }

// Cursor is a hand over what can be pressed.
func (r *bubbleRow) Cursor() desktop.Cursor {
	if r.pointing {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// AccessibilityLabel reads the message out: who, when, what, how far it came.
func (r *bubbleRow) AccessibilityLabel() string {
	if r.b == nil {
		return ""
	}
	f := &r.b.fit
	said := r.b.t.nameOf(&r.b.m) + ", " + f.stamp + ": " + r.b.m.Text
	if f.deleted {
		said += r.b.t.w.tr("message.deleted")
	}
	if f.state != "" {
		said += ", " + f.state
	}
	return said
}

// AccessibilityRole says that this is text.
func (r *bubbleRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer is for Fyne.
func (r *bubbleRow) CreateRenderer() fyne.WidgetRenderer {
	r.compose()
	return &bubbleRowRenderer{r}
}

type bubbleRowRenderer struct{ r *bubbleRow }

func (rr *bubbleRowRenderer) Destroy()                     {}
func (rr *bubbleRowRenderer) Layout(fyne.Size)             {}
func (rr *bubbleRowRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (rr *bubbleRowRenderer) Objects() []fyne.CanvasObject { return rr.r.objects }

func (rr *bubbleRowRenderer) Refresh() {
	rr.r.compose()
	canvas.Refresh(rr.r.ring)
}
