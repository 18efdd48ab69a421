package ui

import (
	"context"
	"io"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// infoPanel tells about one person beside the conversation: who they are, the
// safety number, how we are connected, and what can be done.
type infoPanel struct {
	widget.BaseWidget
	w    *Window
	who  control.Contact
	safe control.Safety

	face           *avatar
	name, second   *text
	number, path   *text
	verified       *text
	box            *card
	compare        *button
	mute, echo     *toggle
	route          *routeChoice
	block, test    *item
	scroll         *container.Scroll
	out            *fyne.Container // the way back where the panel covers the conversation
	remove, export *item
}

// newInfoPanel makes the panel for a person; set keeps it in step.
func newInfoPanel(w *Window, c control.Contact) *infoPanel {
	p := &infoPanel{w: w, who: c}
	p.face = newAvatar(c.ID, 72, presenceNone)
	p.name = newText("", 16, 22, colorInk).bold().centred()
	p.second = smallText("").centred()
	p.number = newNumber("", 14, 24, 3)
	p.path = mutedText("")
	p.verified = newText("", 13, 18, colorGood)
	p.compare = secondaryButton(w.tr("info.compare"), func() { w.showSafety(p.who) })
	p.mute = newToggle(w.tr("info.mute"), w.tr("info.mute.say"), c.Muted, p.setMuted)
	p.echo = newToggle("", "", c.Echo, p.setEcho)
	p.route = newRouteChoice(w)
	p.box = newBox(p.number)
	p.build()
	p.ExtendBaseWidget(p)
	p.fill()
	p.readSafety()
	return p
}

func (p *infoPanel) build() {
	w := p.w
	p.block = newItem(theme.CancelIcon(), "", p.toggleBlock)
	p.test = newItem(theme.VolumeUpIcon(), w.tr("info.test"), func() { who := p.who; w.showSoundTest(&who) })
	p.export = newItem(theme.DownloadIcon(), w.tr("info.export"), p.save)
	p.remove = newDangerItem(theme.DeleteIcon(), w.tr("info.remove"), func() { w.confirmRemove(p.who) })
	p.out = newRow(0, iconButton(quiet, theme.NavigateBackIcon(), w.tr("card.close"), w.toggleInfo))
	body := newColumn(20,
		p.out,
		newColumn(12, container.NewCenter(p.face), newColumn(4, p.name, p.second)),
		newColumn(8, labelText(w.tr("info.safety")), p.box, newEnds(p.verified, p.compare)),
		newColumn(4, labelText(w.tr("info.path")), p.path),
		p.route.box,
		p.mute, p.echo,
		newInset(-10, 0, newColumn(2,
			p.test,
			newItem(theme.DocumentCreateIcon(), w.tr("info.rename"), func() { w.showRename(p.who) }),
			p.export, p.block, p.remove,
		)),
	)
	p.scroll = container.NewVScroll(newInset(20, 24, body))
}

// Resize is for Fyne: a panel that covers the conversation has a way back.
func (p *infoPanel) Resize(size fyne.Size) {
	if covers := size.Width > infoWide; covers == p.out.Hidden {
		p.out.Hidden = !covers
		relayout(p.scroll)
	}
	p.BaseWidget.Resize(size)
}

// CreateRenderer is for Fyne.
func (p *infoPanel) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.scroll) }

// set shows a person as the node lists them now.
func (p *infoPanel) set(c control.Contact) {
	other := c.ID != p.who.ID
	renewed := c.Verified != p.who.Verified
	p.who = c
	if other {
		p.safe = control.Safety{}
		p.scroll.ScrollToTop()
	}
	p.fill()
	if other || renewed {
		p.readSafety()
	}
}

func (p *infoPanel) fill() {
	w, c := p.w, p.who
	p.face.set(c.ID, presenceNone)
	p.name.set(c.Name)
	p.second.set(w.about(c))
	p.path.set(w.reached(c))
	p.number.set(p.safe.Number)
	p.box.Hidden = p.safe.Number == ""
	p.verified.set(w.tr("info.unverified"))
	p.verified.coloured(colorMuted)
	if c.Verified {
		p.verified.set(w.tr("info.verified"))
		p.verified.coloured(colorGood)
	}
	p.mute.on, p.echo.on = c.Muted, c.Echo
	p.route.set(c)
	p.echo.label.set(w.tr("info.echo", c.Name))
	p.echo.note.set(w.tr("info.echo.say"))
	p.echo.note.Hidden = false
	p.echo.Hidden, p.test.Hidden = c.State != control.Friend, c.State != control.Friend
	p.block.label.set(w.tr("info.block"))
	if c.State == control.Blocked {
		p.block.label.set(w.tr("info.unblock"))
	}
	relayout(p.scroll)
}

func (p *infoPanel) readSafety() {
	var s control.Safety
	id := p.who.ID
	p.w.ask(func(ctx context.Context) (err error) {
		s, err = p.w.client.Safety(ctx, id)
		return err
	}, func(err error) {
		if err == nil && id == p.who.ID {
			p.safe = s
			p.fill()
		}
	})
}

func (p *infoPanel) setMuted(on bool) {
	w, id := p.w, p.who.ID
	w.change(func(ctx context.Context) error {
		_, err := w.client.EditContact(ctx, id, control.ContactEdit{Muted: &on})
		return err
	})
}

// setEcho lets their machine test its sound with this one, or no longer.
func (p *infoPanel) setEcho(on bool) {
	w, id := p.w, p.who.ID
	w.change(func(ctx context.Context) error {
		_, err := w.client.EditContact(ctx, id, control.ContactEdit{Echo: &on})
		return err
	})
}

func (p *infoPanel) toggleBlock() {
	w, c := p.w, p.who
	if c.State != control.Blocked {
		w.confirmBlock(c)
		return
	}
	w.change(func(ctx context.Context) error { _, err := w.client.Unblock(ctx, c.ID); return err })
}

// save writes the whole conversation into the downloads.
func (p *infoPanel) save() {
	w, c := p.w, p.who
	w.save(c.Name, ".jsonl", func(ctx context.Context) (io.ReadCloser, error) { return w.client.Export(ctx, c.ID) })
}

// about is the second line under a person's name.
func (w *Window) about(c control.Contact) string {
	var parts []string
	if c.OwnName != "" && c.OwnName != c.Name {
		parts = append(parts, w.tr("info.calls", c.OwnName))
	}
	if c.Devices > 0 {
		parts = append(parts, w.count("info.devices", c.Devices))
	}
	if c.State == control.Friend && !c.Since.IsZero() {
		parts = append(parts, w.friendSince(c.Since.Local()))
	}
	return strings.Join(parts, " · ")
}

// friendSince says the day within a week, then the month, then also its year.
func (w *Window) friendSince(t time.Time) string {
	now := w.now()
	month := w.tr("month." + t.Format("1"))
	switch {
	case now.Sub(t) < 7*24*time.Hour:
		return w.tr("info.since.day", w.words.date(t, now))
	case t.Year() == now.Year():
		return w.tr("info.since", month)
	}
	return w.tr("info.since", month+" "+t.Format("2006"))
}

// reached says in a sentence how we reach a person.
func (w *Window) reached(c control.Contact) string {
	relay, relayed := strings.CutPrefix(c.Path, "relay:")
	switch {
	case c.State == control.Request:
		return w.tr("reached.request")
	case c.Spent:
		return w.tr("reached.spent")
	case c.State == control.SentReq:
		return w.tr("reached.sent")
	case c.State == control.Blocked:
		return w.tr("reached.blocked")
	case c.Presence != control.Online && c.LastSeen.IsZero():
		return w.tr("reached.never")
	case c.Presence != control.Online:
		return w.tr("reached.away", w.words.ago(c.LastSeen.Local(), w.now()))
	case relayed:
		return w.tr("reached.relay", relay)
	case c.Path == "lan":
		return w.tr("reached.lan")
	}
	return w.tr("reached.direct")
}
