package ui

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A roster lists people: who we are at the top, the way to search, everybody
// with the last line of the conversation, and at the foot how reachable we
// are.
type roster struct {
	widget.BaseWidget
	w *Window

	face       *avatar
	name, line *text
	add        *button
	search     *searchPill
	reel       *reel
	foot       *rosterFoot

	chosen  string // whose conversation is open
	aimed   string // where the keyboard is
	focused bool
	people  []control.Contact // in the order shown
}

func newRoster(w *Window) *roster {
	r := &roster{w: w, face: newAvatar("", 40, presenceNone), name: headText("").oneLine(), line: smallText("").oneLine(), reel: newReel(false)}
	r.line.size = 12
	r.add = iconButton(secondary, theme.ContentAddIcon(), w.tr("roster.add"), w.showAddFriend)
	r.search = newSearchPill(w)
	r.foot = newRosterFoot(w)
	r.ExtendBaseWidget(r)
	return r
}

// refresh takes in the contacts and the status.
func (r *roster) refresh() {
	w := r.w
	dot := presenceOnline
	if w.status.Reach == control.ReachNone {
		dot = presenceAway
	}
	r.face.set(w.status.ID, dot)
	r.name.set(w.status.Name)
	r.line.set(w.selfWords())
	r.foot.show()
	r.list()
}

// selfWords say which device this is and whether friends can see it.
func (w *Window) selfWords() string {
	state := "self.online"
	switch {
	case w.status.Reach == control.ReachNone:
		state = "self.offline"
	case w.status.LANOnly:
		state = "self.lan"
	}
	return w.status.DeviceName + " · " + w.tr(state)
}

// list makes the rows: who asks to become a friend first, blocked people last.
func (r *roster) list() {
	var asks, friends, blocked []control.Contact
	for _, c := range r.w.contacts {
		switch c.State {
		case control.Request:
			asks = append(asks, c)
		case control.Blocked:
			blocked = append(blocked, c)
		default:
			friends = append(friends, c)
		}
	}
	r.people = slices.Concat(asks, friends, blocked)
	var strips []strip
	add := func(title string, people []control.Contact) {
		if len(people) > 0 && title != "" {
			strips = append(strips, &sectionStrip{words: r.w.tr(title)})
		}
		for _, c := range people {
			strips = append(strips, &personStrip{r: r, c: c})
		}
	}
	add("roster.requests", asks)
	title := ""
	if len(asks) > 0 {
		title = "roster.friends"
	}
	add(title, friends)
	add("roster.blocked", blocked)
	r.reel.set(strips)
}

// choose marks whose conversation is open.
func (r *roster) choose(id string) {
	was := r.chosen
	r.chosen, r.aimed = id, id
	r.repaint(was)
	r.repaint(id)
	r.reel.reveal(id)
}

func (r *roster) repaint(id string) {
	if o, ok := r.reel.drawn[id]; ok {
		o.Refresh()
	}
}

// step opens the conversation n rows from the open one.
func (r *roster) step(n int) {
	if id := r.from(r.chosen, n); id != "" {
		r.w.openConversation(id, "")
	}
}

// from is who stands n rows from a person.
func (r *roster) from(id string, n int) string {
	if len(r.people) == 0 {
		return ""
	}
	i := slices.IndexFunc(r.people, func(c control.Contact) bool { return c.ID == id })
	if i < 0 {
		i = -1
		if n < 0 {
			i = len(r.people)
		}
	}
	return r.people[min(max(i+n, 0), len(r.people)-1)].ID
}

// aim moves the keyboard's mark.
func (r *roster) aim(id string) {
	was := r.aimed
	r.aimed = id
	r.repaint(was)
	r.repaint(id)
	r.reel.reveal(id)
}

// FocusGained shows where the keyboard is.
func (r *roster) FocusGained() {
	r.focused = true
	if r.aimed == "" {
		r.aimed = r.from("", 1)
	}
	r.repaint(r.aimed)
}

// FocusLost hides it.
func (r *roster) FocusLost() {
	r.focused = false
	r.repaint(r.aimed)
}

// TypedRune begins to write, when a conversation is open.
func (r *roster) TypedRune(c rune) {
	if c != ' ' && r.w.shell.open != "" {
		r.w.shell.chat.composer.typed(c)
	}
}

// TypedKey is for Fyne.
func (r *roster) TypedKey(e *fyne.KeyEvent) {
	page := max(int(r.reel.Size().Height/rowHigh)-1, 1)
	switch e.Name {
	case fyne.KeyUp:
		r.aim(r.from(r.aimed, -1))
	case fyne.KeyDown:
		r.aim(r.from(r.aimed, 1))
	case fyne.KeyPageUp:
		r.aim(r.from(r.aimed, -page))
	case fyne.KeyPageDown:
		r.aim(r.from(r.aimed, page))
	case fyne.KeyHome:
		r.aim(r.from("", 1))
	case fyne.KeyEnd:
		r.aim(r.from("", -1))
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		r.w.openConversation(r.aimed, "")
	default:
		passKey(r, e)
	}
}

// CreateRenderer is for Fyne.
func (r *roster) CreateRenderer() fyne.WidgetRenderer {
	return &rosterRenderer{r: r, line: canvas.NewRectangle(color.Transparent)}
}

type rosterRenderer struct {
	r    *roster
	line *canvas.Rectangle
}

func (rr *rosterRenderer) Destroy()           {}
func (rr *rosterRenderer) MinSize() fyne.Size { return fyne.NewSize(240, 240) }

func (rr *rosterRenderer) Objects() []fyne.CanvasObject {
	r := rr.r
	return []fyne.CanvasObject{r.face, r.name, r.line, r.add, r.search, r.reel, rr.line, r.foot}
}

func (rr *rosterRenderer) Layout(size fyne.Size) {
	r, k := rr.r, textScale()
	mid := max(36, 10+20*k)
	r.face.Move(fyne.NewPos(16, mid-20))
	r.face.Resize(fyne.NewSquareSize(40))
	b := r.add.MinSize()
	r.add.Resize(b)
	r.add.Move(fyne.NewPos(size.Width-16-b.Width, mid-b.Height/2))
	room := max(size.Width-16-b.Width-8-68, 0)
	r.name.Move(fyne.NewPos(68, mid-20*k))
	r.name.Resize(fyne.NewSize(room, 20*k))
	r.line.Move(fyne.NewPos(68, mid))
	r.line.Resize(fyne.NewSize(room, 18*k))
	y := mid + 18*k + 18
	r.search.Move(fyne.NewPos(16, y))
	r.search.Resize(fyne.NewSize(size.Width-32, 36*k))
	y += 36*k + 8
	low := 44 * k
	r.reel.Move(fyne.NewPos(0, y))
	r.reel.Resize(fyne.NewSize(size.Width, max(size.Height-y-low-1, 0)))
	rr.line.FillColor = theme.Color(colorLine)
	rr.line.Move(fyne.NewPos(0, size.Height-low-1))
	rr.line.Resize(fyne.NewSize(size.Width, 1))
	r.foot.Move(fyne.NewPos(0, size.Height-low))
	r.foot.Resize(fyne.NewSize(size.Width, low))
}

func (rr *rosterRenderer) Refresh() {
	rr.Layout(rr.r.Size())
	for _, o := range rr.Objects() {
		o.Refresh()
	}
}
