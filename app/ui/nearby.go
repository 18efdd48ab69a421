package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// nearbyPage is a page of the card for friends: who shows themselves on this
// network, and the switch by which we do for five minutes.
type nearbyPage struct {
	w    *Window
	root *fyne.Container // the card
	body *fyne.Container
}

// newNearbyPage makes the page. While it is on the screen it follows the node.
func newNearbyPage(w *Window, root *fyne.Container) *nearbyPage {
	v := &nearbyPage{w: w, root: root, body: newColumn(16)}
	w.nearby = v.read
	v.read()
	return v
}

func (v *nearbyPage) read() {
	var got control.Nearby
	v.w.ask(func(ctx context.Context) (err error) {
		got, err = v.w.client.Nearby(ctx)
		return err
	}, func(err error) { v.took(got, err) })
}

func (v *nearbyPage) took(got control.Nearby, err error) {
	if err != nil {
		v.body.Objects = []fyne.CanvasObject{newText(v.w.sentence(err), 13, 18, colorDanger)}
		relayout(v.root)
		return
	}
	v.show(got)
}

func (v *nearbyPage) show(got control.Nearby) {
	w := v.w
	say := w.tr("nearby.visible.say")
	if !got.Until.IsZero() {
		say = w.tr("nearby.until", w.words.clock(got.Until.Local()))
	}
	objs := []fyne.CanvasObject{newToggle(w.tr("nearby.visible"), say, !got.Until.IsZero(), v.turn), newRule()}
	if len(got.People) == 0 {
		objs = append(objs, mutedText(w.tr("nearby.nobody")))
	} else {
		objs = append(objs, smallText(w.tr("nearby.words")))
	}
	for _, one := range got.People {
		objs = append(objs, v.neighbour(one))
	}
	v.body.Objects = objs
	relayout(v.root)
}

// neighbour is one person with the words that both must see alike.
func (v *nearbyPage) neighbour(one control.Neighbour) fyne.CanvasObject {
	w := v.w
	words := newColumn(2, bodyText(one.Name).oneLine(), smallText(strings.Join(one.Words, " · ")))
	if one.State == "" {
		return newColumn(8, words, newRow(8, secondaryButton(w.tr("nearby.ask", one.Name), func() { v.ask(one) })))
	}
	return words
}

// turn shows us to everybody on this network, or no longer.
func (v *nearbyPage) turn(on bool) {
	ask := control.Visible{Seconds: -1}
	if on {
		ask.Seconds = 0
	}
	var got control.Nearby
	v.w.ask(func(ctx context.Context) (err error) {
		got, err = v.w.client.ShowUs(ctx, ask)
		return err
	}, func(err error) { v.took(got, err) })
}

// ask sends a request to a person nearby.
func (v *nearbyPage) ask(one control.Neighbour) {
	w := v.w
	var added control.Contact
	w.ask(func(ctx context.Context) (err error) {
		added, err = w.client.AddNearby(ctx, one.ID, control.NewContact{})
		return err
	}, func(err error) {
		if err != nil {
			w.fail(err)
			return
		}
		w.closeModal()
		w.readContacts()
		w.openConversation(added.ID, "")
	})
}
