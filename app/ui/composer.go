package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/assets"
)

const (
	textMost    = 64 << 10               // bytes of one message
	draftAfter  = 800 * time.Millisecond // from the first change that is not kept, however long one types on
	typingFor   = 5 * time.Second        // silence after which we no longer count as typing
	composeRows = 6                      // lines that the entry grows to
)

// A composer writes messages: new ones, replies, and new words for old ones.
// What is not sent yet is kept by the node.
type composer struct {
	widget.BaseWidget
	w    *Window
	chat *conversation

	entry  *messageEntry
	to     string // "Write to Ana"
	ground *slab  // of the entry: its own is dear to draw
	field  fyne.CanvasObject
	emoji  *button
	send   *button
	about  *aboutBar // what is replied to or edited
	tooBig *text

	who      string
	replyTo  *control.Message
	editing  *control.Message
	kept     control.Draft // as the node has it
	keeping  bool          // it will be kept in a moment
	turn     int           // counts keys, so that only the last one's timer acts
	typingOn bool
	typingAt time.Time
	rows     int
	entered  int // counts openings, so that a late draft is dropped
	filling  bool
}

func newComposer(w *Window, chat *conversation) *composer {
	c := &composer{w: w, chat: chat, rows: 1}
	c.entry = newMessageEntry(c)
	c.ground = newSlab(inputRadius)
	c.field = container.NewThemeOverride(c.entry, bareTheme{})
	c.emoji = iconButton(secondary, fyne.NewStaticResource("smile.svg", assets.Smile()), w.tr("composer.emoji"), c.pickEmoji)
	c.send = primaryButton(w.tr("composer.send"), c.submit)
	c.about = newAboutBar(c)
	c.about.Hide()
	c.tooBig = smallText(w.tr("fail.too_long") + ". " + w.tr("fail.too_long.next")).oneLine().coloured(colorDanger)
	c.tooBig.Hide()
	c.ExtendBaseWidget(c)
	return c
}

// address says to whom one writes.
func (c *composer) address(name string) {
	c.to = c.w.tr("composer.to", name)
	c.hint()
}

// hint says it in the empty entry, on one line.
func (c *composer) hint() {
	r := &c.chat.timeline.rulers
	r.fit()
	words := ellipsize(c.to, c.field.Size().Width-2*entryPad-8, r.body.width)
	if c.entry.PlaceHolder != words {
		c.entry.SetPlaceHolder(words)
	}
}

// enter takes up the draft of a conversation.
func (c *composer) enter(who string) {
	c.entered++
	c.who, c.kept = who, control.Draft{}
	c.clear()
	c.readDraft()
}

// take shows a draft.
func (c *composer) take(d control.Draft, about *control.Message) {
	c.kept = d
	c.replyTo, c.editing = nil, nil
	switch {
	case about != nil && d.Edit != "":
		c.editing = about
	case about != nil && d.ReplyTo != "":
		c.replyTo = about
	}
	c.fill(d.Text)
	c.showAbout()
}

// fill puts words into the entry without counting as typing.
func (c *composer) fill(words string) {
	c.filling = true
	c.entry.SetText(words)
	c.filling = false
	c.entry.toEnd()
	c.grow()
}

// changed follows every key.
func (c *composer) changed() {
	if c.filling || c.who == "" {
		return
	}
	c.w.phone.keyTaps()
	c.grow()
	c.turn++
	c.keepSoon()
	if strings.TrimSpace(c.entry.Text) == "" {
		c.notTyping()
		return
	}
	c.nowTyping()
}

// submit sends what is written. The words come back if the node refuses them.
func (c *composer) submit() {
	words := strings.TrimSpace(c.entry.Text)
	if words == "" || len(words) > textMost || c.who == "" {
		return
	}
	was, had, who, turn := c.draft(), c.kept, c.who, c.entered
	about := c.replyTo
	if c.editing != nil {
		about = c.editing
	}
	c.turn++
	c.clear()
	c.notTyping()
	c.kept = control.Draft{}
	c.w.doInOrder(func(ctx context.Context) error {
		err := c.tell(ctx, who, was, words)
		if err == nil {
			c.w.ui(func() {
				if c.entered == turn && was.Edit == "" {
					c.chat.timeline.toNewest() // an old part of the history may be shown
				}
			})
			return c.w.client.PutDraft(ctx, who, control.Draft{})
		}
		c.w.ui(func() {
			if c.entered == turn && c.draft() == (control.Draft{}) {
				c.take(was, about)
				c.kept = had
				c.keep()
			}
		})
		return err
	})
}

func (c *composer) tell(ctx context.Context, who string, d control.Draft, words string) error {
	if d.Edit != "" {
		_, err := c.w.client.Edit(ctx, d.Edit, words)
		return err
	}
	_, err := c.w.client.Send(ctx, who, control.NewMessage{Text: words, ReplyTo: d.ReplyTo})
	return err
}

func (c *composer) clear() {
	c.replyTo, c.editing = nil, nil
	c.fill("")
	c.showAbout()
}

// reply begins a reply to a message.
func (c *composer) reply(m control.Message) {
	if c.editing != nil {
		c.fill("")
	}
	c.replyTo, c.editing = &m, nil
	c.showAbout()
	c.w.win.Canvas().Focus(c.entry)
	c.changed()
}

// edit begins new words for a message of ours.
func (c *composer) edit(m control.Message) {
	c.replyTo, c.editing = nil, &m
	c.fill(m.Text)
	c.showAbout()
	c.w.win.Canvas().Focus(c.entry)
	c.changed()
}

// drop ends a reply or an edit; of a reply the words stay.
func (c *composer) drop() {
	if c.editing != nil {
		c.fill("")
	}
	c.replyTo, c.editing = nil, nil
	c.showAbout()
	c.changed()
}

func (c *composer) showAbout() {
	switch {
	case c.editing != nil:
		c.about.tell(c.w.tr("composer.editing"), firstLine(c.editing.Text))
		c.send.set(c.w.tr("composer.save"))
	case c.replyTo != nil:
		title := c.w.tr("composer.reply", c.chat.timeline.nameOf(c.replyTo))
		if c.replyTo.Mine {
			title = c.w.tr("composer.reply.self")
		}
		c.about.tell(title, firstLine(c.replyTo.Text))
		c.send.set(c.w.tr("composer.send"))
	default:
		c.send.set(c.w.tr("composer.send"))
	}
	setVisible(c.about, c.editing != nil || c.replyTo != nil)
	c.chat.relayout()
}

// typed takes a letter typed while something else had the focus.
func (c *composer) typed(r rune) {
	if c.Visible() && c.who != "" {
		c.w.win.Canvas().Focus(c.entry)
		c.entry.TypedRune(r)
	}
}

func (c *composer) pickEmoji() {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.emoji)
	c.w.showEmoji(at, func(emoji string) {
		c.w.win.Canvas().Focus(c.entry)
		for _, r := range emoji {
			c.entry.TypedRune(r)
		}
	})
}

// escape ends a reply or an edit, or else goes back.
func (c *composer) escape() {
	if c.replyTo != nil || c.editing != nil {
		c.drop()
		return
	}
	c.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
}

// editLast begins to edit the newest message of ours, if nothing is written.
// While an old part of the history is shown, it first goes to the end: that
// message is not there.
func (c *composer) editLast() bool {
	if c.entry.Text != "" || c.replyTo != nil || c.editing != nil {
		return false
	}
	if c.chat.timeline.later {
		c.chat.timeline.toNewest()
		return true
	}
	m, ok := c.chat.timeline.lastOwn()
	if ok {
		c.edit(m)
	}
	return ok
}

// grow gives the entry as many lines as the words need, up to six.
func (c *composer) grow() {
	long := len(strings.TrimSpace(c.entry.Text)) > textMost
	rows := c.entry.lines(composeRows)
	enable(!long, c.send)
	if rows == c.rows && long == c.tooBig.Visible() {
		return
	}
	c.rows = rows
	c.entry.SetMinRowsVisible(rows)
	setVisible(c.tooBig, long)
	c.chat.relayout()
}

// heightFor is the composer's height.
func (c *composer) heightFor() float32 {
	h := c.field.MinSize().Height + 2*composerPad
	if c.about.Visible() {
		h += aboutHigh * textScale()
	}
	if c.tooBig.Visible() {
		h += 20 * textScale()
	}
	return h
}

// CreateRenderer is for Fyne.
func (c *composer) CreateRenderer() fyne.WidgetRenderer {
	c.paint()
	return &composerRenderer{c}
}

// paint gives the entry's ground its colours: the border tells where the
// keyboard is.
func (c *composer) paint() {
	border := theme.Color(theme.ColorNameInputBorder)
	if c.entry.focused {
		border = theme.Color(colorAccent)
	}
	c.ground.paint(theme.Color(colorWrite), border)
}

const (
	composerPad = 10
	entryPad    = 12
	aboutHigh   = 48
)

type composerRenderer struct{ c *composer }

func (r *composerRenderer) Destroy() {}
func (r *composerRenderer) MinSize() fyne.Size {
	return fyne.NewSize(240, r.c.heightFor())
}

func (r *composerRenderer) Objects() []fyne.CanvasObject {
	c := r.c
	return []fyne.CanvasObject{c.ground.Shader, c.about, c.field, c.emoji, c.send, c.tooBig}
}

func (r *composerRenderer) Layout(size fyne.Size) {
	c, k := r.c, textScale()
	y := float32(composerPad)
	if c.about.Visible() {
		c.about.Move(fyne.NewPos(16, y))
		c.about.Resize(fyne.NewSize(size.Width-32, aboutHigh*k-8))
		y += aboutHigh*k - 4
	}
	high := c.field.MinSize().Height
	right := size.Width - 16
	for _, b := range []*button{c.send, c.emoji} {
		m := b.MinSize()
		right -= m.Width
		b.Resize(m)
		b.Move(fyne.NewPos(right, y+high-m.Height-max((c.entry.oneRow()-m.Height)/2, 0)))
		right -= 8
	}
	c.field.Move(fyne.NewPos(16, y))
	c.field.Resize(fyne.NewSize(max(right-16, 0), high))
	c.ground.place(c.field.Position(), c.field.Size())
	c.hint()
	c.tooBig.Move(fyne.NewPos(20, y+high+4))
	c.tooBig.Resize(fyne.NewSize(size.Width-40, 18*k))
	if c.entry.lines(composeRows) != c.rows {
		c.grow()
	}
}

func (r *composerRenderer) Refresh() {
	r.c.paint()
	r.Layout(r.c.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	canvas.Refresh(r.c.emoji)
}
