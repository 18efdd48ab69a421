package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// toastTime is how long a toast stays.
const toastTime = 7 * time.Second

// A toast says for a moment, over the window, what happened and what to do. A click puts it away.
type toast struct {
	widget.BaseWidget
	w     *Window
	card  *card
	title *text
	next  *text
	turn  int // counts what was said, so that an old timer leaves a new toast alone
}

func newToast(w *Window) *toast {
	t := &toast{w: w, title: labelText("").oneLine(), next: smallText("").oneLine()}
	t.title.size = 14
	t.card = makeCard(&card{fill: theme.ColorNameOverlayBackground, stroke: theme.ColorNameSeparator, radius: 14, padX: 16, padY: 10, content: newColumn(2, t.title, t.next)})
	t.ExtendBaseWidget(t)
	t.Hide()
	return t
}

// say shows a sentence, and under it the next step unless it is empty.
func (t *toast) say(sentence, next string) {
	t.turn++
	turn := t.turn
	t.title.set(sentence)
	t.next.set(next)
	if next == "" {
		t.next.Hide()
	} else {
		t.next.Show()
	}
	t.Show()
	t.w.over.Layout.Layout(t.w.over.Objects, t.w.over.Size())
	canvas.Refresh(t.w.over) // Fyne does not know the window of what was never shown
	t.w.after(toastTime, func() {
		if t.turn == turn {
			t.Hide()
		}
	})
}

// Tapped puts the toast away.
func (t *toast) Tapped(*fyne.PointEvent) { t.Hide() }

func (t *toast) CreateRenderer() fyne.WidgetRenderer {
	shade := &canvas.Rectangle{CornerRadius: 14}
	shade.Shadow = canvas.Shadow{Color: theme.Color(theme.ColorNameShadow), BlurRadius: 16, Offset: fyne.NewPos(0, 4)}
	return widget.NewSimpleRenderer(container.NewStack(shade, t.card))
}

// width is what the sentences need, within the window.
func (t *toast) width(room float32) float32 {
	w := max(t.title.natural(), t.next.natural()) + 2*t.card.padX
	return min(max(w, 240), room-32)
}

// top is where it begins: below the header and the bars of calls, so that what
// is being written and who one speaks with stay in sight.
func (t *toast) top() float32 {
	const underHeader = 76
	if p := t.w.phone; len(p.bars) > 0 {
		return max(underHeader, fyne.CurrentApp().Driver().AbsolutePositionForObject(p.shelf).Y+p.shelf.Size().Height+12)
	}
	return underHeader
}

// toastLayout gives the first thing all the room, and puts the toast over it.
type toastLayout struct{}

func (toastLayout) MinSize(objs []fyne.CanvasObject) fyne.Size { return objs[0].MinSize() }

func (toastLayout) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	objs[0].Resize(size)
	objs[0].Move(fyne.NewPos(0, 0))
	t := objs[1].(*toast)
	if !t.Visible() {
		return
	}
	w := t.width(size.Width)
	h := t.card.heightFor(w)
	t.Resize(fyne.NewSize(w, h))
	t.Move(fyne.NewPos((size.Width-w)/2, t.top()))
}

// A banner stands above everything while the node is away.
type banner struct {
	widget.BaseWidget
	w      *Window
	line   *text
	again  *button
	inside *fyne.Container
}

func newBanner(w *Window) *banner {
	b := &banner{w: w, line: smallText("").oneLine().coloured(colorWarn)}
	b.again = secondaryButton(w.tr("node.start"), func() { w.do(w.start) })
	if w.start == nil {
		b.again.Hide()
	}
	b.inside = container.NewBorder(nil, nil, nil, b.again, container.NewVBox(layout.NewSpacer(), newInset(12, 0, b.line), layout.NewSpacer()))
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

func (b *banner) say(sentence string) {
	if b.Visible() && b.line.words == sentence {
		return
	}
	b.line.set(sentence)
	b.again.set(b.w.tr("node.start"))
	b.Show()
	b.w.win.Content().Refresh()
}

func (b *banner) hide() {
	if b.Visible() {
		b.Hide()
		b.w.win.Content().Refresh()
	}
}

func (b *banner) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(newColumn(0, container.NewPadded(b.inside), widget.NewSeparator()))
}
