package ui

import (
	"image/color"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// rowHigh is the height of a person's row in points.
const rowHigh = 64

// A personStrip is one person in the roster.
type personStrip struct {
	r *roster
	c control.Contact
}

var _ strip = (*personStrip)(nil)

func (p *personStrip) key() string            { return p.c.ID }
func (p *personStrip) kind() string           { return "person" }
func (p *personStrip) height(float32) float32 { return max(rowHigh, 48*textScale()) }

func (p *personStrip) draw(old fyne.CanvasObject) fyne.CanvasObject {
	row, ok := old.(*rosterRow)
	if !ok {
		row = newRosterRow()
	}
	if row.p != p {
		row.p = p
		row.Refresh()
	}
	return row
}

// lastWords are the second line: typing, a draft, or the newest row.
func (p *personStrip) lastWords() (string, fyne.ThemeColorName) {
	w, c := p.r.w, p.c
	switch {
	case c.State == control.Request:
		return w.tr("roster.asks"), colorAccent
	case c.Spent:
		return w.tr("roster.spent"), colorWarn
	case c.State == control.SentReq:
		return w.tr("roster.asked"), colorMuted
	case c.State == control.Blocked:
		return w.tr("roster.isblocked"), colorMuted
	case c.Typing:
		return w.tr("roster.typing"), colorAccent
	case c.Draft != "" && p.r.chosen != c.ID:
		return w.tr("roster.draft", firstLine(c.Draft)), colorWarn
	case c.Last == nil:
		return w.tr("roster.nothing"), colorMuted
	}
	return p.rowWords(c.Last), colorMuted
}

func (p *personStrip) rowWords(m *control.Message) string {
	w := p.r.w
	switch m.Kind {
	case control.KindDeleted:
		return w.tr("message.deleted")
	case control.KindCall:
		return w.callWords(m)
	case control.KindDevice:
		return w.deviceWords(m, p.c.Name)
	case control.KindUnknown:
		return w.tr("row.unknown")
	}
	if m.Mine && m.State == control.Written {
		return w.tr("state.written") + " · " + firstLine(m.Text)
	}
	if m.Mine {
		return w.tr("roster.mine", firstLine(m.Text))
	}
	return firstLine(m.Text)
}

// A rosterRow draws people.
type rosterRow struct {
	widget.BaseWidget
	p    *personStrip
	over bool

	ground      *slab
	ring, badge *canvas.Rectangle
	face        *avatar
	name, line  *text
	time, count *canvas.Text
}

var (
	_ fyne.Tappable      = (*rosterRow)(nil)
	_ desktop.Hoverable  = (*rosterRow)(nil)
	_ desktop.Cursorable = (*rosterRow)(nil)
)

func newRosterRow() *rosterRow {
	r := &rosterRow{
		ground: newSlab(12), ring: &canvas.Rectangle{CornerRadius: 12}, badge: &canvas.Rectangle{},
		face: newAvatar("", 40, presenceNone), name: newText("", 14, 20, colorInk).bold().oneLine(), line: smallText("").oneLine(),
		time: &canvas.Text{}, count: &canvas.Text{TextStyle: fyne.TextStyle{Bold: true}},
	}
	r.ExtendBaseWidget(r)
	return r
}

// Tapped opens the conversation.
func (r *rosterRow) Tapped(*fyne.PointEvent) { r.p.r.w.openConversation(r.p.c.ID, "") }

// MouseIn is for Fyne.
func (r *rosterRow) MouseIn(*desktop.MouseEvent) { r.over = true; r.Refresh() }

// MouseMoved is for Fyne.
func (r *rosterRow) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is for Fyne.
func (r *rosterRow) MouseOut() { r.over = false; r.Refresh() }

// Cursor is a hand.
func (r *rosterRow) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel reads the row out.
func (r *rosterRow) AccessibilityLabel() string {
	said := r.p.c.Name + ", " + r.line.words
	if r.p.c.Unread > 0 {
		said += ", " + r.p.r.w.count("timeline.fresh", r.p.c.Unread)
	}
	return said
}

// AccessibilityRole says that this can be pressed.
func (r *rosterRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer is for Fyne.
func (r *rosterRow) CreateRenderer() fyne.WidgetRenderer {
	r.paint()
	return &rosterRowRenderer{r}
}

type rosterRowRenderer struct{ *rosterRow }

func (r *rosterRowRenderer) Destroy()           {}
func (r *rosterRowRenderer) MinSize() fyne.Size { return fyne.NewSize(200, rowHigh) }

func (r *rosterRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground.Shader, r.face, r.name, r.time, r.line, r.badge, r.count, r.ring}
}

func (r *rosterRowRenderer) Refresh() {
	r.paint()
	r.Layout(r.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *rosterRow) paint() {
	if r.p == nil {
		return
	}
	c, w, k := r.p.c, r.p.r.w, textScale()
	chosen, aimed := r.p.r.chosen == c.ID, r.p.r.focused && r.p.r.aimed == c.ID
	ground, under := color.Color(color.Transparent), colorSide
	switch {
	case chosen:
		ground, under = theme.Color(colorSoft), colorSoft
	case r.over:
		ground = theme.Color(colorHover)
	}
	r.ground.paint(ground, color.Transparent)
	r.ring.FillColor, r.ring.StrokeWidth = color.Transparent, 0
	if aimed {
		r.ring.StrokeWidth, r.ring.StrokeColor = 2, theme.Color(colorRing)
	}
	r.face.set(c.ID, presenceOf(c))
	r.face.stand(under)
	r.name.words = c.Name
	r.line.words, r.line.color = r.p.lastWords()
	r.line.words = screenOrder(r.line.words)
	r.time.Text, r.time.TextSize, r.time.Color = "", 12*k, theme.Color(colorMuted)
	if c.Last != nil {
		r.time.Text = w.words.brief(c.Last.Time.In(w.now().Location()), w.now())
	}
	r.count.Text, r.count.TextSize, r.count.Color = strconv.Itoa(c.Unread), 11*k, theme.Color(colorOnAccent)
	if c.Unread > 999 {
		r.count.Text = "999+"
	}
	r.badge.FillColor = theme.Color(colorAccent)
	if c.Muted {
		r.badge.FillColor = theme.Color(colorMuted)
	}
	r.badge.Hidden, r.count.Hidden = c.Unread == 0, c.Unread == 0
}

func (r *rosterRowRenderer) Layout(size fyne.Size) {
	k := textScale()
	inner := fyne.NewSize(size.Width-16, size.Height)
	r.ground.place(fyne.NewPos(8, 0), inner)
	r.ring.Move(fyne.NewPos(8, 0))
	r.ring.Resize(inner)
	r.face.Resize(fyne.NewSquareSize(40))
	r.face.Move(fyne.NewPos(24, (size.Height-40)/2))
	right := size.Width - 24
	tm := r.time.MinSize()
	mid := size.Height / 2
	r.time.Resize(tm)
	r.time.Move(fyne.NewPos(right-tm.Width, mid-10*k-tm.Height/2))
	r.name.Move(fyne.NewPos(76, mid-20*k))
	r.name.Resize(fyne.NewSize(min(max(right-tm.Width-8-76, 0), r.name.natural()), 20*k))
	if !r.badge.Hidden {
		m := r.count.MinSize()
		b := fyne.NewSize(max(m.Width+11, 19*k), 19*k)
		r.badge.CornerRadius = b.Height / 2
		r.badge.Resize(b)
		r.badge.Move(fyne.NewPos(right-b.Width, mid+10*k-b.Height/2+1))
		r.count.Resize(m)
		r.count.Move(fyne.NewPos(right-b.Width/2-m.Width/2, mid+10*k-m.Height/2+1))
		right -= b.Width + 8
	}
	r.line.Move(fyne.NewPos(76, mid+1*k))
	r.line.Resize(fyne.NewSize(min(max(right-76, 0), r.line.natural()), 18*k)) // no wider than the words: those from right to left begin under the name
}

// A sectionStrip is a title in the roster.
type sectionStrip struct{ words string }

var _ strip = (*sectionStrip)(nil)

func (s *sectionStrip) key() string            { return "section " + s.words }
func (s *sectionStrip) kind() string           { return "section" }
func (s *sectionStrip) height(float32) float32 { return 34 * textScale() }

func (s *sectionStrip) draw(old fyne.CanvasObject) fyne.CanvasObject {
	row, ok := old.(*sectionRow)
	if !ok {
		row = &sectionRow{title: labelText("").coloured(colorMuted).oneLine()}
		row.ExtendBaseWidget(row)
	}
	row.title.set(s.words)
	return row
}

type sectionRow struct {
	widget.BaseWidget
	title *text
}

// CreateRenderer is for Fyne.
func (r *sectionRow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(newInset(24, 12, r.title))
}
