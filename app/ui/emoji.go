package ui

import (
	_ "embed"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// emojiList is a line an emoji: the emoji, then words to find it by, in
// English and in French.
//
//go:embed emoji.txt
var emojiList string

// An emoji with what it is found by, in lower case with a space before every
// word.
type emoji struct{ sign, words string }

func allEmoji() []emoji {
	var all []emoji
	for line := range strings.Lines(emojiList) {
		sign, words, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, emoji{sign, " " + words})
	}
	return all
}

// emojiLike keeps the emoji that have a word beginning with each word typed.
func emojiLike(all []emoji, typed string) []emoji {
	want := strings.Fields(strings.ToLower(typed))
	var found []emoji
	for _, e := range all {
		fits := true
		for _, word := range want {
			fits = fits && strings.Contains(e.words, " "+word)
		}
		if fits {
			found = append(found, e)
		}
	}
	return found
}

// recentEmoji is how many emoji used before stand first.
const recentEmoji = 16

// emojiPicker finds an emoji by a word, or by looking.
type emojiPicker struct {
	w    *Window
	pick func(string)
	all  []emoji

	typed *entry
	grid  *emojiGrid
	list  *container.Scroll
	none  *text
	root  *fyne.Container
}

const (
	emojiWide = 344
	emojiHigh = 340
)

// showEmoji opens the picker near a place of the window; pick gets the emoji
// that is chosen.
func (w *Window) showEmoji(at fyne.Position, pick func(string)) {
	p := &emojiPicker{w: w, pick: pick, all: allEmoji(), typed: newEntry(w.tr("emoji.search")), none: mutedText(w.tr("emoji.none"))}
	p.grid = newEmojiGrid(p.choose)
	p.list = container.NewVScroll(p.grid)
	p.none.Hide()
	p.typed.OnChanged = p.look
	p.typed.onEnter = func() { p.choose(p.grid.chosen()) }
	p.typed.keys = p.keys
	body := makeCard(&card{
		fill: colorTheirs, stroke: colorLine, radius: 16, padX: 12, padY: 12,
		content: container.NewBorder(newColumn(8, p.typed, p.none), nil, nil, nil, newInset(0, 8, p.list)),
	})
	p.root = container.New(&near{at: at, size: fyne.NewSize(emojiWide, emojiHigh)}, newShield(), body)
	w.popover(p.root)
	w.win.Canvas().Focus(p.typed)
	p.look("")
}

// look shows what fits; when nothing is typed those used last come first.
func (p *emojiPicker) look(typed string) {
	found := emojiLike(p.all, typed)
	if strings.TrimSpace(typed) == "" {
		var recent []emoji
		for _, sign := range p.w.recent {
			recent = append(recent, emoji{sign: sign})
		}
		found = append(recent, found...)
	}
	p.none.Hidden = len(found) > 0
	p.grid.set(found)
	p.list.ScrollToTop()
	relayout(p.root)
}

func (p *emojiPicker) keys(k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyDown:
		p.grid.move(p.grid.columns())
	case fyne.KeyUp:
		p.grid.move(-p.grid.columns())
	case fyne.KeyRight:
		if p.typed.CursorColumn < len([]rune(p.typed.Text)) {
			return false
		}
		p.grid.move(1)
	case fyne.KeyLeft:
		if p.typed.CursorColumn > 0 {
			return false
		}
		p.grid.move(-1)
	default:
		return false
	}
	y := p.grid.place(p.grid.at).Y
	if y < p.list.Offset.Y || y+emojiCell > p.list.Offset.Y+p.list.Size().Height {
		p.list.ScrollToOffset(fyne.NewPos(0, max(0, y-emojiCell)))
	}
	return true
}

func (p *emojiPicker) choose(sign string) {
	if sign == "" {
		return
	}
	p.w.recent = remember(p.w.recent, sign)
	p.w.closeModal()
	p.pick(sign)
}

// remember puts a sign first and keeps the list short.
func remember(recent []string, sign string) []string {
	list := []string{sign}
	for _, s := range recent {
		if s != sign && len(list) < recentEmoji {
			list = append(list, s)
		}
	}
	return list
}

// near puts one thing beside a place, wholly inside the window.
type near struct {
	at   fyne.Position // its lower right corner, if there is room
	size fyne.Size
}

// Layout is for Fyne.
func (n *near) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	s := fyne.NewSize(min(n.size.Width, size.Width-16), min(n.size.Height, size.Height-16))
	for _, o := range objs {
		o.Resize(s)
		o.Move(fyne.NewPos(inWindow(n.at.X-s.Width, s.Width, size.Width), inWindow(n.at.Y-s.Height, s.Height, size.Height)))
	}
}

// MinSize is for Fyne.
func (n *near) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, 160) }

func inWindow(at, length, room float32) float32 { return max(8, min(at, room-length-8)) }

// emojiGrid is many emoji in one widget: a widget for each would be slow to
// build.
type emojiGrid struct {
	widget.BaseWidget
	pick  func(string)
	shown []emoji
	at    int
}

const emojiCell = 40

var (
	_ fyne.Tappable     = (*emojiGrid)(nil)
	_ desktop.Hoverable = (*emojiGrid)(nil)
)

func newEmojiGrid(pick func(string)) *emojiGrid {
	g := &emojiGrid{pick: pick}
	g.ExtendBaseWidget(g)
	return g
}

func (g *emojiGrid) set(shown []emoji) {
	g.shown, g.at = shown, 0
	g.Refresh()
}

func (g *emojiGrid) chosen() string {
	if g.at >= len(g.shown) {
		return ""
	}
	return g.shown[g.at].sign
}

func (g *emojiGrid) move(by int) {
	g.at = max(0, min(g.at+by, len(g.shown)-1))
	g.Refresh()
}

func (g *emojiGrid) columns() int { return max(1, int(g.Size().Width/emojiCell)) }

func (g *emojiGrid) place(i int) fyne.Position {
	n := g.columns()
	return fyne.NewPos(float32(i%n)*emojiCell, float32(i/n)*emojiCell)
}

// under is the index of the emoji at a place, -1 for none.
func (g *emojiGrid) under(p fyne.Position) int {
	column := int(p.X / emojiCell)
	i := int(p.Y/emojiCell)*g.columns() + column
	if column >= g.columns() || i >= len(g.shown) {
		return -1
	}
	return i
}

// Tapped picks an emoji.
func (g *emojiGrid) Tapped(e *fyne.PointEvent) {
	if i := g.under(e.Position); i >= 0 {
		g.pick(g.shown[i].sign)
	}
}

// MouseIn begins to follow the pointer.
func (g *emojiGrid) MouseIn(e *desktop.MouseEvent) { g.MouseMoved(e) }

// MouseMoved shows which emoji a click would pick.
func (g *emojiGrid) MouseMoved(e *desktop.MouseEvent) {
	if i := g.under(e.Position); i >= 0 && i != g.at {
		g.at = i
		g.Refresh()
	}
}

// MouseOut does nothing: the last one stays chosen.
func (g *emojiGrid) MouseOut() {}

// CreateRenderer is for Fyne.
func (g *emojiGrid) CreateRenderer() fyne.WidgetRenderer {
	r := &emojiRenderer{g: g, mark: &canvas.Rectangle{CornerRadius: 10}}
	r.Refresh()
	return r
}

type emojiRenderer struct {
	g     *emojiGrid
	mark  *canvas.Rectangle
	signs []*canvas.Text
}

func (r *emojiRenderer) Destroy() {}

func (r *emojiRenderer) Objects() []fyne.CanvasObject {
	objs := []fyne.CanvasObject{r.mark}
	for _, s := range r.signs {
		objs = append(objs, s)
	}
	return objs
}

func (r *emojiRenderer) MinSize() fyne.Size {
	n := r.g.columns()
	return fyne.NewSize(emojiCell, float32((len(r.g.shown)+n-1)/n)*emojiCell)
}

func (r *emojiRenderer) Layout(fyne.Size) {
	r.mark.Hidden = len(r.g.shown) == 0
	r.mark.Move(r.g.place(r.g.at).AddXY(2, 2))
	r.mark.Resize(fyne.NewSquareSize(emojiCell - 4))
	for i, s := range r.signs {
		size := s.MinSize()
		s.Move(r.g.place(i).AddXY((emojiCell-size.Width)/2, (emojiCell-size.Height)/2))
		s.Resize(size)
	}
}

func (r *emojiRenderer) Refresh() {
	r.mark.FillColor = theme.Color(colorSoft)
	for len(r.signs) < len(r.g.shown) {
		r.signs = append(r.signs, &canvas.Text{TextSize: 28})
	}
	r.signs = r.signs[:len(r.g.shown)]
	for i, e := range r.g.shown {
		r.signs[i].Text, r.signs[i].Color = e.sign, theme.Color(colorInk)
	}
	r.Layout(r.g.Size())
	canvas.Refresh(r.g)
}
