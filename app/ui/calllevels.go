package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

const (
	levelBars = 7 // of each voice, an odd number
	barWide   = 4
	barGap    = 3
	barHigh   = 28
	barLow    = 5
	quietest  = -60.0 // dBFS that are drawn as nothing
	loudest   = -12.0 // dBFS that fill the height
)

// levels are two voices as bars: theirs in the accent, ours quieter beside it.
// The newest loudness stands in the middle of each and travels outwards. They
// move when they are told to, never by themselves.
type levels struct {
	widget.BaseWidget
	theirs, mine [levelBars/2 + 1]float32 // 0 to 1, the newest first
	muted        bool
	bars         [2 * levelBars]*canvas.Rectangle
}

func newLevels() *levels {
	l := &levels{}
	for i := range l.bars {
		l.bars[i] = &canvas.Rectangle{CornerRadius: barWide / 2}
	}
	l.ExtendBaseWidget(l)
	return l
}

// push adds what is heard now, in dBFS.
func (l *levels) push(theirs, mine float64, muted bool) {
	t, m := l.theirs, l.mine
	copy(l.theirs[1:], t[:])
	copy(l.mine[1:], m[:])
	l.theirs[0], l.mine[0] = loudness(theirs), loudness(mine)
	if muted {
		l.mine[0] = 0
	}
	if l.theirs != t || l.mine != m || l.muted != muted {
		l.muted = muted
		l.Refresh()
	}
}

// loudness is how much of a bar's height a level takes.
func loudness(dbfs float64) float32 {
	return float32(min(max((dbfs-quietest)/(loudest-quietest), 0), 1))
}

// CreateRenderer is for Fyne.
func (l *levels) CreateRenderer() fyne.WidgetRenderer { return &levelsRenderer{l} }

type levelsRenderer struct{ l *levels }

func (r *levelsRenderer) Destroy() {}

func (r *levelsRenderer) MinSize() fyne.Size {
	return fyne.NewSize(2*levelBars*(barWide+barGap)-barGap+8, barHigh)
}

func (r *levelsRenderer) Objects() []fyne.CanvasObject {
	objs := make([]fyne.CanvasObject, len(r.l.bars))
	for i, b := range r.l.bars {
		objs[i] = b
	}
	return objs
}

func (r *levelsRenderer) Layout(size fyne.Size) {
	for i, b := range r.l.bars {
		voice, x := &r.l.theirs, float32(i*(barWide+barGap))
		if i >= levelBars {
			voice = &r.l.mine
			x += 8
		}
		from := i%levelBars - levelBars/2
		if from < 0 {
			from = -from
		}
		h := barLow + voice[from]*(barHigh-barLow)*(1-0.22*float32(from))
		b.Move(fyne.NewPos(x, (size.Height-h)/2))
		b.Resize(fyne.NewSize(barWide, h))
		b.FillColor = theme.Color(colorAccent)
		if i >= levelBars {
			b.FillColor = withAlpha(theme.Color(colorMuted), 0.7)
			if r.l.muted {
				b.FillColor = theme.Color(colorLine)
			}
		}
	}
}

func (r *levelsRenderer) Refresh() {
	r.Layout(r.l.Size())
	canvas.Refresh(r.l)
}
