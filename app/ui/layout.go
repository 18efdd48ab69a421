package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

const (
	rosterWide = 304
	infoWide   = 280
	narrowAt   = 720  // below, roster and conversation are two pages
	infoAt     = 1000 // below, the information panel covers the conversation
)

// A shell is the main page: the roster, the conversation and the information
// panel side by side, or one at a time where the window is narrow.
type shell struct {
	widget.BaseWidget
	w    *Window
	open string // whose conversation is shown; "" for none

	roster   *roster
	chat     *conversation
	empty    *fyne.Container // in the conversation's place
	info     *fyne.Container
	call     *fyne.Container // the call bars, where no conversation is shown
	float    *fyne.Container // over all; it takes no clicks
	narrow   bool
	panel    *infoPanel // in info; nil when it is not shown
	asked    bool       // the information panel was asked for
	hint     string     // which page is in empty
	renderer *shellRenderer
}

func newShell(w *Window) *shell {
	s := &shell{w: w, roster: newRoster(w), chat: newConversation(w), empty: container.NewStack(), info: container.NewStack(), call: container.NewStack(), float: container.NewWithoutLayout()}
	s.call.Hide()
	s.chat.Hide()
	s.info.Hide()
	s.ExtendBaseWidget(s)
	return s
}

// reset takes in everything read anew.
func (s *shell) reset() {
	if _, ok := s.w.contact(s.open); s.open != "" && !ok {
		s.shut()
	}
	s.refresh()
	if s.open != "" {
		s.chat.timeline.reread()
		return
	}
	s.openFirst()
}

// openFirst opens the most recent conversation beside the roster, if nothing in
// it would be marked seen by opening it unasked.
func (s *shell) openFirst() {
	if s.narrow || s.open != "" || len(s.w.contacts) == 0 {
		return
	}
	if c := s.w.contacts[0]; c.Unread == 0 && c.State == control.Friend {
		s.converse(c.ID, "")
	}
}

// refresh takes in the contacts and the status.
func (s *shell) refresh() {
	if _, ok := s.w.contact(s.open); s.open != "" && !ok {
		s.shut()
	}
	s.roster.refresh()
	if s.open != "" {
		s.chat.refresh()
	}
	alone := s.hint == bringHint
	s.showEmpty()
	s.showInfo()
	if alone && len(s.w.contacts) == 1 {
		s.openFirst() // of the first friend, who was waited for
	}
}

// converse opens the conversation with a person, or a message in it.
func (s *shell) converse(id, around string) {
	if _, ok := s.w.contact(id); !ok {
		return
	}
	s.open = id
	s.chat.open(id, around)
	s.roster.choose(id)
	s.arrange()
	s.showInfo()
	if s.chat.composer.Visible() && len(s.w.modals) == 0 {
		s.w.win.Canvas().Focus(s.chat.composer.entry)
	}
}

// shut leaves the conversation.
func (s *shell) shut() {
	s.leave()
	s.open, s.asked = "", false
	s.chat.who = ""
	s.roster.choose("")
	s.arrange()
}

// back is Escape and the arrow: from the panel to the conversation, from there
// to the roster where only one of them has room; else from the composer to the
// messages.
func (s *shell) back() {
	switch {
	case s.asked:
		s.w.toggleInfo()
	case s.narrow && s.open != "":
		s.shut()
	case s.open != "" && s.chat.timeline.Visible():
		s.chat.timeline.rest() // from writing to what was written
	}
}

// leave keeps what is not sent yet.
func (s *shell) leave() { s.chat.composer.leave() }

// conversation passes on a change of a message.
func (s *shell) conversation(ch control.Change) {
	if s.open != "" && (ch.Who == "" || ch.Who == s.open) {
		s.chat.timeline.changed(ch)
	}
}

func (s *shell) draftChanged(who string) {
	if who == s.open {
		s.chat.composer.changedElsewhere()
	}
}

// toggleInfo shows or hides the information panel.
func (w *Window) toggleInfo() {
	if w.shell == nil || w.shell.open == "" {
		return
	}
	w.shell.asked = !w.shell.asked
	w.shell.showInfo()
}

// searchHere looks for words in the open conversation, or everywhere.
func (w *Window) searchHere() {
	c, ok := w.contact(w.shell.open)
	if !ok {
		w.showSwitcher()
		return
	}
	w.showSearch(c)
}

func (s *shell) showInfo() {
	c, ok := s.w.contact(s.open)
	switch {
	case !s.asked || !ok || c.State == control.Request || c.State == control.SentReq:
		s.panel = nil
		s.info.Objects = nil
	case s.panel != nil && s.panel.who.ID == c.ID:
		s.panel.set(c)
	default:
		s.panel = newInfoPanel(s.w, c)
		s.info.Objects = []fyne.CanvasObject{s.panel}
	}
	s.arrange()
}

// What stands where no conversation is open.
const (
	chooseHint = "choose"
	bringHint  = "bring"
)

// showEmpty says what to do where no conversation is open.
func (s *shell) showEmpty() {
	want := chooseHint
	if len(s.w.contacts) == 0 {
		want = bringHint
	}
	if want == s.hint {
		return
	}
	s.hint = want
	o := fyne.CanvasObject(newChoose(s.w))
	if want == bringHint {
		o = newEmptyState(s.w)
	}
	s.empty.Objects = []fyne.CanvasObject{o}
	s.arrange()
	s.empty.Refresh() // it may have had its size already, and lay out nothing new
}

// newChoose stands where no conversation is chosen.
func newChoose(w *Window) fyne.CanvasObject {
	say := smallText(w.tr("choose")).centred()
	return container.NewCenter(newCentredRow(0, newMark(48)), container.NewVBox(space(88), natural(say)))
}

// arrange shows the parts that have room.
func (s *shell) arrange() {
	if s.Size().Width == 0 {
		return
	}
	s.narrow = s.Size().Width < narrowAt
	open, info := s.open != "", s.panel != nil
	over := info && s.Size().Width < infoAt // the panel covers the conversation
	bring := len(s.w.contacts) == 0         // where there is nobody yet, the way on is the page
	setVisible(s.roster, !s.narrow || !open && !bring)
	setVisible(s.chat, open && !over)
	setVisible(s.empty, !open && (!s.narrow || bring))
	setVisible(s.info, info)
	setVisible(s.chat.header.back, s.narrow)
	s.holdCalls()
	if s.renderer != nil {
		s.renderer.Layout(s.Size())
		canvas.Refresh(s.renderer.line.Shader)
	}
}

func setVisible(o fyne.CanvasObject, yes bool) {
	if yes == o.Visible() {
		return
	}
	if yes {
		o.Show()
		return
	}
	o.Hide()
}

// Resize is for Fyne: a window made narrow turns into pages.
func (s *shell) Resize(size fyne.Size) {
	s.BaseWidget.Resize(size)
	s.arrange()
}

// CreateRenderer is for Fyne.
func (s *shell) CreateRenderer() fyne.WidgetRenderer {
	r := &shellRenderer{s: s}
	for _, p := range []**plane{&r.side, &r.sideInfo, &r.line, &r.lineInfo} {
		*p = newPlane()
	}
	r.paint()
	s.renderer = r
	return r
}

type shellRenderer struct {
	s                              *shell
	side, sideInfo, line, lineInfo *plane
}

func (r *shellRenderer) Destroy()           {}
func (r *shellRenderer) MinSize() fyne.Size { return fyne.NewSize(360, 480) }

func (r *shellRenderer) Objects() []fyne.CanvasObject {
	s := r.s
	return []fyne.CanvasObject{r.side.Shader, r.sideInfo.Shader, s.roster, s.empty, s.chat, s.info, s.call, r.line.Shader, r.lineInfo.Shader, s.float}
}

func (r *shellRenderer) Layout(size fyne.Size) {
	s := r.s
	left, right := float32(rosterWide), size.Width
	if s.narrow {
		left = size.Width
		if !s.roster.Visible() {
			left = 0
		}
	}
	upright(s.roster, 0, left, size)
	upright(r.side, 0, left, size)
	r.line.Hidden = s.narrow
	upright(r.line, left-1, left, size)

	from := left
	if s.info.Visible() && size.Width >= infoAt {
		right -= infoWide
		from = right
	}
	r.lineInfo.Hidden, r.sideInfo.Hidden = !s.info.Visible() || size.Width < infoAt, !s.info.Visible()
	upright(r.sideInfo, from, size.Width, size)
	upright(s.info, from, size.Width, size)
	upright(r.lineInfo, right, right+1, size)
	if size.Width < infoAt {
		right = size.Width
	}
	upright(s.chat, left, right, size)
	upright(s.empty, left, right, size)
	if s.narrow {
		left = 0
	}
	r.shelve(left, size.Width, size)
}

func upright(o fyne.CanvasObject, from, to float32, size fyne.Size) {
	o.Move(fyne.NewPos(from, 0))
	o.Resize(fyne.NewSize(max(to-from, 0), size.Height))
}

func (r *shellRenderer) Refresh() {
	r.paint()
	r.Layout(r.s.Size())
	canvas.Refresh(r.line.Shader)
	for _, o := range []fyne.CanvasObject{r.s.roster, r.s.chat, r.s.empty, r.s.info} {
		o.Refresh()
	}
}

func (r *shellRenderer) paint() {
	r.side.paint(theme.Color(colorSide))
	r.sideInfo.paint(theme.Color(colorSide))
	r.line.paint(theme.Color(colorLine))
	r.lineInfo.paint(theme.Color(colorLine))
}
