package ui

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// bodySize is the size of body text in points before the person's text size.
const bodySize = 14

// textScale is how much larger than normal the person wants text.
func textScale() float32 { return theme.Size(theme.SizeNameText) / bodySize }

// scaled is a length that grows with the person's text size.
func scaled(px float32) float32 { return px * textScale() }

// A flowing object knows its height at a width, so that a card needs no
// second pass to find its own. heightFor also remembers the width: MinSize
// answers for it from then on.
type flowing interface{ heightFor(width float32) float32 }

// heightFor is the height o wants at a width.
func heightFor(o fyne.CanvasObject, width float32) float32 {
	if f, ok := o.(flowing); ok {
		return f.heightFor(width)
	}
	if c, ok := o.(*fyne.Container); ok {
		if f, ok := c.Layout.(flowLayout); ok {
			return f.flow(c.Objects, width)
		}
	}
	return o.MinSize().Height
}

// text shows plain words: nothing in them is ever taken for markup. It wraps
// at spaces, or keeps to one line and ends in an ellipsis.
type text struct {
	widget.BaseWidget

	words string
	size  float32 // points at normal text size
	line  float32 // line height, likewise
	color fyne.ThemeColorName
	style fyne.TextStyle
	align fyne.TextAlign
	once  bool // one line, cut with an ellipsis
	facts bool // and of facts, so that only whole ones are shown

	groups int // at most so many words a line, the same on each; 0 for words that flow

	width float32 // the last width asked for or given

	broken []string // the lines as they were broken for was
	was    breaking
}

// breaking is all that the lines of a text depend on: laying out a card asks
// for them several times, and measuring is slow.
type breaking struct {
	words       string
	size, width float32
	style       fyne.TextStyle
	once        bool
	groups      int
}

func newText(words string, size, line float32, color fyne.ThemeColorName) *text {
	t := &text{words: words, size: size, line: line, color: color}
	t.ExtendBaseWidget(t)
	return t
}

// The six voices of the window's text: size and line height in points.

func titleText(s string) *text { return newText(s, 22, 30, colorInk).bold() }
func headText(s string) *text  { return newText(s, 15, 20, colorInk).bold() }
func bodyText(s string) *text  { return newText(s, 14, 20, colorInk) }
func mutedText(s string) *text { return newText(s, 14, 20, colorMuted) }
func smallText(s string) *text { return newText(s, 13, 18, colorMuted) }
func labelText(s string) *text { return newText(s, 12, 16, colorInk).bold() }

func (t *text) bold() *text    { t.style.Bold = true; return t }
func (t *text) mono() *text    { t.style.Monospace = true; return t }
func (t *text) centred() *text { t.align = fyne.TextAlignCenter; return t }
func (t *text) oneLine() *text { t.once = true; return t }
func (t *text) ofFacts() *text { t.facts = true; return t.oneLine() }
func (t *text) coloured(n fyne.ThemeColorName) *text {
	t.color = n
	return t
}

// set changes the words.
func (t *text) set(words string) {
	if t.words == words {
		return
	}
	t.words = words
	t.Refresh()
}

// AccessibilityLabel gives the words to a screen reader.
func (t *text) AccessibilityLabel() string { return t.words }

// AccessibilityRole says that this is text.
func (t *text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

func (t *text) heightFor(width float32) float32 {
	t.width = width
	return float32(len(t.lines())) * t.lineHeight()
}

func (t *text) lineHeight() float32 { return t.line * textScale() }

// lines are the words broken at the last known width.
func (t *text) lines() []string {
	now := breaking{t.words, t.size * textScale(), t.width, t.style, t.once, t.groups}
	if t.broken == nil || now != t.was {
		t.was, t.broken = now, t.breakLines()
	}
	return t.broken
}

// breakLines rids what comes from others of what would disturb its
// surroundings, and breaks it.
func (t *text) breakLines() []string {
	measure := func(s string) float32 { return fyne.MeasureText(s, t.size*textScale(), t.style).Width }
	words := legible(tidy(t.words))
	switch {
	case t.facts:
		return []string{ellipsize(wholeFacts(words, t.width, measure), t.width, measure)}
	case t.once:
		return []string{ellipsize(strings.ReplaceAll(words, "\n", " "), t.width, measure)}
	case t.groups > 0:
		return strings.Split(groupLines(words, t.groups, t.width, measure), "\n")
	}
	return wrapWords(words, t.width, measure)
}

// factEnd stands between facts in one line.
const factEnd = " · "

// wholeFacts leaves out the last facts of a line until the others fit; the
// first one stays.
func wholeFacts(line string, width float32, measure func(string) float32) string {
	for measure(line) > width {
		end := strings.LastIndex(line, factEnd)
		if end < 0 {
			break
		}
		line = line[:end]
	}
	return line
}

// onScreen is a line in the order in which Fyne has to set it.
func onScreen(line string) string {
	if !strings.ContainsFunc(line, isRightToLeft) {
		return line
	}
	return visual([]span{{text: line}}, rightToLeft(line))[0].text
}

// CreateRenderer is for Fyne.
func (t *text) CreateRenderer() fyne.WidgetRenderer {
	r := &textRenderer{text: t}
	r.Refresh()
	return r
}

type textRenderer struct {
	text  *text
	lines []*canvas.Text
}

func (r *textRenderer) Destroy() {}

func (r *textRenderer) Objects() []fyne.CanvasObject {
	objs := make([]fyne.CanvasObject, len(r.lines))
	for i, l := range r.lines {
		objs[i] = l
	}
	return objs
}

func (r *textRenderer) Layout(size fyne.Size) {
	r.text.width = size.Width
	r.fill()
	h := r.text.lineHeight()
	for i, l := range r.lines {
		min := l.MinSize()
		l.Move(fyne.NewPos(0, float32(i)*h+(h-min.Height)/2))
		l.Resize(fyne.NewSize(size.Width, min.Height))
	}
}

// MinSize is one whole line where the text may not be broken, else the height
// at the last known width.
func (r *textRenderer) MinSize() fyne.Size {
	t := r.text
	if t.once {
		return fyne.NewSize(min(24, r.natural()), t.lineHeight())
	}
	if t.width <= 0 {
		return fyne.NewSize(r.natural(), t.lineHeight()*float32(1+strings.Count(t.words, "\n")))
	}
	return fyne.NewSize(min(48, r.natural()), t.heightFor(t.width))
}

// natural is the width of the longest line if nothing were wrapped.
func (r *textRenderer) natural() float32 { return r.text.natural() }

func (t *text) natural() float32 {
	var w float32
	for l := range strings.SplitSeq(legible(t.words), "\n") {
		w = max(w, fyne.MeasureText(l, t.size*textScale(), t.style).Width)
	}
	return w + 1 // rounding must not break a line that fits
}

func (r *textRenderer) Refresh() {
	r.Layout(r.text.Size())
	canvas.Refresh(r.text)
}

// fill makes one canvas.Text a line.
func (r *textRenderer) fill() {
	t := r.text
	if t.width <= 0 {
		r.lines = nil
		return
	}
	lines := t.lines()
	for len(r.lines) < len(lines) {
		r.lines = append(r.lines, &canvas.Text{})
	}
	r.lines = r.lines[:len(lines)]
	for i, s := range lines {
		l := r.lines[i]
		l.Text, l.TextSize, l.TextStyle, l.Alignment = onScreen(s), t.size*textScale(), t.style, t.align
		if !t.once && t.align == fyne.TextAlignLeading && rightToLeft(s) {
			l.Alignment = fyne.TextAlignTrailing
		}
		l.Color = theme.ColorForWidget(t.color, t)
	}
}

// wrapWords breaks s into lines no wider than width, at spaces where it can.
func wrapWords(s string, width float32, measure func(string) float32) []string {
	var out []string
	for para := range strings.SplitSeq(s, "\n") {
		line := ""
		for _, word := range breaks(para) {
			if line != "" && measure(strings.TrimRight(line+word, " ")) > width {
				out = append(out, strings.TrimRight(line, " "))
				line = ""
			}
			for measure(strings.TrimRight(word, " ")) > width && len([]rune(word)) > 1 {
				head := fitting(word, width, measure)
				out, word = append(out, head), word[len(head):]
			}
			line += word
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}

// breaks cuts a paragraph where a line may end: behind spaces and hyphens.
func breaks(para string) []string {
	var out []string
	for word := range strings.SplitAfterSeq(para, " ") {
		for part := range strings.SplitAfterSeq(word, "-") {
			if part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// groupLines sets groups in lines of one length: most a line, or as many as
// there is room for and as divide them evenly.
func groupLines(words string, most int, width float32, measure func(string) float32) string {
	groups := strings.Fields(words)
	for n := most; n > 1; n-- {
		if len(groups)%n == 0 && measure(strings.Join(groups[:min(n, len(groups))], " ")) <= width {
			return numberLines(words, n)
		}
	}
	return numberLines(words, 1)
}

// fitting is the longest beginning of s that is no wider than width, and at
// least one character.
func fitting(s string, width float32, measure func(string) float32) string {
	runes := []rune(s)
	low, high := 1, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if measure(string(runes[:mid])) <= width {
			low = mid
			continue
		}
		high = mid - 1
	}
	return string(runes[:low])
}

// ellipsize cuts s so that it fits, with an ellipsis at the end.
func ellipsize(s string, width float32, measure func(string) float32) string {
	if s == "" || width <= 0 || measure(s) <= width {
		return s
	}
	return strings.TrimRight(fitting(s, width-measure("…"), measure), " ") + "…"
}

// rightToLeft says whether the first letter that has a direction runs from
// right to left (Unicode Bidirectional Algorithm, rule P2).
func rightToLeft(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}
