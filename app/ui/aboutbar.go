package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// An aboutBar says above the entry what is replied to or edited.
type aboutBar struct {
	widget.BaseWidget
	bar         *canvas.Rectangle
	title, line *text
	drop        *button
}

func newAboutBar(c *composer) *aboutBar {
	b := &aboutBar{bar: &canvas.Rectangle{CornerRadius: 1}, title: newText("", 12, 18, colorAccent).bold().oneLine(), line: smallText("").oneLine()}
	b.drop = iconButton(quiet, theme.CancelIcon(), c.w.tr("composer.drop"), c.drop)
	b.ExtendBaseWidget(b)
	return b
}

func (b *aboutBar) tell(title, line string) {
	b.title.set(title)
	b.line.set(line)
}

// CreateRenderer is for Fyne.
func (b *aboutBar) CreateRenderer() fyne.WidgetRenderer { return &aboutBarRenderer{b} }

type aboutBarRenderer struct{ b *aboutBar }

func (r *aboutBarRenderer) Destroy()           {}
func (r *aboutBarRenderer) MinSize() fyne.Size { return fyne.NewSize(120, (aboutHigh-8)*textScale()) }

func (r *aboutBarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.b.bar, r.b.title, r.b.line, r.b.drop}
}

func (r *aboutBarRenderer) Layout(size fyne.Size) {
	b, k := r.b, textScale()
	b.bar.FillColor = theme.Color(colorAccent)
	b.bar.Resize(fyne.NewSize(3, size.Height-2))
	m := b.drop.MinSize()
	b.drop.Resize(m)
	b.drop.Move(fyne.NewPos(size.Width-m.Width, (size.Height-m.Height)/2))
	room := max(size.Width-m.Width-12-8, 0)
	b.title.Move(fyne.NewPos(12, 0))
	b.title.Resize(fyne.NewSize(room, 18*k))
	b.line.Move(fyne.NewPos(12, 18*k))
	b.line.Resize(fyne.NewSize(room, 18*k))
}

func (r *aboutBarRenderer) Refresh() {
	r.Layout(r.b.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
