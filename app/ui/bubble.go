package ui

import (
	"math"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// Measures of a bubble in points; those of text grow with the text size.
const (
	bubbleSide   = 24 // from the edge of the timeline
	bubblePadX   = 13
	bubblePadY   = 10
	bubbleRadius = 14
	bubbleShare  = 0.62 // of the timeline's width, at most
	bubbleGap    = 12   // between the text and the time behind it
	groupGap     = 10   // above the first bubble of a group
	memberGap    = 2    // above the others
	quoteHigh    = 40
	quoteGap     = 6
	reactionHigh = 22
	reactionHang = 18 // how far reactions hang out below
	foldLines    = 40 // a longer text shows foldShown lines
	foldShown    = 30
)

// A bubble is the strip of one message. It is never changed: a message that
// was edited gets another.
type bubble struct {
	t     *timeline
	m     control.Message
	first bool // of its group: more space above
	open  bool // shows a long text whole

	at  float32 // the width it was measured at
	big float32 // and the text size
	fit bubbleFit
}

var _ strip = (*bubble)(nil)

// bubbleFit is where everything in a bubble goes, from its own corner.
type bubbleFit struct {
	lines    []line
	font     float32 // the size of its text
	high     float32 // the height of a line
	more     string  // stands below a folded text
	size     fyne.Size
	text     fyne.Position // of the first line
	foot     fyne.Position // of the time
	stamp    string        // "edited 14:32"
	stampW   float32
	state    string // "seen"; in the accent
	stateW   float32
	above    float32 // space over the bubble
	total    float32 // with what is above and below
	deleted  bool
	reaction []string
}

func (b *bubble) key() string  { return b.m.ID }
func (b *bubble) kind() string { return "bubble" }

func (b *bubble) height(width float32) float32 {
	if b.at != width || b.big != textScale() {
		b.at, b.big = width, textScale()
		b.fit = b.measure(width)
	}
	return b.fit.total
}

func (b *bubble) draw(old fyne.CanvasObject) fyne.CanvasObject {
	r, ok := old.(*bubbleRow)
	if !ok {
		r = newBubbleRow()
	}
	r.set(b)
	return r
}

// measure finds the size of the bubble in a timeline of a width.
func (b *bubble) measure(width float32) bubbleFit {
	k := textScale()
	room := max((width-2*bubbleSide)*bubbleShare, 160) - 2*bubblePadX
	f := bubbleFit{above: memberGap, deleted: b.m.Kind == control.KindDeleted}
	if b.first {
		f.above = groupGap
	}
	words := b.m.Text
	body := b.t.body
	if f.deleted {
		words, body = b.t.w.tr("message.deleted"), b.t.slanted
	}
	f.font, f.high = body.size, 20*k
	if !f.deleted && onlyEmoji(words) {
		body, f.font, f.high = b.t.large, b.t.large.size, 44*k
	}
	most := foldLines + 1
	if b.open {
		most = math.MaxInt
	}
	f.lines = wrap(words, room, body, most)
	if len(f.lines) > foldLines && !b.open {
		f.lines = f.lines[:foldShown]
		f.more = b.t.w.tr("message.more")
	}
	b.stamp(&f)

	y := float32(bubblePadY)
	wide := float32(0)
	if b.m.Quote != nil {
		wide = min(room, max(b.t.label.width(b.t.quoteName(b.m.Quote)), b.t.second.width(firstLine(b.quoted())))+12)
		y += quoteHigh*k + quoteGap
	}
	f.text = fyne.NewPos(bubblePadX, y)
	for _, l := range f.lines {
		wide = max(wide, l.width)
	}
	y += float32(len(f.lines)) * f.high
	if f.more != "" {
		wide = max(wide, b.t.label.width(f.more))
		y += 20 * k
	}
	footW := f.stampW + f.stateW
	if f.state != "" {
		footW += 4
	}
	wide, y = b.placeFoot(&f, wide, y, footW, room)
	f.size = fyne.NewSize(wide+2*bubblePadX, y+bubblePadY)
	f.foot.X = f.size.Width - bubblePadX - footW
	f.total = f.above + f.size.Height
	for _, r := range b.m.Reactions {
		f.reaction = append(f.reaction, legible(r.Emoji)+" "+strconv.Itoa(len(r.By)))
	}
	if len(f.reaction) > 0 {
		f.total += reactionHang * k
	}
	return f
}

// placeFoot puts the time behind the last line if there is room, else below.
func (b *bubble) placeFoot(f *bubbleFit, wide, y, footW, room float32) (float32, float32) {
	var last line
	if n := len(f.lines); n > 0 && f.more == "" {
		last = f.lines[n-1]
	}
	if f.more == "" && !last.right && last.width+bubbleGap+footW <= room {
		f.foot.Y = y - 17*textScale()
		return max(wide, last.width+bubbleGap+footW), y
	}
	f.foot.Y = y + 2
	return max(wide, footW), y + 16*textScale() + 2
}

// stamp makes the words of the time and the state.
func (b *bubble) stamp(f *bubbleFit) {
	w := b.t.w
	f.stamp = w.words.clock(b.m.Time.In(w.now().Location()))
	if b.m.Edited && !f.deleted {
		f.stamp = w.tr("message.edited") + " " + f.stamp
	}
	f.stampW = b.t.small.width(f.stamp)
	if b.m.Mine && !f.deleted {
		f.state = w.tr("state." + b.m.State)
		f.stateW = b.t.small.width(f.state)
	}
}

// quoted is what stands in the quote.
func (b *bubble) quoted() string {
	if b.m.Quote.Text == "" {
		return b.t.w.tr("message.gone")
	}
	return b.m.Quote.Text
}

// linkAt finds the address under a point of the bubble.
func (b *bubble) linkAt(p fyne.Position) string {
	i := int((p.Y - b.fit.text.Y) / b.fit.high)
	if p.Y < b.fit.text.Y || i >= len(b.fit.lines) {
		return ""
	}
	for _, s := range b.fit.lines[i].spans {
		if x := b.fit.text.X + b.lineX(b.fit.lines[i]) + s.x; s.link != "" && p.X >= x && p.X < x+s.width {
			return s.link
		}
	}
	return ""
}

// lineX is where a line begins in the text's room.
func (b *bubble) lineX(l line) float32 {
	if !l.right {
		return 0
	}
	return b.fit.size.Width - 2*bubblePadX - l.width
}

// onMore says whether a point is on the words that unfold a long text.
func (b *bubble) onMore(p fyne.Position) bool {
	top := b.fit.text.Y + float32(len(b.fit.lines))*b.fit.high
	return b.fit.more != "" && p.Y >= top && p.Y < top+20*textScale()
}

// onQuote says whether a point is on the quote.
func (b *bubble) onQuote(p fyne.Position) bool {
	return b.m.Quote != nil && p.Y < b.fit.text.Y && p.Y > bubblePadY
}

// firstMost is how many code points of a text are measured for one line: more
// than any window shows. Thousands of some scripts' marks take minutes.
const firstMost = 400

// firstLine is what one line shows of a text.
func firstLine(s string) string {
	s = strings.TrimSpace(tidy(s))
	n := 0
	for i, r := range s {
		if n++; r == '\n' || n > firstMost {
			return legible(s[:i]) + " …"
		}
	}
	return legible(s)
}

// onlyEmoji says whether a text is a few emoji and nothing else: they are
// drawn large.
func onlyEmoji(s string) bool {
	n := 0
	for _, r := range strings.TrimSpace(s) {
		switch {
		case joins(r):
		case r >= 0x1f300 && r <= 0x1faff, r >= 0x2600 && r <= 0x27bf, r >= 0x1f1e6 && r <= 0x1f1ff:
			n++
		default:
			return false
		}
	}
	return n > 0 && n <= 6
}
