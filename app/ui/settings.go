package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// settingsCard is everything a person may choose. What is changed counts at
// once: there is no button to forget.
type settingsCard struct {
	w       *Window
	root    *fyne.Container
	devices *fyne.Container
}

// showSettings opens the card over the window.
func (w *Window) showSettings() {
	v := &settingsCard{w: w, devices: newColumn(8)}
	v.root = newSheet(560, newCard(newColumn(24,
		newHeading(w, w.tr("settings.title")),
		v.you(),
		v.look(),
		v.notices(),
		v.sound(),
		v.privacy(),
		v.ownDevices(),
		v.network(),
		v.safekeeping(),
	)))
	w.modal(v.root)
	v.readDevices()
}

// section is a group of settings under its name.
func section(title string, objs ...fyne.CanvasObject) fyne.CanvasObject {
	return newColumn(16, append([]fyne.CanvasObject{newRule(), headText(title)}, objs...)...)
}

// change keeps a setting; the node says what it then is.
func (v *settingsCard) change(set func(*control.Settings)) {
	w := v.w
	next := w.settings
	set(&next)
	was := w.settings
	w.wear(next)
	w.doInOrder(func(ctx context.Context) error {
		got, err := w.client.PutSettings(ctx, next)
		if err != nil {
			w.ui(func() { w.wear(was) })
			return err
		}
		w.ui(func() { w.wear(got) })
		return nil
	})
	if next.Language != was.Language {
		w.closeModal()
		w.showSettings()
		return
	}
	relayout(v.root)
}

func (v *settingsCard) you() fyne.CanvasObject {
	w := v.w
	name := newEntry("")
	name.SetText(w.settings.Name)
	name.left = func() {
		if typed := strings.TrimSpace(name.Text); typed != "" && typed != w.settings.Name {
			v.change(func(s *control.Settings) { s.Name = typed })
		}
	}
	name.onEnter = name.left
	return labelled(w.tr("settings.name"), name)
}

// labelledChoice puts a small bold label over a choice.
func labelledChoice(label string, c *choice) fyne.CanvasObject {
	return newColumn(6, labelText(label), c.object())
}

func (v *settingsCard) look() fyne.CanvasObject {
	w := v.w
	looks := []string{"system", appearanceLight, appearanceDark, appearanceContrast}
	var names []string
	for _, l := range looks {
		names = append(names, w.tr("look."+l))
	}
	look := newChoice(names, max(0, slices.Index(looks, w.settings.Appearance)), func(i int) {
		v.change(func(s *control.Settings) { s.Appearance = looks[i] })
	})
	sizes := []float64{0.85, 1, 1.15, 1.3, 1.6}
	size := newChoice([]string{w.tr("size.small"), w.tr("size.normal"), w.tr("size.large"), w.tr("size.larger"), w.tr("size.largest")},
		nearest(sizes, w.settings.TextSize), func(i int) {
			v.change(func(s *control.Settings) { s.TextSize = sizes[i] })
		})
	langs := []string{"", "en", "fr"}
	lang := newChoice([]string{w.tr("lang.system"), "English", "Français"}, max(0, slices.Index(langs, w.settings.Language)), func(i int) {
		v.change(func(s *control.Settings) { s.Language = langs[i] })
	})
	return section(w.tr("settings.look"),
		labelledChoice(w.tr("settings.appearance"), look),
		labelledChoice(w.tr("settings.textsize"), size),
		labelledChoice(w.tr("settings.language"), lang),
		v.toggle("settings.motion", w.settings.ReduceMotion, func(s *control.Settings, on bool) { s.ReduceMotion = on }),
	)
}

// nearest is the index of the value nearest to x; 0 counts as 1.
func nearest(values []float64, x float64) int {
	if x == 0 {
		x = 1
	}
	best := 0
	for i, v := range values {
		if (v-x)*(v-x) < (values[best]-x)*(values[best]-x) {
			best = i
		}
	}
	return best
}

// toggle is a setting that is on or off; its explanation is KEY.say.
func (v *settingsCard) toggle(key string, on bool, set func(*control.Settings, bool)) fyne.CanvasObject {
	return newToggle(v.w.tr(key), v.w.tr(key+".say"), on, func(on bool) {
		v.change(func(s *control.Settings) { set(s, on) })
	})
}

func (v *settingsCard) notices() fyne.CanvasObject {
	s := v.w.settings
	return section(v.w.tr("settings.notices"),
		v.toggle("settings.notify", s.Notify, func(s *control.Settings, on bool) { s.Notify = on }),
		v.toggle("settings.notifytext", s.NotifyText, func(s *control.Settings, on bool) { s.NotifyText = on }),
		v.toggle("settings.tray", s.CloseToTray, func(s *control.Settings, on bool) { s.CloseToTray = on }),
	)
}

// sound is which devices calls use.
func (v *settingsCard) sound() fyne.CanvasObject {
	s := newSoundPicker(v.w, func() { relayout(v.root) })
	return section(v.w.tr("settings.sound"), s.box, newRow(8, secondaryButton(v.w.tr("test.open"), func() { v.w.showSoundTest(nil) })))
}

func (v *settingsCard) privacy() fyne.CanvasObject {
	s := v.w.settings
	return section(v.w.tr("settings.privacy"),
		v.toggle("settings.receipts", s.SendReceipts, func(s *control.Settings, on bool) { s.SendReceipts = on }),
		v.toggle("settings.typing", s.SendTyping, func(s *control.Settings, on bool) { s.SendTyping = on }),
	)
}

func (v *settingsCard) ownDevices() fyne.CanvasObject {
	return section(v.w.tr("settings.devices"), v.devices)
}

func (v *settingsCard) readDevices() {
	w := v.w
	var list []control.Device
	w.ask(func(ctx context.Context) (err error) {
		list, err = w.client.Devices(ctx)
		return err
	}, func(err error) {
		v.devices.RemoveAll()
		if err != nil {
			v.devices.Add(smallText(w.sentence(err)))
		}
		for _, d := range list {
			v.devices.Add(newEnds(bodyText(d.Name).oneLine(), smallText(w.deviceState(d))))
		}
		relayout(v.root)
	})
}

func (w *Window) deviceState(d control.Device) string {
	switch {
	case d.This:
		return w.tr("device.this")
	case d.Online:
		return w.tr("device.online")
	case d.LastSeen.IsZero():
		return w.tr("device.never")
	}
	return w.words.ago(d.LastSeen.Local(), w.now())
}

func (v *settingsCard) network() fyne.CanvasObject {
	return section(v.w.tr("settings.network"),
		newNetworkPanel(v.w, func() { relayout(v.root) }).box,
		v.toggle("settings.save", v.w.settings.SaveBandwidth, func(s *control.Settings, on bool) { s.SaveBandwidth = on }),
		v.toggle("settings.low", v.w.settings.LowLatency, func(s *control.Settings, on bool) { s.LowLatency = on }),
		v.toggle("settings.find", v.w.settings.FindOnline, func(s *control.Settings, on bool) { s.FindOnline = on }),
		v.toggle("settings.passon", v.w.settings.PassOn, func(s *control.Settings, on bool) { s.PassOn = on }))
}

// safekeeping is what brings an identity back, and a history.
func (v *settingsCard) safekeeping() fyne.CanvasObject {
	w := v.w
	say := mutedText(w.tr("settings.words.say"))
	if !w.settings.WordsKept {
		say = newText(w.tr("settings.words.unkept"), 14, 20, colorWarn)
	}
	return section(w.tr("settings.safekeeping"),
		newColumn(8, say, newRow(8, secondaryButton(w.tr("settings.words.show"), w.showWords))),
		newColumn(8, mutedText(w.tr("settings.backup.say")), newRow(8, secondaryButton(w.tr("settings.backup.save"), w.showBackup))),
	)
}
