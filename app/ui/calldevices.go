package ui

import (
	"context"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// Kinds of sound devices.
const (
	microphone  = "microphone"
	loudspeaker = "loudspeaker"
	ringing     = "ring" // a loudspeaker's other use
)

// A soundPicker lists the microphones, the loudspeakers, and where it rings; the chosen ones are
// marked, and a press takes another at once.
type soundPicker struct {
	w    *Window
	box  *fyne.Container
	list []control.SoundDevice
	grew func() // the list was read
}

func newSoundPicker(w *Window, grew func()) *soundPicker {
	s := &soundPicker{w: w, box: newColumn(16), grew: grew}
	s.box.Add(smallText(w.tr("sound.looking")))
	s.ask(w.client.SoundDevices)
	return s
}

// ask runs a verb that answers with the devices, and shows them.
func (s *soundPicker) ask(verb func(context.Context) ([]control.SoundDevice, error)) {
	var list []control.SoundDevice
	s.w.ask(func(ctx context.Context) (err error) {
		list, err = verb(ctx)
		return err
	}, func(err error) {
		switch {
		case err == nil:
			s.list = list
			s.fill()
		case s.list != nil:
			s.w.fail(err)
		default:
			s.box.Objects = []fyne.CanvasObject{smallText(s.w.sentence(err))}
		}
		s.grew()
	})
}

func (s *soundPicker) fill() {
	s.box.RemoveAll()
	for _, use := range []string{microphone, loudspeaker, ringing} {
		lines := newColumn(0, labelText(s.w.tr("sound."+use)), space(4))
		for _, d := range s.list {
			if d.Kind == use || use == ringing && d.Kind == loudspeaker {
				lines.Add(s.line(d, use))
			}
		}
		if len(lines.Objects) > 2 {
			s.box.Add(lines)
		} else if use != ringing {
			lines.Add(smallText(s.w.tr("sound.none." + use)))
			s.box.Add(lines)
		}
	}
}

func (s *soundPicker) line(d control.SoundDevice, use string) fyne.CanvasObject {
	icon, name, chosen := theme.RadioButtonIcon(), d.Name, d.Chosen
	if use == ringing {
		chosen = d.Rings
	}
	if chosen {
		icon = theme.RadioButtonCheckedIcon()
	}
	if d.Default {
		name += " · " + s.w.tr("sound.default")
	}
	return newItem(icon, name, func() {
		if !chosen {
			s.choose(d, use)
		}
	})
}

// choose takes a device; the system's own choice is followed when it changes,
// and the ring follows the loudspeaker of calls.
func (s *soundPicker) choose(d control.SoundDevice, use string) {
	id := d.ID
	var c control.SoundChoice
	switch use {
	case microphone:
		c.Mic = &id
	case loudspeaker:
		c.Speaker = &id
	case ringing:
		c.Ring = &id
	}
	if d.Default && use != ringing || use == ringing && d.Chosen {
		id = ""
	}
	s.ask(func(ctx context.Context) ([]control.SoundDevice, error) { return s.w.client.ChooseSound(ctx, c) })
}

// showDevices opens the devices of a call, and how loud the other is.
func (p *phone) showDevices(b *callBar) {
	w, c := p.w, b.call
	var root *fyne.Container
	s := newSoundPicker(w, func() { relayout(root) })
	body := newColumn(16, s.box, newRule(),
		newColumn(4, labelText(w.tr("sound.volume", c.Name)), p.volume(c)),
		newToggle(w.tr("sound.headphones"), w.tr("sound.headphones.say"), c.Headphones, func(on bool) {
			p.edit(c.ID, control.CallEdit{Headphones: &on})
		}),
	)
	root = p.underBar(b, b.devices, 360, body)
	w.popover(root)
}

// mostVolume is by how much a friend can be made louder or quieter, in dB.
const mostVolume = 15

// volume is how loud a friend is heard here.
func (p *phone) volume(c control.Call) fyne.CanvasObject {
	slider := widget.NewSlider(-mostVolume, mostVolume)
	slider.Step = 1
	slider.SetValue(math.Round(c.Volume))
	slider.OnChangeEnded = func(db float64) { p.edit(c.ID, control.CallEdit{Volume: &db}) }
	return container.NewThemeOverride(slider, sliderTheme{p.w.theme})
}

// A sliderTheme draws a slider in the accent, on a track that can be seen.
type sliderTheme struct{ fyne.Theme }

// Color is for Fyne.
func (s sliderTheme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch n {
	case theme.ColorNameForeground:
		n = colorAccent
	case theme.ColorNameInputBackground:
		n = colorLine
	}
	return s.Theme.Color(n, v)
}

// Size is for Fyne.
func (s sliderTheme) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNameInnerPadding {
		return 8
	}
	return s.Theme.Size(n)
}

// showMore opens what one seldom does in a call.
func (p *phone) showMore(b *callBar) {
	w, c := p.w, b.call
	then := func(f func()) func() { return func() { w.closeModal(); f() } }
	held, keyed := !c.Held, !c.PushToTalk
	hold, record, keys := "more.hold", "more.record", "more.keys"
	if c.Held {
		hold = "more.resume"
	}
	if c.Recording {
		record = "more.recorded"
	}
	if c.PushToTalk {
		keys = "more.open"
	}
	lines := newColumn(2, newItem(theme.MediaPauseIcon(), w.tr(hold), then(func() { p.edit(c.ID, control.CallEdit{Held: &held}) })))
	if !c.Held {
		lines.Add(newItem(theme.MediaRecordIcon(), w.tr(record), then(func() { p.record(c) })))
		lines.Add(newItem(theme.AccountIcon(), w.tr(keys), then(func() { p.edit(c.ID, control.CallEdit{PushToTalk: &keyed}) })))
	}
	w.popover(p.underBar(b, b.more, 260, lines))
}

// underBar puts a small card below a button of a bar, its right edge under the
// button's.
func (p *phone) underBar(b *callBar, at *button, wide float32, o fyne.CanvasObject) *fyne.Container {
	place := fyne.CurrentApp().Driver().AbsolutePositionForObject(at)
	place = place.AddXY(at.Size().Width, at.Size().Height+6)
	body := makeCard(&card{fill: theme.ColorNameOverlayBackground, stroke: colorLine, radius: 16, padX: 12, padY: 12, content: o})
	return container.New(&below{at: place, wide: wide, card: body}, newShield(), container.NewVScroll(newInset(sheetEdge, sheetEdge, body)))
}

// below hangs a card under a place of the window: its upper right corner
// there, as high as it needs or the window has.
type below struct {
	at   fyne.Position
	wide float32
	card *card
}

// Layout is for Fyne.
func (l *below) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	w := min(l.wide*max(1, (1+textScale())/2), size.Width-16)
	h := min(l.card.heightFor(w), size.Height-16)
	x := min(max(l.at.X-w, 8), size.Width-w-8)
	y := min(l.at.Y, size.Height-h-8)
	for _, o := range objs {
		o.Resize(fyne.NewSize(w+2*sheetEdge, h+2*sheetEdge))
		o.Move(fyne.NewPos(x-sheetEdge, y-sheetEdge))
	}
}

// MinSize is for Fyne: it fits any window.
func (l *below) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 100) }
