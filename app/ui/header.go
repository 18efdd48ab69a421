package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/assets"
)

// headerHigh is the height of the header and of the roster's top in points.
const headerHigh = 64

// A header says with whom the conversation is and how we are connected.
type header struct {
	widget.BaseWidget
	w      *Window
	back   *button
	face   *avatar
	name   *text
	line   *text
	call   *button
	short  bool // no room for the word on it
	who    string
	search *button
	more   *button
}

func newHeader(w *Window) *header {
	h := &header{w: w, face: newAvatar("", 40, presenceNone), name: headText("").oneLine(), line: smallText("").ofFacts()}
	h.face.stand(colorBack)
	h.line.size = 12
	h.back = iconButton(quiet, theme.NavigateBackIcon(), w.tr("header.back"), func() { w.shell.back() })
	h.back.Hide()
	h.call = secondaryButton(w.tr("header.call"), func() { w.phone.start(h.who) })
	h.call.icon, h.call.hint = fyne.NewStaticResource("phone.svg", assets.Phone()), w.tr("header.call")
	h.call.refused = h.call.tap // it says why
	h.search = iconButton(quiet, theme.SearchIcon(), w.tr("header.search"), w.searchHere)
	h.more = iconButton(quiet, theme.MoreHorizontalIcon(), w.tr("header.info"), w.toggleInfo)
	h.ExtendBaseWidget(h)
	return h
}

// meet names a person.
func (h *header) meet(c control.Contact) {
	h.who = c.ID
	h.face.set(c.ID, presenceOf(c))
	if friend := c.State == control.Friend; friend != h.call.Visible() {
		setVisible(h.call, friend)
		h.Refresh()
	}
	if able := h.w.mayNotCall(c) == ""; able == h.call.Disabled() {
		if able {
			h.call.Enable()
		} else {
			h.call.Disable()
		}
	}
	h.name.set(c.Name)
	h.line.set(h.w.connection(c))
}

// connection says in words how we reach a person and what is known of them.
func (w *Window) connection(c control.Contact) string {
	switch {
	case c.State == control.Request:
		return w.tr("path.request")
	case c.Spent:
		return w.tr("path.spent")
	case c.State == control.SentReq:
		return w.tr("path.sent")
	case c.State == control.Blocked:
		return w.tr("path.blocked")
	}
	parts := []string{w.path(c)}
	if c.Presence == control.Online && c.RTT >= 0.5 {
		parts = append(parts, w.tr("path.rtt", int(c.RTT+0.5)))
	}
	parts = append(parts, w.tr("path.encrypted"))
	if c.Verified {
		parts = append(parts, w.tr("path.verified"))
	}
	return strings.Join(parts, " · ")
}

// path names the way to a person, or when they were last seen.
func (w *Window) path(c control.Contact) string {
	relay, relayed := strings.CutPrefix(c.Path, "relay:")
	switch {
	case c.Presence != control.Online && c.LastSeen.IsZero():
		return w.tr("path.away")
	case c.Presence != control.Online:
		return w.tr("path.seen", w.words.ago(c.LastSeen, w.now()))
	case c.Path == "lan":
		return w.tr("path.lan")
	case relayed:
		return w.tr("path.relay", relay)
	}
	return w.tr("path.direct")
}

// CreateRenderer is for Fyne.
func (h *header) CreateRenderer() fyne.WidgetRenderer { return &headerRenderer{h} }

type headerRenderer struct{ h *header }

func (r *headerRenderer) Destroy() {}

func (r *headerRenderer) Objects() []fyne.CanvasObject {
	h := r.h
	return []fyne.CanvasObject{h.back, h.face, h.name, h.line, h.call, h.search, h.more}
}

func (r *headerRenderer) MinSize() fyne.Size {
	return fyne.NewSize(240, max(headerHigh-1, 46*textScale()))
}

func (r *headerRenderer) Layout(size fyne.Size) {
	h, k := r.h, textScale()
	x := float32(20)
	if h.back.Visible() {
		b := h.back.MinSize()
		h.back.Resize(b)
		h.back.Move(fyne.NewPos(8, (size.Height-b.Height)/2))
		x = 8 + b.Width + 6
	}
	h.face.Resize(fyne.NewSquareSize(36))
	h.face.Move(fyne.NewPos(x, (size.Height-36)/2))
	x += 36 + 12

	right := size.Width - 16
	h.shorten(size.Width < 480*k)
	for _, b := range []*button{h.more, h.search, h.call} {
		m := b.MinSize()
		b.Resize(m)
		if !b.Visible() {
			continue
		}
		right -= m.Width
		b.Move(fyne.NewPos(right, (size.Height-m.Height)/2))
		right -= 8
	}
	room := max(right-x, 0)
	top := (size.Height - 38*k) / 2
	h.name.Resize(fyne.NewSize(room, 20*k))
	h.name.Move(fyne.NewPos(x, top))
	h.line.Resize(fyne.NewSize(room, 18*k))
	h.line.Move(fyne.NewPos(x, top+20*k))
}

// shorten leaves only the icon on the call button, or puts the word back.
func (h *header) shorten(yes bool) {
	if yes == h.short {
		return
	}
	h.short = yes
	words := h.w.tr("header.call")
	if yes {
		words = ""
	}
	h.call.set(words)
}

func (r *headerRenderer) Refresh() {
	r.Layout(r.h.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
