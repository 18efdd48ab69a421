package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

const (
	callFace   = 44
	callPad    = 15
	callHigh   = 74  // of a bar in one line
	callOneRow = 600 // below, the buttons have a line of their own
)

// A callBar stands above the timeline while there is a call: with whom, how it
// goes, and what one can do. It stays a moment after the end to say why.
type callBar struct {
	widget.BaseWidget
	phone *phone
	call  control.Call

	face   *avatar
	label  *callLabel
	levels *levels
	notice *text

	mute, devices, more, hangUp *button
	resume, again, close, wear  *button
	talk                        *holdButton
	shape                       string  // what the bar's size depends on
	wide                        float32 // of the words, which the levels follow
}

func newCallBar(p *phone) *callBar {
	w := p.w
	b := &callBar{phone: p, levels: newLevels(), notice: newText("", 12, 18, colorWarn).oneLine(), face: newAvatar("", callFace, presenceNone)}
	b.face.stand(colorTheirs)
	b.label = newCallLabel(b)
	b.mute = secondaryButton("", func() { on := !b.call.Muted; p.edit(b.call.ID, control.CallEdit{Muted: &on}) })
	b.devices = secondaryButton(w.tr("bar.devices")+" ▾", func() { p.showDevices(b) })
	b.more = iconButton(quiet, theme.MoreHorizontalIcon(), w.tr("bar.more"), func() { p.showMore(b) })
	b.hangUp = dangerButton(w.tr("bar.hangup"), func() { p.hangUp(b.call.ID) })
	b.wear = primaryButton(w.tr("sound.headphones"), func() { on := true; p.edit(b.call.ID, control.CallEdit{Headphones: &on}) })
	b.resume = primaryButton(w.tr("bar.resume"), func() { on := false; p.edit(b.call.ID, control.CallEdit{Held: &on}) })
	b.again = secondaryButton(w.tr("bar.again"), func() { who := b.call.Who; p.dismiss(b.call.ID); p.start(who) })
	b.close = iconButton(quiet, theme.CancelIcon(), w.tr("card.close"), func() { p.dismiss(b.call.ID) })
	b.talk = newHoldButton(w.tr("bar.talk"), p.talk)
	b.ExtendBaseWidget(b)
	return b
}

// is says whether this is the bar of a call.
func (b *callBar) is(c control.Call) bool { return sameCall(b.call.ID, c) }

// set shows a call as it is now, and says whether the bar needs another size.
func (b *callBar) set(c control.Call) bool {
	w := b.phone.w
	b.call = c
	b.face.set(c.Who, presenceNone)
	b.label.name.set(w.callTitle(c))
	line, ink := w.callLine(c)
	b.label.line.coloured(ink)
	b.label.line.set(line)
	b.notice.set(w.callNotice(c))
	if c.State == control.CallActive && !c.Held {
		b.levels.push(c.TheirLevel, c.MyLevel, c.Muted || c.PushToTalk && !c.Talking)
	}
	words, kind := w.tr("bar.mute"), secondary
	if c.Muted {
		words, kind = w.tr("bar.unmute"), chosen
	}
	if b.mute.words != words {
		b.mute.kind = kind
		b.mute.set(words)
	}
	b.talk.show(c.Talking)
	shape := b.state()
	grew := shape != b.shape
	b.shape = shape
	if wide := b.label.natural(); grew || wide != b.wide {
		b.wide = wide
		b.Refresh()
	}
	return grew
}

// state names what decides which parts are shown.
func (b *callBar) state() string {
	c := &b.call
	s := c.State + "/" + c.Reason
	for _, on := range []bool{c.Held, c.PushToTalk, c.Muted, b.notice.words != "", c.Answered.IsZero(), b.phone.w.headsetFound(*c)} {
		if on {
			s += "+"
		} else {
			s += "-"
		}
	}
	return s
}

// buttons are those that make sense now, from left to right.
func (b *callBar) buttons() []fyne.CanvasObject {
	c := &b.call
	speak := fyne.CanvasObject(b.mute)
	if c.PushToTalk && !c.Muted {
		speak = b.talk
	}
	switch {
	case c.State == control.CallEnded && (c.Reason == control.EndCompleted || c.Reason == control.EndElsewhere):
		return []fyne.CanvasObject{b.close}
	case c.State == control.CallEnded:
		return []fyne.CanvasObject{b.again, b.close}
	case c.Answered.IsZero():
		return []fyne.CanvasObject{b.hangUp}
	case c.Held:
		return []fyne.CanvasObject{b.resume, b.more, b.hangUp}
	case b.phone.w.headsetFound(*c):
		return []fyne.CanvasObject{b.wear, speak, b.devices, b.more, b.hangUp}
	}
	return []fyne.CanvasObject{speak, b.devices, b.more, b.hangUp}
}

// lively says whether there is sound to show.
func (b *callBar) lively() bool { return b.call.State == control.CallActive && !b.call.Held }

func (b *callBar) heightFor(width float32) float32 {
	h := float32(callHigh)
	if k := textScale(); k > 1 {
		h += 38 * (k - 1)
	}
	if b.twoRows(width) {
		h += float32(len(b.buttonRows(width))) * (b.hangUp.MinSize().Height + 8)
	}
	if b.notice.words != "" {
		h += scaled(22)
	}
	return h
}

// twoRows says whether the buttons need a line of their own.
func (b *callBar) twoRows(width float32) bool {
	if width >= callOneRow*max(1, textScale()) {
		return false
	}
	buttons := b.buttons()
	if len(buttons) < 2 {
		return false
	}
	room := width - 2*callPad - callFace - 14
	for _, o := range buttons {
		room -= o.MinSize().Width + 8
	}
	return len(buttons) > 2 || b.label.natural() > room
}

// buttonRows are the buttons where they have lines of their own: one, or where
// the text is large and the window narrow as many as it takes.
func (b *callBar) buttonRows(width float32) (rows [][]fyne.CanvasObject) {
	room := float32(0)
	for _, o := range b.buttons() {
		w := o.MinSize().Width + 8
		if room < w {
			rows, room = append(rows, nil), width-2*callPad+8
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], o)
		room -= w
	}
	return rows
}

// CreateRenderer is for Fyne.
func (b *callBar) CreateRenderer() fyne.WidgetRenderer {
	r := &callBarRenderer{b: b, ground: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type callBarRenderer struct {
	b      *callBar
	ground *canvas.Rectangle
}

func (r *callBarRenderer) Destroy() {}

func (r *callBarRenderer) MinSize() fyne.Size {
	return fyne.NewSize(240, r.b.heightFor(r.b.Size().Width))
}

func (r *callBarRenderer) Objects() []fyne.CanvasObject {
	b := r.b
	objs := []fyne.CanvasObject{r.ground, b.face, b.label}
	if b.lively() && b.levels.Visible() {
		objs = append(objs, b.levels)
	}
	if b.notice.words != "" {
		objs = append(objs, b.notice)
	}
	return append(objs, b.buttons()...)
}

func (r *callBarRenderer) Layout(size fyne.Size) {
	b := r.b
	r.ground.Resize(size)
	row := b.heightFor(1e6)
	if b.notice.words != "" {
		row -= scaled(22)
	}
	b.face.Resize(fyne.NewSquareSize(callFace))
	b.face.Move(fyne.NewPos(callPad, (row-callFace)/2))
	left, right := float32(callPad+callFace+14), size.Width-callPad
	two := b.twoRows(size.Width)
	if y := (row - b.hangUp.MinSize().Height) / 2; two {
		y = row - 6
		for _, buttons := range b.buttonRows(size.Width) {
			fromRight(buttons, right, y)
			y += b.hangUp.MinSize().Height + 8
		}
	} else {
		right = fromRight(b.buttons(), right, y) - 4
	}
	bars, want := b.levels.MinSize(), b.label.natural()
	setVisible(b.levels, right-left >= 150+bars.Width)
	room := right - left
	if b.lively() && b.levels.Visible() {
		room -= bars.Width + 12
		at := left + min(want, room) + 12
		if two {
			at = right - bars.Width
		}
		b.levels.Resize(bars)
		b.levels.Move(fyne.NewPos(at, (row-bars.Height)/2))
	}
	b.label.Resize(fyne.NewSize(max(min(want, room), 0), row-12))
	b.label.Move(fyne.NewPos(left, 6))
	b.notice.Resize(fyne.NewSize(size.Width-left-callPad, scaled(18)))
	b.notice.Move(fyne.NewPos(left, size.Height-scaled(18)-11))
	if two && b.notice.words != "" {
		b.notice.Move(fyne.NewPos(callPad, size.Height-scaled(18)-10))
	}
}

// fromRight sets buttons side by side, the last one ending at right, and says
// where the first begins.
func fromRight(buttons []fyne.CanvasObject, right, y float32) float32 {
	for i := len(buttons) - 1; i >= 0; i-- {
		m := buttons[i].MinSize()
		right -= m.Width
		buttons[i].Resize(m)
		buttons[i].Move(fyne.NewPos(right, y))
		right -= 8
	}
	return right
}

func (r *callBarRenderer) Refresh() {
	r.paint()
	r.Layout(r.b.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	canvas.Refresh(r.b)
}

func (r *callBarRenderer) paint() {
	r.ground.CornerRadius, r.ground.StrokeWidth = 16, 1
	r.ground.FillColor, r.ground.StrokeColor = theme.Color(colorTheirs), theme.Color(colorLine)
}

// A holdButton does something for as long as it is held down: by the pointer,
// or by Space on the keyboard.
type holdButton struct {
	button
	hold func(bool)
}

var _ desktop.Keyable = (*holdButton)(nil)

func newHoldButton(words string, hold func(bool)) *holdButton {
	b := &holdButton{hold: hold}
	b.words = words
	b.ExtendBaseWidget(b)
	return b
}

// show says whether it is held.
func (b *holdButton) show(on bool) {
	kind := secondary
	if on {
		kind = primary
	}
	if kind != b.kind {
		b.kind = kind
		b.Refresh()
	}
}

// Tapped does nothing: a press counts while it lasts.
func (b *holdButton) Tapped(*fyne.PointEvent) {}

// MouseDown begins.
func (b *holdButton) MouseDown(e *desktop.MouseEvent) { b.button.MouseDown(e); b.hold(true) }

// MouseUp ends.
func (b *holdButton) MouseUp(e *desktop.MouseEvent) { b.button.MouseUp(e); b.hold(false) }

// MouseOut ends too: the pointer may be let go anywhere.
func (b *holdButton) MouseOut() { b.button.MouseOut(); b.hold(false) }

// KeyDown begins with Space.
func (b *holdButton) KeyDown(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace || talkKeys[e.Name] {
		b.hold(true)
	}
}

// KeyUp ends with Space.
func (b *holdButton) KeyUp(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace || talkKeys[e.Name] {
		b.hold(false)
	}
}
