package ui

import (
	"image/color"
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A strip is one row of a reel. It knows its height without being drawn, so
// that thousands of rows cost no more than the few that are seen.
type strip interface {
	// key names the row; what is drawn for a key stays while the key is seen.
	key() string
	// height is the row's height at a width.
	height(width float32) float32
	// draw gives what shows the row; old is something that a row of the same
	// kind has no use for any more, or nil.
	draw(old fyne.CanvasObject) fyne.CanvasObject
	// kind says whose drawings may be used again.
	kind() string
}

// A reel scrolls strips of different heights. Only those in sight are drawn,
// and what leaves one end is used again at the other.
type reel struct {
	widget.BaseWidget

	// edge is called when less than a screen is left above (-1) or below (1).
	edge func(side int)
	// moved is called after each scroll.
	moved func()

	strips []strip
	tops   []float32 // where each strip begins; one more than strips
	width  float32   // that tops were measured at
	scale  float32   // the text size, likewise
	offset float32   // what of the strips is above the window
	foot   bool      // stays at the end when something is added

	drawn  map[string]fyne.CanvasObject // by key
	kinds  map[string]string            // key to kind
	spare  map[string][]fyne.CanvasObject
	inView []fyne.CanvasObject
	bar    *reelBar
	bell   *canvas.Rectangle // nothing, in sight: rung for a frame that shows new rows
}

// newReel makes an empty reel. One with foot keeps to the end, as
// conversations do, until it is scrolled away from there.
func newReel(foot bool) *reel {
	r := &reel{
		foot: foot, tops: []float32{0},
		drawn: make(map[string]fyne.CanvasObject), kinds: make(map[string]string),
		spare: make(map[string][]fyne.CanvasObject),
		bell:  canvas.NewRectangle(color.Transparent),
	}
	r.bar = newReelBar(r)
	r.ExtendBaseWidget(r)
	return r
}

// set shows other strips. What is in sight stays where it is: at the end if
// the reel was there, else around the first key of the old that is in the new.
func (r *reel) set(strips []strip) {
	atEnd := r.foot && r.atEnd()
	key, dy := r.anchor(strips)
	r.strips = strips
	r.measure()
	switch {
	case atEnd:
		r.offset = r.end()
	case key != "":
		r.offset = r.tops[r.index(key)] + dy
	}
	r.redraw()
	r.nearEdge()
}

// noteKind is the kind of strips that stand between others, as the line of a
// day: when something is added they may move away from what they stood by.
const noteKind = "note"

// anchor is the second strip in sight that is also among others and is no
// note, and how far its top is above the window's. The first will do if there
// is no other, but it may change its own height when something joins it above.
func (r *reel) anchor(others []strip) (key string, dy float32) {
	there := make(map[string]bool, len(others))
	for _, s := range others {
		there[s.key()] = true
	}
	for i := r.first(); i < len(r.strips); i++ {
		k := r.strips[i].key()
		if !there[k] || r.strips[i].kind() == noteKind {
			continue
		}
		second := key != ""
		key, dy = k, r.offset-r.tops[i]
		if second {
			break
		}
	}
	return key, dy
}

// index finds a strip by key, or gives -1.
func (r *reel) index(key string) int {
	for i, s := range r.strips {
		if s.key() == key {
			return i
		}
	}
	return -1
}

// measure lays the strips out one below the other.
func (r *reel) measure() {
	r.width, r.scale = r.Size().Width, textScale()
	r.tops = append(r.tops[:0], 0)
	var y float32
	for _, s := range r.strips {
		y += s.height(r.width)
		r.tops = append(r.tops, y)
	}
}

func (r *reel) total() float32 { return r.tops[len(r.tops)-1] }

// end is the offset that shows the last strip at the foot; negative when a
// conversation does not fill the window, so that it stands at the foot.
func (r *reel) end() float32 {
	e := r.total() - r.Size().Height
	if !r.foot {
		e = max(e, 0)
	}
	return e
}

func (r *reel) atEnd() bool { return r.offset >= r.end()-2 }

// first is the index of the first strip in sight.
func (r *reel) first() int {
	i := sort.Search(len(r.strips), func(i int) bool { return r.tops[i+1] > r.offset })
	return min(i, len(r.strips))
}

// scrollTo puts the window at an offset, as far as there are strips.
func (r *reel) scrollTo(y float32) {
	y = max(min(y, r.end()), min(0, r.end()))
	if y == r.offset {
		return
	}
	r.offset = y
	r.redraw()
	r.nearEdge()
	if r.moved != nil {
		r.moved()
	}
}

// toEnd shows the last strip.
func (r *reel) toEnd() { r.scrollTo(r.end()) }

// reveal scrolls just far enough to show a strip whole; far ones come to a
// third of the height.
func (r *reel) reveal(key string) {
	i := r.index(key)
	if i < 0 {
		return
	}
	h := r.Size().Height
	top, bottom := r.tops[i], r.tops[i+1]
	switch {
	case bottom < r.offset-h || top > r.offset+2*h:
		r.scrollTo(top - h/3)
	case top < r.offset+8:
		r.scrollTo(top - 8)
	case bottom > r.offset+h-8:
		r.scrollTo(bottom - h + 8)
	}
}

// Scrolled is for Fyne: the wheel or two fingers.
func (r *reel) Scrolled(e *fyne.ScrollEvent) {
	r.scrollTo(r.offset - e.Scrolled.DY)
}

// Resize is for Fyne. The end stays at the foot; else the strip at the top
// stays there.
func (r *reel) Resize(size fyne.Size) {
	if size == r.Size() {
		return
	}
	atEnd := r.foot && r.atEnd()
	i := r.first()
	dy := r.offset - r.tops[i]
	narrower := size.Width != r.Size().Width
	r.BaseWidget.Resize(size)
	if narrower {
		r.measure()
	}
	r.offset = r.tops[i] + dy
	if atEnd {
		r.offset = r.end()
	}
	r.offset = max(min(r.offset, r.end()), min(0, r.end()))
	r.redraw()
	r.nearEdge()
}

// redraw brings what is drawn in step with the offset.
func (r *reel) redraw() {
	h := r.Size().Height
	if h <= 0 || r.width <= 0 {
		return
	}
	from := r.first()
	to := from
	for to < len(r.strips) && r.tops[to] < r.offset+h {
		to++
	}
	r.release(from, to)
	changed := to-from != len(r.inView)
	r.inView = r.inView[:0]
	for i := from; i < to; i++ {
		o, fresh := r.show(r.strips[i])
		changed = changed || fresh
		o.Resize(fyne.NewSize(r.width, r.tops[i+1]-r.tops[i]))
		o.Move(fyne.NewPos(0, r.tops[i]-r.offset))
		r.inView = append(r.inView, o)
	}
	r.bar.follow()
	if changed {
		canvas.Refresh(r.bell) // the reel itself would throw away all that is drawn
	}
}

// release puts away what is no longer in sight.
func (r *reel) release(from, to int) {
	seen := make(map[string]bool, to-from)
	for _, s := range r.strips[from:to] {
		seen[s.key()] = true
	}
	for k, o := range r.drawn {
		if !seen[k] {
			r.spare[r.kinds[k]] = append(r.spare[r.kinds[k]], o)
			delete(r.drawn, k)
			delete(r.kinds, k)
		}
	}
}

// show gives the drawing of a strip.
func (r *reel) show(s strip) (o fyne.CanvasObject, fresh bool) {
	key, kind := s.key(), s.kind()
	if o, ok := r.drawn[key]; ok && r.kinds[key] == kind {
		return s.draw(o), false
	}
	var old fyne.CanvasObject
	if n := len(r.spare[kind]); n > 0 {
		old = r.spare[kind][n-1]
		r.spare[kind] = r.spare[kind][:n-1]
	}
	o = s.draw(old)
	r.drawn[key], r.kinds[key] = o, kind
	return o, true
}

func (r *reel) nearEdge() {
	if r.edge == nil || len(r.strips) == 0 {
		return
	}
	h := r.Size().Height
	if r.offset < h {
		r.edge(-1)
	}
	if r.offset > r.end()-h {
		r.edge(1)
	}
}

// CreateRenderer is for Fyne.
func (r *reel) CreateRenderer() fyne.WidgetRenderer { return &reelRenderer{r} }

type reelRenderer struct{ r *reel }

func (rr *reelRenderer) Destroy()           {}
func (rr *reelRenderer) Layout(fyne.Size)   {}
func (rr *reelRenderer) MinSize() fyne.Size { return fyne.NewSize(120, 80) }

func (rr *reelRenderer) Objects() []fyne.CanvasObject {
	return append(rr.r.inView[:len(rr.r.inView):len(rr.r.inView)], rr.r.bar, rr.r.bell)
}

// Refresh draws everything anew, for another theme or text size.
func (rr *reelRenderer) Refresh() {
	r := rr.r
	if r.scale != textScale() {
		atEnd := r.foot && r.atEnd()
		r.measure()
		if atEnd {
			r.offset = r.end()
		}
	}
	r.redraw()
	for _, o := range r.inView {
		o.Refresh()
	}
	r.bar.Refresh()
}

// A reelBar shows how far a reel is scrolled, and drags it.
type reelBar struct {
	widget.BaseWidget
	reel  *reel
	thumb *slab
}

func newReelBar(r *reel) *reelBar {
	b := &reelBar{reel: r, thumb: newSlab(2)}
	b.ExtendBaseWidget(b)
	return b
}

// follow puts the bar beside what is in sight.
func (b *reelBar) follow() {
	r := b.reel
	h, total := r.Size().Height, r.total()
	if total <= h {
		b.Hide()
		return
	}
	b.Show()
	long := max(h*h/total, 32)
	b.Resize(fyne.NewSize(10, long))
	b.Move(fyne.NewPos(r.Size().Width-10, (h-long)*r.offset/(total-h)))
}

// Dragged is for Fyne.
func (b *reelBar) Dragged(e *fyne.DragEvent) {
	r := b.reel
	if room := r.Size().Height - b.Size().Height; room > 0 {
		r.scrollTo(r.offset + e.Dragged.DY*r.end()/room)
	}
}

// DragEnd is for Fyne.
func (b *reelBar) DragEnd() {}

// CreateRenderer is for Fyne.
func (b *reelBar) CreateRenderer() fyne.WidgetRenderer { return &reelBarRenderer{b} }

type reelBarRenderer struct{ b *reelBar }

func (r *reelBarRenderer) Destroy()                     {}
func (r *reelBarRenderer) MinSize() fyne.Size           { return fyne.NewSize(10, 32) }
func (r *reelBarRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.b.thumb.Shader} }

func (r *reelBarRenderer) Layout(size fyne.Size) {
	r.b.thumb.paint(theme.Color(theme.ColorNameScrollBar), color.Transparent)
	r.b.thumb.place(fyne.NewPos(3, 2), fyne.NewSize(4, max(size.Height-4, 0)))
}

func (r *reelBarRenderer) Refresh() {
	r.Layout(r.b.Size())
	r.b.thumb.Refresh()
}
