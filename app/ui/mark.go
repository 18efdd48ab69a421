package ui

import (
	"fmt"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// The two crescents of the mark on a field of 48 × 34: circles of radius 17
// around (17, 17) and (31, 17), without the lens between them.
const (
	markLeft  = "M24 1.508A17 17 0 1 0 24 32.492A17 17 0 0 1 24 1.508Z"
	markRight = "M24 1.508A17 17 0 1 1 24 32.492A17 17 0 0 0 24 1.508Z"
)

// A mark is two overlapping circles, the lens between them left open.
type mark struct {
	widget.BaseWidget
	width float32
}

// newMark makes a mark of a width; it is 34/48 of that high.
func newMark(width float32) *mark {
	m := &mark{width: width}
	m.ExtendBaseWidget(m)
	return m
}

func (m *mark) CreateRenderer() fyne.WidgetRenderer {
	img := &canvas.Image{FillMode: canvas.ImageFillContain}
	r := &markRenderer{m: m, img: img}
	r.paint()
	return r
}

type markRenderer struct {
	m   *mark
	img *canvas.Image
}

func (r *markRenderer) Destroy()                     {}
func (r *markRenderer) Layout(s fyne.Size)           { r.img.Resize(s) }
func (r *markRenderer) MinSize() fyne.Size           { return fyne.NewSize(r.m.width, r.m.width*34/48) }
func (r *markRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }

func (r *markRenderer) Refresh() {
	r.paint()
	r.img.Refresh()
}

func (r *markRenderer) paint() {
	left, right := hex(theme.Color(colorAccent)), "#e0846d"
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 34"><path fill="%s" d="%s"/><path fill="%s" d="%s"/></svg>`,
		left, markLeft, right, markRight)
	r.img.Resource = fyne.NewStaticResource("mark"+left+".svg", []byte(svg))
}

func hex(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x", n.R, n.G, n.B)
}
