package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/entrenous/entrenous/app/control"
)

// networkPanel is how this computer meets the network, as a part of the
// settings: how it can be reached, local networks only or not, and relays.
type networkPanel struct {
	w      *Window
	box    *fyne.Container
	around func() // lays out what is around the panel
	now    control.Network
	wrong  *text
}

func newNetworkPanel(w *Window, around func()) *networkPanel {
	v := &networkPanel{w: w, box: newColumn(16), around: around, wrong: newProblem()}
	v.show()
	v.read()
	return v
}

func (v *networkPanel) read() {
	var got control.Network
	v.w.ask(func(ctx context.Context) (err error) {
		got, err = v.w.client.Network(ctx)
		return err
	}, func(err error) { v.took(got, err) })
}

// took shows what the node answered, or why it did not.
func (v *networkPanel) took(got control.Network, err error) {
	if err != nil {
		v.show()
		v.wrong.say(v.w.sentence(err), nil)
		v.around()
		return
	}
	v.wrong.say("", nil)
	v.now = got
	v.show()
	v.around()
}

// edit changes a choice; the node begins anew with it.
func (v *networkPanel) edit(e control.NetworkEdit) {
	var got control.Network
	v.w.ask(func(ctx context.Context) (err error) {
		got, err = v.w.client.EditNetwork(ctx, e)
		return err
	}, func(err error) { v.took(got, err) })
}

func (v *networkPanel) show() {
	w := v.w
	say := w.tr("reach.say." + w.status.Reach)
	if w.status.Reach == "" {
		say = w.tr("reach.say." + control.ReachNone)
	}
	lan := newToggle(w.tr("network.lanonly"), w.tr("network.lanonly.say"), v.now.LANOnly || v.now.Forced, func(on bool) {
		v.edit(control.NetworkEdit{LANOnly: &on})
	})
	objs := []fyne.CanvasObject{mutedText(say), lan}
	if v.now.Forced {
		objs = append(objs, smallText(w.tr("network.forced")))
	}
	if !v.now.LANOnly && !v.now.Forced {
		objs = append(objs, v.router(), v.relays(), v.lending())
	}
	objs = append(objs, v.wrong, newRow(8, secondaryButton(w.tr("settings.doctor"), w.showDoctor)))
	v.box.Objects = objs
}

// router is whether it is asked to open a port.
func (v *networkPanel) router() fyne.CanvasObject {
	w := v.w
	box := newColumn(8, newToggle(w.tr("network.map"), w.tr("network.map.say"), v.now.MapPort && !v.now.Unasked, func(on bool) {
		v.edit(control.NetworkEdit{MapPort: &on})
	}))
	if v.now.Unasked {
		box.Add(smallText(w.tr("network.map.off")))
	}
	return box
}

// relays lists them, each with a way to let it go, and takes another one.
func (v *networkPanel) relays() fyne.CanvasObject {
	w := v.w
	list := newColumn(8, labelText(w.tr("network.relays")), smallText(w.tr("network.relays.say")))
	for _, r := range v.now.States {
		state := w.tr("network.relay.silent")
		switch {
		case r.Ready && r.Small:
			state = w.tr("network.relay.small")
		case r.Ready && r.From == "open":
			state = w.tr("network.relay.stranger")
		case r.Ready:
			state = w.tr("network.relay.ready")
		}
		words := newColumn(0, bodyText(r.Name).oneLine(), smallText(state))
		if !slices.Contains(v.now.Relays, r.Addr) {
			list.Add(words) // given when the node was started
			continue
		}
		list.Add(newEnds(words, iconButton(quiet, theme.DeleteIcon(), w.tr("network.relay.remove", r.Name), func() { v.remove(r.Addr) })))
	}
	addr := newEntry("/ip4/…/p2p/…")
	add := func() {
		if typed := strings.TrimSpace(addr.Text); typed != "" {
			relays := append(slices.Clone(v.now.Relays), typed)
			v.edit(control.NetworkEdit{Relays: &relays})
		}
	}
	addr.onEnter = add
	list.Add(labelled(w.tr("network.relay.address"), addr))
	list.Add(newRow(8, secondaryButton(w.tr("network.relay.add"), add)))
	return list
}

func (v *networkPanel) remove(addr string) {
	relays := slices.DeleteFunc(slices.Clone(v.now.Relays), func(r string) bool { return r == addr })
	v.edit(control.NetworkEdit{Relays: &relays})
}

// lending is the hand that this computer lends to friends, and what it passed on.
func (v *networkPanel) lending() fyne.CanvasObject {
	w, lend := v.w, v.now.Lend
	box := newColumn(12, newToggle(w.tr("network.lend"), w.tr("network.lend.say"), lend.On, func(on bool) {
		lend.On = on
		v.edit(control.NetworkEdit{Lend: &lend})
	}))
	if !lend.On {
		return box
	}
	limits := func(label string, values []int64, unit string, now *int64) fyne.CanvasObject {
		names := []string{w.tr("network.lend.unlimited")}
		for _, n := range values[1:] {
			names = append(names, w.tr(unit, n>>10))
		}
		return labelledChoice(label, newChoice(names, max(0, slices.Index(values, *now)), func(i int) {
			*now = values[i]
			v.edit(control.NetworkEdit{Lend: &lend})
		}))
	}
	box.Add(limits(w.tr("network.lend.month"), []int64{0, 5 << 10, 50 << 10}, "network.lend.gigabytes", &lend.Month))
	box.Add(limits(w.tr("network.lend.rate"), []int64{0, 1 << 10, 5 << 10}, "network.lend.megabytes", &lend.Rate))
	box.Add(newToggle(w.tr("network.lend.theirs"), w.tr("network.lend.theirs.say"), lend.ToTheirs, func(on bool) {
		lend.ToTheirs = on
		v.edit(control.NetworkEdit{Lend: &lend})
	}))
	box.Add(smallText(w.tr("network.lent", inMegabytes(v.now.Lent.Month))))
	for _, one := range v.now.Lent.Week {
		box.Add(smallText(w.tr("network.lent.for", inMegabytes(one.Bytes), one.Name)))
	}
	return box
}

// inMegabytes rounds up, so that something is not nothing.
func inMegabytes(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }
