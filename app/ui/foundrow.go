package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// foundRow is one line of a finder: a person, or a message with the words
// that were looked for on a lighter ground.
type foundRow struct {
	widget.BaseWidget

	hit   *control.Hit // nil for a person
	face  *avatar
	name  *text
	time  *text
	line  string   // a message's snippet, or how a person is
	marks [][2]int // byte ranges of line
	tap   func()

	lit, over bool
}

var _ desktop.Hoverable = (*foundRow)(nil)

func newPersonRow(w *Window, c control.Contact, tap func()) *foundRow {
	r := &foundRow{
		face: newAvatar(c.ID, 32, presenceOf(c)), name: headText(c.Name).oneLine(), time: newText("", 11, 14, colorMuted).oneLine(),
		line: w.reached(c), tap: tap,
	}
	r.name.size = 14
	r.face.stand(colorTheirs)
	r.ExtendBaseWidget(r)
	return r
}

func newMessageRow(w *Window, h control.Hit, tap func()) *foundRow {
	c, _ := w.contact(h.Message.Who)
	name := c.Name
	if h.Message.Mine {
		name = w.tr("finder.mine", c.Name)
	}
	r := &foundRow{
		hit: &h, face: newAvatar(h.Message.Author, 32, presenceNone), name: headText(name).oneLine(),
		time: newText(w.words.brief(h.Message.Time.Local(), w.now()), 11, 14, colorMuted).oneLine(),
		tap:  tap,
	}
	r.line, r.marks = marked(oneLine(h.Snippet), h.Marks)
	r.name.size = 14
	r.ExtendBaseWidget(r)
	return r
}

// oneLine keeps every byte where it is, so that marks still fit.
func oneLine(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == '\n' || c == '\r' || c == '\t' {
			b[i] = ' '
		}
	}
	return string(b)
}

// marked is a line that can be drawn, with the marks where they are in it.
func marked(line string, marks [][2]int) (string, [][2]int) {
	var b strings.Builder
	var moved [][2]int
	at := 0
	for _, m := range marks {
		if m[0] < at || m[1] < m[0] || m[1] > len(line) {
			continue
		}
		b.WriteString(legible(line[at:m[0]]))
		from := b.Len()
		b.WriteString(legible(line[m[0]:m[1]]))
		moved = append(moved, [2]int{from, b.Len()})
		at = m[1]
	}
	b.WriteString(legible(line[at:]))
	return b.String(), moved
}

// light shows that Enter would open this row.
func (r *foundRow) light(on bool) {
	if r.lit != on {
		r.lit = on
		r.Refresh()
	}
}

// Tapped opens what was found.
func (r *foundRow) Tapped(*fyne.PointEvent) { r.tap() }

// MouseIn lights the row up.
func (r *foundRow) MouseIn(*desktop.MouseEvent) { r.over = true; r.Refresh() }

// MouseMoved does nothing.
func (r *foundRow) MouseMoved(*desktop.MouseEvent) {}

// MouseOut puts the light out.
func (r *foundRow) MouseOut() { r.over = false; r.Refresh() }

// CreateRenderer is for Fyne.
func (r *foundRow) CreateRenderer() fyne.WidgetRenderer {
	d := &foundRenderer{r: r, ground: canvas.NewRectangle(color.Transparent), line: &canvas.Text{}}
	for range r.marks {
		d.marks = append(d.marks, &canvas.Rectangle{CornerRadius: 3})
	}
	d.paint()
	return d
}

const foundHigh = 52

type foundRenderer struct {
	r      *foundRow
	ground *canvas.Rectangle
	line   *canvas.Text
	marks  []*canvas.Rectangle
}

func (d *foundRenderer) Destroy()           {}
func (d *foundRenderer) MinSize() fyne.Size { return fyne.NewSize(120, scaled(foundHigh)) }

func (d *foundRenderer) Objects() []fyne.CanvasObject {
	objs := []fyne.CanvasObject{d.ground, d.r.face, d.r.name, d.r.time}
	for _, m := range d.marks {
		objs = append(objs, m)
	}
	return append(objs, d.line)
}

func (d *foundRenderer) Layout(size fyne.Size) {
	d.ground.Resize(size)
	d.r.face.Move(fyne.NewPos(10, (size.Height-32)/2))
	d.r.face.Resize(fyne.NewSquareSize(32))
	x := float32(54)
	var when fyne.Size
	if d.r.time.words != "" {
		when = wanted(d.r.time)
	}
	top := (size.Height - scaled(38)) / 2
	d.r.name.Move(fyne.NewPos(x, top))
	d.r.name.Resize(fyne.NewSize(size.Width-x-10-when.Width-8, scaled(20)))
	d.r.time.Move(fyne.NewPos(size.Width-10-when.Width, top+scaled(3)))
	d.r.time.Resize(when)
	d.write(x, top+scaled(20), size.Width-x-10)
}

// write puts the snippet on one line and the marks behind it.
func (d *foundRenderer) write(x, y, width float32) {
	measure := func(s string) float32 { return fyne.MeasureText(s, scaled(13), fyne.TextStyle{}).Width }
	shown := ellipsize(d.r.line, width, measure)
	d.line.Text, d.line.TextSize = onScreen(shown), scaled(13)
	d.line.Move(fyne.NewPos(x, y))
	d.line.Resize(fyne.NewSize(width, scaled(18)))
	plain := !strings.ContainsFunc(shown, isRightToLeft) // where the letters stand is known for one direction only
	for i, m := range d.marks {
		from, to := d.r.marks[i][0], d.r.marks[i][1]
		m.Hidden = !plain || from < 0 || from >= to || to > len(d.r.line) || from >= len(shown)
		if m.Hidden {
			continue
		}
		begin := measure(d.r.line[:from])
		m.Move(fyne.NewPos(x+begin-1, y))
		m.Resize(fyne.NewSize(min(measure(d.r.line[from:to])+2, width-begin), scaled(18)))
	}
}

func (d *foundRenderer) Refresh() {
	d.paint()
	d.Layout(d.r.Size())
	canvas.Refresh(d.r)
}

func (d *foundRenderer) paint() {
	d.ground.CornerRadius = 12
	d.ground.FillColor = color.Transparent
	switch {
	case d.r.lit:
		d.ground.FillColor = theme.Color(colorSoft)
	case d.r.over:
		d.ground.FillColor = theme.Color(colorHover)
	}
	d.line.Color = theme.Color(colorMuted)
	for _, m := range d.marks {
		m.FillColor = theme.Color(colorHit)
	}
}
