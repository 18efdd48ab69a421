package ui

import (
	"context"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A conversation is the middle of the window: the header, a slot for the call
// bar, the timeline, who is typing, and the composer.
type conversation struct {
	widget.BaseWidget
	w   *Window
	who string

	header   *header
	call     *fyne.Container // the call bar's slot; empty when there is no call
	timeline *timeline
	typing   *canvas.Text      // over the foot of the timeline, which leaves it room at its end
	hush     *canvas.Rectangle // the ground of it, where the timeline is not at its end
	composer *composer
	gate     *fyne.Container // in the composer's place when one cannot write
	cover    *fyne.Container // in the place of all below the header, before one is a friend
	gated    string          // what the gate says now
	renderer *conversationRenderer
}

func newConversation(w *Window) *conversation {
	c := &conversation{w: w, call: container.NewStack(), gate: container.NewStack(), cover: container.NewStack(), typing: &canvas.Text{}, hush: &canvas.Rectangle{}}
	c.header = newHeader(w)
	c.timeline = newTimeline(w, c)
	c.composer = newComposer(w, c)
	c.call.Hide()
	c.gate.Hide()
	c.cover.Hide()
	c.hush.Hide()
	c.ExtendBaseWidget(c)
	return c
}

// open shows the conversation with a person, or a message in it.
func (c *conversation) open(who, around string) {
	if c.who != who {
		c.composer.leave()
		c.who = who
		c.composer.enter(who)
		c.timeline.open(who, around)
	} else if around != "" {
		c.timeline.jump(around)
	}
	c.refresh()
}

// refresh follows the person: presence, typing, whether one can write.
func (c *conversation) refresh() {
	p, ok := c.w.contact(c.who)
	if !ok {
		return
	}
	c.header.meet(p)
	c.composer.address(p.Name)
	words := ""
	if p.Typing {
		words = legible(c.w.tr("typing", p.Name))
	}
	if c.typing.Text != words {
		c.typing.Text = words
		setVisible(c.hush, words != "")
		c.typing.Refresh()
	}
	c.showGate(p)
	c.timeline.call(p.Name)
	c.timeline.seen()
}

// showGate puts what has to happen first in the place of the composer, or of
// the whole conversation.
func (c *conversation) showGate(p control.Contact) {
	state := p.State
	if now := p.ID + state; now != c.gated {
		c.gated = now
		c.gate.Objects, c.cover.Objects = nil, nil
		switch state {
		case control.Request, control.SentReq:
			c.cover.Objects = []fyne.CanvasObject{requestCard(c.w, p)}
		case control.Blocked:
			c.gate.Objects = []fyne.CanvasObject{c.unblockGate(p)}
		}
		covered, gated := len(c.cover.Objects) > 0, len(c.gate.Objects) > 0
		setVisible(c.cover, covered)
		setVisible(c.timeline, !covered)
		setVisible(c.gate, gated)
		setVisible(c.composer, !covered && !gated)
		c.relayout()
		if cv := c.w.win.Canvas(); c.composer.Visible() && cv.Focused() == nil && len(c.w.modals) == 0 {
			cv.Focus(c.composer.entry) // a friend since now: one can begin to write
		}
	}
}

// unblockGate stands where one would write to somebody who is blocked.
func (c *conversation) unblockGate(p control.Contact) fyne.CanvasObject {
	w := c.w
	return newGate(smallText(w.tr("gate.blocked", p.Name)), secondaryButton(w.tr("gate.unblock"), func() {
		w.change(func(ctx context.Context) error { _, err := w.client.Unblock(ctx, p.ID); return err })
	}))
}

// relayout gives every part its place again, without drawing it anew.
func (c *conversation) relayout() {
	if c.renderer != nil {
		c.renderer.Layout(c.Size())
		canvas.Refresh(c.renderer.over)
	}
}

// newGate is a sentence with the way on beside it.
func newGate(say *text, way *button) *card {
	return makeCard(&card{fill: colorBack, padX: 20, padY: 14, content: newEnds(say, way)})
}

// CreateRenderer is for Fyne.
func (c *conversation) CreateRenderer() fyne.WidgetRenderer {
	r := &conversationRenderer{c: c, under: canvas.NewRectangle(color.Transparent), over: canvas.NewRectangle(color.Transparent)}
	r.paint()
	c.renderer = r
	return r
}

type conversationRenderer struct {
	c           *conversation
	under, over *canvas.Rectangle // the lines below the header and above the composer
}

func (r *conversationRenderer) Destroy()           {}
func (r *conversationRenderer) MinSize() fyne.Size { return fyne.NewSize(280, 240) }

func (r *conversationRenderer) Objects() []fyne.CanvasObject {
	c := r.c
	return []fyne.CanvasObject{c.header, r.under, c.call, c.timeline, c.hush, c.typing, r.over, c.composer, c.gate, c.cover}
}

const typingHigh = 26

func (r *conversationRenderer) Layout(size fyne.Size) {
	c, k := r.c, textScale()
	y := float32(0)
	put := func(o fyne.CanvasObject, high float32) {
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, high))
		y += high
	}
	put(c.header, c.header.MinSize().Height)
	put(r.under, 1)
	if c.call.Visible() && len(c.call.Objects) > 0 {
		put(c.call, heightFor(c.call.Objects[0], size.Width))
	}
	if c.cover.Visible() {
		put(c.cover, max(size.Height-y, 0))
		r.over.Hide()
		return
	}
	r.over.Show()
	var foot fyne.CanvasObject = c.composer
	low := c.composer.heightFor()
	if c.gate.Visible() {
		foot, low = c.gate, heightFor(c.gate.Objects[0], size.Width)
	}
	put(c.timeline, max(size.Height-y-low-1, 0))
	top := y - typingHigh*k
	c.hush.Move(fyne.NewPos(0, top))
	c.hush.Resize(fyne.NewSize(size.Width, typingHigh*k))
	c.typing.Move(fyne.NewPos(bubbleSide, top+3*k))
	c.typing.Resize(fyne.NewSize(size.Width-2*bubbleSide, 18*k))
	put(r.over, 1)
	put(foot, low)
}

func (r *conversationRenderer) Refresh() {
	r.paint()
	r.Layout(r.c.Size())
	for _, o := range []fyne.CanvasObject{r.c.header, r.c.call, r.c.timeline, r.c.composer, r.c.gate, r.c.cover} {
		o.Refresh()
	}
	canvas.Refresh(r.over)
}

func (r *conversationRenderer) paint() {
	r.under.FillColor, r.over.FillColor = theme.Color(colorLine), theme.Color(colorLine)
	r.c.hush.FillColor = theme.Color(colorBack)
	r.c.typing.Color, r.c.typing.TextSize = theme.Color(colorMuted), 12*textScale()
}
