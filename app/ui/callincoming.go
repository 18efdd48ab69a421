package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/entrenous/entrenous/app/control"
)

// startle is how long keys do nothing after somebody began to call: who was
// writing did not mean them.
const startle = 700 * time.Millisecond

// An incoming is the card of somebody who calls, over everything else. Nothing
// puts it away but an answer.
type incoming struct {
	phone *phone
	call  control.Call
	root  *fyne.Container
	body  *fyne.Container
	awake bool // keys count
}

// newIncoming shows the card of a call.
func newIncoming(p *phone, c control.Call) *incoming {
	w := p.w
	i := &incoming{phone: p, call: c, body: newColumn(20)}
	face := newAvatar(c.Who, 96, presenceNone)
	face.stand(colorTheirs)
	i.body.Objects = []fyne.CanvasObject{
		newCentredRow(0, face),
		newColumn(4, titleText(c.Name).centred(), smallText(i.line()).centred()),
		container.New(&pair{gap: 12}, primaryButton(i.acceptWords(), i.accept), dangerButton(w.tr("ring.decline"), i.decline)),
		newCentredRow(0, newButton(quiet, w.tr("ring.message"), i.offerWords)),
	}
	i.root = newSheet(400, newCard(i.body))
	w.hold(i.root, i.decline)
	w.after(startle, func() { i.awake = true })
	w.win.RequestFocus()
	return i
}

// pair puts two buttons side by side, each half of the room, or one under the
// other where their words need more.
type pair struct{ gap, width float32 }

var _ flowLayout = (*pair)(nil)

func (p *pair) flow(objs []fyne.CanvasObject, width float32) float32 {
	p.width = width
	high := objs[0].MinSize().Height
	if p.stacked(objs, width) {
		return 2*high + p.gap
	}
	return high
}

func (p *pair) stacked(objs []fyne.CanvasObject, width float32) bool {
	half := (width - p.gap) / 2
	return objs[0].MinSize().Width > half || objs[1].MinSize().Width > half
}

// Layout is for Fyne.
func (p *pair) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	wide, step := (size.Width-p.gap)/2, fyne.NewPos((size.Width+p.gap)/2, 0)
	high := objs[0].MinSize().Height
	if p.stacked(objs, size.Width) {
		wide, step = size.Width, fyne.NewPos(0, high+p.gap)
	}
	for i, o := range objs {
		o.Resize(fyne.NewSize(wide, high))
		o.Move(fyne.NewPos(step.X*float32(i), step.Y*float32(i)))
	}
}

// MinSize is for Fyne.
func (p *pair) MinSize(objs []fyne.CanvasObject) fyne.Size {
	wide := max(objs[0].MinSize().Width, objs[1].MinSize().Width)
	return fyne.NewSize(wide, p.flow(objs, max(p.width, wide)))
}

// line says that they call, and whom one speaks with.
func (i *incoming) line() string {
	w := i.phone.w
	if c, ok := i.phone.current(); ok && !c.Answered.IsZero() {
		return w.tr("ring.waiting", c.Name)
	}
	return w.tr("ring.line")
}

func (i *incoming) acceptWords() string {
	w := i.phone.w
	if c, ok := i.phone.current(); ok && !c.Answered.IsZero() && !c.Held {
		return w.tr("ring.hold")
	}
	return w.tr("ring.accept")
}

func (i *incoming) accept()  { i.phone.answer(i.call.ID) }
func (i *incoming) decline() { i.phone.decline(i.call.ID) }

// leave puts the card away.
func (i *incoming) leave() { i.phone.w.release(i.root) }

// typed answers keys that no button has used.
func (i *incoming) typed(key fyne.KeyName) {
	switch {
	case !i.awake:
	case key == fyne.KeyReturn || key == fyne.KeyEnter:
		i.accept()
	case key == fyne.KeyEscape:
		i.decline()
	}
}

// offerWords puts a few sentences in the place of the button, and an entry for
// one's own.
func (i *incoming) offerWords() {
	w := i.phone.w
	own := newEntry(w.tr("ring.own"))
	own.onEnter = func() {
		if own.Text != "" {
			i.phone.write(i.call, own.Text)
		}
	}
	lines := newColumn(2)
	for _, key := range []string{"ring.words.1", "ring.words.2", "ring.words.3"} {
		words := w.tr(key)
		lines.Add(newItem(nil, words, func() { i.phone.write(i.call, words) }))
	}
	i.body.Objects[3] = newColumn(8, newRule(), lines, own)
	relayout(i.root)
	w.win.Canvas().Focus(own)
}

// hold shows o over everything; no closing touches it until release. Escape
// means refuse.
func (w *Window) hold(o fyne.CanvasObject, refuse func()) {
	c := w.win.Canvas()
	m := modal{layer: container.NewStack(newVeil(func() {}), o), focus: c.Focused(), held: o, refuse: refuse}
	w.modals = append(w.modals, m)
	c.Overlays().Add(m.layer)
	m.layer.Resize(c.Size())
}

// release puts away what hold has shown.
func (w *Window) release(o fyne.CanvasObject) {
	for i, m := range w.modals {
		if m.held == o {
			w.takeModal(i)
			return
		}
	}
}
