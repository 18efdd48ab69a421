package ui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// phrase shows the 24 words and then asks for three of them, so that nobody
// finds out too late that the paper is wrong.
type phrase struct {
	w     *Window
	words []string
	root  *fyne.Container
}

// newPhrase makes the card over everything.
func newPhrase(w *Window, words []string) fyne.CanvasObject {
	p := &phrase{w: w, words: words, root: container.NewStack()}
	p.showWords()
	return p.root
}

func (p *phrase) showWords() {
	w := p.w
	written := primaryButton(w.tr("phrase.written"), p.showCheck)
	p.show(newSheet(560, newCard(newColumn(20,
		newColumn(6, titleText(w.tr("phrase.title")), mutedText(w.tr("phrase.say"))),
		newWordGrid(p.words),
		newRow(8, written, secondaryButton(w.tr("phrase.later"), w.closeModal), newText(w.tr("phrase.next"), 12, 16, colorMuted)),
	))))
	w.focus(written)
}

// showCheck asks for three words, in order, chosen at random.
func (p *phrase) showCheck() {
	w := p.w
	places := rand.Perm(len(p.words))[:3]
	slices.Sort(places)
	wrong := newProblem()
	var entries []*entry
	var fields []fyne.CanvasObject
	for _, at := range places {
		e := newEntry("")
		entries = append(entries, e)
		fields = append(fields, labelled(w.tr("phrase.word", at+1), e))
	}
	check := func() {
		for i, at := range places {
			if strings.ToLower(strings.TrimSpace(entries[i].Text)) != p.words[at] {
				wrong.say(w.tr("phrase.wrong", at+1), p.root)
				w.win.Canvas().Focus(entries[i])
				return
			}
		}
		p.keep()
	}
	for i, e := range entries {
		e.onEnter = check
		if i+1 < len(entries) {
			e.onEnter = func() { w.win.Canvas().Focus(entries[i+1]) }
		}
	}
	p.show(newSheet(460, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("phrase.check.title")), mutedText(w.tr("phrase.check.say"))),
		newColumn(12, fields...),
		wrong,
		newRow(8, primaryButton(w.tr("phrase.check.done"), check), secondaryButton(w.tr("phrase.check.back"), p.showWords)),
	))))
	w.focus(entries[0])
}

// keep remembers that the words are on paper.
func (p *phrase) keep() {
	w := p.w
	w.closeModal()
	w.do(func(ctx context.Context) error {
		s, err := w.client.Settings(ctx)
		if err != nil {
			return err
		}
		s.WordsKept = true
		_, err = w.client.PutSettings(ctx, s)
		return err
	})
}

func (p *phrase) show(page fyne.CanvasObject) {
	p.root.Objects = []fyne.CanvasObject{page}
	p.root.Refresh()
}

// wordGrid lays numbered words out in columns to be read line by line: four,
// or as many as there is room for.
type wordGrid struct {
	widget.BaseWidget
	words []string
	width float32
}

func newWordGrid(words []string) *wordGrid {
	g := &wordGrid{words: words}
	g.ExtendBaseWidget(g)
	return g
}

const (
	wordGap  = 8
	wordHigh = 33
	wordWide = 104 // the narrowest place for a word of eight letters
)

func (g *wordGrid) columns(width float32) int {
	for n := 4; n > 1; n-- {
		if (width+wordGap)/float32(n)-wordGap >= scaled(wordWide) {
			return n
		}
	}
	return 1
}

func (g *wordGrid) heightFor(width float32) float32 {
	g.width = width
	n := g.columns(width)
	lines := (len(g.words) + n - 1) / n
	return float32(lines)*(scaled(wordHigh)+wordGap) - wordGap
}

// AccessibilityLabel reads the words out with their numbers.
func (g *wordGrid) AccessibilityLabel() string {
	var b strings.Builder
	for i, word := range g.words {
		fmt.Fprintf(&b, "%d %s. ", i+1, word)
	}
	return b.String()
}

// AccessibilityRole says that this is text.
func (g *wordGrid) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer is for Fyne.
func (g *wordGrid) CreateRenderer() fyne.WidgetRenderer {
	r := &wordGridRenderer{g: g}
	for i, word := range g.words {
		r.grounds = append(r.grounds, &canvas.Rectangle{})
		r.numbers = append(r.numbers, &canvas.Text{Text: fmt.Sprint(i + 1)})
		r.labels = append(r.labels, &canvas.Text{Text: word})
		r.objects = append(r.objects, r.grounds[i], r.numbers[i], r.labels[i])
	}
	r.paint()
	return r
}

type wordGridRenderer struct {
	g               *wordGrid
	grounds         []*canvas.Rectangle
	numbers, labels []*canvas.Text
	objects         []fyne.CanvasObject
}

func (r *wordGridRenderer) Destroy()                     {}
func (r *wordGridRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *wordGridRenderer) MinSize() fyne.Size {
	return fyne.NewSize(scaled(wordWide), r.g.heightFor(max(r.g.width, scaled(wordWide))))
}

func (r *wordGridRenderer) Layout(size fyne.Size) {
	r.g.width = size.Width
	n := r.g.columns(size.Width)
	wide, high := (size.Width+wordGap)/float32(n)-wordGap, scaled(wordHigh)
	for i := range r.grounds {
		at := fyne.NewPos(float32(i%n)*(wide+wordGap), float32(i/n)*(high+wordGap))
		r.grounds[i].Move(at)
		r.grounds[i].Resize(fyne.NewSize(wide, high))
		number, label := r.numbers[i].MinSize(), r.labels[i].MinSize()
		r.numbers[i].Move(at.AddXY(10, (high-number.Height)/2+1))
		r.labels[i].Move(at.AddXY(10+number.Width+6, (high-label.Height)/2))
	}
}

func (r *wordGridRenderer) Refresh() {
	r.paint()
	r.Layout(r.g.Size())
	canvas.Refresh(r.g)
}

func (r *wordGridRenderer) paint() {
	for i := range r.grounds {
		r.grounds[i].FillColor, r.grounds[i].CornerRadius = theme.Color(colorPill), 10
		r.numbers[i].Color, r.numbers[i].TextSize = theme.Color(colorMuted), scaled(11)
		r.labels[i].Color, r.labels[i].TextSize = theme.Color(colorInk), scaled(13)
	}
}
