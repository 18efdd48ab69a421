package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// card is a rounded panel with a quiet line around it.
type card struct {
	widget.BaseWidget

	fill    fyne.ThemeColorName
	stroke  fyne.ThemeColorName // "" for none
	radius  float32
	padX    float32
	padY    float32
	content fyne.CanvasObject
}

// newCard makes a card as dialogs are: radius 20, 32 of space inside.
func newCard(content fyne.CanvasObject) *card {
	return makeCard(&card{fill: theme.ColorNameOverlayBackground, stroke: colorLine, radius: 20, padX: 32, padY: 32, content: content})
}

// newBox makes a small card for something shown as it is: a number, a link.
func newBox(content fyne.CanvasObject) *card {
	return makeCard(&card{fill: theme.ColorNameOverlayBackground, stroke: colorLine, radius: 12, padX: 14, padY: 12, content: content})
}

// newPill makes a rounded label that stands alone, as those in the timeline.
func newPill(words string, ink fyne.ThemeColorName) *card {
	t := newText(words, 12, 16, ink).oneLine()
	return makeCard(&card{fill: colorPill, radius: 10, padX: 12, padY: 6, content: natural(t)})
}

func makeCard(c *card) *card {
	c.ExtendBaseWidget(c)
	return c
}

func (c *card) heightFor(width float32) float32 {
	return heightFor(c.content, width-2*c.padX) + 2*c.padY
}

// CreateRenderer is for Fyne.
func (c *card) CreateRenderer() fyne.WidgetRenderer {
	r := &cardRenderer{card: c, ground: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type cardRenderer struct {
	card   *card
	ground *canvas.Rectangle
}

func (r *cardRenderer) Destroy() {}

func (r *cardRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.card.content}
}

func (r *cardRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.card.content.Move(fyne.NewPos(r.card.padX, r.card.padY))
	r.card.content.Resize(size.SubtractWidthHeight(2*r.card.padX, 2*r.card.padY))
}

func (r *cardRenderer) MinSize() fyne.Size {
	return r.card.content.MinSize().AddWidthHeight(2*r.card.padX, 2*r.card.padY)
}

func (r *cardRenderer) Refresh() {
	r.paint()
	r.Layout(r.card.Size())
	canvas.Refresh(r.card)
}

func (r *cardRenderer) paint() {
	r.ground.FillColor = theme.ColorForWidget(r.card.fill, r.card)
	r.ground.CornerRadius = r.card.radius
	if r.card.stroke != "" {
		r.ground.StrokeColor = theme.ColorForWidget(r.card.stroke, r.card)
		r.ground.StrokeWidth = 1
	}
}

// newRule is a quiet line across a card.
func newRule() fyne.CanvasObject {
	return makeCard(&card{fill: colorLine, content: space(1)})
}
