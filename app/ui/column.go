package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// A flowLayout is a layout whose height follows from its width.
type flowLayout interface {
	fyne.Layout
	flow(objs []fyne.CanvasObject, width float32) float32
}

// column stacks what it holds, each as wide as the column, with one gap
// between neighbours.
type column struct {
	gap   float32
	width float32 // the last one, for MinSize
}

var _ flowLayout = (*column)(nil)

func newColumn(gap float32, objs ...fyne.CanvasObject) *fyne.Container {
	return container.New(&column{gap: gap}, objs...)
}

func (c *column) flow(objs []fyne.CanvasObject, width float32) float32 {
	c.width = width
	var h float32
	for i, o := range visible(objs) {
		if i > 0 {
			h += c.gap
		}
		h += heightFor(o, width)
	}
	return h
}

// Layout is for Fyne.
func (c *column) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	c.width = size.Width
	var y float32
	for _, o := range visible(objs) {
		h := heightFor(o, size.Width)
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + c.gap
	}
}

// MinSize is for Fyne: as wide as the widest needs, as high as all at the
// width last given.
func (c *column) MinSize(objs []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for i, o := range visible(objs) {
		min := o.MinSize()
		size.Width = max(size.Width, min.Width)
		if c.width > 0 {
			min.Height = heightFor(o, c.width)
		}
		size.Height += min.Height
		if i > 0 {
			size.Height += c.gap
		}
	}
	return size
}

func visible(objs []fyne.CanvasObject) []fyne.CanvasObject {
	shown := make([]fyne.CanvasObject, 0, len(objs))
	for _, o := range objs {
		if o.Visible() {
			shown = append(shown, o)
		}
	}
	return shown
}

// row puts things side by side at their own width, centred in height, and
// begins a new line where the width ends. Things that may be cut (a text)
// should come last or stand alone.
type row struct {
	gap    float32
	centre bool // each line in the middle
	width  float32
}

var _ flowLayout = (*row)(nil)

func newRow(gap float32, objs ...fyne.CanvasObject) *fyne.Container {
	return container.New(&row{gap: gap}, objs...)
}

func newCentredRow(gap float32, objs ...fyne.CanvasObject) *fyne.Container {
	return container.New(&row{gap: gap, centre: true}, objs...)
}

func (r *row) flow(objs []fyne.CanvasObject, width float32) float32 {
	r.width = width
	return r.place(objs, width, nil)
}

// Layout is for Fyne.
func (r *row) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	r.width = size.Width
	r.place(objs, size.Width, func(o fyne.CanvasObject, at fyne.Position, s fyne.Size) {
		o.Move(at)
		o.Resize(s)
	})
}

// MinSize is for Fyne: as wide as the widest of what it holds, because the
// rest can go on other lines.
func (r *row) MinSize(objs []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range visible(objs) {
		size = size.Max(wanted(o))
	}
	if r.width > 0 {
		size.Height = r.place(objs, r.width, nil)
	}
	return size
}

// place goes line by line, tells put where each thing goes, and returns the
// height of all lines.
func (r *row) place(objs []fyne.CanvasObject, width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	var y float32
	rest := visible(objs)
	for len(rest) > 0 {
		n, lineWidth, lineHeight := r.line(rest, width)
		x := float32(0)
		if r.centre {
			x = max(0, (width-lineWidth)/2)
		}
		for _, o := range rest[:n] {
			s := wanted(o)
			s.Width = min(s.Width, width)
			if put != nil {
				put(o, fyne.NewPos(x, y+(lineHeight-s.Height)/2), s)
			}
			x += s.Width + r.gap
		}
		rest = rest[n:]
		y += lineHeight
		if len(rest) > 0 {
			y += r.gap
		}
	}
	return y
}

// line says how many of the things fit one line, and that line's size.
func (r *row) line(objs []fyne.CanvasObject, width float32) (n int, w, h float32) {
	for _, o := range objs {
		s := wanted(o)
		next := w + min(s.Width, width)
		if n > 0 {
			next += r.gap
		}
		if n > 0 && next > width {
			return n, w, h
		}
		n, w, h = n+1, next, max(h, s.Height)
	}
	return n, w, h
}

// wanted is the size that shows all of o: a text is not cut.
func wanted(o fyne.CanvasObject) fyne.Size {
	if t, ok := o.(*text); ok {
		return fyne.NewSize(t.natural(), t.lineHeight())
	}
	return o.MinSize()
}

// natural keeps a text at the width it needs.
func natural(t *text) fyne.CanvasObject { return container.New(snug{}, t) }

// snug is for one thing that is never cut.
type snug struct{}

// Layout is for Fyne.
func (snug) Layout(objs []fyne.CanvasObject, size fyne.Size) { objs[0].Resize(size) }

// MinSize is for Fyne.
func (snug) MinSize(objs []fyne.CanvasObject) fyne.Size { return wanted(objs[0]) }

// space is an empty strip.
func space(height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(0, height))
	return r
}

// middle puts one thing in the middle, at most wide.
type middle struct{ wide float32 }

// Layout is for Fyne.
func (m *middle) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objs {
		w := min(m.wide*max(1, textScale()), size.Width-32)
		h := heightFor(o, w)
		o.Move(fyne.NewPos((size.Width-w)/2, max(0, (size.Height-h)/2)))
		o.Resize(fyne.NewSize(w, h))
	}
}

// MinSize is for Fyne: there is always something to see in the middle.
func (m *middle) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 160) }

// inset leaves room around one thing.
type inset struct{ x, y, width float32 }

func newInset(x, y float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(&inset{x: x, y: y}, o)
}

var _ flowLayout = (*inset)(nil)

func (i *inset) flow(objs []fyne.CanvasObject, width float32) float32 {
	i.width = width
	return heightFor(objs[0], width-2*i.x) + 2*i.y
}

// Layout is for Fyne.
func (i *inset) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	i.width = size.Width
	objs[0].Move(fyne.NewPos(i.x, i.y))
	objs[0].Resize(size.SubtractWidthHeight(2*i.x, 2*i.y))
}

// MinSize is for Fyne.
func (i *inset) MinSize(objs []fyne.CanvasObject) fyne.Size {
	size := objs[0].MinSize().AddWidthHeight(2*i.x, 2*i.y)
	if i.width > 0 {
		size.Height = heightFor(objs[0], i.width-2*i.x) + 2*i.y
	}
	return size
}
